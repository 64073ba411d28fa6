"""Alarm panels, sirens and robots: what needs care, and what is told in which words."""

from homeassistant.components.alarm_control_panel.const import AlarmControlPanelEntityFeature
from homeassistant.components.lawn_mower.const import LawnMowerActivity
from homeassistant.components.siren.const import SirenEntityFeature
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of

from ..asking import changed, commands, read

PANEL = State(
    "alarm_control_panel.house",
    "disarmed",
    {
        "supported_features": int(
            AlarmControlPanelEntityFeature.ARM_HOME
            | AlarmControlPanelEntityFeature.ARM_AWAY
            | AlarmControlPanelEntityFeature.TRIGGER
        ),
        "code_format": "number",
    },
)
SIREN = State(
    "siren.roof", "off", {"supported_features": sum(SirenEntityFeature), "available_tones": {1: "fire", 2: "burglar"}}
)


@pytest.mark.parametrize("entity", ["alarm_control_panel", "siren", "valve", "water_heater", "lawn_mower", "lock"])
def test_what_can_do_harm_is_risky(entity: str) -> None:
    """Nobody commands it from afar without having said so."""
    assert DOMAINS[entity].risky(State(f"{entity}.thing", "unknown"))


@pytest.mark.parametrize(
    ("state", "mode"),
    [
        ("disarmed", "disarmed"),
        ("armed_away", "armed_away"),
        ("armed_vacation", "armed_vacation"),
        ("arming", None),
        ("pending", None),
        ("triggered", None),
    ],
)
def test_a_panel_is_in_a_mode_or_between_two(state: str, mode: str | None) -> None:
    """The mode says nothing while the panel is neither armed nor disarmed; the state says it all."""
    assert read(changed(PANEL, state)) == {"mode": mode, "state": state, "panic": False}


@pytest.mark.parametrize(
    ("values", "actions"),
    [
        ({"mode": "disarmed"}, ["alarm_disarm"]),
        ({"mode": "armed_home"}, ["alarm_arm_home"]),
        ({"mode": "armed_away", "panic": True}, ["alarm_arm_away", "alarm_trigger"]),
        ({"mode": "disarmed", "panic": True}, ["alarm_disarm"]),
        ({"panic": True}, ["alarm_trigger"]),
        ({"panic": False}, []),
    ],
)
def test_a_panel_is_never_sent_a_code(values: dict[str, Value], actions: list[str]) -> None:
    """Home Assistant has a default code, or refuses."""
    assert commands(PANEL, values) == [ActionCall("alarm_control_panel", action) for action in actions]


def test_a_panel_knows_the_modes_that_it_supports() -> None:
    """Another mode is refused with those that there are."""
    with pytest.raises(Refused, match="disarmed, armed_home, armed_away") as refused:
        commands(PANEL, {"mode": "armed_night"})
    assert refused.value.reason is Reason.NOT_AN_OPTION


def test_a_siren_howls_once() -> None:
    """Everything that belongs to the alarm is in the one action that raises it."""
    assert commands(SIREN, {"power": True, "volume": 30, "tone": "fire", "duration": 5}) == [
        ActionCall("siren", "turn_on", {"tone": "fire", "volume_level": 0.3, "duration": 5})
    ]
    assert commands(SIREN, {"power": False, "volume": 30}) == [ActionCall("siren", "turn_off")]


@pytest.mark.parametrize("values", [{"volume": 30}, {"tone": "fire"}, {"duration": 5, "volume": 10}])
def test_a_siren_does_not_howl_by_the_way(values: dict[str, Value]) -> None:
    """A volume slider raises no alarm."""
    with pytest.raises(Refused, match="together with being turned on") as refused:
        commands(SIREN, values)
    assert refused.value.reason is Reason.CONFLICT


@pytest.mark.parametrize(
    ("tones", "options"),
    [
        (["fire", 3], ("fire", "3")),
        ({1: "fire"}, ("fire",)),
        ([True, None, "fire"], ("fire",)),
        ("fire", ()),
        (None, ()),
    ],
)
def test_tones_come_in_every_shape(tones: object, options: tuple[str, ...]) -> None:
    """Sirens list names or numbers, or give numbers names."""
    siren = changed(SIREN, available_tones=tones)
    tone = aspect_of("siren.roof", "tone")
    assert tone.options(siren) == options
    assert tone.supported(siren) is bool(options)


def test_a_robot_gets_its_suction_before_it_starts() -> None:
    """The run begins as it was wanted."""
    robot = State("vacuum.robot", "docked", {"supported_features": 32 | 8192, "fan_speed_list": ["quiet", "max"]})
    assert commands(robot, {"command": "start", "fan_speed": "max"}) == [
        ActionCall("vacuum", "set_fan_speed", {"fan_speed": "max"}),
        ActionCall("vacuum", "start"),
    ]
    assert aspect_of("vacuum.robot", "command").options(robot) == ("start",)


def test_a_mower_stops_where_home_assistant_knows_how() -> None:
    """The youngest feature and the youngest activity are known on an older Home Assistant too."""
    mower = State("lawn_mower.robot", "mowing", {"supported_features": 15})
    assert aspect_of("lawn_mower.robot", "command").options(mower) == ("start_mowing", "pause", "stop", "dock")
    assert commands(mower, {"command": "stop"}) == [ActionCall("lawn_mower", "stop")]
    assert {*LawnMowerActivity, "idle"} == set(aspect_of("lawn_mower.robot", "state").options(mower))
