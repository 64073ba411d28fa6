"""Rules as data: a selection that is followed, and the aspects in it that the user does not want."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import voluptuous as vol

from ..alink.auth import DeviceTriple
from ..alink.errors import TripleInvalid
from .fields import Expected
from .selection import SELECTION_EXPECTATIONS, SELECTION_SCHEMA, Selection
from .stored import Expectations, Unreadable, read_row


class EntityAspect(NamedTuple):
    """One aspect of one entity; `entity` is written as in a `Binding`."""

    entity: str
    aspect: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A selection whose entities are bound automatically while they match, and unbound when they no longer do.

    `left_out` are the entity aspects that the user decided against; they are never bound again by a rule. `bound` are
    those that had a binding, from any source, when the rule was applied last: one that still matches and has no binding
    any more was removed by the user.

    With a `product_key`, each matching device becomes a sub-device of that product, and its entities are bound of that. `made`
    are the keys of the `ExposureKey`s of those that the rule made: one that still matches and is no sub-device any more was
    removed by the user.
    """

    selection: Selection
    left_out: frozenset[EntityAspect] = frozenset()
    bound: frozenset[EntityAspect] = frozenset()
    product_key: str = ""
    made: frozenset[str] = frozenset()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the rule that the data describe; raises `vol.Invalid` with the path of the fault."""
        valid = RULE_SCHEMA(dict(data))
        return cls(**valid | {"selection": Selection.from_dict(valid["selection"])})

    @classmethod
    def from_stored(cls, row: object) -> Self | Unreadable:
        """Return the rule that a stored row describes, or why it cannot be read."""
        return read_row(cls.from_dict, row, _EXPECTATIONS)

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold and `from_dict` takes, without defaults and always in the same order."""
        data: dict[str, Any] = {"selection": self.selection.as_dict()}
        for name, entity_aspects in (("left_out", self.left_out), ("bound", self.bound)):
            if entity_aspects:
                data[name] = [each._asdict() for each in sorted(entity_aspects)]
        if self.product_key:
            data["product_key"] = self.product_key
        if self.made:
            data["made"] = sorted(self.made)
        return data


def valid_product_key(value: object) -> str:
    """Return a ProductKey, or the empty text for none; raises `vol.Invalid`."""
    if not isinstance(value, str):
        raise vol.Invalid("expected a ProductKey")
    try:
        return DeviceTriple.parse(value, "name", "-").product_key if value else ""
    except TripleInvalid as err:
        raise vol.Invalid(str(err)) from err


def _entity_aspects(rows: Collection[Mapping[str, str]]) -> frozenset[EntityAspect]:
    return frozenset(EntityAspect(**row) for row in rows)


def _keys(rows: Collection[str]) -> frozenset[str]:
    return frozenset(rows)


_ENTITY_ASPECTS = vol.All([{vol.Required("entity"): str, vol.Required("aspect"): str}], _entity_aspects)

_EXPECTATIONS: Expectations = {
    "selection": SELECTION_EXPECTATIONS,
    "left_out": Expected.LIST,
    "bound": Expected.LIST,
    "product_key": Expected.WORD,
    "made": Expected.LIST,
}

RULE_SCHEMA = vol.Schema(
    {
        vol.Required("selection"): SELECTION_SCHEMA,
        vol.Optional("left_out", default=list): _ENTITY_ASPECTS,
        vol.Optional("bound", default=list): _ENTITY_ASPECTS,
        vol.Optional("product_key", default=""): valid_product_key,
        vol.Optional("made", default=list): vol.All([str], _keys),
    }
)
