"""Bindings of events as data: what in Home Assistant causes an event of the thing model, and the output it carries.

The source is an event entity, each firing of which is one event, or triggers as automations have them. The user
interface, the stored entry and documents share the table of fields below (`fields.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

import voluptuous as vol

from .fields import Expected, FieldSpec, expectations, schema_of, without_defaults
from .stored import Expectations, Unreadable, read_row
from .validators import NOT_EMPTY, STEPS, exactly_one, valid_identifier


@dataclass(frozen=True, slots=True)
class EventBinding:
    """One event of the thing model and where it comes from.

    `entity` is written as that of a `Binding`, `triggers` as the user entered them. Exactly one of the two is there. `output`
    has a template, or a value with templates in it, for each output parameter. The variables of the templates are
    `event_type`, `attributes` and `entity_id` of an entity that fired, or the `trigger`. `owner` is the id of the sub-device
    that the event belongs to, empty for the entry's own device.
    """

    identifier: Annotated[str, FieldSpec(valid_identifier, Expected.IDENTIFIER)]
    entity: Annotated[str, FieldSpec(NOT_EMPTY, Expected.ENTITY)] = ""
    triggers: Annotated[list[dict[str, Any]], FieldSpec(STEPS, Expected.TRIGGERS)] = field(default_factory=list)
    output: Annotated[dict[str, Any], FieldSpec({str: object}, Expected.BLOCK)] = field(default_factory=dict)
    owner: Annotated[str, FieldSpec(str, Expected.TEXT)] = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the binding that the data describe; raises `vol.Invalid`. Of the triggers only the type is checked."""
        return cls(**_EVENT_SCHEMA(dict(data)))

    @classmethod
    def from_stored(cls, row: object) -> Self | Unreadable:
        """Return the binding that a stored row describes, or why it cannot be read."""
        return read_row(cls.from_dict, row, _EVENT_EXPECTATIONS)

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold and `from_dict` takes, without defaults."""
        return without_defaults(self)


_EVENT_EXPECTATIONS: Expectations = {**expectations(EventBinding), "": Expected.SOURCE}
_EVENT_SCHEMA = vol.Schema(vol.All(schema_of(EventBinding), exactly_one("entity", "triggers")))
