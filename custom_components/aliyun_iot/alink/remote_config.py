"""Remote configuration: a JSON file of the product, pushed or asked for (`docs/protocol.md` §12.2)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .remote_file import RemoteFile, invalid, read_file

if TYPE_CHECKING:
    from .device import Device
    from .messages import JsonValue

MAX_CONFIG: Final = 64 * 1024
"""Bytes of a configuration."""


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """A configuration that can be downloaded; `id` is the platform's and changes with each version."""

    id: str
    file: RemoteFile


async def get_config(device: Device) -> RemoteConfig:
    """Ask for the present configuration of the product.

    Raises Rejected (6710: there is none; 6713: switched off), MessageError, and what `Device.request` raises.
    """
    params: JsonValue = {"configScope": "product", "getType": "file"}
    return read_config(await device.ask(device.topics.config_get, "thing.config.get", params))


def read_config(data: JsonValue) -> RemoteConfig:
    """Read the description of a configuration; raises MessageError."""
    if not isinstance(data, dict):
        raise invalid("the remote configuration is not described")
    file = read_file(data, "configSize")
    if file.size > MAX_CONFIG:
        raise invalid(f"the remote configuration has {file.size} bytes, more than the {MAX_CONFIG} allowed")
    if file.method != "sha256":
        raise invalid("the remote configuration has no SHA-256")
    config_id = data.get("configId")
    return RemoteConfig(config_id if isinstance(config_id, str) else "", file)
