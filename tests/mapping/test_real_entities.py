"""The planned actions, run by Home Assistant on real entities: it takes them, and the states say what was asked."""

from typing import Any, ClassVar

from homeassistant.components.climate import ClimateEntity
from homeassistant.components.climate.const import ClimateEntityFeature, HVACMode
from homeassistant.components.cover import CoverEntity
from homeassistant.components.light import ColorMode, LightEntity
from homeassistant.components.lock import LockEntity
from homeassistant.components.number import NumberEntity
from homeassistant.components.select import SelectEntity
from homeassistant.components.switch import SwitchEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import setup_test_component_platform

from custom_components.aliyun_iot.mapping.aspect import Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS


class Lamp(LightEntity):
    """A lamp with all colours."""

    _attr_name = "thing"
    _attr_supported_color_modes: ClassVar = {ColorMode.COLOR_TEMP, ColorMode.RGB}
    _attr_color_mode = ColorMode.COLOR_TEMP
    _attr_is_on = False

    async def async_turn_on(self, **fields: Any) -> None:
        """Take everything."""
        self._attr_is_on = True
        for name, value in fields.items():
            setattr(self, f"_attr_{name}", value)
        self._attr_color_mode = ColorMode.RGB if "rgb_color" in fields else ColorMode.COLOR_TEMP

    async def async_turn_off(self, **fields: Any) -> None:
        """Go dark."""
        self._attr_is_on = False


class Thermostat(ClimateEntity):
    """An air conditioner."""

    _attr_name = "thing"
    _attr_supported_features = (
        ClimateEntityFeature.TARGET_TEMPERATURE | ClimateEntityFeature.FAN_MODE | ClimateEntityFeature.TURN_OFF
    )
    _attr_hvac_modes: ClassVar = [HVACMode.OFF, HVACMode.COOL, HVACMode.HEAT]
    _attr_hvac_mode = HVACMode.HEAT
    _attr_temperature_unit = "°C"
    _attr_target_temperature = 20.0
    _attr_fan_modes: ClassVar = ["low", "high"]
    _attr_fan_mode = "low"

    async def async_set_temperature(self, **fields: Any) -> None:
        """Ignore the mode that may come along, as most climate platforms do."""
        self._attr_target_temperature = fields["temperature"]

    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        """Change the mode, and with it the temperature, as real devices do."""
        self._attr_hvac_mode = hvac_mode
        self._attr_target_temperature = 26.0

    async def async_set_fan_mode(self, fan_mode: str) -> None:
        """Change the fan."""
        self._attr_fan_mode = fan_mode


class Blind(CoverEntity):
    """A blind that moves at once."""

    _attr_name = "thing"
    _attr_current_cover_position = 50
    _attr_current_cover_tilt_position = 50
    _attr_is_closed = False

    async def async_set_cover_position(self, **fields: Any) -> None:
        """Move."""
        self._attr_current_cover_position = fields["position"]
        self._attr_is_closed = fields["position"] == 0

    async def async_open_cover(self, **fields: Any) -> None:
        """Move up."""
        await self.async_set_cover_position(position=100)

    async def async_close_cover(self, **fields: Any) -> None:
        """Move down."""
        await self.async_set_cover_position(position=0)

    async def async_set_cover_tilt_position(self, **fields: Any) -> None:
        """Tilt."""
        self._attr_current_cover_tilt_position = fields["tilt_position"]


class Bolt(LockEntity):
    """A lock."""

    _attr_name = "thing"
    _attr_is_locked = False

    async def async_lock(self, **fields: Any) -> None:
        """Lock."""
        self._attr_is_locked = True

    async def async_unlock(self, **fields: Any) -> None:
        """Unlock."""
        self._attr_is_locked = False


class Level(NumberEntity):
    """A number."""

    _attr_name = "thing"
    _attr_native_value = 1.0

    async def async_set_native_value(self, value: float) -> None:
        """Take it."""
        self._attr_native_value = value


class Program(SelectEntity):
    """A choice."""

    _attr_name = "thing"
    _attr_options: ClassVar = ["eco", "fast"]
    _attr_current_option = "eco"

    async def async_select_option(self, option: str) -> None:
        """Choose."""
        self._attr_current_option = option


class Plug(SwitchEntity):
    """A socket."""

    _attr_name = "thing"
    _attr_is_on = False

    async def async_turn_on(self, **fields: Any) -> None:
        """Switch on."""
        self._attr_is_on = True

    async def async_turn_off(self, **fields: Any) -> None:
        """Switch off."""
        self._attr_is_on = False


PLATFORMS = {
    "light": Lamp,
    "climate": Thermostat,
    "cover": Blind,
    "lock": Bolt,
    "number": Level,
    "select": Program,
    "switch": Plug,
}
HELPERS = {
    "input_boolean": {"thing": {}},
    "input_number": {"thing": {"min": 0, "max": 100}},
    "input_select": {"thing": {"options": ["eco", "fast"]}},
}


@pytest.mark.parametrize(
    ("domain", "values", "outcome"),
    [
        ("light", {"power": True, "brightness": 50, "color_temp": 3000}, None),
        ("light", {"brightness": 1}, {"power": True, "brightness": 1}),
        ("light", {"color": (1, 2, 3), "brightness": 100}, None),
        ("light", {"power": False, "brightness": 50}, {"power": False}),
        ("climate", {"target_temperature": 23.5, "mode": "cool", "fan_mode": "high"}, None),
        ("climate", {"target_temperature": 23.5}, {"target_temperature": 23.5, "mode": "heat"}),
        ("climate", {"power": False}, {"power": False, "mode": "off"}),
        ("cover", {"position": 30, "tilt": 70}, None),
        ("cover", {"open": False}, {"open": False, "position": 0}),
        ("cover", {"open": True}, {"open": True, "position": 100}),
        ("lock", {"locked": True}, None),
        ("lock", {"locked": False}, None),
        ("number", {"value": 42.0}, None),
        ("select", {"option": "fast"}, None),
        ("switch", {"power": True}, None),
        ("input_boolean", {"power": True}, None),
        ("input_number", {"value": 42.0}, None),
        ("input_select", {"option": "fast"}, None),
    ],
)
async def test_home_assistant_does_what_was_planned(
    hass: HomeAssistant, domain: str, values: dict[str, Value], outcome: dict[str, Value] | None
) -> None:
    """Values in, actions, values out; `outcome` where it is more than what was asked."""
    entity_id = f"{domain}.thing"
    if domain in PLATFORMS:
        entity: Entity = PLATFORMS[domain]()
        entity.entity_id = entity_id
        setup_test_component_platform(hass, domain, [entity])
        assert await async_setup_component(hass, domain, {domain: {"platform": "test"}})
    else:
        assert await async_setup_component(hass, domain, {domain: HELPERS[domain]})
    await hass.async_block_till_done()
    state = hass.states.get(entity_id)
    assert state
    for call in DOMAINS[domain].commands(state, values):
        await hass.services.async_call(call.domain, call.action, {**call.data, "entity_id": entity_id}, blocking=True)
    new = hass.states.get(entity_id)
    expected = outcome or values
    assert {key: DOMAINS[domain].aspect(key).read(new) for key in expected} == expected
