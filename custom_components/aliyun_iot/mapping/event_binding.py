"""Bindings of events as data: what in Home Assistant makes an event of the thing model, and what it tells with it.

The source is an event entity, each of whose firings counts, or triggers as automations have them. The user interface, the
stored entry and files share the schema below.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import voluptuous as vol

from .binding import identifier


@dataclass(frozen=True, slots=True)
class EventBinding:
    """One event of the thing model and where it comes from.

    `entity` is written as that of a `Binding`, `triggers` as the user entered them. Exactly one of the two is there.
    `output` has templates, or values with templates in them, by output parameter. They get the variables `event_type`,
    `attributes` and `entity_id` of an entity that fired, or the `trigger`.
    """

    identifier: str
    entity: str = ""
    triggers: list[dict[str, Any]] = field(default_factory=list)
    output: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the binding that the data describe; raises `vol.Invalid`. The triggers are only seen to be dicts."""
        return cls(**EVENT_SCHEMA(dict(data)))

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold and `from_dict` takes, without defaults."""
        parts = {"entity": self.entity, "triggers": self.triggers, "output": self.output}
        return {"identifier": self.identifier, **{name: value for name, value in parts.items() if value}}


EVENT_SCHEMA = vol.Schema(
    vol.All(
        {
            vol.Required("identifier"): identifier,
            vol.Exclusive("entity", "source"): vol.All(str, vol.Length(min=1)),
            vol.Exclusive("triggers", "source"): vol.All([dict], vol.Length(min=1)),
            vol.Optional("output", default=dict): {str: object},
        },
        vol.Any(
            {vol.Required("entity"): object, vol.Extra: object}, {vol.Required("triggers"): object, vol.Extra: object}
        ),
    )
)
