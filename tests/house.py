"""A few entities, and helpers for what the flows store."""

from typing import Any

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.exposures import exposed_bindings
from custom_components.aliyun_iot.mapping.binding import Binding

from .conftest import PRODUCT_KEY, stored_options
from .walk import Walk

LAMP = "light.lamp"
LAMP_ATTRIBUTES = {
    "friendly_name": "Lamp",
    "supported_color_modes": ["color_temp"],
    "color_mode": "color_temp",
    "brightness": 128,
    "min_color_temp_kelvin": 2000,
    "max_color_temp_kelvin": 6500,
}
NO_SECTIONS: dict[str, dict[str, Any]] = {"conversion": {}, "reporting": {}}
POWER = {"aspect": "power", "identifier": "LightSwitch", "access": "both", **NO_SECTIONS}


def furnish(hass: HomeAssistant) -> None:
    """Create the entities."""
    hass.states.async_set(LAMP, "on", LAMP_ATTRIBUTES)
    hass.states.async_set("switch.kettle", "off", {"friendly_name": "Kettle"})
    hass.states.async_set(
        "sensor.cellar", "12.5", {"friendly_name": "Cellar", "device_class": "temperature", "unit_of_measurement": "°C"}
    )
    hass.states.async_set("lock.door", "locked", {"friendly_name": "Door"})
    hass.states.async_set("vacuum.robot", "docked", {"friendly_name": "Robot"})


def entry_with(hass: HomeAssistant, options: dict[str, Any]) -> MockConfigEntry:
    """Return an entry that is not set up."""
    entry = MockConfigEntry(
        domain=DOMAIN, title="gw-1", data={"product_key": PRODUCT_KEY}, options=stored_options(options)
    )
    entry.add_to_hass(hass)
    return entry


def bound(entry: MockConfigEntry) -> dict[str, Binding]:
    """Return the bindings that are stored."""
    return {binding.identifier: binding for binding in exposed_bindings(entry)}


async def bind_lamp(hass: HomeAssistant, entry: MockConfigEntry, **changes: Any) -> Walk:
    """Bind the power of the lamp, or another aspect."""
    walk = await Walk.bind(hass, entry)
    await walk.submit(entity=LAMP)
    return await walk.submit(**POWER | changes)


def selected(*entity_ids: str, **more: Any) -> dict[str, Any]:
    """Return the input of the page for a selection; sections that were not opened are empty."""
    target = {"target": {"entity_id": list(entity_ids)}} if entity_ids else {}
    return {**target, "integrations": [], "leave_out": {}, "also": {}, **more}
