"""Changes of devices that gateways are told: topology, disabled, enabled, deleted (docs/protocol.md §10.1, §13)."""

from collections.abc import Iterable
from enum import IntEnum

from ..core.codes import text_of
from ..core.device import CloudDevice
from ..core.jsontext import JsonValue, dump
from ..core.platform import Platform

CONNECTED_ELSEWHERE, NO_SESSION, DELETED, DISABLED, NOT_IN_TOPOLOGY = 427, 520, 521, 522, 6401
"""Codes of /ext/error (§10.3)."""


class Change(IntEnum):
    """`status` of thing/topo/change."""

    CREATED = 0
    DELETED = 1
    ENABLED = 2
    DISABLED = 8


def bind(platform: Platform, gateway: CloudDevice, devices: list[CloudDevice]) -> None:
    """Add devices to the topology of a gateway. Another gateway that had them is told; their sessions go on (§19)."""
    for device in devices:
        if (before := device.gateway) is not None and before is not gateway:
            del before.sub_devices[device.key]
            announce(platform, before, Change.DELETED, [device])
        device.gateway = gateway
        gateway.sub_devices[device.key] = device


def unbind(platform: Platform, gateway: CloudDevice, devices: list[CloudDevice], code: int = 0) -> None:
    """Remove devices from the topology of their gateway, and end their sessions with a code of /ext/error, if not 0."""
    for device in devices:
        del gateway.sub_devices[device.key]
        device.gateway = None
        if device.connection is not None and device.connection.line is not device.connection:
            device.connection.close("removed from the topology", code=code)


def disable(platform: Platform, device: CloudDevice) -> None:
    """Disable a device: it loses its connection, and its gateway is told."""
    device.disabled = True
    _tell(platform, device, "thing/disable", Change.DISABLED)
    if device.connection is not None:
        device.connection.close("device is disabled", code=DISABLED)


def enable(platform: Platform, device: CloudDevice) -> None:
    """Enable a device again; its gateway is told, and has to log it in again."""
    device.disabled = False
    _tell(platform, device, "thing/enable", Change.ENABLED)


def delete(platform: Platform, device: CloudDevice) -> None:
    """Delete a device; its gateway is told."""
    _tell(platform, device, "thing/delete", Change.DELETED)
    platform.registry.remove_device(device, "device is deleted", DELETED)


def reset(platform: Platform, device: CloudDevice) -> None:
    """Reset a device as ResetThing does: it may be registered dynamically again, and is in no topology (§13)."""
    device.registered = False
    device.activated = 0
    device.tokens.clear()
    if device.gateway is not None:
        gateway = device.gateway
        unbind(platform, gateway, [device], NOT_IN_TOPOLOGY)
        announce(platform, gateway, Change.DELETED, [device])
    unbind(platform, device, list(device.sub_devices.values()))
    if device.connection is not None:
        device.connection.close("device is reset")


def announce(platform: Platform, gateway: CloudDevice, change: Change, devices: Iterable[CloudDevice]) -> None:
    """Tell a gateway about a change of its topology."""
    names: list[JsonValue] = [
        {"productKey": device.product_key, "deviceName": device.device_name} for device in devices
    ]
    platform.commands.notify(gateway, "thing/topo/change", {"status": int(change), "subList": names})


def report_error(platform: Platform, gateway: CloudDevice, key: tuple[str, str], code: int) -> None:
    """Tell a gateway on /ext/error why a sub-device is, or has gone, offline (§10.3)."""
    error: JsonValue = {
        "id": platform.commands.next_message_id(),
        "code": code,
        "message": text_of(code),
        "data": {"productKey": key[0], "deviceName": key[1]},
    }
    platform.delivery.command(gateway, gateway.topics.errors, dump(error).encode())


def _tell(platform: Platform, device: CloudDevice, path: str, change: Change) -> None:
    """Tell the gateway of a sub-device: on the sub-device's topic and on its own."""
    if (gateway := device.gateway) is None:
        return
    line = gateway.connection
    connection = None if line is None else line.carried.get(device.key) or line.ended.get(device.key)
    platform.commands.notify(device, path, {}, connection=connection)
    announce(platform, gateway, change, [device])
