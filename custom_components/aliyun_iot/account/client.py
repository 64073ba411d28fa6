"""The calls of the OpenAPI that are needed to make products and devices (docs/protocol.md §20).

Nothing here logs, and the AccessKey is only in memory.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched, count
import json
import re
from typing import Final
import uuid

from ..alink.auth import DeviceTriple, SignMethod, sign
from ..alink.errors import TripleInvalid
from ..alink.messages import JsonValue
from .errors import AnswerUnreadable, ModelNotPublished, NotThere, Throttled, api_error
from .signing import AccessKey, encoded_query, signed_headers

ACTIONS: Final = (
    "BatchAddThingTopo",
    "BatchCheckDeviceNames",
    "BatchQueryDeviceDetail",
    "BatchRegisterDeviceWithApplyId",
    "CreateProduct",
    "DeleteDevice",
    "DeleteProduct",
    "DeleteThingModel",
    "GetThingModelTsl",
    "GetThingModelTslPublished",
    "ImportThingModelTsl",
    "PublishThingModel",
    "QueryBatchRegisterDeviceStatus",
    "QueryProduct",
    "QueryProductList",
    "QueryThingModel",
    "QueryThingModelPublished",
    "RegisterDevice",
)
"""Every action that is called, which is what a RAM user needs."""

PRODUCT_NAME: Final = re.compile(r"[A-Za-z0-9\u3040-\u30ff\u4e00-\u9fff_]+")

WITH_MODEL: Final = "iothub_senior"
ALINK: Final = 1
PRODUCTS_PER_PAGE: Final = 200
DETAILS_PER_CALL: Final = 100
TOPOLOGY_PER_CALL: Final = 10
THROTTLED_WAITS: Final = (1.0, 2.0, 4.0, 8.0)
"""Seconds before a call that was throttled is repeated."""
APPLICATION_POLL: Final = 1.0
APPLICATION_POLLS: Final = 300
"""Seconds between two questions whether many devices are registered, and how often it is asked."""

type Json = Mapping[str, JsonValue]
type Send = Callable[[str, Mapping[str, str]], Awaitable[bytes]]
"""Posts a request with a query and headers, and returns the body of the answer; raises a ConnectError."""


@dataclass(frozen=True, slots=True)
class ProductInfo:
    """A product of the account."""

    key: str
    name: str
    gateway: bool
    description: str = ""
    locked: bool = False
    """Whether it is published as a whole, which protects its thing model."""


class Account:
    """An account, or one instance of it. Every call raises an ApiError, or a ConnectError."""

    def __init__(self, send: Send, key: AccessKey, host: str, instance_id: str = "") -> None:
        """`host` is the header of this name; an instance that has an id needs it."""
        self._send = send
        self._key = key
        self._host = host
        self._instance = {"IotInstanceId": instance_id} if instance_id else {}

    async def call(self, action: str, **fields: str | int) -> Json:
        """Run an action and return its answer. One that is throttled is repeated a few times."""
        for wait in THROTTLED_WAITS:
            with suppress(Throttled):
                return await self._call_once(action, fields)
            await asyncio.sleep(wait)
        return await self._call_once(action, fields)

    async def _call_once(self, action: str, fields: Mapping[str, str | int]) -> Json:
        query = encoded_query(self._instance | {name: str(value) for name, value in fields.items()})
        date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        headers = signed_headers(self._key, self._host, action, query, date, uuid.uuid4().hex)
        answer = _answer(action, await self._send(query, headers))
        if answer.get("Success") is not True:
            message = answer.get("ErrorMessage") or answer.get("Message")
            raise api_error(action, _text(answer.get("Code")), _text(message))
        return answer

    # Products

    async def products(self) -> list[ProductInfo]:
        """Return all products that have a thing model."""
        found: list[ProductInfo] = []
        for number in count(1):
            data = _object(
                await self.call(
                    "QueryProductList",
                    CurrentPage=number,
                    PageSize=PRODUCTS_PER_PAGE,
                    AliyunCommodityCode=WITH_MODEL,
                ),
                "Data",
            )
            found += map(_product, _objects(_object(data, "List").get("ProductInfo")))
            pages = data.get("PageCount")
            if not isinstance(pages, int) or number >= pages:
                break
        return found

    async def product(self, key: str) -> ProductInfo:
        """Return a product, also whether it is locked."""
        return _product(_object(await self.call("QueryProduct", ProductKey=key), "Data"))

    async def create_product(self, name: str, description: str, *, gateway: bool) -> str:
        """Make a product with a thing model and the ICA format, and return its ProductKey."""
        answer = await self.call(
            "CreateProduct",
            ProductName=name,
            Description=description,
            NodeType=int(gateway),
            DataFormat=ALINK,
            NetType="WIFI",
            AliyunCommodityCode=WITH_MODEL,
        )
        key = _text(_object(answer, "Data").get("ProductKey") or answer.get("ProductKey"))
        if not key:
            raise AnswerUnreadable("CreateProduct", "", "no ProductKey")
        return key

    async def delete_product(self, key: str) -> None:
        """Delete a product, unless it has been deleted."""
        await self._unless_gone("DeleteProduct", ProductKey=key)

    # Thing models

    async def thing_model(self, key: str, *, published: bool) -> list[Json] | None:
        """Return the document of each module of the published thing model or of the draft; None if it was never published."""
        suffix = "Published" if published else ""
        try:
            data = _object(await self.call(f"QueryThingModel{suffix}", ProductKey=key), "Data")
        except ModelNotPublished:
            return None
        listed = _json(_text(data.get("ThingModelJson")))
        modules = [_text(block.get("functionBlockId")) for block in _objects(listed.get("functionBlocks"))]
        documents: list[Json] = []
        for module in ("", *modules):
            block = {"FunctionBlockId": module} if module else {}
            data = _object(await self.call(f"GetThingModelTsl{suffix}", ProductKey=key, **block), "Data")
            documents.append(_json(_text(data.get("TslStr"))))
        return documents

    async def import_model(self, key: str, document: Json) -> None:
        """Replace a module of the draft by a document."""
        profile = document.get("profile")
        own: Json = {**document, "profile": {**(profile if isinstance(profile, dict) else {}), "productKey": key}}
        block = {"FunctionBlockId": "functionBlockId", "FunctionBlockName": "functionBlockName"}
        await self.call(
            "ImportThingModelTsl",
            ProductKey=key,
            TslStr=json.dumps(own, ensure_ascii=False, separators=(",", ":")),
            **{name: _text(document[field]) for name, field in block.items() if field in document},
        )

    async def delete_module(self, key: str, module: str) -> None:
        """Remove a module, other than the default one, from the draft."""
        await self.call("DeleteThingModel", ProductKey=key, FunctionBlockId=module)

    async def publish_model(self, key: str) -> None:
        """Make the draft the thing model of the product."""
        await self.call("PublishThingModel", ProductKey=key)

    # Devices

    async def devices(self, key: str, names: Sequence[str]) -> list[DeviceTriple]:
        """Return those of these devices that exist."""
        found: list[DeviceTriple] = []
        for some in batched(names, DETAILS_PER_CALL, strict=False):
            answer = await self.call("BatchQueryDeviceDetail", ProductKey=key, **_numbered("DeviceName", some))
            data = answer.get("Data")
            rows = _objects(data.get("Data") if isinstance(data, dict) else data)
            try:
                found += [
                    DeviceTriple.parse(key, _text(row.get("DeviceName")), _text(row.get("DeviceSecret")))
                    for row in rows
                ]
            except TripleInvalid as err:
                raise AnswerUnreadable("BatchQueryDeviceDetail", "", str(err)) from None
        return found

    async def register_devices(self, key: str, names: Sequence[str]) -> None:
        """Register devices that do not exist, many of them together. `devices` then returns their triples."""
        if len(names) == 1:
            await self.call("RegisterDevice", ProductKey=key, DeviceName=names[0])
            return
        answer = await self.call("BatchCheckDeviceNames", ProductKey=key, **_numbered("DeviceName", names))
        application = _object(answer, "Data").get("ApplyId")
        if not isinstance(application, int | str):
            raise AnswerUnreadable("BatchCheckDeviceNames", "", "no ApplyId")
        await self._application(key, application, "CHECK_SUCCESS")
        await self.call("BatchRegisterDeviceWithApplyId", ProductKey=key, ApplyId=application)
        await self._application(key, application, "CREATE_SUCCESS")

    async def delete_device(self, key: str, name: str) -> None:
        """Delete a device, unless it has been deleted."""
        await self._unless_gone("DeleteDevice", ProductKey=key, DeviceName=name)

    async def add_topology(self, gateway: DeviceTriple, sub_devices: Iterable[DeviceTriple]) -> None:
        """Put sub-devices, at most ten, into the topology of a gateway; one that is there already stays."""
        items: dict[str, str] = {}
        timestamp = str(int(datetime.now(UTC).timestamp() * 1000))
        for number, device in enumerate(sub_devices, 1):
            signed = {
                "clientId": f"{device.product_key}.{device.device_name}",
                "deviceName": device.device_name,
                "productKey": device.product_key,
                "timestamp": timestamp,
            }
            item = {name[0].upper() + name[1:]: value for name, value in signed.items()} | {
                "SignMethod": "hmacSha256",
                "Sign": sign(device.device_secret, SignMethod.HMACSHA256, signed),
            }
            items |= {f"TopoAddItem.{number}.{name}": value for name, value in item.items()}
        await self.call(
            "BatchAddThingTopo", GwProductKey=gateway.product_key, GwDeviceName=gateway.device_name, **items
        )

    async def _application(self, key: str, application: int | str, wanted: str) -> None:
        """Wait until many devices are checked or registered."""
        for _ in range(APPLICATION_POLLS):
            answer = await self.call("QueryBatchRegisterDeviceStatus", ProductKey=key, ApplyId=application)
            status = _text(_object(answer, "Data").get("Status"))
            if status in (wanted, "CREATE_SUCCESS"):
                return
            if status.endswith("FAILED"):
                raise api_error(
                    "BatchRegisterDeviceWithApplyId", status, json.dumps(answer.get("Data"), ensure_ascii=False)
                )
            await asyncio.sleep(APPLICATION_POLL)
        raise api_error("BatchRegisterDeviceWithApplyId", "", "the devices were not registered in time")

    async def _unless_gone(self, action: str, **fields: str) -> None:
        with suppress(NotThere):
            await self.call(action, **fields)


def policy() -> str:
    """Return the smallest RAM policy that allows every action."""
    statement = {"Effect": "Allow", "Action": [f"iot:{action}" for action in ACTIONS], "Resource": "*"}
    return json.dumps({"Version": "1", "Statement": [statement]}, indent=2)


def is_product_name(name: str) -> bool:
    """Return whether a product can be called this: 4 to 30 characters, of which a Chinese or Japanese one counts as two."""
    width = sum(1 if character.isascii() else 2 for character in name)
    return PRODUCT_NAME.fullmatch(name) is not None and 4 <= width <= 30


def _numbered(name: str, values: Iterable[str]) -> dict[str, str]:
    return {f"{name}.{number}": value for number, value in enumerate(values, 1)}


def _answer(action: str, body: bytes) -> Json:
    try:
        answer = json.loads(body)
    except ValueError, RecursionError:
        answer = None
    if not isinstance(answer, dict) or ("Code" not in answer and "Success" not in answer):
        raise AnswerUnreadable(action, "", "the answer is not that of the OpenAPI")
    return answer


def _product(row: Json) -> ProductInfo:
    return ProductInfo(
        _text(row.get("ProductKey")),
        _text(row.get("ProductName")),
        row.get("NodeType") == 1,
        _text(row.get("Description")),
        row.get("ProductStatus") == "RELEASE_STATUS",
    )


def _object(owner: Json, name: str) -> Json:
    value = owner.get(name)
    return value if isinstance(value, dict) else {}


def _objects(listed: JsonValue) -> list[Json]:
    return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []


def _json(text: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError, RecursionError:
        value = None
    return value if isinstance(value, dict) else {}


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
