"""Units from end to end: a stored binding whose units can't be converted carries nothing, in either direction."""

from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
import pytest

from simulator import CloudDevice, ThingModel

from .application import SetProperties
from .conftest import SetUp


def with_types(device: CloudDevice, document: dict[str, Any], **types: Any) -> dict[str, Any]:
    """Return the thing model with further writable properties, which the cloud has, too."""
    added = [
        {
            "identifier": identifier,
            "name": identifier,
            "accessMode": "rw",
            "dataType": {"type": "float", "specs": specs},
        }
        for identifier, specs in types.items()
    ]
    document = document | {"properties": [*document["properties"], *added]}
    device.thing_model = ThingModel.parse(document, strict_values=True)
    return {"thing_model": document}


@pytest.mark.parametrize(
    ("state", "unit", "conversion", "posted", "value", "set_value"),
    [
        ("0.3", "bar", {}, 30000.0, 50000.0, 0.5),
        ("0.3", "bar", {"same_unit": True}, 0.3, 0.5, 0.5),
        ("0.3", "furlong", {}, None, 0.5, None),
        ("0.3", "W", {}, None, 0.5, None),
        ("0.3", "furlong", {"scale": 2}, 0.6, 0.5, 0.25),
        ("0.3", "furlong", {"same_unit": True}, 0.3, 0.5, 0.5),
        ("0.3", None, {}, 0.3, 0.5, 0.5),
    ],
)
async def test_pressure_is_carried_in_its_unit_or_not_at_all(
    hass: HomeAssistant,
    device: CloudDevice,
    thing_model_document: dict[str, Any],
    set_up: SetUp,
    set_properties: SetProperties,
    state: str,
    unit: str | None,
    conversion: dict[str, Any],
    posted: float | None,
    value: float,
    set_value: float | None,
) -> None:
    """A value without a conversion isn't posted; a set is refused with both units, and no action runs."""
    calls: list[ServiceCall] = []
    hass.services.async_register("number", "set_value", calls.append)
    hass.states.async_set("number.pump", state, {"unit_of_measurement": unit, "min": 0, "max": 10, "step": 0.1})
    hass.states.async_set("input_boolean.lamp", "on")
    pump = {"identifier": "Pressure", "entity": "number.pump", "aspect": "value", "access": "both"}
    lamp = {"identifier": "LightSwitch", "entity": "input_boolean.lamp", "aspect": "power"}
    options = with_types(device, thing_model_document, Pressure={"unit": "Pa", "unitName": "帕斯卡"})
    await set_up([pump | {"conversion": conversion}, lamp], options=options)
    await device.wait_for(lambda one: "LightSwitch" in one.properties)
    assert [sample for sample, _ in device.samples.get("Pressure", ())] == ([] if posted is None else [posted])

    reply = await set_properties(Pressure=value)
    assert [call.data["value"] for call in calls] == ([] if set_value is None else [set_value])
    if set_value is None:
        assert reply.code == 100002
        assert f"Pa can't be converted to {unit}" in reply.message
    else:
        assert reply.code == 200


@pytest.mark.parametrize("unit", ["MPa", "Mpa", "兆帕"])
async def test_hectopascals_are_posted_in_megapascals(
    hass: HomeAssistant, device: CloudDevice, thing_model_document: dict[str, Any], set_up: SetUp, unit: str
) -> None:
    """Home Assistant has no converter for megapascals."""
    hass.states.async_set("sensor.air", "1013.2", {"unit_of_measurement": "hPa"})
    options = with_types(device, thing_model_document, Pressure={"unit": unit})
    await set_up([{"identifier": "Pressure", "entity": "sensor.air", "aspect": "value"}], options=options)
    await device.wait_for(lambda one: "Pressure" in one.properties)
    assert device.properties["Pressure"][0] == 0.10132
