"""Devices as the console shows them, and their tags."""

from ..core.device import CloudDevice
from ..core.jsontext import JsonValue, dump
from ..core.names import is_nickname, is_tag_key
from ..core.ota import DEFAULT_MODULE
from .call import Answer, Call
from .errors import BAD_PARAMETER, BAD_TAG_KEY, BAD_TAGS, LONG_TAGS, TOO_MANY_TAGS, ApiError, missing
from .pages import page
from .times import gmt, utc

REGION = "cn-shanghai"
STATES, DETAILS, MAX_PAGE = 50, 100, 50
TAGS, TAGS_BYTES = 100, 5 * 1024
NOT_OF_SEVERAL = {"GmtOnline", "IpAddress", "Owner", "UtcOnline"}
"""What QueryDeviceDetail returns, and BatchQueryDeviceDetail does not."""


async def query_detail(call: Call) -> Answer:
    """Return what the platform knows of a device."""
    return {"Data": _detail_with_id(call.device())}


async def query_details(call: Call) -> Answer:
    """Return what the platform knows of the devices `DeviceName.N` of a product; those that do not exist are left out."""
    rows: list[JsonValue] = []
    for device in call.devices(DETAILS):
        details = _detail_with_id(device)
        rows.append({name: value for name, value in details.items() if name not in NOT_OF_SEVERAL})
    return {"Data": {"Data": rows}}


async def query_list(call: Call) -> Answer:
    """Return the devices of a product by pages."""
    shown = page(call.fields, list(call.platform.registry.of_product(call.product().key)), size=10, limit=MAX_PAGE)
    rows: list[JsonValue] = [
        {
            "ProductKey": device.product_key,
            "DeviceName": device.device_name,
            "DeviceSecret": device.device_secret,
            "DeviceId": device.iot_id,
            "IotId": device.iot_id,
            "Nickname": device.nickname,
            "DeviceStatus": device.status,
            "GmtCreate": gmt(device.created),
            "GmtModified": gmt(device.created),
            "UtcCreate": utc(device.created),
            "UtcModified": utc(device.created),
        }
        for device in shown.entries
    ]
    return shown.counts("Page") | {"Data": {"DeviceInfo": rows}}


async def query_states(call: Call) -> Answer:
    """Return the status of the devices `IotId.N`, or `DeviceName.N` of a product; those that do not exist are left out."""
    if ids := call.fields.texts("IotId"):
        devices = [device for device in call.platform.registry.devices.values() if device.iot_id in ids]
    else:
        devices = call.devices(STATES)
    if len(ids) > STATES:
        raise ApiError(BAD_PARAMETER, f"At most {STATES} devices can be queried.")
    rows: list[JsonValue] = [
        {
            "DeviceName": device.device_name,
            "DeviceId": device.iot_id,
            "IotId": device.iot_id,
            "Status": device.status,
            "AsAddress": "127.0.0.1" if device.online else "",
            "LastOnlineTime": str(device.last_online) if device.last_online else "",
            "Timestamp": device.status_time,
        }
        for device in devices
    ]
    return {"DeviceStatusList": {"DeviceStatus": rows}}


async def update_nicknames(call: Call) -> Answer:
    """Change the nicknames of devices, all or none: `DeviceNicknameInfo.N` with `Nickname` and what names the device."""
    entries = [Call(call.platform, entry) for entry in call.fields.objects("DeviceNicknameInfo")]
    if not entries:
        raise missing("DeviceNicknameInfo")
    changes = [(entry.device(), entry.fields.optional_text("Nickname") or "") for entry in entries]
    if bad := [nickname for _, nickname in changes if nickname and not is_nickname(nickname)]:
        raise ApiError(BAD_PARAMETER, f"{bad[0]} is not allowed as Nickname.")
    for device, nickname in changes:
        device.nickname = nickname
    return {}


async def save_tags(call: Call) -> Answer:
    """Add or replace tags, all or none: `Props` {key: value}."""
    device, props = call.device(), call.fields.optional("Props")
    if props is None:
        raise missing("Props")
    if len((props if isinstance(props, str) else dump(props)).encode()) > TAGS_BYTES:
        raise ApiError(LONG_TAGS)
    tags = call.fields.json_object("Props")
    if bad := next((key for key in tags if not is_tag_key(key)), None):
        raise ApiError(BAD_TAG_KEY, bad)
    values = {key: value for key, value in tags.items() if isinstance(value, str) and value}
    if not tags or len(values) != len(tags):
        raise ApiError(BAD_TAGS, "The values are texts.")
    if len(device.tags.keys() | values.keys()) > TAGS:
        raise ApiError(TOO_MANY_TAGS)
    device.tags |= values
    return {}


async def query_tags(call: Call) -> Answer:
    """Return the tags of a device, also those that it has reported itself."""
    return {"Props": dump(dict(call.device().tags))}


async def delete_tag(call: Call) -> Answer:
    """Delete the tag `PropKey`; nothing happens if there is none."""
    call.device().tags.pop(call.fields.text("PropKey"), None)
    return {}


def detail(device: CloudDevice) -> Answer:
    """Return the fields that several actions return."""
    times = {"Create": device.created, "Active": device.activated, "Online": device.last_online}
    fields: Answer = {
        "ProductKey": device.product_key,
        "ProductName": device.product.name,
        "DeviceName": device.device_name,
        "DeviceSecret": device.device_secret,
        "Status": device.status,
        "FirmwareVersion": device.firmware.get(DEFAULT_MODULE, ""),
        "IpAddress": "127.0.0.1" if device.online else "",
    }
    for name, time_ms in times.items():
        fields |= {f"Utc{name}": utc(time_ms), f"Gmt{name}": gmt(time_ms)}
    return fields


def _detail_with_id(device: CloudDevice) -> Answer:
    return detail(device) | {
        "IotId": device.iot_id,
        "Nickname": device.nickname,
        "NodeType": int(device.product.node_type),
        "Region": REGION,
        "Owner": True,
    }
