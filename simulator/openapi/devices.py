"""Devices as the console shows them."""

from datetime import UTC, datetime

from ..core.device import CloudDevice
from ..core.ota import DEFAULT_MODULE
from .call import Answer, Call

REGION = "cn-shanghai"


async def query_detail(call: Call) -> Answer:
    """Return what the platform knows of a device."""
    device = call.device()
    return {"Data": detail(device) | {"IotId": device.iot_id, "Region": REGION, "Owner": True}}


def detail(device: CloudDevice) -> Answer:
    """Return the fields that several actions return."""
    times = {"Create": device.created, "Active": device.activated, "Online": device.last_online}
    fields: Answer = {
        "ProductKey": device.product_key,
        "ProductName": device.product.name,
        "DeviceName": device.device_name,
        "Nickname": device.nickname,
        "DeviceSecret": device.device_secret,
        "NodeType": int(device.product.node_type),
        "Status": device.status,
        "FirmwareVersion": device.firmware.get(DEFAULT_MODULE, ""),
        "IpAddress": "127.0.0.1" if device.online else "",
    }
    for name, time_ms in times.items():
        moment = datetime.fromtimestamp(time_ms / 1000, UTC) if time_ms else None
        fields[f"Utc{name}"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else ""
        fields[f"Gmt{name}"] = moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""
    return fields
