"""The host, port and transport of the cloud (docs/protocol.md §1)."""

from dataclasses import dataclass
from enum import StrEnum


class Transport(StrEnum):
    """The transport of the MQTT connection."""

    TLS = "tls"
    TCP = "tcp"


class SecureMode(StrEnum):
    """The values by which the client id declares the transport (docs/protocol.md §1.3)."""

    TLS = "2"
    TCP = "3"


REGIONS = (
    "cn-shanghai",
    "cn-beijing",
    "cn-shenzhen",
    "ap-southeast-1",
    "ap-northeast-1",
    "us-west-1",
    "us-east-1",
    "eu-central-1",
)
"""Region ids, which are part of the names of the platform's hosts (docs/protocol.md §1.1)."""

INSTANCE_PORT = 8883
REGION_PORT = 1883


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
