"""Upgrades (OTA): versions of modules are reported, the cloud offers others, progress is posted (docs/protocol.md §12.4).

The platform judges an upgrade only by the version that is reported afterwards.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from .model.numeric import to_whole
from .remote_file import RemoteFile, invalid, read_file

if TYPE_CHECKING:
    from .device import Device
    from .messages import JsonValue

DEFAULT_MODULE: Final = "default"

MAX_NAME: Final = 64
"""Characters of a version or a module."""


class UpgradeFailure(IntEnum):
    """Why an upgrade failed, as a step of its progress."""

    FAILED = -1
    DOWNLOAD = -2
    VERIFICATION = -3
    WRITING = -4


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade of a module; `is_diff` when the file contains only the difference to the present version."""

    module: str
    version: str
    file: RemoteFile
    is_diff: bool = False


async def report_version(device: Device, module: str, version: str) -> None:
    """Report the version of a module; raises NotConnected, and RequestTimeout without a PUBACK."""
    await device.tell(device.topics.version_report, {"version": version, "module": module})


async def report_progress(device: Device, module: str, step: int, description: str = "") -> None:
    """Report the progress of an upgrade: 1 to 100 percent or an `UpgradeFailure`; raises as `report_version`."""
    await device.tell(device.topics.upgrade_progress, {"step": str(int(step)), "desc": description, "module": module})


async def get_upgrade(device: Device, module: str) -> Upgrade | None:
    """Ask for the pending upgrade of a module, None if there is none.

    Raises Rejected, MessageError, and what `Device.request` raises.
    """
    data = await device.ask(device.topics.upgrade_get, "thing.ota.firmware.get", {"module": module})
    return read_upgrade(data, module) if data else None


def read_upgrade(data: JsonValue, module: str = DEFAULT_MODULE) -> Upgrade:
    """Read an offer; `module` is that of an offer that names none. Raises MessageError."""
    if not isinstance(data, dict):
        raise invalid("the upgrade is not described")
    version, module = (_name(data.get("version")), _name(data.get("module") or module))
    return Upgrade(module, version, read_file(data, "size"), to_whole(data.get("isDiff")) == 1)


def _name(value: JsonValue) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or not value.isprintable():
        raise invalid("the upgrade has no valid version or module")
    return value
