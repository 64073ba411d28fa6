"""Entities whose state is unknown: what they have in attributes is reported and can be set, and nothing is invented."""

import pytest

from ..application import reported
from ..things.comfort import Boiler, CeilingFan, RoomHumidifier, Thermostat
from ..things.lights import HueLamp
from ..things.media import Player
from ..things.openings import Blind
from ..things.presses import Firmware
from ..things.robots import Robot
from ..things.sky import Sky
from .story import CloudSet, Drive, StateChange, Story, UserAction, identifier


class NewFan(CeilingFan):
    """A fan of which it is not known whether it runs."""

    _running = None
    _attr_oscillating = None
    _attr_current_direction = None


class NewFirmware(Firmware):
    """A device whose versions are not known yet."""

    _attr_installed_version = None


class NewHumidifier(RoomHumidifier):
    """A humidifier of which it is not known whether it is on."""

    _attr_is_on = None


class NewBoiler(Boiler):
    """A boiler that has not told its mode yet."""

    _attr_current_operation = None
    _attr_is_away_mode_on = None


class NewLamp(HueLamp):
    """A lamp of which it is not known whether it is on, with a brightness of its own."""

    _attr_is_on = None
    _attr_brightness = 128


STORIES = (
    Story(
        "weather",
        Sky,
        {"condition": "sunny", "temperature": 20.5},
        (
            StateChange(
                {"_attr_condition": None, "_attr_native_temperature": 19.0, "_attr_wind_bearing": "N"},
                {"condition": "sunny", "temperature": 19.0, "wind_bearing": 0},
            ),
        ),
    ),
    Story(
        "climate",
        Thermostat,
        {"power": True, "mode": "heat", "target_temperature": 20.0},
        (
            StateChange({"_attr_hvac_mode": None, "_attr_current_temperature": 17.5}, {"current_temperature": 17.5}),
            CloudSet(
                {"target_temperature": 23.5, "fan_mode": "high"},
                ("climate.set_temperature", "climate.set_fan_mode"),
                {"target_temperature": 23.5, "fan_mode": "high", "power": True, "mode": "heat"},
            ),
            UserAction("climate.set_temperature", {"temperature": 19.5}, {"target_temperature": 19.5}),
            CloudSet({"power": False}, ("climate.turn_off",)),
        ),
    ),
    Story(
        "cover",
        Blind,
        {"open": True, "position": 50, "tilt": 50},
        (
            StateChange(
                {"_attr_is_closed": None, "_attr_current_cover_position": 20},
                {"open": True, "position": 20},
            ),
            CloudSet({"tilt": 70}, ("cover.set_cover_tilt_position",)),
        ),
    ),
    Story(
        "media_player",
        Player,
        {"power": True, "volume": 29},
        (
            StateChange({"_attr_state": None, "_attr_source": "Radio"}, {"source": "Radio", "playback": "idle"}),
            CloudSet({"volume": 40, "mute": True}, ("media_player.volume_set", "media_player.volume_mute")),
        ),
    ),
    Story(
        "vacuum",
        Robot,
        {"state": "docked", "fan_speed": "quiet"},
        (
            StateChange({"_attr_activity": None}, {"state": "docked"}),
            CloudSet({"fan_speed": "max"}, ("vacuum.set_fan_speed",)),
        ),
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_attributes_are_reported_and_set(drive: Drive, story: Story) -> None:
    """The aspect that is the state keeps its last value in the cloud."""
    await drive(story)


@pytest.mark.parametrize(
    ("story", "history"),
    [
        (
            Story("light", NewLamp, {}, (CloudSet({"brightness": 50}, ("light.turn_on",)),)),
            {"power": [1], "brightness": [50], "color_temp": [], "color": [], "effect": []},
        ),
        (
            Story("fan", NewFan, {}, (CloudSet({"speed": 66}, ("fan.set_percentage",)),)),
            {"power": [1], "speed": [66], "preset_mode": [], "oscillating": [], "direction": []},
        ),
        (
            Story(
                "humidifier",
                NewHumidifier,
                {"target_humidity": 50, "current_humidity": 41, "mode": "normal"},
                (CloudSet({"target_humidity": 45}, ("humidifier.set_humidity",)),),
            ),
            {"power": [], "action": [], "target_humidity": [50, 45]},
        ),
        (
            Story(
                "water_heater",
                NewBoiler,
                {"target_temperature": 50.0, "current_temperature": 47.5},
                (CloudSet({"target_temperature": 55.0}, ("water_heater.set_temperature",)),),
            ),
            {"power": [], "mode": [], "away_mode": [], "target_temperature": [50.0, 55.0]},
        ),
        (
            Story("update", NewFirmware, {"latest_version": "1.1", "install": False}, ()),
            {"available": [], "installed_version": [], "in_progress": [], "install": [0]},
        ),
    ],
    ids=lambda part: str(part) if isinstance(part, Story) else "",
)
async def test_nothing_is_invented_before_the_state_is_known(
    drive: Drive, story: Story, history: dict[str, list[object]]
) -> None:
    """Neither what Home Assistant leaves out nor the defaults that it writes; what is set is reported."""
    app = await drive(story)
    assert {key: reported(app.device, identifier(key)) for key in history} == history
