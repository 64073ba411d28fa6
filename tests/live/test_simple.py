"""Things with one value, helpers, and remote controls."""

from datetime import UTC, datetime

import pytest

from ..things.simple import Contact, Handset, Level, Plug, Program, Thermometer, WashingMachine
from .driving import Changes, Drive, Happens, Refuses, Sets, Story

STORIES = (
    Story(
        "switch",
        Plug,
        {"power": False},
        (
            Sets({"power": True}, ("switch.turn_on",)),
            Sets({"power": False}, ("switch.turn_off",)),
            Happens("switch.turn_on", {}, {"power": True}),
            Changes({"_attr_is_on": False}, {"power": False}),
        ),
    ),
    Story(
        "input_boolean",
        {"initial": True},
        {"power": True},
        (Sets({"power": False}, ("input_boolean.turn_off",)), Happens("input_boolean.toggle", {}, {"power": True})),
    ),
    Story(
        "number",
        Level,
        {"value": 1.0},
        (
            Sets({"value": 42.0}, ("number.set_value",)),
            Changes({"_attr_native_value": 3.0}, {"value": 3.0}),
            Refuses({"value": 101.0}, 100009),
        ),
    ),
    Story(
        "input_number",
        {"min": 0, "max": 10, "step": 0.5, "initial": 2},
        {"value": 2.0},
        (
            Sets({"value": 7.5}, ("input_number.set_value",)),
            Happens("input_number.increment", {}, {"value": 8.0}),
        ),
    ),
    Story(
        "select",
        Program,
        {"option": "eco"},
        (
            Sets({"option": "fast"}, ("select.select_option",)),
            Happens("select.select_first", {}, {"option": "eco"}),
            Refuses({"option": "slow"}, 100009),
        ),
    ),
    Story(
        "input_select",
        {"options": ["day", "夜间"]},
        {"option": "day"},
        (
            Sets({"option": "夜间"}, ("input_select.select_option",)),
            Happens("input_select.select_next", {}, {"option": "day"}),
        ),
    ),
    Story(
        "sensor",
        Thermometer,
        {"value": 21.5},
        (Changes({"_attr_native_value": -3.25}, {"value": -3.25}), Refuses({"value": 5.0}, 100002)),
    ),
    Story(
        "sensor",
        WashingMachine,
        {"option": "washing"},
        (Changes({"_attr_native_value": "spinning"}, {"option": "spinning"}),),
        "with options",
    ),
    Story(
        "binary_sensor",
        Contact,
        {"state": False},
        (Changes({"_attr_is_on": True}, {"state": True}), Refuses({"state": False}, 100002)),
    ),
    Story(
        "counter",
        {"initial": 4, "minimum": 0, "maximum": 20, "step": 2},
        {"value": 4},
        (
            Sets({"value": 10}, ("counter.set_value",)),
            Sets({"command": "increment"}, ("counter.increment",), {"value": 12}),
            Sets({"command": "reset"}, ("counter.reset",), {"value": 4}),
            Happens("counter.decrement", {}, {"value": 2}),
            Refuses({"value": 22}, 100009),
            Refuses({"value": 6, "command": "reset"}, 460),
        ),
    ),
    Story(
        "remote",
        Handset,
        {"power": False},
        (
            Sets({"activity": "music", "power": True}, ("remote.turn_on",)),
            Sets({"power": False}, ("remote.turn_off",)),
            Sets(
                {"power": True, "command": "volume_up"}, ("remote.turn_on", "remote.send_command"), {"activity": "tv"}
            ),
            Happens("remote.turn_on", {"activity": "music"}, {"activity": "music", "power": True}),
        ),
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_both_ways(drive: Drive, story: Story) -> None:
    """The cloud learns what the entity says, and gets what it sets."""
    await drive(story)


async def test_a_remote_sends_what_the_cloud_says(drive: Drive) -> None:
    """A command is one button of the remote control, and leaves nothing to report."""
    Handset.sent.clear()
    remote = await drive(Story("remote", Handset, {"power": False}, ()))
    assert (await remote.sets({"command": "volume_up"})).code == 200
    assert Handset.sent == ["volume_up"]
    assert "Command" not in remote.device.properties


async def test_a_timer_runs(drive: Drive) -> None:
    """Started for a while, paused, gone on, cancelled; what can't be done is refused and changes nothing."""
    remote = await drive(
        Story(
            "timer",
            {"duration": "0:05:00"},
            {"state": "idle", "duration": 300, "remaining": 0},
            (
                Refuses({"state": "paused"}, 460),
                Refuses({"duration": 60}, 460),
                Sets({"state": "active", "duration": 4000}, ("timer.start",)),
                Sets({"state": "active"}, ()),
            ),
        )
    )
    until = remote.said()["FinishesAt"]
    assert isinstance(until, datetime)
    assert until > datetime.now(UTC)
    await remote.play(
        Story(
            "timer",
            {},
            {"state": "active"},
            (
                Sets({"state": "paused"}, ("timer.pause",)),
                Happens("timer.start", {}, {"state": "active"}),
                Sets({"state": "idle"}, ("timer.cancel",), {"state": "idle", "duration": 300, "remaining": 0}),
            ),
        )
    )
