"""Entities that are removed, renamed, unavailable or changed, with real registries and entities, up to the cloud.

Each test ends with all values that the cloud has received: nothing false is reported of an entity that is unavailable, changed
or replaced, and its binding works again as soon as it is available.
"""

from datetime import timedelta
from typing import Any

from homeassistant.components.light import ColorMode
from homeassistant.config_entries import RELOAD_AFTER_UPDATE_DELAY
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.aliyun_iot.const import CONF_THING_MODEL
from simulator import CloudDevice

from .application import SetProperties, reported, wait_for_value
from .conftest import SetUp
from .vendor import Hygrometer, Lamp, OtherLamp, Programme, Setpoint, Thermometer, Vendor

UNAVAILABLE, NOT_MAPPED, OUT_OF_RANGE, READ_ONLY = 100004, 100001, 100009, 100002


async def report_humidity(hass: HomeAssistant, device: CloudDevice, vendor: Vendor) -> None:
    """Change the humidity and wait until the cloud has it; everything before it has arrived by then as well."""
    await hass.async_block_till_done()
    humidity = vendor.entities[Hygrometer].native_value + 1
    vendor.update(Hygrometer, native_value=humidity)
    await wait_for_value(device, "CurrentHumidity", humidity)


def temperature(vendor: Vendor) -> dict[str, Any]:
    """Return a binding of the thermometer."""
    return {"identifier": "CurrentTemperature", "entity": vendor.reference(Thermometer), "aspect": "value"}


def humidity(vendor: Vendor) -> dict[str, Any]:
    """Return a binding of the hygrometer."""
    return {"identifier": "CurrentHumidity", "entity": vendor.reference(Hygrometer), "aspect": "value"}


def setpoint(vendor: Vendor) -> dict[str, Any]:
    """Return a binding of the number."""
    reference = vendor.reference(Setpoint)
    return {"identifier": "TargetTemperature", "entity": reference, "aspect": "value", "access": "both"}


def lamp(vendor: Vendor, identifier: str, aspect: str, kind: type[Lamp] = Lamp) -> dict[str, Any]:
    """Return a binding of a lamp."""
    return {"identifier": identifier, "entity": vendor.reference(kind), "aspect": aspect, "access": "both"}


