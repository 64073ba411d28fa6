"""Rules as data: a selection that is followed, and what of it the user does not want."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import voluptuous as vol

from .selection import SELECTION_SCHEMA, Selection


class Facet(NamedTuple):
    """One aspect of one entity; `entity` is written as in a `Binding`."""

    entity: str
    aspect: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Entities that are bound by themselves while they match, and released when they don't.

    `left_out` are the facets that somebody decided against; they never come back by themselves. `bound` are those that
    were bound when the rule was carried out last, whoever bound them: what is no longer bound although it still
    matches was removed by hand.
    """

    selection: Selection
    left_out: frozenset[Facet] = frozenset()
    bound: frozenset[Facet] = frozenset()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the rule that the data describe; raises `vol.Invalid` with the path of the fault."""
        valid = RULE_SCHEMA(dict(data))
        return cls(Selection.from_dict(valid["selection"]), valid["left_out"], valid["bound"])

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold and `from_dict` takes, without defaults and always in the same order."""
        data: dict[str, Any] = {"selection": self.selection.as_dict()}
        for name, facets in (("left_out", self.left_out), ("bound", self.bound)):
            if facets:
                data[name] = [facet._asdict() for facet in sorted(facets)]
        return data


def _facets(rows: Collection[Mapping[str, str]]) -> frozenset[Facet]:
    return frozenset(Facet(**row) for row in rows)


_FACETS = vol.All([{vol.Required("entity"): str, vol.Required("aspect"): str}], _facets)

RULE_SCHEMA = vol.Schema(
    {
        vol.Required("selection"): SELECTION_SCHEMA,
        vol.Optional("left_out", default=list): _FACETS,
        vol.Optional("bound", default=list): _FACETS,
    }
)
