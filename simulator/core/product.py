"""A product as the cloud knows it."""

from dataclasses import dataclass, field
from enum import IntEnum

from .clock import now_ms
from .files import ServedFile
from .model_draft import ModelDraft
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
    """The published thing model, None for a product without one: nothing is checked."""
    raw: bool = False
    dynamic_registration: bool = False
    """Whether devices may ask for their secret with the secret of the product (docs/protocol.md §10.2, §11)."""
    network: str = "WIFI"
    """`NetType` of CreateProduct: WIFI, CELLULAR, ETHERNET, LORA, OTHER."""
    config: ThingConfig | None = None
    """The remote configuration of its devices (§12.2)."""
    config_enabled: bool = True
    description: str = ""
    protocol: str = ""
    """How its devices speak with a gateway: `ProtocolType` of CreateProduct."""
    created: int = field(default_factory=now_ms, repr=False)
    """In milliseconds."""
    published: bool = False
    """Whether the product is published, which protects its thing model from edits."""
    draft: ModelDraft | None = field(default=None, repr=False)
    """The thing model as it is being edited, once it was."""
