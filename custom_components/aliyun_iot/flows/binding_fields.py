"""The fields of the forms for bindings, and what was entered in them.

Names, sections and defaults come from the table of fields (`mapping/binding.py`); `SELECTORS` adds how each field looks.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
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
    Selector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TemplateSelector,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..mapping.binding import BINDING_FIELDS, Access, Binding
from ..mapping.fields import FormSection
from .condition_field import CONDITION_FIELD

CONF_ACCESS: Final = "access"
CONF_ACTIONS: Final = "actions"
CONF_ASPECT: Final = "aspect"
CONF_CONDITION: Final = "condition"
CONF_CONFIRMED: Final = "confirmed"
CONF_ENTITY: Final = "entity"
CONF_IDENTIFIER: Final = "identifier"
CONF_OPTIONS: Final = "options"
CONF_SOURCE: Final = "source"
CONF_TEMPLATE: Final = "template"
CONF_UNIT: Final = "unit"

SECTION_ACTIONS: Final = FormSection.OWN_ACTIONS.value
SECTION_CONVERSION: Final = FormSection.CONVERSION.value
SECTION_REPORTING: Final = FormSection.REPORTING.value

_ANY_NUMBER = NumberSelector(NumberSelectorConfig(step="any", mode=NumberSelectorMode.BOX))

SELECTORS: Final[Mapping[str, Selector[Any]]] = {
    "access": SelectSelector(
        SelectSelectorConfig(options=[access.value for access in Access], translation_key=CONF_ACCESS)
    ),
    "confirmed": BooleanSelector(),
    "unit": TextSelector(),
    "scale": _ANY_NUMBER,
    "offset": _ANY_NUMBER,
    "same_unit": BooleanSelector(),
    "invert": BooleanSelector(),
    "digits": NumberSelector(NumberSelectorConfig(min=0, max=9, mode=NumberSelectorMode.BOX)),
    "clamp": BooleanSelector(),
    "options": TextSelector(TextSelectorConfig(multiple=True)),
    "template": TemplateSelector(),
    "template_back": TemplateSelector(),
    "min_interval": NumberSelector(
        NumberSelectorConfig(min=0, max=86400, step="any", unit_of_measurement="s", mode=NumberSelectorMode.BOX)
    ),
    "dead_band": NumberSelector(NumberSelectorConfig(min=0, step="any", mode=NumberSelectorMode.BOX)),
    "every_sample": BooleanSelector(),
    "condition": CONDITION_FIELD,
    "actions": ActionSelector(),
}
"""A selector for every field that a section has, in the order of the form, and for those that several forms share."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]*")


class InputRefused(Exception):  # noqa: N818 - named after what happened
    """The input can't be used: translation keys of the errors by field, and the placeholders of all of them."""

    def __init__(
        self, errors: Mapping[str, str], placeholders: Mapping[str, str] | None = None, *, within: str = ""
    ) -> None:
        """Keep what the form shows. `within` is the field at fault where the error is that of a section.

        Forms of Home Assistant show no errors at the fields of a section.
        """
        super().__init__(", ".join(errors.values()))
        self.errors = dict(errors)
        self.placeholders = dict(placeholders or {})
        self.within = within


def choice(options: Iterable[tuple[str, str]], *, custom_value: bool = False) -> SelectSelector:
    """Return a drop-down list of values and labels."""
    return SelectSelector(
        SelectSelectorConfig(
            options=[SelectOptionDict(value=value, label=label) for value, label in options],
            custom_value=custom_value,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def section_fields(name: str) -> dict[vol.Marker, Selector[Any]]:
    """Return the fields of a section. A field whose default is empty may stay empty."""
    fields: dict[vol.Marker, Selector[Any]] = {}
    for field in _names(name):
        make_default = BINDING_FIELDS[field].default
        default = make_default() if make_default else None
        may_be_empty = default in (None, "", [], {})
        fields[vol.Optional(field) if may_be_empty else vol.Required(field, default=default)] = SELECTORS[field]
    return fields


def folded(name: str, values: Mapping[str, Any], errors: Collection[str]) -> section:
    """Return a section of a form, collapsed unless it has an error or a value that differs from its default."""
    fields = vol.Schema(section_fields(name))
    defaults: dict[str, Any] = fields({})
    return section(fields, {"collapsed": name not in errors and {**defaults, **values.get(name, {})} == defaults})


def section_values(name: str, binding: Binding) -> dict[str, Any]:
    """Return what the fields of a section show for a binding, without those that have their default value."""
    owner = binding.conversion if name == SECTION_CONVERSION else binding
    values = {field: getattr(owner, field) for field in _names(name)}
    return {
        field: _SHOWN.get(field, _unchanged)(value)
        for field, value in values.items()
        if not BINDING_FIELDS[field].is_default(value)
    }


def entered_values(name: str, entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a section that were entered; raises InputRefused."""
    values = {field: entered.get(field) for field in _names(name)}
    return {field: _READ.get(field, _unchanged)(value) for field, value in values.items() if value is not None}


def read_binding(user_input: Mapping[str, Any], own: Mapping[str, Any]) -> Binding:
    """Return the binding from the shared fields and from what the form has read itself; raises InputRefused."""
    if not user_input.get(CONF_IDENTIFIER):
        raise InputRefused({CONF_IDENTIFIER: "identifier_missing"})
    data = {
        CONF_IDENTIFIER: user_input[CONF_IDENTIFIER].strip(),
        CONF_ACCESS: user_input[CONF_ACCESS],
        SECTION_CONVERSION: entered_values(SECTION_CONVERSION, user_input[SECTION_CONVERSION]),
        **entered_values(SECTION_REPORTING, user_input[SECTION_REPORTING]),
        **own,
    }
    try:
        return Binding.from_dict(data)
    except vol.Invalid as err:
        raise _schema_refusal(err) from err


def _names(section_name: str) -> list[str]:
    return [field for field in SELECTORS if BINDING_FIELDS[field].spec.section == section_name]


def _unchanged(value: Any) -> Any:
    return value


def _show_options(options: Mapping[str, int | str]) -> list[str]:
    return [f"{name}={value}" for name, value in options.items()]


def _read_options(rows: Iterable[str]) -> dict[str, int | str]:
    """Return the options from rows like `cool=1`, skipping empty ones; raises InputRefused."""
    options: dict[str, int | str] = {}
    for row in rows:
        name, equals, value = (part.strip() for part in row.partition("="))
        if not name and not equals:
            continue
        if not name or not value or name in options:
            raise InputRefused({SECTION_CONVERSION: "invalid_option"}, {"option": row}, within=CONF_OPTIONS)
        # "07" is text: written as a number it would no longer be what was entered.
        options[name] = int(value) if _INTEGER.fullmatch(value) else value
    return options


_SHOWN: Final[Mapping[str, Callable[[Any], Any]]] = {CONF_OPTIONS: _show_options}
_READ: Final[Mapping[str, Callable[[Any], Any]]] = {CONF_OPTIONS: _read_options, CONF_UNIT: str.strip}


def _schema_refusal(err: vol.Invalid) -> InputRefused:
    field = str(err.path[0])
    if field == CONF_IDENTIFIER:
        return InputRefused({CONF_IDENTIFIER: "invalid_identifier"})
    return InputRefused({str(BINDING_FIELDS[field].spec.section): "invalid_number"}, within=str(err.path[-1]))
