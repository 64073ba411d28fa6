"""Vacuum and lawn mower."""

from typing import Any, ClassVar

from homeassistant.components.lawn_mower import LawnMowerActivity, LawnMowerEntity, LawnMowerEntityFeature
from homeassistant.components.vacuum import StateVacuumEntity, VacuumActivity, VacuumEntityFeature


class Robot(StateVacuumEntity):
    """A robot vacuum."""

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
        """Start cleaning."""
        self._attr_activity = VacuumActivity.CLEANING

    async def async_pause(self) -> None:
        """Pause."""
        self._attr_activity = VacuumActivity.PAUSED

    async def async_return_to_base(self, **fields: Any) -> None:
        """Return to the base."""
        self._attr_activity = VacuumActivity.RETURNING

    async def async_set_fan_speed(self, fan_speed: str, **fields: Any) -> None:
        """Set the suction."""
        self._attr_fan_speed = fan_speed


class Mapper(Robot):
    """A robot vacuum with a map of two rooms."""

    _attr_unique_id = "mapper"
    _attr_supported_features = VacuumEntityFeature.START | VacuumEntityFeature.STATE | VacuumEntityFeature.CLEAN_AREA
    cleaned: ClassVar[list[str]] = []

    async def async_clean_segments(self, segment_ids: list[str], **fields: Any) -> None:
        """Clean rooms, and record which."""
        self._attr_activity = VacuumActivity.CLEANING
        self.cleaned[:] = segment_ids


class Mower(LawnMowerEntity):
    """A robot mower."""

    _attr_name = "thing"
    _attr_supported_features = (
        LawnMowerEntityFeature.START_MOWING | LawnMowerEntityFeature.PAUSE | LawnMowerEntityFeature.DOCK
    )
    _attr_activity = LawnMowerActivity.DOCKED

    async def async_start_mowing(self) -> None:
        """Start mowing."""
        self._attr_activity = LawnMowerActivity.MOWING

    async def async_pause(self) -> None:
        """Pause."""
        self._attr_activity = LawnMowerActivity.PAUSED

    async def async_dock(self) -> None:
        """Return to the base."""
        self._attr_activity = LawnMowerActivity.RETURNING
