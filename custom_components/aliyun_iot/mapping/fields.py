"""The table of the fields of stored data: validator, section of the form, and what a document expects.

A class of stored data annotates each of its fields with a `FieldSpec`; name, type and default are those of the dataclass
field. Schemas, stored data, forms and documents are derived from the table.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

import voluptuous as vol

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class FormSection(StrEnum):
    """The part of a form that a field belongs to. Except for `MAIN`, the values are names of sections."""

    MAIN = "main"
    CONVERSION = "conversion"
    REPORTING = "reporting"
    OWN_ACTIONS = "own_actions"


class Expected(StrEnum):
    """What a document should have instead of a wrong value; the texts are `common.expected_…` in the translations."""

    ACCESS = "access"
    ACTIONS = "actions"
    AMOUNT = "amount"
    BLOCK = "block"
    CONDITION = "condition"
    CONTROL = "control"
    DEVICE_NAME = "device_name"
    DIGITS = "digits"
    ENTITIES = "entities"
    ENTITY = "entity"
    FLAG = "flag"
    IDENTIFIER = "identifier"
    LIST = "list"
    NAMES = "names"
    NUMBER = "number"
    OPTIONS = "options"
    PLAIN = "plain"
    PRODUCT_KEY = "product_key"
    RUN = "run"
    SCALE = "scale"
    SOURCE = "source"
    STANDS_FOR = "stands_for"
    TEXT = "text"
    TRIGGERS = "triggers"
    VERSION = "version"
    WITHOUT_ENTITY = "without_entity"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """The annotation of one field: the voluptuous validator, what a document expects, and the section of the form.

    `section` is None for a field that is not in the form, because another page asks for it or the user never enters it.
    """

    validator: Any
    expected: Expected
    section: FormSection | None = None


@dataclass(frozen=True, slots=True)
class DataField:
    """One row of the table. `default` is a function that returns the default, None if the field is required."""

    name: str
    default: Callable[[], Any] | None
    spec: FieldSpec

    def is_default(self, value: object) -> bool:
        """Return whether a value is the default, which is not stored."""
        return self.default is not None and bool(value == self.default())


@cache
def data_fields(cls: type[DataclassInstance]) -> dict[str, DataField]:
    """Return the rows of a class by name, in the order of its fields."""
    hints = get_type_hints(cls, include_extras=True)
    return {
        each.name: DataField(each.name, _default(each), _spec(hints[each.name].__metadata__)) for each in fields(cls)
    }


def schema_of(cls: type[DataclassInstance]) -> vol.Schema:
    """Return the schema for the data of an instance. It fills in no defaults, because the constructor does."""
    return vol.Schema(
        {
            (vol.Required if row.default is None else vol.Optional)(row.name): row.spec.validator
            for row in data_fields(cls).values()
        }
    )


def expectations(cls: type[DataclassInstance]) -> dict[str, Expected]:
    """Return what is expected in each field, for texts about a wrong value."""
    return {row.name: row.spec.expected for row in data_fields(cls).values()}


def without_defaults(instance: DataclassInstance) -> dict[str, Any]:
    """Return copies of the required fields and of those that differ from their defaults, as data for JSON."""
    data: dict[str, Any] = {}
    for row in data_fields(type(instance)).values():
        value = getattr(instance, row.name)
        if not row.is_default(value):
            nested = is_dataclass(value) and not isinstance(value, type)
            data[row.name] = without_defaults(value) if nested else deepcopy(value)
    return data


def _default(each: Field[Any]) -> Callable[[], Any] | None:
    if each.default_factory is not MISSING:
        return each.default_factory
    return None if each.default is MISSING else lambda: each.default


def _spec(metadata: tuple[object, ...]) -> FieldSpec:
    return next(each for each in metadata if isinstance(each, FieldSpec))
