"""Listeners to what happens between a device and its cloud."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import Context, HomeAssistant
import pytest

from custom_components.aliyun_iot.listeners import Listener, TriggerKind, listeners_of
from simulator import CloudDevice

from .application import LAMP
from .automations import ENTRY_ID
from .conftest import SetUp


def fail(_details: Mapping[str, Any], _context: Context | None) -> None:
    """Fail as a listener of another integration may."""
    raise ZeroDivisionError


async def test_failing_listener_stops_neither_the_others_nor_the_snapshot(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """Its exception is logged, the next listener is called, and the values are posted after the connect."""
    connected: list[Mapping[str, Any]] = []
    listeners = listeners_of(hass)
    listeners.add(Listener(ENTRY_ID, TriggerKind.CONNECTED, None, fail))
    listeners.add(Listener(ENTRY_ID, TriggerKind.CONNECTED, None, lambda details, _context: connected.append(details)))
    await set_up([LAMP], entry_id=ENTRY_ID)
    await device.wait_for(lambda one: "LightSwitch" in one.properties)
    assert len(connected) == 1
    assert "A listener to connected failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_listener_is_found_until_it_is_removed(hass: HomeAssistant) -> None:
    """By its name or, without one, by any name."""
    listeners = listeners_of(hass)
    remove = listeners.add(Listener("a", TriggerKind.SERVICE_CALLED, "ReadMeter", fail))
    assert listeners.has_listener("a", TriggerKind.SERVICE_CALLED, ["ReadMeter"])
    assert not listeners.has_listener("a", TriggerKind.SERVICE_CALLED, ["Restart"])
    assert not listeners.has_listener("b", TriggerKind.SERVICE_CALLED, ["ReadMeter"])
    remove_any = listeners.add(Listener("a", TriggerKind.SERVICE_CALLED, None, fail))
    remove()
    assert listeners.has_listener("a", TriggerKind.SERVICE_CALLED, ["Restart"])
    remove_any()
    assert not listeners.has_listener("a", TriggerKind.SERVICE_CALLED, ["Restart"])
