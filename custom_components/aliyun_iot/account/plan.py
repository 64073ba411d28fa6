"""What is going to be made in the cloud, step by step, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from ..alink.messages import JsonValue


@dataclass(frozen=True, slots=True)
class CreateProduct:
    """Make a product. The steps of a plan refer to products by their names, which are unique in an instance."""

    product: str
    gateway: bool


@dataclass(frozen=True, slots=True)
class ImportModel:
    """Replace one module of the thing model; the default one is the empty text."""

    product: str
    module: str
    document: Mapping[str, JsonValue]
    properties: int


@dataclass(frozen=True, slots=True)
class PublishModel:
    """Make the imported modules the thing model of the product."""

    product: str


@dataclass(frozen=True, slots=True)
class RegisterDevices:
    """Register devices; those that exist are used as they are."""

    product: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddTopology:
    """Put sub-devices, each a product and a device name, into the topology of a gateway: at most ten."""

    product: str
    name: str
    sub_devices: tuple[tuple[str, str], ...]


type Step = CreateProduct | ImportModel | PublishModel | RegisterDevices | AddTopology

KINDS: Final[Mapping[str, type[Step]]] = {
    "create_product": CreateProduct,
    "import_model": ImportModel,
    "publish_model": PublishModel,
    "register_devices": RegisterDevices,
    "add_topology": AddTopology,
}
"""The kinds of steps, by the names under which they are stored and translated."""

_NAMES: Final = {kind: name for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in their order.

    `id` is in the description of products that the plan makes. `products` are the keys of products that exist, by name.
    `purpose` is kept for the one who made the plan.
    """

    id: str
    steps: tuple[Step, ...]
    products: Mapping[str, str]
    purpose: Mapping[str, Any]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the plan that `as_dict` has written."""
        return cls(data["id"], tuple(map(_step, data["steps"])), data["products"], data["purpose"])

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold."""
        return {
            "id": self.id,
            "steps": [{"kind": kind_of(step)} | asdict(step) for step in self.steps],
            "products": dict(self.products),
            "purpose": dict(self.purpose),
        }


def kind_of(step: Step) -> str:
    """Return the name of the kind of a step."""
    return _NAMES[type(step)]


def _step(data: Mapping[str, Any]) -> Step:
    fields = {name: _tuple(value) for name, value in data.items() if name != "kind"}
    return KINDS[data["kind"]](**fields)


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list | tuple) else value
