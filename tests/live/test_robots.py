"""Robots."""

import pytest

from ..things.robots import Mower, Robot
from .driving import Changes, Drive, Happens, Refuses, Sets, Story

STORIES = (
    Story(
        "vacuum",
        Robot,
        {"state": "docked", "fan_speed": "quiet"},
        (
            Sets(
                {"command": "start", "fan_speed": "max"},
                ("vacuum.set_fan_speed", "vacuum.start"),
                {"state": "cleaning", "fan_speed": "max"},
            ),
            Sets({"command": "pause"}, ("vacuum.pause",), {"state": "paused"}),
            Happens("vacuum.return_to_base", {}, {"state": "returning"}),
            Changes({"_attr_activity": "docked"}, {"state": "docked"}),
            Refuses({"command": "locate"}, 100009),
            Refuses({"state": "cleaning"}, 100002),
        ),
    ),
    Story(
        "lawn_mower",
        Mower,
        {"state": "docked"},
        (
            Sets({"command": "start_mowing"}, ("lawn_mower.start_mowing",), {"state": "mowing"}),
            Sets({"command": "dock"}, ("lawn_mower.dock",), {"state": "returning"}),
            Happens("lawn_mower.pause", {}, {"state": "paused"}),
            Refuses({"command": "stop"}, 100009),
        ),
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_both_ways(drive: Drive, story: Story) -> None:
    """The cloud learns what the robot does, and sends it about."""
    await drive(story)
