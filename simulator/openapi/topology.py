"""The topology of gateways, as applications change and query it (docs/protocol.md §10)."""

from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.product import NodeType
from ..core.signature import is_known_method, is_signed
from ..gateway.lifecycle import NOT_IN_TOPOLOGY, Change, announce, bind, unbind
from .call import Answer, Call
from .devices import REGION, detail
from .errors import (
    BAD_PARAMETER,
    NO_GATEWAY,
    NO_SUCH_DEVICE,
    NOT_A_GATEWAY,
    NOT_SIGNED,
    TOO_MANY_SUB_DEVICES,
    ApiError,
    missing,
)
from .fields import Fields
from .pages import page

ITEMS = 10
NOTIFIED = 50
MAX_PAGE = 50
SIGNED = {"ClientId": "clientId", "DeviceName": "deviceName", "ProductKey": "productKey", "Timestamp": "timestamp"}


async def add(call: Call) -> Answer:
    """Add the sub-devices of `TopoAddItem.N`, all or none; another gateway that had them loses them (§19)."""
    gateway, items = _gateway(call), call.fields.objects("TopoAddItem")
    if not items:
        raise missing("TopoAddItem")
    if len(items) > ITEMS:
        raise ApiError(BAD_PARAMETER, f"TopoAddItem has 1 to {ITEMS} items.")
    devices = [_signed_device(call, item) for item in items]
    if gateway in devices:
        raise ApiError(BAD_PARAMETER, "A gateway is not its own sub-device.")
    if len(gateway.sub_devices.keys() | {device.key for device in devices}) > call.platform.options.sub_device_limit:
        raise ApiError(TOO_MANY_SUB_DEVICES)
    bind(call.platform, gateway, devices)
    announce(call.platform, gateway, Change.CREATED, devices)
    return {}


async def remove(call: Call) -> Answer:
    """Remove a sub-device from its gateway, which is told; of a gateway, remove all sub-devices."""
    device = call.device()
    gateway, removed = (device.gateway, [device]) if device.gateway else (device, list(device.sub_devices.values()))
    if removed:
        unbind(call.platform, gateway, removed, NOT_IN_TOPOLOGY)
        announce(call.platform, gateway, Change.DELETED, removed)
    return {"Data": True}


async def get(call: Call) -> Answer:
    """Return the sub-devices of a gateway, by pages."""
    gateway = call.device()
    devices = page(call.fields, list(gateway.sub_devices.values()), size=MAX_PAGE, limit=MAX_PAGE, number="PageNo")
    rows: list[JsonValue] = [
        {"ProductKey": device.product_key, "DeviceName": device.device_name, "IotId": device.iot_id}
        for device in devices.entries
    ]
    return {"Data": devices.counts() | {"List": {"deviceInfo": rows}}}


async def notify_add(call: Call) -> Answer:
    """Ask a gateway to add the devices of `DeviceListStr`: [{"productKey", "deviceName"}]."""
    gateway, listed = _gateway(call), call.fields.json("DeviceListStr")
    names = listed if isinstance(listed, list) else []
    if not 0 < len(names) <= NOTIFIED:
        raise ApiError(BAD_PARAMETER, f"DeviceListStr is a list of 1 to {NOTIFIED} devices.")
    devices = [
        call.named((str(name.get("productKey")), str(name.get("deviceName"))))
        for name in names
        if isinstance(name, dict)
    ]
    if len(devices) != len(names):
        raise ApiError(NO_SUCH_DEVICE)
    params: list[JsonValue] = [
        {"productKey": device.product_key, "deviceName": device.device_name} for device in devices
    ]
    return {"Data": {"MessageId": call.platform.commands.notify(gateway, "thing/topo/add/notify", params).id}}


async def get_gateway(call: Call) -> Answer:
    """Return the gateway of a sub-device."""
    if (gateway := call.device().gateway) is None:
        raise ApiError(NO_GATEWAY)
    node_type = str(int(gateway.product.node_type))
    return {"Data": detail(gateway) | {"iotId": gateway.iot_id, "NodeType": node_type, "region": REGION}}


def _gateway(call: Call) -> CloudDevice:
    gateway = call.device("Gw")
    if gateway.product.node_type is not NodeType.GATEWAY:
        raise ApiError(NOT_A_GATEWAY)
    return gateway


def _signed_device(call: Call, item: Fields) -> CloudDevice:
    """Return the sub-device of an item; its signature covers all fields that were sent, besides Sign and SignMethod."""
    device = call.named((item.text("ProductKey"), item.text("DeviceName")))
    method, given = item.text("SignMethod"), item.text("Sign")
    signed = {key: text for name, key in SIGNED.items() if (text := item.optional_text(name)) is not None}
    if not is_known_method(method) or not is_signed(given, method, device.device_secret, signed):
        raise ApiError(NOT_SIGNED)
    return device
