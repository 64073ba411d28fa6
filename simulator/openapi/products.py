"""Products (docs/protocol.md §20.4)."""

from ..core.jsontext import JsonValue
from ..core.model_draft import ModelDraft
from ..core.names import is_product_name
from ..core.product import NodeType, Product
from ..core.registry import new_product_key, new_secret
from .call import Answer, Call
from .errors import (
    ALREADY_PUBLISHED,
    BAD_COMMODITY_CODE,
    BAD_DESCRIPTION,
    BAD_NODE_TYPE,
    BAD_PARAMETER,
    BAD_PRODUCT_NAME,
    PRODUCT_EXISTS,
    PRODUCT_HAS_DEVICES,
    ApiError,
)
from .pages import page
from .thing_models import publish

WITH_MODEL, WITHOUT_MODEL = "iothub_senior", "iothub"
NETWORKS = {"LORA": 1, "WIFI": 3, "CELLULAR": 6, "ETHERNET": 7, "OTHER": 8}
"""`NetType` of CreateProduct, and as QueryProduct returns it."""
DESCRIPTION = 100
RAW, ALINK = 0, 1
MAX_PAGE = 200


async def create(call: Call) -> Answer:
    """Make a product; only with AliyunCommodityCode iothub_senior, it has a thing model, which is empty."""
    fields = call.fields
    commodity = fields.optional_text("AliyunCommodityCode") or WITHOUT_MODEL
    if commodity not in (WITH_MODEL, WITHOUT_MODEL):
        raise ApiError(BAD_COMMODITY_CODE)
    name, node_type = _name(call), fields.integer("NodeType")
    if node_type not in list(NodeType):
        raise ApiError(BAD_NODE_TYPE)
    data_format = fields.integer("DataFormat", None if commodity == WITH_MODEL else ALINK)
    network = fields.optional_text("NetType") or "WIFI"
    if data_format not in (RAW, ALINK) or network not in NETWORKS:
        raise ApiError(BAD_PARAMETER, f"DataFormat is 0 or 1, NetType one of {', '.join(NETWORKS)}.")
    product = Product(
        new_product_key(),
        new_secret(16),
        name,
        NodeType(node_type),
        raw=data_format == RAW,
        network=network,
        description=_description(call) or "",
        protocol=fields.optional_text("ProtocolType") or "",
    )
    publish_model = fields.boolean("PublishAuto", default=True)
    call.platform.registry.add_product(product)
    if commodity == WITH_MODEL:
        product.draft = ModelDraft.of(product.key, None)
        if publish_model:
            publish(call, product, product.draft, None, "")
    shown = ("ProductKey", "ProductName", "ProductSecret", "NodeType", "DataFormat", "Description", "AuthType")
    details = _detail(call, product)
    data: Answer = {key: details[key] for key in (*shown, "AliyunCommodityCode", "Id2", "ProtocolType")}
    return {"ProductKey": product.key, "Data": data}


async def query(call: Call) -> Answer:
    """Return what the platform knows of a product."""
    return {"Data": _detail(call, call.product())}


async def query_list(call: Call) -> Answer:
    """Return all products by pages, or those with or without a thing model: `AliyunCommodityCode`."""
    wanted = call.fields.optional_text("AliyunCommodityCode")
    products = [
        product for product in call.platform.registry.products.values() if wanted in (None, _commodity(product))
    ]
    shown = page(call.fields, products, size=10, limit=MAX_PAGE)
    keys = (
        "ProductKey",
        "ProductName",
        "NodeType",
        "DataFormat",
        "Description",
        "AuthType",
        "DeviceCount",
        "GmtCreate",
    )
    rows: list[JsonValue] = []
    for product in shown.entries:
        details = _detail(call, product)
        rows.append({key: details[key] for key in keys})
    return {"Data": shown.counts() | {"List": {"ProductInfo": rows}}}


async def update(call: Call) -> Answer:
    """Change the name and the description of a product."""
    product = call.product()
    name, description = _name(call, product), _description(call)
    product.name = name
    product.description = product.description if description is None else description
    return {}


async def delete(call: Call) -> Answer:
    """Delete a product that has no devices and is not published."""
    product = call.product()
    if product.published:
        raise ApiError(ALREADY_PUBLISHED, "Call CancelReleaseProduct first.")
    if any(call.platform.registry.of_product(product.key)):
        raise ApiError(PRODUCT_HAS_DEVICES)
    call.platform.registry.remove_product(product)
    return {}


async def release(call: Call) -> Answer:
    """Publish a product: its thing model can't be edited any more."""
    call.product().published = True
    return {}


async def cancel_release(call: Call) -> Answer:
    """Unpublish a product."""
    call.product().published = False
    return {}


def _name(call: Call, product: Product | None = None) -> str:
    """Return the name for a new product, or the new name of a product."""
    name = call.fields.text("ProductName")
    if not is_product_name(name):
        raise ApiError(BAD_PRODUCT_NAME)
    if any(other.name == name and other is not product for other in call.platform.registry.products.values()):
        raise ApiError(PRODUCT_EXISTS)
    return name


def _description(call: Call) -> str | None:
    description = call.fields.optional_text("Description")
    if description is not None and len(description) > DESCRIPTION:
        raise ApiError(BAD_DESCRIPTION)
    return description


def _commodity(product: Product) -> str:
    return WITHOUT_MODEL if product.thing_model is None and product.draft is None else WITH_MODEL


def _detail(call: Call, product: Product) -> Answer:
    return {
        "ProductKey": product.key,
        "ProductName": product.name,
        "ProductSecret": product.secret,
        "ProductStatus": "RELEASE_STATUS" if product.published else "DEVELOPMENT_STATUS",
        "NodeType": int(product.node_type),
        "DataFormat": RAW if product.raw else ALINK,
        "NetType": NETWORKS[product.network],
        "ProtocolType": product.protocol,
        "AuthType": "secret",
        "AliyunCommodityCode": _commodity(product),
        "Description": product.description,
        "DeviceCount": sum(1 for _ in call.platform.registry.of_product(product.key)),
        "GmtCreate": product.created,
        "Id2": False,
        "Owner": True,
        "ValidateType": 1,
    }
