"""Cover, valve and lock."""

from typing import Any, ClassVar

from homeassistant.components.cover import CoverEntity
from homeassistant.components.lock import LockEntity, LockEntityFeature
from homeassistant.components.valve import ValveEntity, ValveEntityFeature


class Blind(CoverEntity):
    """A blind that moves immediately."""

    _attr_name = "thing"
    _attr_current_cover_position = 50
    _attr_current_cover_tilt_position = 50
    _attr_is_closed = False

    async def async_set_cover_position(self, **fields: Any) -> None:
        """Set the position."""
        self._attr_current_cover_position = fields["position"]
        self._attr_is_closed = fields["position"] == 0

    async def async_open_cover(self, **fields: Any) -> None:
        """Open."""
        await self.async_set_cover_position(position=100)

    async def async_close_cover(self, **fields: Any) -> None:
        """Close."""
        await self.async_set_cover_position(position=0)

    async def async_stop_cover(self, **fields: Any) -> None:
        """Stop half way."""
        await self.async_set_cover_position(position=42)

    async def async_set_cover_tilt_position(self, **fields: Any) -> None:
        """Set the tilt."""
        self._attr_current_cover_tilt_position = fields["tilt_position"]

    async def async_open_cover_tilt(self, **fields: Any) -> None:
        """Open the slats."""
        self._attr_current_cover_tilt_position = 100


class FastBlind(Blind):
    """A blind that moves at two speeds, and records the last one."""

    _attr_supported_speeds: ClassVar = ["slow", "fast"]
    _attr_extra_state_attributes: ClassVar[dict[str, str]] = {}

    async def async_set_cover_position(self, **fields: Any) -> None:
        """Set the position and record the speed."""
        await super().async_set_cover_position(**fields)
        self._attr_extra_state_attributes = {"last_speed": fields.get("speed", "")}

    async def async_open_cover(self, **fields: Any) -> None:
        """Open."""
        await self.async_set_cover_position(position=100, **fields)


class Valve(ValveEntity):
    """A valve that moves immediately."""

    _attr_name = "thing"
    _attr_reports_position = True
    _attr_current_valve_position = 0
    _attr_supported_features = (
        ValveEntityFeature.OPEN | ValveEntityFeature.CLOSE | ValveEntityFeature.SET_POSITION | ValveEntityFeature.STOP
    )

    async def async_set_valve_position(self, position: int) -> None:
        """Set the position; open and close call this too."""
        self._attr_current_valve_position = position

    async def async_stop_valve(self) -> None:
        """Stop half way."""
        self._attr_current_valve_position = 42


class Bolt(LockEntity):
    """A lock with a latch."""

    _attr_name = "thing"
    _attr_is_locked = False
    _attr_supported_features = LockEntityFeature.OPEN

    async def async_lock(self, **fields: Any) -> None:
        """Lock."""
        self._attr_is_locked, self._attr_is_open = True, False

    async def async_unlock(self, **fields: Any) -> None:
        """Unlock."""
        self._attr_is_locked, self._attr_is_open = False, False

    async def async_open(self, **fields: Any) -> None:
        """Open the latch."""
        self._attr_is_locked, self._attr_is_open = False, True
