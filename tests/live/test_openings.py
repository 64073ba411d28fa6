"""What opens and closes."""

import pytest

from ..things.openings import Blind, Bolt, Valve
from .driving import Changes, Drive, Happens, Refuses, Sets, Story

STORIES = (
    Story(
        "cover",
        Blind,
        {"open": True, "position": 50, "tilt": 50},
        (
            Sets({"position": 30, "tilt": 70}, ("cover.set_cover_position", "cover.set_cover_tilt_position")),
            Sets({"open": False}, ("cover.close_cover",), {"open": False, "position": 0}),
            Sets({"command": "open"}, ("cover.open_cover",), {"open": True, "position": 100}),
            Sets({"command": "close", "position": 80}, ("cover.close_cover",), {"open": False, "position": 0}),
            Sets({"command": "stop", "open": True}, ("cover.stop_cover",), {"open": True, "position": 42}),
            Sets({"tilt_command": "open"}, ("cover.open_cover_tilt",), {"tilt": 100}),
            Happens("cover.set_cover_position", {"position": 10}, {"position": 10}),
            Changes({"_attr_current_cover_position": 60}, {"position": 60}),
            Refuses({"position": 101}, 100009),
        ),
    ),
    Story(
        "valve",
        Valve,
        {"open": False, "position": 0},
        (
            Sets({"position": 30}, ("valve.set_valve_position",), {"open": True, "position": 30}),
            Sets({"open": True}, ("valve.open_valve",), {"open": True, "position": 100}),
            Sets({"open": False, "position": 50}, ("valve.close_valve",), {"open": False, "position": 0}),
            Sets({"command": "stop", "open": True}, ("valve.stop_valve",), {"open": True, "position": 42}),
            Sets({"command": "close"}, ("valve.close_valve",), {"open": False, "position": 0}),
            Happens("valve.open_valve", {}, {"open": True, "position": 100}),
        ),
    ),
    Story(
        "lock",
        Bolt,
        {"locked": False, "state": "unlocked", "latch": False},
        (
            Sets({"locked": True}, ("lock.lock",), {"locked": True, "state": "locked"}),
            Changes({"_attr_is_jammed": True}, {"state": "jammed"}),
            Changes({"_attr_is_jammed": False}, {"state": "locked"}),
            Sets({"locked": False}, ("lock.unlock",), {"locked": False, "state": "unlocked"}),
            Sets({"latch": True}, ("lock.open",), {"locked": False, "state": "open"}),
            Sets({"latch": True, "locked": True}, ("lock.lock",), {"locked": True, "state": "locked"}),
            Sets({"latch": False}, (), {"latch": False}),
            Happens("lock.unlock", {}, {"locked": False}),
        ),
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_both_ways(drive: Drive, story: Story) -> None:
    """The cloud learns what stands open, and opens and closes it."""
    await drive(story)
