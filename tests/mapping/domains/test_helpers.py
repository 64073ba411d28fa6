"""Counters, timers and remote controls."""

from datetime import UTC, datetime

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Range, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import aspect_of

from ..domain_helpers import actions_for, changed, read

COUNTER = State("counter.visitors", "3", {"minimum": 0, "maximum": 50, "step": 2})
TIMER = State(
    "timer.egg", "active", {"duration": "0:05:00", "remaining": "0:05:00", "finishes_at": "2026-11-23T12:00:00+00:00"}
)
REMOTE = State("remote.tv", "on", {"supported_features": 4, "activity_list": ["tv", "music"], "current_activity": "tv"})


def test_counter_counts_within_its_limits() -> None:
    """Limits and step are those of the counter."""
    value = aspect_of("counter.visitors", "value")
    assert (value.read(COUNTER), value.range(COUNTER)) == (3, Range(0, 50, 2))
    assert value.range(State("counter.free", "3", {"step": 1})) == Range(None, None, 1)
    assert actions_for(COUNTER, {"value": 8.0}) == [ActionCall("counter", "set_value", {"value": 8})]
    assert actions_for(COUNTER, {"command": "reset"}) == [ActionCall("counter", "reset")]
    with pytest.raises(Refused) as refused:
        actions_for(COUNTER, {"value": 8, "command": "reset"})
    assert refused.value.reason is Reason.CONFLICT


@pytest.mark.parametrize("step", ["increment", "decrement"])
def test_number_helper_is_stepped(step: str) -> None:
    """For applications with two buttons; a number at the same time is refused, because the order matters."""
    level = State("input_number.level", "3", {"min": 0, "max": 10, "step": 2})
    assert actions_for(level, {"command": step}) == [ActionCall("input_number", step)]
    assert actions_for(level, {"value": 4.0}) == [ActionCall("input_number", "set_value", {"value": 4.0})]
    with pytest.raises(Refused) as refused:
        actions_for(level, {"value": 4.0, "command": step})
    assert refused.value.reason is Reason.CONFLICT


def test_values_of_a_timer() -> None:
    """The remaining time is known while it is paused or idle, the end while it runs."""
    end = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert read(TIMER) == {"state": "active", "duration": 300, "remaining": None, "finishes_at": end}
    paused = State("timer.egg", "paused", {"duration": "1:00:00", "remaining": "0:00:09"})
    assert read(paused) == {"state": "paused", "duration": 3600, "remaining": 9, "finishes_at": None}
    assert read(changed(TIMER, "idle", duration="0:00:00"))["duration"] == 0
    assert read(changed(TIMER, "idle"))["remaining"] == 0


@pytest.mark.parametrize(
    "odd", [None, 300, "", "soon", "1:2:3:4", "٣:00:00", "\ud800", "9" * 500, ["0:05:00"]], ids=ascii
)
def test_invalid_durations_of_a_timer(odd: object) -> None:
    """An invalid duration has no value; a plain number is seconds."""
    timer = changed(TIMER, "paused", duration=odd, remaining=odd, finishes_at=odd)
    assert {read(timer)[key] for key in ("duration", "remaining", "finishes_at")} == {None}


@pytest.mark.parametrize(
    ("state", "values", "calls"),
    [
        ("idle", {"state": "active"}, [ActionCall("timer", "start")]),
        ("paused", {"state": "active"}, [ActionCall("timer", "start")]),
        ("active", {"state": "active"}, []),
        ("active", {"state": "active", "duration": 60.0}, [ActionCall("timer", "start", {"duration": 60})]),
        ("active", {"state": "paused"}, [ActionCall("timer", "pause")]),
        ("active", {"state": "idle"}, [ActionCall("timer", "cancel")]),
        ("paused", {"state": "idle"}, [ActionCall("timer", "cancel")]),
        ("idle", {"state": "idle"}, []),
        ("active", {"command": "start"}, [ActionCall("timer", "start")]),
        ("active", {"command": "start", "duration": 60.0}, [ActionCall("timer", "start", {"duration": 60})]),
        ("active", {"command": "finish"}, [ActionCall("timer", "finish")]),
        ("paused", {"command": "finish"}, [ActionCall("timer", "finish")]),
    ],
)
def test_timer_in_the_wanted_state_is_left_alone(state: str, values: dict[str, Value], calls: list[ActionCall]) -> None:
    """Starting a running timer would restart it."""
    assert actions_for(changed(TIMER, state), values) == calls


@pytest.mark.parametrize(
    ("state", "values", "words"),
    [
        ("idle", {"duration": 60}, "together with being started"),
        ("active", {"duration": 60, "state": "idle"}, "together with being started"),
        ("idle", {"state": "paused"}, "not running"),
        ("idle", {"command": "finish"}, "idle"),
        ("active", {"command": "finish", "duration": 60}, "together with being started"),
        ("active", {"command": "start", "state": "paused"}, "not both"),
    ],
)
def test_impossible_change_of_a_timer_is_refused(state: str, values: dict[str, Value], words: str) -> None:
    """Home Assistant would do nothing without an error, or something else."""
    with pytest.raises(Refused, match=words) as refused:
        actions_for(changed(TIMER, state), values)
    assert refused.value.reason is Reason.CONFLICT


@pytest.mark.parametrize(
    ("values", "calls"),
    [
        ({"power": False, "activity": "music", "command": "mute"}, [("turn_off", {})]),
        ({"power": True}, [("turn_on", {})]),
        ({"power": True, "activity": "music"}, [("turn_on", {"activity": "music"})]),
        ({"command": "mute"}, [("send_command", {"command": ["mute"]})]),
        ({"command": "mute", "power": True}, [("turn_on", {}), ("send_command", {"command": ["mute"]})]),
        ({"command": "mute", "device": "32756745"}, [("send_command", {"command": ["mute"], "device": "32756745"})]),
        ({"command": "mute", "device": "tv", "power": False}, [("turn_off", {})]),
    ],
)
def test_remote_is_turned_on_before_it_sends(
    values: dict[str, Value], calls: list[tuple[str, dict[str, object]]]
) -> None:
    """Off wins, an activity turns it on, a command comes last."""
    assert actions_for(REMOTE, values) == [ActionCall("remote", action, data) for action, data in calls]


@pytest.mark.parametrize("values", [{"device": "tv"}, {"device": "tv", "power": True}])
def test_device_of_a_remote_needs_a_command(values: dict[str, Value]) -> None:
    """Alone it would do nothing, and the cloud would be told that it was done."""
    with pytest.raises(Refused, match="together with a command") as refused:
        actions_for(REMOTE, values)
    assert refused.value.reason is Reason.CONFLICT


def test_values_of_a_remote() -> None:
    """Commands are not reported."""
    assert read(REMOTE) == {"power": True, "activity": "tv"}
    assert read(State("remote.plain", "off")) == {"power": False}
