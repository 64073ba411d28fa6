"""The one table of the fields of a binding: stored data, documents and forms know every field of it."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.exposures import add_bindings
from custom_components.aliyun_iot.flows.binding_fields import SELECTORS
from custom_components.aliyun_iot.flows.binding_form import BindingForm
from custom_components.aliyun_iot.flows.custom_form import CustomForm
from custom_components.aliyun_iot.mapping.binding import BINDING_FIELDS, Binding, Conversion
from custom_components.aliyun_iot.mapping.document.document import Document
from custom_components.aliyun_iot.mapping.document.fault import DocumentError, FaultKind
from custom_components.aliyun_iot.mapping.document.rules import DocumentedRule
from custom_components.aliyun_iot.mapping.fields import FormSection, data_fields
from custom_components.aliyun_iot.mapping.selection import Selection

from .house import bound, entry_with, furnish
from .walk import Walk

ROW = {"identifier": "LightSwitch", "entity": "lock.door", "aspect": "locked"}
EXAMPLES: dict[str, Any] = {
    "access": "both",
    "conversion": {"invert": True},
    "min_interval": 2.5,
    "dead_band": 0.5,
    "confirmed": True,
    "source": "radius",
    "actions": [{"action": "lock.lock"}],
    "rule": "Doors",
    "condition": [{"condition": "state", "entity_id": "lock.door", "state": "locked"}],
    "every_sample": True,
    "scale": 2.5,
    "offset": -1,
    "same_unit": True,
    "invert": True,
    "digits": 2,
    "clamp": True,
    "options": {"locked": 1, "unlocked": "open"},
    "unit": "°C",
    "template": "{{ not value }}",
    "template_back": "{{ value | bool }}",
}
"""A value for each field that is not its default."""

NOT_IN_THE_FORM = {"entity", "source", "rule"}
"""Asked for on a page before the form (the attribute and the template are sources), or never."""


def with_value(name: str, value: object) -> dict[str, Any]:
    """Return the data of a binding in which one field has this value."""
    nested = name in data_fields(Conversion)
    return ROW | ({"conversion": {name: value}} if nested else {name: value})


def test_no_name_is_used_twice() -> None:
    """Forms look fields up by name only, so a field of a conversion can't have the name of a field of the binding."""
    assert not data_fields(Binding).keys() & data_fields(Conversion).keys()
    assert EXAMPLES.keys() | ROW.keys() == BINDING_FIELDS.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_stored_data_and_documents_keep_every_field(name: str) -> None:
    """A value that is not the default survives both."""
    row = with_value(name, EXAMPLES[name])
    binding = Binding.from_dict(row)
    assert binding.as_dict() == row
    document = Document.of([binding], rules={"Doors": DocumentedRule(Selection())})
    assert Document.parse(document.as_dict()).bindings == {"LightSwitch": binding}


@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - {"conversion"}))
def test_stored_data_leave_defaults_out(name: str) -> None:
    """Even where the default was given."""
    default = BINDING_FIELDS[name].default
    assert default
    assert Binding.from_dict(with_value(name, default())).as_dict() == ROW


@pytest.mark.parametrize("name", sorted(BINDING_FIELDS.keys() - {"entity"}))
def test_a_document_says_what_it_expects_in_every_field(name: str) -> None:
    """With the path of the wrong value; the entity stands above the row."""
    row = with_value(name, [[]])
    del row["entity"]
    with pytest.raises(DocumentError) as error:
        Document.parse({"format": "aliyun_iot_mapping", "version": 1, "bindings": {"lock.door": [row]}})
    [fault] = error.value.faults
    assert (fault.kind, fault.expected) == (FaultKind.WRONG_VALUE, BINDING_FIELDS[name].spec.expected)
    assert name in fault.path


@pytest.mark.parametrize("name", sorted(BINDING_FIELDS.keys() - {"conversion"}))
async def test_the_forms_have_every_field(hass: HomeAssistant, name: str) -> None:
    """In the section that the table names; a form without that section has them in its main part."""
    furnish(hass)
    entry = entry_with(hass, {})
    form = (await BindingForm.load(hass, entry, "lock.door", None)).schema({}, ())
    custom = (await CustomForm.load(hass, entry, None)).schema({}, ())
    match BINDING_FIELDS[name].spec.section:
        case None:
            assert name in NOT_IN_THE_FORM
        case FormSection.MAIN:
            assert name in form.schema
        case folded:
            assert name in form.schema[folded].schema.schema
            assert name in (custom.schema[folded].schema.schema if folded in custom.schema else custom.schema)


@pytest.mark.parametrize("name", SELECTORS)
async def test_the_form_shows_and_keeps_every_field(hass: HomeAssistant, name: str) -> None:
    """Submitting what the form shows changes nothing."""
    furnish(hass)
    entry = entry_with(hass, {})
    row = ROW | {"confirmed": True} | with_value(name, EXAMPLES[name])
    add_bindings(hass, entry, [Binding.from_dict(row)])
    walk = await Walk.edit(hass, entry, "LightSwitch")
    await walk.submit(**walk.values)
    if not walk.saved:  # a warning is shown once
        assert walk.errors["base"] == "submit_again"
        await walk.submit(**walk.values)
    assert walk.saved
    assert bound(entry) == {"LightSwitch": Binding.from_dict(row)}
