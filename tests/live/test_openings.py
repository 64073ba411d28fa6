"""Covers, valves and locks."""

from homeassistant.components.cover import CoverEntityFeature
import pytest

from ..things.openings import Blind, Bolt, FastBlind, Valve
from .story import CloudSet, Drive, RefusedSet, StateChange, Story, UserAction

STORIES = (
    Story(
        "cover",
        Blind,
        {"open": True, "position": 50, "tilt": 50},
        (
            CloudSet({"position": 30, "tilt": 70}, ("cover.set_cover_position", "cover.set_cover_tilt_position")),
            CloudSet({"open": False}, ("cover.close_cover",), {"open": False, "position": 0}),
            CloudSet({"command": "open"}, ("cover.open_cover",), {"open": True, "position": 100}),
            CloudSet({"command": "close", "position": 80}, ("cover.close_cover",), {"open": False, "position": 0}),
            CloudSet({"command": "stop", "open": True}, ("cover.stop_cover",), {"open": True, "position": 42}),
            CloudSet({"tilt_command": "open"}, ("cover.open_cover_tilt",), {"tilt": 100}),
            UserAction("cover.set_cover_position", {"position": 10}, {"position": 10}),
            StateChange({"_attr_current_cover_position": 60}, {"position": 60}),
            RefusedSet({"position": 101}, 100009),
        ),
    ),
    Story(
        "valve",
        Valve,
        {"open": False, "position": 0},
        (
            CloudSet({"position": 30}, ("valve.set_valve_position",), {"open": True, "position": 30}),
            CloudSet({"open": True}, ("valve.open_valve",), {"open": True, "position": 100}),
            CloudSet({"open": False, "position": 50}, ("valve.close_valve",), {"open": False, "position": 0}),
            CloudSet({"command": "stop", "open": True}, ("valve.stop_valve",), {"open": True, "position": 42}),
            CloudSet({"command": "close"}, ("valve.close_valve",), {"open": False, "position": 0}),
            UserAction("valve.open_valve", {}, {"open": True, "position": 100}),
        ),
    ),
    Story(
        "lock",
        Bolt,
        {"locked": False, "state": "unlocked", "latch": False},
        (
            CloudSet({"locked": True}, ("lock.lock",), {"locked": True, "state": "locked"}),
            StateChange({"_attr_is_jammed": True}, {"state": "jammed"}),
            StateChange({"_attr_is_jammed": False}, {"state": "locked"}),
            CloudSet({"locked": False}, ("lock.unlock",), {"locked": False, "state": "unlocked"}),
            CloudSet({"latch": True}, ("lock.open",), {"locked": False, "state": "open"}),
            CloudSet({"latch": True, "locked": True}, ("lock.lock",), {"locked": True, "state": "locked"}),
            CloudSet({"latch": False}, (), {"latch": False}),
            UserAction("lock.unlock", {}, {"locked": False}),
        ),
    ),
)


@pytest.mark.skipif(not hasattr(CoverEntityFeature, "SPEED"), reason="older versions have no speeds of covers")
async def test_cover_moves_at_the_speed_of_the_cloud(drive: Drive) -> None:
    """It is a field of the movement, and nothing else."""
    app = await drive(Story("cover", FastBlind, {"position": 50}, ()))
    for values, speed in (({"position": 30, "speed": "slow"}, "slow"), ({"open": True, "speed": "fast"}, "fast")):
        assert (await app.sets(values)).code == 200
        assert app.hass.states.get(app.entity_id).attributes["last_speed"] == speed
    assert (await app.sets({"speed": "slow"})).code == 460


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_report_and_control(drive: Drive, story: Story) -> None:
    """Changes are reported, and sets are carried out."""
    await drive(story)
