"""Rules in a mapping document, with the names of ids, so that another installation can match them.

Ids of areas, floors, labels and devices are specific to an installation; their names may be the same in another one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

import voluptuous as vol

from ..rule import EntityAspect, Rule, valid_product_key
from ..selection import Selection, Target

PARTS_WITH_NAMES: Final = ("device_id", "area_id", "floor_id", "label_id")
"""The parts of a target whose ids are written with names."""

SIDES: Final = ("include", "exclude")

_PRODUCT: Final = vol.Schema({vol.Optional("product_key", default=""): valid_product_key})

type Names = Mapping[str, Mapping[str, str]]
"""Names by id, for each part of a target."""


@dataclass(frozen=True, slots=True)
class DocumentedRule:
    """A rule without its stored state. Names are only for matching, so they are not compared."""

    selection: Selection
    left_out: frozenset[EntityAspect] = frozenset()
    names: Names = field(default_factory=dict, compare=False)
    product_key: str = ""

    @classmethod
    def of(cls, rule: Rule, names: Names) -> Self:
        """Return the documented form of a rule."""
        return cls(rule.selection, rule.left_out, names, rule.product_key)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the rule that the data describe.

        Raises `vol.Invalid` with the path of the fault. The caller has checked that `left_out` maps entities to lists
        of text.
        """
        selection = {key: value for key, value in data.items() if key not in ("left_out", "product_key")}
        names: dict[str, dict[str, str]] = {}
        for side in SIDES:
            if isinstance(target := selection.get(side), dict):
                selection[side] = {part: _ids(part, value, names) for part, value in target.items()}
        left_out = {
            EntityAspect(entity, aspect) for entity, aspects in data.get("left_out", {}).items() for aspect in aspects
        }
        product_key: str = _PRODUCT({key: value for key, value in data.items() if key == "product_key"})["product_key"]
        return cls(Selection.from_dict(selection), frozenset(left_out), names, product_key)

    def as_dict(self) -> dict[str, Any]:
        """Return data that `from_dict` takes, without defaults and always in the same order."""
        data = self.selection.as_dict()
        for side in SIDES:
            if side in data:
                data[side] = {part: self._with_names(part, sorted(ids)) for part, ids in data[side].items()}
        if self.left_out:
            left_out: dict[str, list[str]] = {}
            for entity, aspect in sorted(self.left_out):
                left_out.setdefault(entity, []).append(aspect)
            data["left_out"] = left_out
        if self.product_key:
            data["product_key"] = self.product_key
        return data

    def renamed(self, reference: Callable[[str, str, str | None], str]) -> Self:
        """Return the same rule with other ids: `reference` is called with the part of the target, the id and its name."""

        def other(part: str, id_: str) -> str:
            return reference(part, id_, self.names.get(part, {}).get(id_))

        def target(side: Target) -> Target:
            parts = {part.name: getattr(side, part.name) for part in fields(side)}
            # Sorted, because the order has no meaning.
            return Target(**{part: tuple(sorted({other(part, id_) for id_ in ids})) for part, ids in parts.items()})

        selection = Selection(
            target(self.selection.include),
            target(self.selection.exclude),
            hidden_too=self.selection.hidden_too,
            diagnostic_too=self.selection.diagnostic_too,
        )
        left_out = frozenset(EntityAspect(other("entity_id", entity), aspect) for entity, aspect in self.left_out)
        return type(self)(selection, left_out, self.names, self.product_key)

    def _with_names(self, part: str, ids: list[str]) -> list[str] | dict[str, str]:
        if part not in PARTS_WITH_NAMES:
            return ids
        return {id_: self.names.get(part, {}).get(id_, id_) for id_ in ids}


def _ids(part: str, value: object, names: dict[str, dict[str, str]]) -> object:
    """Return the ids of a part that may be ids with names, and add the names to `names`."""
    if part not in PARTS_WITH_NAMES or not isinstance(value, dict):
        return value
    names.setdefault(part, {}).update({id_: name for id_, name in value.items() if isinstance(name, str)})
    return list(value)
