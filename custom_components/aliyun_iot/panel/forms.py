"""The form of a binding as the page shows it: the fields, values, texts and errors of the form of the flows."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import Selector
import voluptuous as vol

from ..flows.binding_fields import SELECTORS, InputRefused
from ..flows.binding_form import BindingForm
from ..mapping.binding import BINDING_FIELDS
from ..mapping.fields import Expected
from ..words.labels import Labels

ELSEWHERE: Final = frozenset({"action", "condition", "template"})
"""Kinds of fields that only the form of the flow can edit."""

_STEP: Final = "config_subentries.exposure.step.binding"


def fields_of(form: BindingForm, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the fields: name, section (or empty), kind and settings of the selector, label and description."""
    return _fields(form.schema(values, ()), form.labels, "")


def known_values(form: BindingForm, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the fields that the form has; the flows leave out the others as well."""
    known = {str(marker) for marker in form.schema(values, ()).schema}
    return {name: value for name, value in values.items() if name in known}


def _fields(schema: vol.Schema, labels: Labels, inside: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for marker, field in schema.schema.items():
        name = str(marker)
        if isinstance(field, section):
            found += _fields(field.schema, labels, name)
        elif isinstance(field, Selector):
            found.append(_field(name, inside, field, labels))
    return found


def _field(name: str, inside: str, field: Selector[Any], labels: Labels) -> dict[str, Any]:
    where = f"{_STEP}.sections.{inside}" if inside else _STEP
    return {
        "name": name,
        "section": inside,
        "section_label": _text(labels, f"{where}.name") if inside else "",
        "kind": field.selector_type,
        "config": _serialized(field, labels),
        "label": _text(labels, f"{where}.data.{name}") or name,
        "description": _text(labels, f"{where}.data_description.{name}"),
        "elsewhere": field.selector_type in ELSEWHERE,
    }


def _serialized(field: Selector[Any], labels: Labels) -> dict[str, Any]:
    """Return the settings of a selector; the options of a list get their labels."""
    config = dict(field.config)
    if "options" in config:
        key = config.get("translation_key")
        config["options"] = [
            each
            if isinstance(each, dict)
            else {"value": each, "label": _text(labels, f"selector.{key}.options.{each}") or each}
            for each in config["options"]
        ]
    return config


def errors_of(refused: InputRefused, labels: Labels, placeholders: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of errors by field; `base` is about the whole form."""
    filled = {**placeholders, **refused.placeholders}
    return {
        refused.within or field: invalid_value(labels, refused.within)
        if key == "invalid_number"
        else labels.text(f"options.error.{key}", **filled)
        for field, key in refused.errors.items()
    }


def invalid_value(labels: Labels, name: str) -> str:
    """Return what a field expects instead of what was entered."""
    if (field := BINDING_FIELDS.get(name)) is None:
        return labels.text("common.panel_invalid_value")
    expected = labels.text(f"common.expected_{field.spec.expected}")
    config = SELECTORS[name].config if name in SELECTORS else {}
    if field.spec.expected is Expected.AMOUNT and "max" in config:
        expected = labels.text("common.panel_range", min=f"{config['min']:,.10g}", max=f"{config['max']:,.10g}")
    return labels.text("common.panel_expected", expected=expected)


def _text(labels: Labels, key: str) -> str:
    return labels.text(key) if labels.has(key) else ""
