"""Covers, valves and locks: the safest of several values wins."""

from homeassistant.components.cover import CoverEntityFeature
from homeassistant.components.lock import LockEntityFeature
from homeassistant.components.valve import ValveEntityFeature
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of

from ..domain_helpers import actions_for, changed, read

COVER = State("cover.blind", "open", {"supported_features": sum(CoverEntityFeature), "current_position": 50})
FAST_COVER = State(
    "cover.blind", "open", {**COVER.attributes, "supported_features": 511, "supported_speeds": ["slow", "fast"]}
)
VALVE = State("valve.garden", "open", {"supported_features": sum(ValveEntityFeature), "current_position": 50})


@pytest.mark.parametrize("state", [COVER, VALVE], ids=["cover", "valve"])
@pytest.mark.parametrize(
    ("values", "action"),
    [
        ({"command": "stop"}, "stop_{}"),
        ({"command": "stop", "open": False, "position": 3}, "stop_{}"),
        ({"command": "close", "position": 3}, "close_{}"),
        ({"command": "open", "open": False}, "close_{}"),
        ({"command": "open"}, "open_{}"),
        ({"open": True}, "open_{}"),
        ({"open": True, "position": 3}, "set_{}_position"),
        ({"command": "open", "position": 3}, "set_{}_position"),
    ],
)
def test_safest_value_wins(state: State, values: dict[str, Value], action: str) -> None:
    """Stop wins over close, close over a position, a position over open."""
    (call,) = actions_for(state, values)
    assert (call.domain, call.action) == (state.domain, action.format(state.domain))
    assert call.data == ({"position": 3} if "position" in action else {})


def test_commands_depend_on_the_features() -> None:
    """The options follow the supported features, and nothing is reported."""
    simple = changed(COVER, supported_features=int(CoverEntityFeature.OPEN | CoverEntityFeature.STOP))
    command = aspect_of("cover.blind", "command")
    assert command.options(simple) == ("open", "stop")
    assert command.read(simple) is None
    assert not command.supported(changed(COVER, supported_features=0))
    with pytest.raises(Refused) as refused:
        actions_for(simple, {"command": "close"})
    assert refused.value.reason is Reason.NOT_AN_OPTION


def test_slats_are_moved_together_with_the_cover() -> None:
    """A command for the slats wins over their position; both come after the cover."""
    assert actions_for(COVER, {"tilt": 20, "open": False}) == [
        ActionCall("cover", "close_cover"),
        ActionCall("cover", "set_cover_tilt_position", {"tilt_position": 20}),
    ]
    assert actions_for(COVER, {"tilt": 20, "tilt_command": "stop"}) == [ActionCall("cover", "stop_cover_tilt")]


@pytest.mark.parametrize(
    ("values", "calls"),
    [
        ({"speed": "slow", "position": 3}, [("set_cover_position", {"position": 3, "speed": "slow"})]),
        ({"speed": "slow", "open": True}, [("open_cover", {"speed": "slow"})]),
        ({"speed": "fast", "command": "close"}, [("close_cover", {"speed": "fast"})]),
        ({"speed": "fast", "command": "stop"}, [("stop_cover", {})]),
        (
            {"speed": "fast", "position": 3, "tilt": 20},
            [
                ("set_cover_position", {"position": 3, "speed": "fast"}),
                ("set_cover_tilt_position", {"tilt_position": 20}),
            ],
        ),
    ],
)
def test_speed_is_a_field_of_the_movement(values: dict[str, Value], calls: list[tuple[str, dict[str, object]]]) -> None:
    """It is defined on an older Home Assistant too, where no cover has it."""
    assert actions_for(FAST_COVER, values) == [ActionCall("cover", action, data) for action, data in calls]
    assert not aspect_of("cover.blind", "speed").supported(changed(COVER, supported_features=255))


@pytest.mark.parametrize("values", [{"speed": "slow"}, {"speed": "slow", "tilt": 20}])
def test_speed_alone_moves_nothing(values: dict[str, Value]) -> None:
    """And an unknown speed is refused before anything moves."""
    with pytest.raises(Refused, match="together with a movement") as refused:
        actions_for(FAST_COVER, values)
    assert refused.value.reason is Reason.CONFLICT
    with pytest.raises(Refused, match="slow, fast") as refused:
        actions_for(FAST_COVER, {"speed": "warp", "position": 3})
    assert refused.value.reason is Reason.NOT_AN_OPTION


def test_values_of_a_valve() -> None:
    """Position and state; while it closes, `open` has no value."""
    assert read(VALVE) == {"position": 50, "open": True}
    assert read(changed(VALVE, "closing"))["open"] is None
    assert read(changed(VALVE, "closed"))["open"] is False
    assert DOMAINS["valve"].risky(VALVE)


@pytest.mark.parametrize(
    ("values", "actions"),
    [
        ({"latch": True}, ["open"]),
        ({"latch": True, "locked": False}, ["open"]),
        ({"latch": True, "locked": True}, ["lock"]),
        ({"latch": False}, []),
        ({"latch": False, "locked": False}, ["unlock"]),
    ],
)
def test_latch_opens_only_when_pressed(values: dict[str, Value], actions: list[str]) -> None:
    """Unlocking never opens the latch, and locking wins."""
    lock = State("lock.door", "locked", {"supported_features": int(LockEntityFeature.OPEN)})
    assert [call.action for call in actions_for(lock, values)] == actions


def test_lock_without_a_latch_refuses_a_press() -> None:
    """It does not support the aspect."""
    with pytest.raises(Refused) as refused:
        actions_for(State("lock.door", "locked"), {"latch": True})
    assert refused.value.reason is Reason.NOT_SUPPORTED
