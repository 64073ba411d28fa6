"""What drives about."""

from typing import Any, ClassVar

from homeassistant.components.lawn_mower import LawnMowerActivity, LawnMowerEntity, LawnMowerEntityFeature
from homeassistant.components.vacuum import StateVacuumEntity, VacuumActivity, VacuumEntityFeature


class Robot(StateVacuumEntity):
    """A robot that cleans."""

    _attr_name = "thing"
    _attr_supported_features = (
        VacuumEntityFeature.START
        | VacuumEntityFeature.PAUSE
        | VacuumEntityFeature.RETURN_HOME
        | VacuumEntityFeature.FAN_SPEED
        | VacuumEntityFeature.STATE
    )
    _attr_activity = VacuumActivity.DOCKED
    _attr_fan_speed_list: ClassVar = ["quiet", "max"]
    _attr_fan_speed = "quiet"

    async def async_start(self) -> None:
        """Clean."""
        self._attr_activity = VacuumActivity.CLEANING

    async def async_pause(self) -> None:
        """Wait."""
        self._attr_activity = VacuumActivity.PAUSED

    async def async_return_to_base(self, **fields: Any) -> None:
        """Drive home."""
        self._attr_activity = VacuumActivity.RETURNING

    async def async_set_fan_speed(self, fan_speed: str, **fields: Any) -> None:
        """Blow harder or less hard."""
        self._attr_fan_speed = fan_speed


class Mower(LawnMowerEntity):
    """A robot that mows."""

    _attr_name = "thing"
    _attr_supported_features = (
        LawnMowerEntityFeature.START_MOWING | LawnMowerEntityFeature.PAUSE | LawnMowerEntityFeature.DOCK
    )
    _attr_activity = LawnMowerActivity.DOCKED

    async def async_start_mowing(self) -> None:
        """Mow."""
        self._attr_activity = LawnMowerActivity.MOWING

    async def async_pause(self) -> None:
        """Wait."""
        self._attr_activity = LawnMowerActivity.PAUSED

    async def async_dock(self) -> None:
        """Drive home."""
        self._attr_activity = LawnMowerActivity.RETURNING
