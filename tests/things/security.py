"""Alarm panel and siren."""

from typing import Any, ClassVar

from homeassistant.components.alarm_control_panel import (
    AlarmControlPanelEntity,
    AlarmControlPanelEntityFeature,
    AlarmControlPanelState,
)
from homeassistant.components.siren import SirenEntity, SirenEntityFeature


class Panel(AlarmControlPanelEntity):
    """A panel with an exit delay for arming away, and without a code."""

    _attr_name = "thing"
    _attr_supported_features = (
        AlarmControlPanelEntityFeature.ARM_HOME
        | AlarmControlPanelEntityFeature.ARM_AWAY
        | AlarmControlPanelEntityFeature.TRIGGER
    )
    _attr_code_arm_required = False
    _attr_alarm_state = AlarmControlPanelState.DISARMED

    async def async_alarm_disarm(self, code: str | None = None) -> None:
        """Disarm, without a code."""
        assert code is None
        self._attr_alarm_state = AlarmControlPanelState.DISARMED

    async def async_alarm_arm_home(self, code: str | None = None) -> None:
        """Arm home, without a code."""
        assert code is None
        self._attr_alarm_state = AlarmControlPanelState.ARMED_HOME

    async def async_alarm_arm_away(self, code: str | None = None) -> None:
        """Start to arm away."""
        self._attr_alarm_state = AlarmControlPanelState.ARMING

    async def async_alarm_trigger(self, code: str | None = None) -> None:
        """Trigger the alarm."""
        self._attr_alarm_state = AlarmControlPanelState.TRIGGERED


class LockedPanel(Panel):
    """A panel that requires a code and has no default one."""

    _attr_code_arm_required = True


class Horn(SirenEntity):
    """A siren that records the fields of the last action."""

    _attr_name = "thing"
    _attr_supported_features = (
        SirenEntityFeature.TURN_ON
        | SirenEntityFeature.TURN_OFF
        | SirenEntityFeature.TONES
        | SirenEntityFeature.VOLUME_SET
        | SirenEntityFeature.DURATION
    )
    _attr_available_tones: ClassVar = {1: "fire", 2: "burglar"}
    _attr_is_on = False
    howl: ClassVar[dict[str, Any]] = {}

    async def async_turn_on(self, **fields: Any) -> None:
        """Turn on and record the fields."""
        self._attr_is_on = True
        self.howl.clear()
        self.howl.update(fields)

    async def async_turn_off(self, **fields: Any) -> None:
        """Turn off."""
        self._attr_is_on = False
