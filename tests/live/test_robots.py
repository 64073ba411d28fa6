"""Robots."""

import pytest

from ..things.robots import Mower, Robot
from .story import CloudSet, Drive, RefusedSet, StateChange, Story, UserAction

STORIES = (
    Story(
        "vacuum",
        Robot,
        {"state": "docked", "fan_speed": "quiet"},
        (
            CloudSet(
                {"command": "start", "fan_speed": "max"},
                ("vacuum.set_fan_speed", "vacuum.start"),
                {"state": "cleaning", "fan_speed": "max"},
            ),
            CloudSet({"command": "pause"}, ("vacuum.pause",), {"state": "paused"}),
            UserAction("vacuum.return_to_base", {}, {"state": "returning"}),
            StateChange({"_attr_activity": "docked"}, {"state": "docked"}),
            RefusedSet({"command": "locate"}, 100009),
            RefusedSet({"state": "cleaning"}, 100002),
        ),
    ),
    Story(
        "lawn_mower",
        Mower,
        {"state": "docked"},
        (
            CloudSet({"command": "start_mowing"}, ("lawn_mower.start_mowing",), {"state": "mowing"}),
            CloudSet({"command": "dock"}, ("lawn_mower.dock",), {"state": "returning"}),
            UserAction("lawn_mower.pause", {}, {"state": "paused"}),
            RefusedSet({"command": "stop"}, 100009),
        ),
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_report_and_control(drive: Drive, story: Story) -> None:
    """Changes are reported, and commands are carried out."""
    await drive(story)
