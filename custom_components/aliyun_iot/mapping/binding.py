"""Bindings as data: one property stands for one aspect of one entity, one service for a sequence of actions.

The classes are the one table of their fields (`fields.py`): name, type, default, validator, what a document expects and
the section of the form. Schemas, forms and documents are derived from it. `as_dict` leaves defaults out, so that a
stored binding holds only what the user decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Final, Self

import voluptuous as vol

from .fields import DataField, Expected, FieldSpec, FormSection, data_fields, expectations, schema_of, without_defaults
from .stored import Expectations, Unreadable, read_row
from .validators import AMOUNT, DIGITS, NOT_EMPTY, OPTIONS, SCALE, STEPS, exactly_one, finite, valid_identifier

RAW_STATE: Final = "raw_state"
ATTRIBUTE: Final = "attribute"
TEMPLATE: Final = "template"
ACTIONS: Final = "actions"
"""The keys of the generic aspects (`generic.py`); the last two can do without an entity."""


class Access(StrEnum):
    """The direction in which a binding carries values."""

    REPORT = "report"
    CONTROL = "control"
    BOTH = "both"

    @property
    def reports(self) -> bool:
        """Whether states go to the cloud."""
        return self is not Access.CONTROL

    @property
    def controls(self) -> bool:
        """Whether the cloud may set the entity."""
        return self is not Access.REPORT


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a value of Home Assistant becomes a property value: `value * scale + offset`, and back by the reverse.

    A scale or an offset replaces the conversion between units; `same_unit` says that none is needed, whatever the units
    are called. `invert` swaps on and off, or mirrors a number in the
    entity's range. `digits` rounds what is reported; without it the step of the thing model does. `clamp` brings a
    number that is outside the other side's range to its limit instead of refusing it. `options` maps each value of Home
    Assistant (for a bool the aspect's two words, or on and off) to a property value; unless it is empty, any other value
    is refused. If several values map to one property value, a set uses the first. `unit` is the unit of the property
    where the thing model states none.

    `template` is rendered before all this: it makes another value from Home Assistant's `value` (and from `entity_id` and
    `state`), without unit and range, and only its result is converted as above. `template_back` does the reverse: its
    `value` is the converted property value. A binding with `template` and without `template_back` can't be set.
    """

    scale: Annotated[float, FieldSpec(SCALE, Expected.SCALE, FormSection.CONVERSION)] = 1
    offset: Annotated[float, FieldSpec(finite, Expected.NUMBER, FormSection.CONVERSION)] = 0
    same_unit: Annotated[bool, FieldSpec(bool, Expected.FLAG, FormSection.CONVERSION)] = False
    invert: Annotated[bool, FieldSpec(bool, Expected.FLAG, FormSection.CONVERSION)] = False
    digits: Annotated[int | None, FieldSpec(DIGITS, Expected.DIGITS, FormSection.CONVERSION)] = None
    clamp: Annotated[bool, FieldSpec(bool, Expected.FLAG, FormSection.CONVERSION)] = False
    options: Annotated[Mapping[str, int | str], FieldSpec(OPTIONS, Expected.OPTIONS, FormSection.CONVERSION)] = field(
        default_factory=dict
    )
    unit: Annotated[str, FieldSpec(str, Expected.TEXT, FormSection.CONVERSION)] = ""
    template: Annotated[str, FieldSpec(str, Expected.TEXT, FormSection.CONVERSION)] = ""
    template_back: Annotated[str, FieldSpec(str, Expected.TEXT, FormSection.CONVERSION)] = ""


NO_CONVERSION: Final = Conversion()
"""Shared by all bindings without a conversion, which are most of them."""

SAME_UNITS: Final = Conversion(same_unit=True)
"""The conversion of the members of a structure or an array, if the binding says that the units are the same."""

_CONVERSION_SCHEMA = schema_of(Conversion)


def _valid_conversion(value: object) -> Conversion:
    valid = _CONVERSION_SCHEMA(value)
    return Conversion(**valid) if valid else NO_CONVERSION


