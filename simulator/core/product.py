"""A product as the cloud knows it."""

from dataclasses import dataclass, field
from enum import IntEnum

from .files import ServedFile
from .thing_model import ThingModel


class NodeType(IntEnum):
    """What its devices are, as in the answers of QueryProduct."""

    DEVICE = 0
    """Connects directly or through a gateway."""
    GATEWAY = 1
    """Connects directly, and may have sub-devices."""


@dataclass(frozen=True, slots=True)
class ThingConfig:
    """A remote configuration: a file with JSON."""

    id: str
    file: ServedFile


@dataclass(slots=True, eq=False)
class Product:
    """One product. Devices of a raw product send frames of bytes, and no Alink JSON."""

    key: str
    secret: str = field(repr=False)
    name: str = ""
    node_type: NodeType = NodeType.GATEWAY
    thing_model: ThingModel | None = field(default=None, repr=False)
    raw: bool = False
    dynamic_registration: bool = False
    """Whether devices may ask for their secret with the secret of the product (docs/protocol.md §10.2, §11)."""
    network: str = "WIFI"
    """`NetType` of CreateProduct: WIFI, CELLULAR, ETHERNET, LORA, OTHER."""
    config: ThingConfig | None = None
    """The remote configuration of its devices (§12.2)."""
    config_enabled: bool = True
