"""Climate, fan, humidifier and water heater."""

from typing import Any, ClassVar

from homeassistant.components.climate import ClimateEntity
from homeassistant.components.climate.const import ClimateEntityFeature, HVACAction, HVACMode
from homeassistant.components.fan import FanEntity, FanEntityFeature
from homeassistant.components.humidifier import HumidifierAction, HumidifierEntity, HumidifierEntityFeature
from homeassistant.components.water_heater import WaterHeaterEntity, WaterHeaterEntityFeature


class Thermostat(ClimateEntity):
    """An air conditioner."""

    _attr_name = "thing"
    _attr_supported_features = (
        ClimateEntityFeature.TARGET_TEMPERATURE
        | ClimateEntityFeature.FAN_MODE
        | ClimateEntityFeature.SWING_MODE
        | ClimateEntityFeature.SWING_HORIZONTAL_MODE
        | ClimateEntityFeature.TURN_OFF
        | ClimateEntityFeature.TURN_ON
    )
    _attr_hvac_modes: ClassVar = [HVACMode.OFF, HVACMode.COOL, HVACMode.HEAT]
    _attr_hvac_mode = HVACMode.HEAT
    _attr_hvac_action = HVACAction.HEATING
    _attr_temperature_unit = "°C"
    _attr_current_temperature = 18.5
    _attr_target_temperature = 20.0
    _attr_fan_modes: ClassVar = ["low", "high"]
    _attr_fan_mode = "low"
    _attr_swing_modes: ClassVar = ["off", "on"]
    _attr_swing_mode = "off"
    _attr_swing_horizontal_modes: ClassVar = ["off", "on"]
    _attr_swing_horizontal_mode = "off"

    async def async_set_temperature(self, **fields: Any) -> None:
        """Set the temperature and ignore a mode, as most climate platforms do."""
        self._attr_target_temperature = fields["temperature"]

    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        """Set the mode and a temperature of its own, as real devices do."""
        self._attr_hvac_mode = hvac_mode
        self._attr_target_temperature = 26.0

    async def async_set_fan_mode(self, fan_mode: str) -> None:
        """Set the fan mode."""
        self._attr_fan_mode = fan_mode

    async def async_set_swing_mode(self, swing_mode: str) -> None:
        """Set the vertical swing mode."""
        self._attr_swing_mode = swing_mode

    async def async_set_swing_horizontal_mode(self, swing_horizontal_mode: str) -> None:
        """Set the horizontal swing mode."""
        self._attr_swing_horizontal_mode = swing_horizontal_mode

    async def async_turn_on(self) -> None:
        """Turn on in cooling mode."""
        self._attr_hvac_mode = HVACMode.COOL

    async def async_turn_off(self) -> None:
        """Turn off."""
        self._attr_hvac_mode = HVACMode.OFF


class HeatPump(ClimateEntity):
    """A device with a temperature range and a target humidity."""

    _attr_name = "thing"
    _attr_supported_features = (
        ClimateEntityFeature.TARGET_TEMPERATURE_RANGE
        | ClimateEntityFeature.TARGET_HUMIDITY
        | ClimateEntityFeature.PRESET_MODE
    )
    _attr_hvac_modes: ClassVar = [HVACMode.OFF, HVACMode.HEAT_COOL]
    _attr_hvac_mode = HVACMode.HEAT_COOL
    _attr_temperature_unit = "°C"
    _attr_target_temperature_low = 19.0
    _attr_target_temperature_high = 24.0
    _attr_current_humidity = 48
    _attr_target_humidity = 50
    _attr_preset_modes: ClassVar = ["none", "eco"]
    _attr_preset_mode = "none"

    async def async_set_temperature(self, **fields: Any) -> None:
        """Set both limits."""
        self._attr_target_temperature_low = fields["target_temp_low"]
        self._attr_target_temperature_high = fields["target_temp_high"]

    async def async_set_humidity(self, humidity: int) -> None:
        """Set the target humidity."""
        self._attr_target_humidity = humidity

    async def async_set_preset_mode(self, preset_mode: str) -> None:
        """Set the preset."""
        self._attr_preset_mode = preset_mode

    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        """Set the mode."""
        self._attr_hvac_mode = hvac_mode


