"""The planned actions, run by Home Assistant on real entities: it accepts them, and the states have the values."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import setup_test_component_platform

from custom_components.aliyun_iot.mapping.aspect import Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS

from ..things.comfort import Boiler, CeilingFan, RoomHumidifier, Thermostat
from ..things.lights import HueLamp
from ..things.media import Player
from ..things.openings import Blind, Bolt, Valve
from ..things.presses import Firmware
from ..things.robots import Mower, Robot
from ..things.security import Horn, Panel
from ..things.simple import Handset, Level, Plug, Program
from ..things.texts import Alarm, Appointment, Birthday, Plate

# The time zone of Home Assistant's tests is America/Los_Angeles.
LAST_MIDNIGHT = datetime(2026, 12, 31, 8, tzinfo=UTC)
TWICE = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
"""01:30 local time, in the second of the two hours from 1 to 2 when summer time ends."""

PLATFORMS: dict[str, Callable[[], Entity]] = {
    "alarm_control_panel": Panel,
    "climate": Thermostat,
    "cover": Blind,
    "date": Birthday,
    "datetime": Appointment,
    "fan": CeilingFan,
    "humidifier": RoomHumidifier,
    "lawn_mower": Mower,
    "light": HueLamp,
    "lock": Bolt,
    "media_player": Player,
    "number": Level,
    "remote": Handset,
    "select": Program,
    "siren": Horn,
    "switch": Plug,
    "text": Plate,
    "time": Alarm,
    "update": Firmware,
    "vacuum": Robot,
    "valve": Valve,
    "water_heater": Boiler,
}
HELPERS: dict[str, dict[str, Any]] = {
    "counter": {"thing": {"minimum": 0, "maximum": 10}},
    "input_boolean": {"thing": {}},
    "input_datetime": {"thing": {"has_date": True, "has_time": True}},
    "input_number": {"thing": {"min": 0, "max": 100}},
    "input_select": {"thing": {"options": ["eco", "fast"]}},
    "input_text": {"thing": {}},
    "script": {"thing": {"sequence": [{"wait_for_trigger": [{"trigger": "event", "event_type": "done"}]}]}},
}


@pytest.mark.parametrize(
    ("domain", "values", "outcome"),
    [
        ("light", {"power": True, "brightness": 50, "color_temp": 3000}, None),
        ("light", {"brightness": 1}, {"power": True, "brightness": 1}),
        ("light", {"color": (255, 0, 0), "brightness": 100}, None),
        ("light", {"hsv": (255, 0, 0)}, {"color": (255, 0, 0), "brightness": 100}),
        ("light", {"effect": "rainbow"}, {"effect": "rainbow", "power": True}),
        ("light", {"power": False, "brightness": 50}, {"power": False}),
        ("climate", {"target_temperature": 23.5, "mode": "cool", "fan_mode": "high"}, None),
        ("climate", {"target_temperature": 23.5}, {"target_temperature": 23.5, "mode": "heat"}),
        ("climate", {"power": False}, {"power": False, "mode": "off"}),
        ("cover", {"position": 30, "tilt": 70}, None),
        ("cover", {"open": False}, {"open": False, "position": 0}),
        ("cover", {"open": True}, {"open": True, "position": 100}),
        ("cover", {"command": "stop", "tilt_command": "open"}, {"position": 42, "tilt": 100}),
        ("valve", {"position": 30}, {"open": True, "position": 30}),
        ("valve", {"open": True}, {"open": True, "position": 100}),
        ("valve", {"command": "stop"}, {"open": True, "position": 42}),
        ("fan", {"power": True, "speed": 66}, {"power": True, "speed": 66, "gear": "medium"}),
        ("fan", {"gear": "high", "oscillating": True, "direction": "reverse"}, None),
        ("fan", {"power": True, "preset_mode": "sleep"}, None),
        ("fan", {"speed": 0}, {"power": False}),
        ("humidifier", {"power": True, "mode": "sleep", "target_humidity": 45}, None),
        ("water_heater", {"mode": "performance", "target_temperature": 55.5, "away_mode": True}, None),
        ("water_heater", {"power": False, "mode": "performance"}, {"power": False}),
        ("siren", {"power": True, "tone": "burglar", "volume": 50, "duration": 10}, {"power": True}),
        ("vacuum", {"command": "start", "fan_speed": "max"}, {"state": "cleaning", "fan_speed": "max"}),
        ("lawn_mower", {"command": "dock"}, {"state": "returning"}),
        ("alarm_control_panel", {"mode": "armed_home"}, {"mode": "armed_home", "state": "armed_home"}),
        ("alarm_control_panel", {"mode": "armed_away"}, {"mode": None, "state": "arming"}),
        ("alarm_control_panel", {"panic": True}, {"mode": None, "state": "triggered"}),
        ("remote", {"activity": "music", "power": True}, None),
        ("lock", {"latch": True}, {"locked": False, "state": "open"}),
        ("lock", {"latch": True, "locked": True}, {"locked": True}),
        ("lock", {"locked": True}, None),
        ("lock", {"locked": False}, None),
        ("number", {"value": 42.0}, None),
        ("select", {"option": "fast"}, None),
        ("switch", {"power": True}, None),
        ("counter", {"value": 7}, None),
        ("counter", {"command": "increment"}, {"value": 1}),
        ("input_boolean", {"power": True}, None),
        ("input_number", {"value": 42.0}, None),
        ("input_select", {"option": "fast"}, None),
        ("input_select", {"command": "last"}, {"option": "fast"}),
        ("select", {"command": "next"}, {"option": "fast"}),
        ("media_player", {"power": True, "source": "Radio", "volume": 30, "playback": "playing"}, None),
        ("media_player", {"mute": True, "shuffle": True, "repeat": "one", "sound_mode": "party"}, None),
        ("media_player", {"command": "next"}, {"title": "Second"}),
        ("media_player", {"power": False}, {"power": False, "playback": "off", "volume": None}),
        ("text", {"text": "XYZ"}, None),
        ("input_text", {"text": ""}, None),
        ("date", {"date": LAST_MIDNIGHT}, None),
        ("time", {"time": "23:59:59"}, None),
        ("datetime", {"datetime": TWICE}, None),
        ("input_datetime", {"datetime": TWICE}, None),
        ("script", {"power": True}, None),
        ("script", {"power": False}, None),
        ("update", {"install": True}, {"install": False, "available": False, "installed_version": "1.1"}),
    ],
)
async def test_home_assistant_runs_the_planned_actions(
    hass: HomeAssistant, domain: str, values: dict[str, Value], outcome: dict[str, Value] | None
) -> None:
    """The values are set; `outcome` are the values afterwards, if they are different."""
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
    for call in DOMAINS[domain].actions_for(state, values):
        await hass.services.async_call(call.domain, call.action, {**call.data, "entity_id": entity_id}, blocking=True)
    new = hass.states.get(entity_id)
    expected = outcome or values
    assert {key: DOMAINS[domain].aspect(key).read(new) for key in expected} == expected
