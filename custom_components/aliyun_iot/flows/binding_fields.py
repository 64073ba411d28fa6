"""The fields that the forms for bindings share, and what was entered in them."""

from collections.abc import Collection, Iterable, Mapping
import re
from typing import Any, Final

from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    ActionSelector,
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TemplateSelector,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..mapping.binding import Access, Binding
from .condition_field import CONDITION_FIELD

CONF_ACCESS: Final = "access"
CONF_ACTIONS: Final = "actions"
CONF_ASPECT: Final = "aspect"
CONF_CLAMP: Final = "clamp"
CONF_CONDITION: Final = "condition"
CONF_CONFIRMED: Final = "confirmed"
CONF_DEAD_BAND: Final = "dead_band"
CONF_DIGITS: Final = "digits"
CONF_ENTITY: Final = "entity"
CONF_EVERY_SAMPLE: Final = "every_sample"
CONF_IDENTIFIER: Final = "identifier"
CONF_INVERT: Final = "invert"
CONF_MIN_INTERVAL: Final = "min_interval"
CONF_OFFSET: Final = "offset"
CONF_OPTIONS: Final = "options"
CONF_SCALE: Final = "scale"
CONF_SOURCE: Final = "source"
CONF_TEMPLATE: Final = "template"
CONF_TEMPLATE_BACK: Final = "template_back"
CONF_UNIT: Final = "unit"

SECTION_ACTIONS: Final = "own_actions"
SECTION_CONVERSION: Final = "conversion"
SECTION_REPORTING: Final = "reporting"

_INTEGER = re.compile(r"0|-?[1-9][0-9]*")

ACCESS_FIELD: Final = SelectSelector(
    SelectSelectorConfig(options=[access.value for access in Access], translation_key=CONF_ACCESS)
)
ACTIONS_FIELDS: Final = vol.Schema(
    {vol.Optional(CONF_CONDITION): CONDITION_FIELD, vol.Optional(CONF_ACTIONS): ActionSelector()}
)
CONVERSION_FIELDS: Final = vol.Schema(
    {
        vol.Optional(CONF_UNIT): TextSelector(),
        vol.Required(CONF_SCALE, default=1): NumberSelector(
            NumberSelectorConfig(step="any", mode=NumberSelectorMode.BOX)
        ),
        vol.Required(CONF_OFFSET, default=0): NumberSelector(
            NumberSelectorConfig(step="any", mode=NumberSelectorMode.BOX)
        ),
        vol.Required(CONF_INVERT, default=False): BooleanSelector(),
        vol.Optional(CONF_DIGITS): NumberSelector(NumberSelectorConfig(min=0, max=9, mode=NumberSelectorMode.BOX)),
        vol.Required(CONF_CLAMP, default=False): BooleanSelector(),
        vol.Required(CONF_OPTIONS, default=list): TextSelector(TextSelectorConfig(multiple=True)),
        vol.Optional(CONF_TEMPLATE): TemplateSelector(),
        vol.Optional(CONF_TEMPLATE_BACK): TemplateSelector(),
    }
)
REPORTING_FIELDS: Final = vol.Schema(
    {
        vol.Required(CONF_MIN_INTERVAL, default=0): NumberSelector(
            NumberSelectorConfig(min=0, max=86400, step="any", unit_of_measurement="s", mode=NumberSelectorMode.BOX)
        ),
        vol.Required(CONF_DEAD_BAND, default=0): NumberSelector(
            NumberSelectorConfig(min=0, step="any", mode=NumberSelectorMode.BOX)
        ),
        vol.Required(CONF_EVERY_SAMPLE, default=False): BooleanSelector(),
    }
)


class InputRefused(Exception):  # noqa: N818 - named after what happened
    """What was entered can't be taken: translation keys by field, and the placeholders of all of them."""

    def __init__(self, errors: Mapping[str, str], placeholders: Mapping[str, str] | None = None) -> None:
        """Keep what the form shows."""
        super().__init__(", ".join(errors.values()))
        self.errors = dict(errors)
        self.placeholders = dict(placeholders or {})


def choice(options: Iterable[tuple[str, str]], *, custom_value: bool = False) -> SelectSelector:
    """Return a list to choose from: values and labels."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[SelectOptionDict(value=value, label=label) for value, label in options],
            custom_value=custom_value,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def control_values(binding: Binding) -> dict[str, Any]:
    """Return what the fields about control start with; what is empty stays so."""
    values = {CONF_CONDITION: binding.condition, CONF_ACTIONS: binding.actions}
    return {name: value for name, value in values.items() if value}


def folded(name: str, fields: vol.Schema, values: Mapping[str, Any], errors: Collection[str]) -> section:
    """Return a section of a form, closed while nothing in it is wrong or differs from its defaults."""
    defaults: dict[str, Any] = fields({})
    return section(fields, {"collapsed": name not in errors and {**defaults, **values.get(name, {})} == defaults})


def section_values(binding: Binding) -> dict[str, Any]:
    """Return what the sections start with for a binding that is there already."""
    return {
        SECTION_CONVERSION: {
            **binding.as_dict().get(SECTION_CONVERSION, {}),
            CONF_OPTIONS: [f"{name}={value}" for name, value in binding.conversion.options.items()],
        },
        SECTION_REPORTING: {
            CONF_MIN_INTERVAL: binding.min_interval,
            CONF_DEAD_BAND: binding.dead_band,
            CONF_EVERY_SAMPLE: binding.every_sample,
        },
    }


def read_binding(user_input: Mapping[str, Any], own: Mapping[str, Any]) -> Binding:
    """Return the binding of what was entered and what the form knows by itself; raises InputRefused."""
    if not user_input.get(CONF_IDENTIFIER):
        raise InputRefused({CONF_IDENTIFIER: "identifier_missing"})
    conversion = user_input[SECTION_CONVERSION]
    data = {
        CONF_IDENTIFIER: user_input[CONF_IDENTIFIER].strip(),
        CONF_ACCESS: user_input[CONF_ACCESS],
        SECTION_CONVERSION: {
            **conversion,
            CONF_OPTIONS: _read_options(conversion[CONF_OPTIONS]),
            CONF_UNIT: conversion.get(CONF_UNIT, "").strip(),
        },
        **user_input[SECTION_REPORTING],
        **own,
    }
    try:
        return Binding.from_dict(data)
    except vol.Invalid as err:
        raise _schema_refusal(err) from err


def _read_options(rows: Iterable[str]) -> dict[str, int | str]:
    """Return what rows like `cool=1` say; empty ones say nothing. Raises InputRefused."""
    options: dict[str, int | str] = {}
    for row in rows:
        name, equals, value = (part.strip() for part in row.partition("="))
        if not name and not equals:
            continue
        if not name or not value or name in options:
            raise InputRefused({SECTION_CONVERSION: "invalid_option"}, {"option": row})
        # "07" is text: written as a number it would no longer be what was entered.
        options[name] = int(value) if _INTEGER.fullmatch(value) else value
    return options


def _schema_refusal(err: vol.Invalid) -> InputRefused:
    field = str(err.path[0])
    if field == CONF_IDENTIFIER:
        return InputRefused({CONF_IDENTIFIER: "invalid_identifier"})
    return InputRefused({SECTION_CONVERSION if field == SECTION_CONVERSION else SECTION_REPORTING: "invalid_number"})