class CeilingFan(FanEntity):
    """A fan with three gears, initially off."""

    _attr_name = "thing"
    _attr_supported_features = (
        FanEntityFeature.TURN_ON
        | FanEntityFeature.TURN_OFF
        | FanEntityFeature.SET_SPEED
        | FanEntityFeature.PRESET_MODE
        | FanEntityFeature.OSCILLATE
        | FanEntityFeature.DIRECTION
    )
    _attr_speed_count = 3
    _attr_preset_modes: ClassVar = ["breeze", "sleep"]
    _attr_oscillating = False
    _attr_current_direction = "forward"
    _running = False

    @property
    def is_on(self) -> bool:
        """Return whether the fan runs."""
        return self._running

    async def async_turn_on(self, percentage: int | None = None, preset_mode: str | None = None, **fields: Any) -> None:
        """Turn on, with the last speed unless another one or a preset is given."""
        self._running = True
        if preset_mode:
            await self.async_set_preset_mode(preset_mode)
        else:
            await self.async_set_percentage(percentage or self._attr_percentage or 33)

    async def async_turn_off(self, **fields: Any) -> None:
        """Turn off."""
        self._running = False
        self._attr_percentage = 0

    async def async_set_percentage(self, percentage: int) -> None:
        """Set the speed."""
        self._running = percentage > 0
        self._attr_percentage = percentage
        self._attr_preset_mode = None

    async def async_set_preset_mode(self, preset_mode: str) -> None:
        """Set the preset."""
        self._running = True
        self._attr_preset_mode = preset_mode

    async def async_oscillate(self, oscillating: bool) -> None:
        """Turn oscillation on or off."""
        self._attr_oscillating = oscillating

    async def async_set_direction(self, direction: str) -> None:
        """Set the direction."""
        self._attr_current_direction = direction


class RoomHumidifier(HumidifierEntity):
    """A humidifier, initially off."""

    _attr_name = "thing"
    _attr_supported_features = HumidifierEntityFeature.MODES
    _attr_available_modes: ClassVar = ["normal", "sleep"]
    _attr_mode = "normal"
    _attr_min_humidity = 30
    _attr_max_humidity = 80
    _attr_target_humidity = 50
    _attr_current_humidity = 41
    _attr_action = HumidifierAction.IDLE
    _attr_is_on = False

    async def async_turn_on(self, **fields: Any) -> None:
        """Turn on."""
        self._attr_is_on = True

    async def async_turn_off(self, **fields: Any) -> None:
        """Turn off."""
        self._attr_is_on = False

    async def async_set_humidity(self, humidity: int) -> None:
        """Set the target humidity."""
        self._attr_target_humidity = humidity

    async def async_set_mode(self, mode: str) -> None:
        """Set the mode and a target of its own, as real devices do."""
        self._attr_mode = mode
        self._attr_target_humidity = 60


class Boiler(WaterHeaterEntity):
    """A boiler with modes, away mode and on/off."""

    _attr_name = "thing"
    _attr_supported_features = (
        WaterHeaterEntityFeature.TARGET_TEMPERATURE
        | WaterHeaterEntityFeature.OPERATION_MODE
        | WaterHeaterEntityFeature.AWAY_MODE
        | WaterHeaterEntityFeature.ON_OFF
    )
    _attr_operation_list: ClassVar = ["eco", "performance"]
    _attr_current_operation = "eco"
    _attr_temperature_unit = "°C"
    _attr_min_temp = 30.0
    _attr_max_temp = 75.0
    _attr_target_temperature_step = 0.5
    _attr_target_temperature = 50.0
    _attr_current_temperature = 47.5
    _attr_is_away_mode_on = False

    async def async_turn_on(self, **fields: Any) -> None:
        """Turn on."""
        self._attr_current_operation = "eco"

    async def async_turn_off(self, **fields: Any) -> None:
        """Turn off."""
        self._attr_current_operation = "off"

    async def async_set_operation_mode(self, operation_mode: str) -> None:
        """Set the mode and a temperature of its own, as real devices do."""
        self._attr_current_operation = operation_mode
        self._attr_target_temperature = 60.0

    async def async_set_temperature(self, **fields: Any) -> None:
        """Set the target temperature."""
        self._attr_target_temperature = fields["temperature"]

    async def async_turn_away_mode_on(self) -> None:
        """Turn away mode on."""
        self._attr_is_away_mode_on = True

    async def async_turn_away_mode_off(self) -> None:
        """Turn away mode off."""
        self._attr_is_away_mode_on = False
