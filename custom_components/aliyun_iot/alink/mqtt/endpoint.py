"""The host, port and transport of the cloud (docs/protocol.md §1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Final


class Transport(StrEnum):
    """The transport of the MQTT connection."""

    TLS = "tls"
    TCP = "tcp"


class SecureMode(StrEnum):
    """The values by which the client id declares the transport (docs/protocol.md §1.3)."""

    TLS = "2"
    TCP = "3"


REGIONS: Final[Mapping[str, tuple[str, str]]] = {
    "cn-shanghai": ("华东2（上海）", "China (Shanghai)"),
    "cn-beijing": ("华北2（北京）", "China (Beijing)"),
    "cn-shenzhen": ("华南1（深圳）", "China (Shenzhen)"),
    "ap-southeast-1": ("新加坡", "Singapore"),
    "ap-northeast-1": ("日本（东京）", "Japan (Tokyo)"),
    "us-west-1": ("美国（硅谷）", "US (Silicon Valley)"),
    "us-east-1": ("美国（弗吉尼亚）", "US (Virginia)"),
    "eu-central-1": ("德国（法兰克福）", "Germany (Frankfurt)"),
}
"""Region ids, which are part of the names of the platform's hosts (docs/protocol.md §1.1), and their names in the console."""

DEFAULT_REGION: Final = "cn-shanghai"

INSTANCE_PORT = 8883
REGION_PORT = 1883


def region_of(entered: str) -> str | None:
    """Return the region id for an id or a name in the console, None for anything else.

    Case, spaces and the width of brackets do not matter, and the Chinese name of the city suffices: `上海`.
    """
    wanted = _folded(entered)
    for region, (chinese, english) in REGIONS.items():
        if wanted in (region, _folded(chinese), _folded(english), _CITY.sub(r"\1", _folded(chinese))):
            return region
    return None


def _folded(name: str) -> str:
    return name.replace("（", "(").replace("）", ")").replace(" ", "").casefold()


_CITY: Final = re.compile(r".*\((.*)\)")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host to connect to.

    `ca` is PEM text of an additional certificate authority, for a private host or for a proxy that inspects TLS.
    """

    host: str
    port: int
    transport: Transport = Transport.TLS
    ca: str | None = None

    @property
    def secure_mode(self) -> SecureMode:
        """The value to declare in the client id."""
        return SecureMode.TLS if self.transport is Transport.TLS else SecureMode.TCP

    @classmethod
    def for_region(
        cls, product_key: str, region: str, transport: Transport = Transport.TLS, port: int | None = None
    ) -> Endpoint:
        """Return the endpoint of a legacy public instance; its ports accept both TLS and plain TCP."""
        return cls(f"{product_key}.iot-as-mqtt.{region}.aliyuncs.com", port or REGION_PORT, transport)

    @classmethod
    def for_instance(cls, instance_id: str, transport: Transport = Transport.TLS, port: int | None = None) -> Endpoint:
        """Return the endpoint of a new public or Enterprise instance; 8883 accepts TLS only."""
        default = INSTANCE_PORT if transport is Transport.TLS else REGION_PORT
        return cls(f"{instance_id}.mqtt.iothub.aliyuncs.com", port or default, transport)
