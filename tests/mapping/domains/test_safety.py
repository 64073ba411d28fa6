"""Alarm panels, sirens and robots: what is risky, and the options of their states."""

from homeassistant.components.alarm_control_panel.const import AlarmControlPanelEntityFeature
from homeassistant.components.lawn_mower.const import LawnMowerActivity
from homeassistant.components.siren.const import SirenEntityFeature
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of

from ..domain_helpers import actions_for, changed, read

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
def test_dangerous_domains_are_risky(entity: str) -> None:
    """They need a confirmation to be controlled."""
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
def test_mode_of_a_panel_has_no_value_between_modes(state: str, mode: str | None) -> None:
    """While the panel is neither armed nor disarmed; the full state has all values."""
    assert read(changed(PANEL, state)) == {"mode": mode, "state": state, "panic": False, "changed_by": None}


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
def test_panel_is_never_sent_a_code(values: dict[str, Value], actions: list[str]) -> None:
    """Home Assistant uses its default code, or refuses."""
    assert actions_for(PANEL, values) == [ActionCall("alarm_control_panel", action) for action in actions]


def test_panel_has_the_modes_that_it_supports() -> None:
    """Another mode is refused; the message has those that exist."""
    with pytest.raises(Refused, match="disarmed, armed_home, armed_away") as refused:
        actions_for(PANEL, {"mode": "armed_night"})
    assert refused.value.reason is Reason.NOT_AN_OPTION


def test_siren_is_one_action() -> None:
    """Tone, volume and duration are fields of the action that turns it on."""
    assert actions_for(SIREN, {"power": True, "volume": 30, "tone": "fire", "duration": 5}) == [
        ActionCall("siren", "turn_on", {"tone": "fire", "volume_level": 0.3, "duration": 5})
    ]
    assert actions_for(SIREN, {"power": False, "volume": 30}) == [ActionCall("siren", "turn_off")]


@pytest.mark.parametrize("values", [{"volume": 30}, {"tone": "fire"}, {"duration": 5, "volume": 10}])
def test_siren_is_not_turned_on_by_other_values(values: dict[str, Value]) -> None:
    """A volume slider must not start an alarm."""
    with pytest.raises(Refused, match="together with being turned on") as refused:
        actions_for(SIREN, values)
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
def test_all_forms_of_tones(tones: object, options: tuple[str, ...]) -> None:
    """A siren has a list of names or numbers, or a mapping of numbers to names."""
    siren = changed(SIREN, available_tones=tones)
    tone = aspect_of("siren.roof", "tone")
    assert tone.options(siren) == options
    assert tone.supported(siren) is bool(options)


def test_suction_of_a_robot_is_set_before_it_starts() -> None:
    """Cleaning starts with it."""
    robot = State("vacuum.robot", "docked", {"supported_features": 32 | 8192, "fan_speed_list": ["quiet", "max"]})
    assert actions_for(robot, {"command": "start", "fan_speed": "max"}) == [
        ActionCall("vacuum", "set_fan_speed", {"fan_speed": "max"}),
        ActionCall("vacuum", "start"),
    ]
    assert aspect_of("vacuum.robot", "command").options(robot) == ("start",)


def test_areas_of_a_robot_are_listed() -> None:
    """In the given order; Home Assistant knows which parts of the map they are."""
    robot = State("vacuum.robot", "docked", {"supported_features": 16384 | 8192})
    for listed in ("kitchen,living_room", " kitchen ， living_room,", "kitchen、living_room"):
        assert actions_for(robot, {"areas": listed}) == [
            ActionCall("vacuum", "clean_area", {"cleaning_area_id": ["kitchen", "living_room"]})
        ]
    with pytest.raises(Refused, match="ids of areas"):
        actions_for(robot, {"areas": " , "})
    with pytest.raises(Refused, match="not both") as refused:
        actions_for(robot, {"areas": "kitchen", "command": "start"})
    assert refused.value.reason is Reason.CONFLICT
    assert not aspect_of("vacuum.robot", "areas").supported(changed(robot, supported_features=8192))


@pytest.mark.parametrize("domain", ["alarm_control_panel", "lock"])
def test_who_changed_it_is_private(domain: str) -> None:
    """It names a person or a code, so it is bound only when the user picks it."""
    thing = State(f"{domain}.house", "unknown", {"changed_by": "Anna"})
    by = aspect_of(thing.entity_id, "changed_by")
    assert (by.private, by.read(thing)) == (True, "Anna")


def test_mower_stops_if_home_assistant_supports_it() -> None:
    """The newest feature and activity are defined on an older Home Assistant too."""
    mower = State("lawn_mower.robot", "mowing", {"supported_features": 15})
    assert aspect_of("lawn_mower.robot", "command").options(mower) == ("start_mowing", "pause", "stop", "dock")
    assert actions_for(mower, {"command": "stop"}) == [ActionCall("lawn_mower", "stop")]
    assert {*LawnMowerActivity, "idle"} == set(aspect_of("lawn_mower.robot", "state").options(mower))
