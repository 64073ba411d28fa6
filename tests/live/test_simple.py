"""Entities with one value, helpers, and remote controls."""

from datetime import UTC, datetime

import pytest

from ..things.simple import Contact, Handset, Level, Plug, Program, Thermometer, WashingMachine
from .story import CloudSet, Drive, RefusedSet, StateChange, Story, UserAction

STORIES = (
    Story(
        "switch",
        Plug,
        {"power": False},
        (
            CloudSet({"power": True}, ("switch.turn_on",)),
            CloudSet({"power": False}, ("switch.turn_off",)),
            UserAction("switch.turn_on", {}, {"power": True}),
            StateChange({"_attr_is_on": False}, {"power": False}),
        ),
    ),
    Story(
        "input_boolean",
        {"initial": True},
        {"power": True},
        (
            CloudSet({"power": False}, ("input_boolean.turn_off",)),
            UserAction("input_boolean.toggle", {}, {"power": True}),
        ),
    ),
    Story(
        "number",
        Level,
        {"value": 1.0},
        (
            CloudSet({"value": 42.0}, ("number.set_value",)),
            StateChange({"_attr_native_value": 3.0}, {"value": 3.0}),
            RefusedSet({"value": 101.0}, 100009),
        ),
    ),
    Story(
        "input_number",
        {"min": 0, "max": 10, "step": 0.5, "initial": 2},
        {"value": 2.0},
        (
            CloudSet({"value": 7.5}, ("input_number.set_value",)),
            UserAction("input_number.increment", {}, {"value": 8.0}),
        ),
    ),
    Story(
        "select",
        Program,
        {"option": "eco"},
        (
            CloudSet({"option": "fast"}, ("select.select_option",)),
            UserAction("select.select_first", {}, {"option": "eco"}),
            RefusedSet({"option": "slow"}, 100009),
        ),
    ),
    Story(
        "input_select",
        {"options": ["day", "夜间"]},
        {"option": "day"},
        (
            CloudSet({"option": "夜间"}, ("input_select.select_option",)),
            UserAction("input_select.select_next", {}, {"option": "day"}),
        ),
    ),
    Story(
        "sensor",
        Thermometer,
        {"value": 21.5},
        (StateChange({"_attr_native_value": -3.25}, {"value": -3.25}), RefusedSet({"value": 5.0}, 100002)),
    ),
    Story(
        "sensor",
        WashingMachine,
        {"option": "washing"},
        (StateChange({"_attr_native_value": "spinning"}, {"option": "spinning"}),),
        "with options",
    ),
    Story(
        "binary_sensor",
        Contact,
        {"state": False},
        (StateChange({"_attr_is_on": True}, {"state": True}), RefusedSet({"state": False}, 100002)),
    ),
    Story(
        "counter",
        {"initial": 4, "minimum": 0, "maximum": 20, "step": 2},
        {"value": 4},
        (
            CloudSet({"value": 10}, ("counter.set_value",)),
            CloudSet({"command": "increment"}, ("counter.increment",), {"value": 12}),
            CloudSet({"command": "reset"}, ("counter.reset",), {"value": 4}),
            UserAction("counter.decrement", {}, {"value": 2}),
            RefusedSet({"value": 22}, 100009),
            RefusedSet({"value": 6, "command": "reset"}, 460),
        ),
    ),
    Story(
        "remote",
        Handset,
        {"power": False},
        (
            CloudSet({"activity": "music", "power": True}, ("remote.turn_on",)),
            CloudSet({"power": False}, ("remote.turn_off",)),
            CloudSet(
                {"power": True, "command": "volume_up"}, ("remote.turn_on", "remote.send_command"), {"activity": "tv"}
            ),
            UserAction("remote.turn_on", {"activity": "music"}, {"activity": "music", "power": True}),
        ),
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_report_and_control(drive: Drive, story: Story) -> None:
    """Changes are reported, and sets are carried out."""
    await drive(story)


async def test_remote_sends_commands_of_the_cloud(drive: Drive) -> None:
    """A command is one button of the remote control, and is not reported."""
    Handset.sent.clear()
    app = await drive(Story("remote", Handset, {"power": False}, ()))
    assert (await app.sets({"command": "volume_up"})).code == 200
    assert Handset.sent == ["volume_up"]
    assert (await app.sets({"command": "mute", "device": "tv"})).code == 200
    assert Handset.sent == ["volume_up", "tv: mute"]
    assert (await app.sets({"device": "tv"})).code == 460
    assert "Command" not in app.device.properties


async def test_timer_runs(drive: Drive) -> None:
    """Started with a duration, paused, continued, cancelled; impossible changes are refused."""
    app = await drive(
        Story(
            "timer",
            {"duration": "0:05:00"},
            {"state": "idle", "duration": 300, "remaining": 0},
            (
                RefusedSet({"state": "paused"}, 460),
                RefusedSet({"duration": 60}, 460),
                CloudSet({"state": "active", "duration": 4000}, ("timer.start",)),
                CloudSet({"state": "active"}, ()),
            ),
        )
    )
    until = app.values()["FinishesAt"]
    assert isinstance(until, datetime)
    assert until > datetime.now(UTC)
    await app.run(
        Story(
            "timer",
            {},
            {"state": "active"},
            (
                CloudSet({"state": "paused"}, ("timer.pause",)),
                UserAction("timer.start", {}, {"state": "active"}),
                CloudSet({"state": "idle"}, ("timer.cancel",), {"state": "idle", "duration": 300, "remaining": 0}),
            ),
        )
    )
