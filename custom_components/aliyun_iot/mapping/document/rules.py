"""Rules as a mapping document has them: what they mean by id and by name, so that another installation finds it.

Ids of areas, floors, labels and devices are made up by an installation; their names are what its owner calls them, and
what another one may call the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

from ..rule import EntityAspect, Rule
from ..selection import Selection, Target

NAMED: Final = ("device_id", "area_id", "floor_id", "label_id")
"""The parts of a target whose ids come with names."""

SIDES: Final = ("include", "exclude")

type Names = Mapping[str, Mapping[str, str]]
"""Names by id, for each part of a target."""


@dataclass(frozen=True, slots=True)
class DocumentedRule:
    """A rule without what it remembers of its own doing. Names only help to find things, so they tell no two apart."""

    selection: Selection
    left_out: frozenset[EntityAspect] = frozenset()
    names: Names = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, rule: Rule, names: Names) -> Self:
        """Return a rule as a document has it."""
        return cls(rule.selection, rule.left_out, names)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the rule that the data describe.

        Raises `vol.Invalid` with the path of the fault. `left_out` has been seen to be lists of text by entity.
        """
        selection = {key: value for key, value in data.items() if key != "left_out"}
        names: dict[str, dict[str, str]] = {}
        for side in SIDES:
            if isinstance(target := selection.get(side), dict):
                selection[side] = {part: _ids(part, value, names) for part, value in target.items()}
        left_out = {
            EntityAspect(entity, aspect) for entity, aspects in data.get("left_out", {}).items() for aspect in aspects
        }
        return cls(Selection.from_dict(selection), frozenset(left_out), names)

    def as_dict(self) -> dict[str, Any]:
        """Return data that `from_dict` takes, without defaults and always in the same order."""
        data = self.selection.as_dict()
        for side in SIDES:
            if side in data:
                data[side] = {part: self._named(part, sorted(ids)) for part, ids in data[side].items()}
        if self.left_out:
            left_out: dict[str, list[str]] = {}
            for entity, aspect in sorted(self.left_out):
                left_out.setdefault(entity, []).append(aspect)
            data["left_out"] = left_out
        return data

    def renamed(self, reference: Callable[[str, str, str | None], str]) -> Self:
        """Return the same rule with other ids: `reference` makes them of the part of the target, the id and its name."""

        def other(part: str, one: str) -> str:
            return reference(part, one, self.names.get(part, {}).get(one))

        def target(side: Target) -> Target:
            parts = {one.name: getattr(side, one.name) for one in fields(side)}
            # Sorted, since in which order things are named means nothing.
            return Target(**{part: tuple(sorted({other(part, one) for one in ids})) for part, ids in parts.items()})

        selection = Selection(
            target(self.selection.include),
            target(self.selection.exclude),
            hidden_too=self.selection.hidden_too,
            diagnostic_too=self.selection.diagnostic_too,
        )
        left_out = frozenset(EntityAspect(other("entity_id", one.entity), one.aspect) for one in self.left_out)
        return type(self)(selection, left_out, self.names)

    def _named(self, part: str, ids: list[str]) -> list[str] | dict[str, str]:
        if part not in NAMED:
            return ids
        return {one: self.names.get(part, {}).get(one, one) for one in ids}


def _ids(part: str, value: object, names: dict[str, dict[str, str]]) -> object:
    """Return what a schema takes of a part that may be ids with names, and note the names."""
    if part not in NAMED or not isinstance(value, dict):
        return value
    names.setdefault(part, {}).update({one: name for one, name in value.items() if isinstance(name, str)})
    return list(value)
