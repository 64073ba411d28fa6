"""Robots."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from ..things.robots import Mapper, Mower, Robot
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


async def test_robot_cleans_areas(hass: HomeAssistant, drive: Drive) -> None:
    """Those that the user has found on its map; Home Assistant's reason for a refusal is in the answer."""
    app = await drive(Story("vacuum", Mapper, {"state": "docked"}, ()))
    areas = {"kitchen": ["1"], "hall": ["3", "2"]}
    er.async_get(hass).async_update_entity_options(app.entity_id, "vacuum", {"area_mapping": areas})
    await app.run(
        Story(
            "vacuum", Mapper, {}, (CloudSet({"areas": "hall, kitchen"}, ("vacuum.clean_area",), {"state": "cleaning"}),)
        )
    )
    assert Mapper.cleaned == ["3", "2", "1"]
    reply = await app.sets({"areas": "attic"})
    assert reply.code == 100005
    assert "attic" in reply.message


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_report_and_control(drive: Drive, story: Story) -> None:
    """Changes are reported, and commands are carried out."""
    await drive(story)