async def test_unavailable_entity_is_neither_reported_nor_set(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """An unavailable lamp is not reported as off or dark, cannot be set, and works again once it is available."""
    vendor = Vendor(hass, [Lamp, Hygrometer])
    await vendor.set_up()
    await set_up([lamp(vendor, "LightSwitch", "power"), lamp(vendor, "Brightness", "brightness"), humidity(vendor)])
    await wait_for_value(device, "Brightness", 50)

    vendor.update(Lamp, available=False)
    assert hass.states.get(vendor.entity_id(Lamp)).state == STATE_UNAVAILABLE
    reply = await set_properties(LightSwitch=0)
    assert (reply.code, vendor.entities[Lamp].is_on) == (UNAVAILABLE, True)
    await report_humidity(hass, device, vendor)
    assert (reported(device, "LightSwitch"), reported(device, "Brightness")) == ([1], [50])

    vendor.update(Lamp, available=True, brightness=255)
    await wait_for_value(device, "Brightness", 100)
    assert (await set_properties(LightSwitch=0)).code == 200
    await wait_for_value(device, "LightSwitch", 0)
    assert (reported(device, "LightSwitch"), reported(device, "Brightness")) == ([1, 0], [50, 100])


@pytest.mark.parametrize("nothing", [None, "unavailable", "unknown"])
async def test_sensor_without_a_value_is_not_reported(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, nothing: str | None
) -> None:
    """The cloud keeps the last value."""
    vendor = Vendor(hass, [Thermometer, Hygrometer])
    await vendor.set_up()
    await set_up([temperature(vendor), humidity(vendor)])
    await wait_for_value(device, "CurrentTemperature", 20.0)
    if nothing == "unavailable":
        vendor.update(Thermometer, available=False)
    elif nothing == "unknown":
        hass.states.async_set(vendor.entity_id(Thermometer), nothing, {"unit_of_measurement": "°C"})
    else:
        vendor.update(Thermometer, native_value=None)
    await report_humidity(hass, device, vendor)
    vendor.update(Thermometer, available=True, native_value=-3.5)
    await wait_for_value(device, "CurrentTemperature", -3.5)
    assert reported(device, "CurrentTemperature") == [20.0, -3.5]


async def test_reloaded_integration_reports_nothing_false(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """During a reload Home Assistant keeps the entities as unavailable, with restored attributes."""
    vendor = Vendor(hass, [Thermometer, Lamp, Hygrometer])
    await vendor.set_up()
    entry = await set_up([temperature(vendor), lamp(vendor, "LightSwitch", "power"), humidity(vendor)])
    await wait_for_value(device, "CurrentTemperature", 20.0)
    await vendor.unload()
    assert hass.states.get(vendor.entity_id(Lamp)).attributes["restored"]
    entry.runtime_data.device.reporter.post_everything()
    await vendor.set_up()
    vendor.update(Thermometer, native_value=22.0)
    await wait_for_value(device, "CurrentTemperature", 22.0)
    await report_humidity(hass, device, vendor)
    assert (reported(device, "CurrentTemperature"), reported(device, "LightSwitch")) == ([20.0, 22.0], [1])


async def test_renamed_entity_stays_bound(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """A binding refers to its entity by the registry id, so another entity id changes nothing, in both directions."""
    vendor = Vendor(hass, [Lamp, Hygrometer])
    await vendor.set_up()
    entry = await set_up([lamp(vendor, "LightSwitch", "power"), humidity(vendor)])
    await wait_for_value(device, "LightSwitch", 1)

    er.async_get(hass).async_update_entity(vendor.entity_id(Lamp), new_entity_id="light.reading_corner")
    await report_humidity(hass, device, vendor)
    assert not entry.runtime_data.device.bound.problems
    vendor.update(Lamp, is_on=False)
    await wait_for_value(device, "LightSwitch", 0)
    assert (await set_properties(LightSwitch=1)).code == 200
    await wait_for_value(device, "LightSwitch", 1)
    assert reported(device, "LightSwitch") == [1, 0, 1]
    assert (device.connections, vendor.entities[Lamp].is_on) == (1, True)


@pytest.mark.parametrize("in_one_go", [False, True])
async def test_entities_that_swap_their_ids_stay_bound(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties, in_one_go: bool
) -> None:
    """Neither of two lamps is reported as the other one, not even during the renaming."""
    vendor = Vendor(hass, [Lamp, OtherLamp, Hygrometer])
    await vendor.set_up()
    await set_up(
        [
            lamp(vendor, "LightSwitch", "power"),
            {**lamp(vendor, "GatewayName", "power", OtherLamp), "access": "report"},
            humidity(vendor),
        ]
    )
    await wait_for_value(device, "GatewayName", "off")
    registry, one, other = er.async_get(hass), vendor.entity_id(Lamp), vendor.entity_id(OtherLamp)
    for old, new in ((one, "light.aside"), (other, one), ("light.aside", other)):
        registry.async_update_entity(old, new_entity_id=new)
        if not in_one_go:
            await hass.async_block_till_done()
    await hass.async_block_till_done()
    assert (vendor.entity_id(Lamp), vendor.entity_id(OtherLamp)) == (other, one)
    await report_humidity(hass, device, vendor)
    assert (reported(device, "LightSwitch"), reported(device, "GatewayName")) == ([1], ["off"])

    assert (await set_properties(LightSwitch=0)).code == 200
    await wait_for_value(device, "LightSwitch", 0)
    vendor.update(OtherLamp, is_on=True)
    await wait_for_value(device, "GatewayName", "on")
    assert (vendor.entities[Lamp].is_on, reported(device, "LightSwitch")) == (False, [1, 0])


async def test_state_of_another_entity_right_after_a_rename(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """It has the old entity id before anything else could run; neither it nor what waits under the new id is reported."""
    vendor = Vendor(hass, [Lamp, Hygrometer])
    await vendor.set_up()
    entry = await set_up([lamp(vendor, "LightSwitch", "power"), humidity(vendor)])
    await wait_for_value(device, "LightSwitch", 1)
    old = vendor.entity_id(Lamp)
    er.async_get(hass).async_update_entity(old, new_entity_id="light.corner")
    bound = entry.runtime_data.device.bound.by_identifier["LightSwitch"]
    assert bound.entity_id == "light.corner"
    hass.states.async_set(old, "off")
    await hass.async_block_till_done()
    hass.states.async_set(old, "on")
    hass.states.async_set(old, "off")
    await report_humidity(hass, device, vendor)
    assert reported(device, "LightSwitch") == [1]
    vendor.update(Lamp, is_on=False)
    await wait_for_value(device, "LightSwitch", 0)


async def test_removed_entity_is_not_replaced_by_another_with_its_id(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Another entity with the old entity id is not bound; the binding works again once its own entity is added."""
    vendor = Vendor(hass, [Lamp, OtherLamp, Hygrometer])
    await vendor.set_up()
    entry = await set_up([lamp(vendor, "LightSwitch", "power"), humidity(vendor)])
    await wait_for_value(device, "LightSwitch", 1)
    registry, name = er.async_get(hass), vendor.entity_id(Lamp)

    registry.async_remove(name)
    await hass.async_block_till_done()
    registry.async_update_entity(vendor.entity_id(OtherLamp), new_entity_id=name)
    await hass.async_block_till_done()
    vendor.update(OtherLamp, is_on=False)
    assert hass.states.get(name).state == "off"
    assert "removed" in str(entry.runtime_data.device.bound.problems["LightSwitch"])
    reply = await set_properties(LightSwitch=1)
    assert (reply.code, vendor.entities[OtherLamp].is_on) == (NOT_MAPPED, False)
    await report_humidity(hass, device, vendor)
    assert reported(device, "LightSwitch") == [1]

    await vendor.unload()
    await vendor.set_up()
    assert vendor.entity_id(Lamp) != name
    assert not entry.runtime_data.device.bound.problems
    assert (await set_properties(LightSwitch=0)).code == 200
    await wait_for_value(device, "LightSwitch", 0)
    assert reported(device, "LightSwitch") == [1, 0]


async def test_unregistered_entity_is_removed_and_added_again(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """An unregistered entity is bound by its entity id."""
    vendor = Vendor(hass, [Hygrometer])
    await vendor.set_up()
    unregistered = {"identifier": "CurrentTemperature", "entity": "sensor.yaml", "aspect": "value"}
    hass.states.async_set("sensor.yaml", "20", {"unit_of_measurement": "°C"})
    await set_up([unregistered, humidity(vendor)])
    await wait_for_value(device, "CurrentTemperature", 20.0)
    hass.states.async_remove("sensor.yaml")
    await report_humidity(hass, device, vendor)
    hass.states.async_set("sensor.yaml", "21", {"unit_of_measurement": "°C"})
    await wait_for_value(device, "CurrentTemperature", 21.0)
    assert reported(device, "CurrentTemperature") == [20.0, 21.0]


async def test_entity_is_disabled_and_enabled(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """A disabled entity has no state; Home Assistant reloads its integration some time after it is enabled."""
    vendor = Vendor(hass, [Lamp, Hygrometer])
    await vendor.set_up()
    entry = await set_up([lamp(vendor, "LightSwitch", "power"), humidity(vendor)])
    await wait_for_value(device, "LightSwitch", 1)
    registry, name = er.async_get(hass), vendor.entity_id(Lamp)

    registry.async_update_entity(name, disabled_by=er.RegistryEntryDisabler.USER)
    await hass.async_block_till_done()
    assert hass.states.get(name) is None
    assert (await set_properties(LightSwitch=0)).code == UNAVAILABLE
    await report_humidity(hass, device, vendor)

    registry.async_update_entity(name, disabled_by=None)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=RELOAD_AFTER_UPDATE_DELAY + 1))
    await hass.async_block_till_done()
    assert hass.states.get(name).state == "on"
    assert (await set_properties(LightSwitch=0)).code == 200
    await wait_for_value(device, "LightSwitch", 0)
    assert reported(device, "LightSwitch") == [1, 0]
    assert not entry.runtime_data.device.bound.problems


async def test_entities_that_are_late_after_a_restart(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """An integration may need minutes after a restart; until then its entities are unavailable and not reported."""
    vendor = Vendor(hass, [Lamp, Thermometer, Hygrometer])
    await vendor.set_up()
    bindings = [lamp(vendor, "LightSwitch", "power"), temperature(vendor), humidity(vendor)]
    await vendor.unload()
    hass.set_state(CoreState.starting)
    await set_up(bindings)
    hass.set_state(CoreState.running)
    hass.bus.async_fire("homeassistant_started")
    await hass.async_block_till_done()
    assert (await set_properties(LightSwitch=0)).code == UNAVAILABLE
    assert not device.samples

    await vendor.set_up()
    await wait_for_value(device, "CurrentTemperature", 20.0)
    assert (await set_properties(LightSwitch=0)).code == 200
    await wait_for_value(device, "LightSwitch", 0)
    assert (reported(device, "CurrentTemperature"), reported(device, "LightSwitch")) == ([20.0], [1, 0])


async def test_entity_without_a_state_is_reported_later(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """A registered entity has no state at all before its integration is loaded for the first time."""
    vendor = Vendor(hass, [Thermometer, Hygrometer])
    await vendor.set_up()
    bindings = [temperature(vendor), humidity(vendor)]
    await vendor.unload()
    for kind in vendor.kinds:
        hass.states.async_remove(vendor.entity_id(kind))
    entry = await set_up(bindings)
    assert not entry.runtime_data.device.bound.problems
    await vendor.set_up()
    await wait_for_value(device, "CurrentTemperature", 20.0)
    await wait_for_value(device, "CurrentHumidity", 40)
    assert reported(device, "CurrentTemperature") == [20.0]


async def test_sensor_with_a_changed_unit(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """The user changes it to Fahrenheit; the property stays in the unit of the thing model."""
    vendor = Vendor(hass, [Thermometer, Hygrometer])
    await vendor.set_up()
    await set_up([temperature(vendor), humidity(vendor)])
    await wait_for_value(device, "CurrentTemperature", 20.0)
    er.async_get(hass).async_update_entity_options(
        vendor.entity_id(Thermometer), "sensor", {"unit_of_measurement": "°F"}
    )
    await hass.async_block_till_done()
    assert hass.states.get(vendor.entity_id(Thermometer)).state == "68.0"
    await report_humidity(hass, device, vendor)
    vendor.update(Thermometer, native_value=25.0)
    assert hass.states.get(vendor.entity_id(Thermometer)).state == "77.0"
    await wait_for_value(device, "CurrentTemperature", 25.0)
    assert reported(device, "CurrentTemperature") == [20.0, 25.0]


async def test_number_with_a_changed_unit(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Its limits change with the unit; a set from the cloud is still in Celsius."""
    vendor = Vendor(hass, [Setpoint, Hygrometer])
    await vendor.set_up()
    await set_up([setpoint(vendor), humidity(vendor)])
    await wait_for_value(device, "TargetTemperature", 20.0)
    er.async_get(hass).async_update_entity_options(vendor.entity_id(Setpoint), "number", {"unit_of_measurement": "°F"})
    await hass.async_block_till_done()
    vendor.update(Setpoint)
    assert hass.states.get(vendor.entity_id(Setpoint)).attributes["unit_of_measurement"] == "°F"
    assert (await set_properties(TargetTemperature=25.0)).code == 200
    await wait_for_value(device, "TargetTemperature", 25.0)
    assert vendor.entities[Setpoint].native_value == 25.0
    assert reported(device, "TargetTemperature") == [20.0, 25.0]


async def test_number_with_changed_limits(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The present limits apply, not those at the time of binding."""
    vendor = Vendor(hass, [Setpoint, Hygrometer])
    await vendor.set_up()
    await set_up([setpoint(vendor), humidity(vendor)])
    await wait_for_value(device, "TargetTemperature", 20.0)
    vendor.update(Setpoint, native_max_value=22.0)
    assert (await set_properties(TargetTemperature=25.0)).code == OUT_OF_RANGE
    vendor.update(Setpoint, native_max_value=30.0)
    assert (await set_properties(TargetTemperature=25.0)).code == 200
    await wait_for_value(device, "TargetTemperature", 25.0)
    assert reported(device, "TargetTemperature") == [20.0, 25.0]


async def test_select_with_changed_options(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """An option keeps its number in the cloud wherever it is in the list, and one without a number is not reported."""
    vendor = Vendor(hass, [Programme, Hygrometer])
    await vendor.set_up()
    programme = {"identifier": "HVACMode", "entity": vendor.reference(Programme), "aspect": "option", "access": "both"}
    entry = await set_up([programme, humidity(vendor)])
    await wait_for_value(device, "HVACMode", 1)

    vendor.update(Programme, options=["auto", "cool", "heat"])
    await report_humidity(hass, device, vendor)
    vendor.update(Programme, options=["auto", "defrost"], current_option="defrost")
    await report_humidity(hass, device, vendor)
    assert "defrost" in entry.runtime_data.device.reporter.outbox.unreportable["HVACMode"].describe()
    assert (await set_properties(HVACMode=1)).code == OUT_OF_RANGE
    assert vendor.entities[Programme].current_option == "defrost"
    assert reported(device, "HVACMode") == [1]

    assert (await set_properties(HVACMode=3)).code == 200
    await wait_for_value(device, "HVACMode", 3)
    assert (vendor.entities[Programme].current_option, reported(device, "HVACMode")) == ("auto", [1, 3])
    assert not entry.runtime_data.device.reporter.outbox.unreportable


async def test_lamp_loses_and_regains_its_dimmer(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties
) -> None:
    """A missing feature is neither reported nor set; the other properties of the entity work."""
    vendor = Vendor(hass, [Lamp, Hygrometer])
    await vendor.set_up()
    await set_up([lamp(vendor, "LightSwitch", "power"), lamp(vendor, "Brightness", "brightness"), humidity(vendor)])
    await wait_for_value(device, "Brightness", 50)
    vendor.update(Lamp, supported_color_modes={ColorMode.ONOFF}, color_mode=ColorMode.ONOFF, brightness=255)
    await report_humidity(hass, device, vendor)
    assert (await set_properties(Brightness=30)).code == READ_ONLY
    assert (await set_properties(LightSwitch=0)).code == 200
    await wait_for_value(device, "LightSwitch", 0)
    vendor.update(Lamp, supported_color_modes={ColorMode.BRIGHTNESS}, color_mode=ColorMode.BRIGHTNESS)
    assert (await set_properties(Brightness=30)).code == 200
    await wait_for_value(device, "Brightness", 30)
    assert (reported(device, "Brightness"), reported(device, "LightSwitch")) == ([50, 30], [1, 0, 1])


async def test_without_a_thing_model(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """The types are inferred from the entity; an unavailable entity is not reported either."""
    device.thing_model = None
    vendor = Vendor(hass, [Lamp, Thermometer, Hygrometer])
    await vendor.set_up()
    rows = [lamp(vendor, "LightSwitch", "power"), temperature(vendor), humidity(vendor)]
    await set_up(rows, options={CONF_THING_MODEL: None})
    await wait_for_value(device, "CurrentTemperature", 20.0)
    await vendor.unload()
    await vendor.set_up()
    vendor.update(Lamp, is_on=False)
    await wait_for_value(device, "LightSwitch", 0)
    assert (reported(device, "CurrentTemperature"), reported(device, "LightSwitch")) == ([20.0], [1, 0])


async def test_only_changes_that_matter_bind_anew(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bound entities that change their looks, and other entities, cause no work, also while a bound one is missing."""
    registry = er.async_get(hass)
    lost = registry.async_get_or_create("sensor", "other", "lost")
    registry.async_remove(lost.entity_id)
    vendor = Vendor(hass, [Lamp])
    await vendor.set_up()
    gone = {"identifier": "CurrentTemperature", "entity": lost.id, "aspect": "value"}
    entry = await set_up([lamp(vendor, "LightSwitch", "power"), gone])
    bound: list[None] = []
    follow = entry.runtime_data.device.follow
    monkeypatch.setattr(entry.runtime_data.device, "follow", lambda: bound.append(None) or follow())

    lamp_id = vendor.entity_id(Lamp)
    registry.async_update_entity(lamp_id, icon="mdi:lamp", name="Corner", labels={"x"}, aliases={"light"})
    registry.async_update_entity_options(lamp_id, "conversation", {"should_expose": True})
    other = registry.async_get_or_create("sensor", "other", "another")
    registry.async_update_entity(other.entity_id, new_entity_id="sensor.renamed")
    registry.async_update_entity("sensor.renamed", disabled_by=er.RegistryEntryDisabler.USER)
    registry.async_remove("sensor.renamed")
    await hass.async_block_till_done()
    assert not bound

    registry.async_update_entity(lamp_id, new_entity_id="light.corner")
    await hass.async_block_till_done()
    assert len(bound) == 1
    registry.async_get_or_create("sensor", "other", "lost")
    await hass.async_block_till_done()
    assert len(bound) == 2
    assert not entry.runtime_data.device.bound.problems