type _Steps = list[dict[str, Any]]
"""Actions, conditions or triggers as Home Assistant's automations have them."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One property of the thing model that stands for one aspect of one entity.

    `entity` is the id of the entity in the entity registry, or the entity id if it isn't registered; empty for a binding
    without an entity (`mapping/generic.py`). `source` is the attribute or the template of a generic aspect. `actions`
    are run, with the variables `value` and `identifier`, instead of what the aspect itself would do. `min_interval` is
    in seconds, `dead_band` in the property's unit. `confirmed` says that the user allowed a risky entity to be
    controlled. `rule` is the id of the rule that made this binding and removes it again. `condition` has to hold, in the
    syntax of Home Assistant's conditions, for the cloud to control the property. `every_sample` says that each value
    counts and not only the newest: the minimum interval drops none, and those of an outage are sent after it.
    """

    identifier: Annotated[str, FieldSpec(valid_identifier, Expected.IDENTIFIER, FormSection.MAIN)]
    entity: Annotated[str, FieldSpec(str, Expected.ENTITY)]
    aspect: Annotated[str, FieldSpec(NOT_EMPTY, Expected.WORD, FormSection.MAIN)]
    access: Annotated[Access, FieldSpec(vol.Coerce(Access), Expected.ACCESS, FormSection.MAIN)] = Access.REPORT
    conversion: Annotated[Conversion, FieldSpec(_valid_conversion, Expected.BLOCK, FormSection.CONVERSION)] = (
        NO_CONVERSION
    )
    min_interval: Annotated[float, FieldSpec(AMOUNT, Expected.AMOUNT, FormSection.REPORTING)] = 0
    dead_band: Annotated[float, FieldSpec(AMOUNT, Expected.AMOUNT, FormSection.REPORTING)] = 0
    confirmed: Annotated[bool, FieldSpec(bool, Expected.FLAG, FormSection.MAIN)] = False
    source: Annotated[str, FieldSpec(str, Expected.TEXT)] = ""
    actions: Annotated[_Steps, FieldSpec([dict], Expected.ACTIONS, FormSection.OWN_ACTIONS)] = field(
        default_factory=list
    )
    rule: Annotated[str, FieldSpec(str, Expected.TEXT)] = ""
    condition: Annotated[_Steps, FieldSpec([dict], Expected.CONDITION, FormSection.OWN_ACTIONS)] = field(
        default_factory=list
    )
    every_sample: Annotated[bool, FieldSpec(bool, Expected.FLAG, FormSection.REPORTING)] = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the binding that the data describe; raises `vol.Invalid` with the path of the fault."""
        binding = cls(**_BINDING_SCHEMA(dict(data)))
        binding._check_aspect()
        return binding

    @classmethod
    def from_stored(cls, row: object) -> Self | Unreadable:
        """Return the binding that a stored row describes, or why it cannot be read."""
        return read_row(cls.from_dict, row, _BINDING_EXPECTATIONS)

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold and `from_dict` takes, without defaults."""
        return without_defaults(self)

    def _check_aspect(self) -> None:
        """Raise `vol.Invalid` unless the other fields are what the aspect needs (`generic.py`)."""
        if not self.entity and self.aspect not in (TEMPLATE, ACTIONS):
            raise vol.Invalid("only a template and actions can do without an entity", ["entity"])
        if not self.source.strip() and self.aspect in (ATTRIBUTE, TEMPLATE):
            raise vol.Invalid(f"the aspect {self.aspect} needs one", ["source"])
        if self.aspect == ACTIONS and self.access is not Access.CONTROL:
            raise vol.Invalid("actions can only be for control", ["access"])
        if not self.actions and self.aspect == ACTIONS:
            raise vol.Invalid("the aspect actions needs some", ["actions"])


_BINDING_SCHEMA = schema_of(Binding)
_BINDING_EXPECTATIONS: Expectations = {**expectations(Binding), "conversion": expectations(Conversion)}

BINDING_FIELDS: Final[Mapping[str, DataField]] = {**data_fields(Binding), **data_fields(Conversion)}
"""The fields of a binding and of its conversion by name; no name is in both."""


@dataclass(frozen=True, slots=True)
class ServiceBinding:
    """One service of the thing model and what it runs: a sequence of Home Assistant actions, or a script.

    `script` is written as the entity of a `Binding` is. Exactly one of the two is there. `owner` is the id of the sub-device
    that the service belongs to, empty for the entry's own device.
    """

    identifier: Annotated[str, FieldSpec(valid_identifier, Expected.IDENTIFIER)]
    actions: Annotated[_Steps, FieldSpec(STEPS, Expected.ACTIONS)] = field(default_factory=list)
    script: Annotated[str | None, FieldSpec(NOT_EMPTY, Expected.ENTITY)] = None
    condition: Annotated[_Steps, FieldSpec([dict], Expected.CONDITION)] = field(default_factory=list)
    owner: Annotated[str, FieldSpec(str, Expected.TEXT)] = ""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the binding that the data describe; raises `vol.Invalid`. Of the actions only the type is checked."""
        return cls(**_SERVICE_SCHEMA(dict(data)))

    @classmethod
    def from_stored(cls, row: object) -> Self | Unreadable:
        """Return the binding that a stored row describes, or why it cannot be read."""
        return read_row(cls.from_dict, row, _SERVICE_EXPECTATIONS)

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold and `from_dict` takes, without defaults."""
        return without_defaults(self)


_SERVICE_EXPECTATIONS: Expectations = {**expectations(ServiceBinding), "": Expected.RUN}
_SERVICE_SCHEMA = vol.Schema(vol.All(schema_of(ServiceBinding), exactly_one("actions", "script")))
