"""Each domain in both directions: the values of its states, and the actions for a set of values."""

from datetime import UTC, datetime
from unittest.mock import patch
from zoneinfo import ZoneInfo

from homeassistant.components.climate.const import ClimateEntityFeature, HVACMode
from homeassistant.components.cover import CoverEntityFeature
from homeassistant.components.light import ColorMode
from homeassistant.core import State
from homeassistant.util import dt as dt_util
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Kind, Range, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of

from .domain_helpers import actions_for, changed, read


@pytest.mark.parametrize("domain", ["switch", "input_boolean"])
def test_switch_is_on_or_off(domain: str) -> None:
    """The state is the value, and the value selects the action."""
    state = State(f"{domain}.pump", "on")
    assert read(state) == {"power": True}
    assert actions_for(state, {"power": False}) == [ActionCall(domain, "turn_off")]
    assert actions_for(state, {"power": True}) == [ActionCall(domain, "turn_on")]


def test_values_of_a_lamp(lamp: State) -> None:
    """White light has a colour temperature and no colour, coloured light the reverse, and a lamp that is off neither."""
    assert read(lamp) == {"power": True, "brightness": 50, "color_temp": 4000, "color": None, "hsv": None}
    coloured = changed(lamp, color_mode=ColorMode.HS, color_temp_kelvin=None, rgb_color=(255, 0, 0), hs_color=(0, 100))
    assert read(coloured) == {
        "power": True,
        "brightness": 50,
        "color_temp": None,
        "color": (255, 0, 0),
        "hsv": (127.5, 0, 0),
    }
    dark = changed(lamp, "off", color_mode=None, brightness=None, color_temp_kelvin=None, rgb_color=None)
    assert read(dark) == {"power": False, "brightness": None, "color_temp": None, "color": None, "hsv": None}


def test_huge_brightness_has_no_value(lamp: State) -> None:
    """An attribute may be any number; a percentage of the largest float must not overflow."""
    assert read(changed(lamp, brightness=1e308))["brightness"] > 100


def test_lowest_brightness_is_not_off(lamp: State) -> None:
    """The lowest level is rounded to 1 %, never to 0 %."""
    assert round(read(changed(lamp, brightness=1))["brightness"]) == 1
    assert actions_for(lamp, {"brightness": 0.1}) == [ActionCall("light", "turn_on", {"brightness": 1})]


def test_one_set_of_a_lamp_is_one_action(lamp: State) -> None:
    """All values are fields of it."""
    assert actions_for(lamp, {"power": True, "brightness": 50, "color_temp": 3000}) == [
        ActionCall("light", "turn_on", {"brightness": 128, "color_temp_kelvin": 3000})
    ]
    assert actions_for(lamp, {"color": (255, 120, 0), "brightness": 100}) == [
        ActionCall("light", "turn_on", {"brightness": 255, "rgb_color": [255, 120, 0]})
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"power": False},
        {"power": False, "brightness": 50},
        {"brightness": 50, "color_temp": 3000, "power": False},
        {"brightness": 0},
        {"power": True, "brightness": 0},
        {"color": (0, 0, 0)},
        {"hsv": (0, 0, 0)},
    ],
)
def test_off_wins_over_everything_else(lamp: State, values: dict[str, Value]) -> None:
    """Whatever else the application sets at the same time."""
    assert actions_for(lamp, values) == [ActionCall("light", "turn_off")]


def test_brightness_turns_a_lamp_on(lamp: State) -> None:
    """A brightness alone is enough; 30 % is what Home Assistant takes it for."""
    assert actions_for(changed(lamp, "off"), {"brightness": 30}) == [ActionCall("light", "turn_on", {"brightness": 76})]


def test_lamp_refuses_two_colours_at_once(lamp: State) -> None:
    """Home Assistant takes one colour field per action."""
    with pytest.raises(Refused) as refused:
        actions_for(lamp, {"color": (255, 0, 0), "color_temp": 3000})
    assert refused.value.reason is Reason.CONFLICT


def test_lamp_has_only_what_it_supports() -> None:
    """A plain lamp only has a switch; setting more is refused, not ignored."""
    plain = State("light.porch", "on", {"supported_color_modes": ["onoff"], "color_mode": "onoff"})
    assert read(plain) == {"power": True}
    with pytest.raises(Refused) as refused:
        actions_for(plain, {"power": True, "brightness": 50})
    assert refused.value.reason is Reason.NOT_SUPPORTED


def test_values_of_a_thermostat(thermostat: State) -> None:
    """Every aspect of a thermostat has its own value."""
    assert read(thermostat) == {
        "power": True,
        "mode": "heat",
        "target_temperature": 21.5,
        "current_temperature": 20.3,
        "current_humidity": 45,
        "fan_mode": "low",
    }
    assert read(changed(thermostat, "off"))["power"] is False


def test_temperature_never_changes_the_mode(thermostat: State) -> None:
    """A common mistake of bridges."""
    for mode in ("off", "heat", "cool"):
        assert actions_for(changed(thermostat, mode), {"target_temperature": 23.5}) == [
            ActionCall("climate", "set_temperature", {"temperature": 23.5})
        ]


def test_mode_is_set_before_the_temperature(thermostat: State) -> None:
    """A mode often sets a temperature of its own."""
    assert actions_for(thermostat, {"fan_mode": "high", "target_temperature": 24, "mode": "cool", "power": True}) == [
        ActionCall("climate", "set_hvac_mode", {"hvac_mode": "cool"}),
        ActionCall("climate", "set_temperature", {"temperature": 24}),
        ActionCall("climate", "set_fan_mode", {"fan_mode": "high"}),
    ]


@pytest.mark.parametrize(
    ("values", "action"),
    [
        ({"power": False, "target_temperature": 20}, ActionCall("climate", "turn_off")),
        ({"mode": "off", "target_temperature": 20}, ActionCall("climate", "set_hvac_mode", {"hvac_mode": "off"})),
        ({"power": True}, ActionCall("climate", "turn_on")),
    ],
)
def test_thermostat_is_turned_on_and_off(thermostat: State, values: dict[str, Value], action: ActionCall) -> None:
    """Off is the only action; on is an action of its own unless a mode is set."""
    assert actions_for(thermostat, values) == [action]


def test_thermostat_without_turn_off_is_turned_off_by_its_mode(thermostat: State) -> None:
    """It can not be turned on without a mode."""
    modal = changed(thermostat, supported_features=ClimateEntityFeature.TARGET_TEMPERATURE)
    assert actions_for(modal, {"power": False}) == [ActionCall("climate", "set_hvac_mode", {"hvac_mode": "off"})]
    assert actions_for(modal, {"power": True, "mode": "heat"}) == [
        ActionCall("climate", "set_hvac_mode", {"hvac_mode": "heat"})
    ]
    with pytest.raises(Refused, match="by a mode"):
        actions_for(modal, {"power": True})


def test_thermostat_that_can_not_be_turned_off(thermostat: State) -> None:
    """It has neither the feature nor the mode."""
    endless = changed(thermostat, supported_features=ClimateEntityFeature.TURN_ON, hvac_modes=["heat"])
    assert actions_for(endless, {"power": True}) == [ActionCall("climate", "turn_on")]
    with pytest.raises(Refused, match="turned off"):
        actions_for(endless, {"power": False})


def test_thermostat_with_a_range_needs_both_limits() -> None:
    """Home Assistant needs both; a limit that is not set keeps its value."""
    state = State(
        "climate.heat_pump",
        HVACMode.HEAT_COOL,
        {
            "supported_features": ClimateEntityFeature.TARGET_TEMPERATURE_RANGE,
            "target_temp_low": 18,
            "target_temp_high": 25,
            "temperature": None,
            "min_temp": 7,
            "max_temp": 35,
        },
    )
    assert read(state)["target_temperature_low"] == 18
    assert actions_for(state, {"target_temperature_high": 27}) == [
        ActionCall("climate", "set_temperature", {"target_temp_low": 18, "target_temp_high": 27})
    ]
    with pytest.raises(Refused):
        actions_for(state, {"target_temperature": 21})
    with pytest.raises(Refused, match=r"from 18\.0 down to 17"):
        actions_for(state, {"target_temperature_high": 17})
    with pytest.raises(Refused, match="not both"):
        actions_for(
            changed(state, supported_features=ClimateEntityFeature.TARGET_TEMPERATURE | 2),
            {"target_temperature": 20, "target_temperature_high": 27},
        )
    with pytest.raises(Refused, match="both limits"):
        actions_for(changed(state, target_temp_low=None), {"target_temperature_high": 27})


def test_curtain_moves(curtain: State) -> None:
    """Close wins over a position, and a position over open."""
    assert read(curtain) == {"position": 50, "open": True}
    close, move, open_it = (
        ActionCall("cover", "close_cover"),
        ActionCall("cover", "set_cover_position", {"position": 30}),
        ActionCall("cover", "open_cover"),
    )
    assert actions_for(curtain, {"position": 30}) == [move]
    assert actions_for(curtain, {"open": True, "position": 30}) == [move]
    assert actions_for(curtain, {"open": True}) == [open_it]
    assert actions_for(curtain, {"open": False, "position": 30}) == [close]


@pytest.mark.parametrize(
    ("state", "is_open"), [("open", True), ("opening", True), ("closed", False), ("closing", None)]
)
def test_moving_curtain_does_not_contradict_a_command(curtain: State, state: str, is_open: bool | None) -> None:
    """While it closes, `open` has no value."""
    assert read(changed(curtain, state))["open"] is is_open


def test_blinds_tilt() -> None:
    """Tilt is independent of the position."""
    features = CoverEntityFeature.OPEN | CoverEntityFeature.SET_TILT_POSITION
    state = State("cover.blinds", "open", {"supported_features": features, "current_tilt_position": 20})
    assert read(state) == {"open": True, "tilt": 20}
    assert actions_for(state, {"open": True, "tilt": 80}) == [
        ActionCall("cover", "open_cover"),
        ActionCall("cover", "set_cover_tilt_position", {"tilt_position": 80}),
    ]
    with pytest.raises(Refused, match="close"):
        actions_for(state, {"open": False})


def test_position_that_can_not_be_set_is_reported(curtain: State) -> None:
    """Some covers have a position but can only open and close."""
    simple = changed(curtain, supported_features=CoverEntityFeature.OPEN | CoverEntityFeature.CLOSE)
    assert read(simple)["position"] == 50
    assert not aspect_of("cover.curtain", "position").controllable(simple)
    with pytest.raises(Refused):
        actions_for(simple, {"position": 30})


@pytest.mark.parametrize(
    ("entity", "risky"),
    [
        (State("lock.door", "locked"), True),
        (State("cover.garage", "open", {"device_class": "garage"}), True),
        (State("cover.gate", "open", {"device_class": "gate"}), True),
        (State("cover.entrance", "open", {"device_class": "door"}), True),
        (State("cover.blinds", "open", {"device_class": "blind"}), False),
        (State("cover.odd", "open", {"device_class": None}), False),
        (State("light.lamp", "on"), False),
    ],
)
def test_risky_entities(entity: State, risky: bool) -> None:
    """Only these need the user's confirmation to be controlled."""
    assert DOMAINS[entity.domain].risky(entity) is risky


@pytest.mark.parametrize(
    ("state", "locked"),
    [("locked", True), ("unlocked", False), ("open", False), ("locking", None), ("unlocking", None), ("jammed", None)],
)
def test_locked_has_no_value_while_the_lock_moves(state: str, locked: bool | None) -> None:
    """Neither has it when the lock is jammed; the full state has both."""
    lock = State("lock.door", state)
    assert read(lock) == {"locked": locked, "state": state, "changed_by": None}
    assert actions_for(lock, {"locked": True}) == [ActionCall("lock", "lock")]
    assert actions_for(lock, {"locked": False}) == [ActionCall("lock", "unlock")]


@pytest.mark.parametrize("domain", ["number", "input_number"])
def test_number_stays_within_its_limits(domain: str) -> None:
    """The entity's limits are checked before the action is called."""
    state = State(f"{domain}.setpoint", "21.5", {"min": 5, "max": 30, "step": 0.5, "unit_of_measurement": "°C"})
    value = aspect_of(state.entity_id, "value")
    assert (value.read(state), value.range(state), value.unit(state)) == (21.5, Range(5, 30, 0.5), "°C")
    assert actions_for(state, {"value": 30}) == [ActionCall(domain, "set_value", {"value": 30})]
    for too_much in (4.9, 30.1):
        with pytest.raises(Refused, match="from 5") as refused:
            actions_for(state, {"value": too_much})
        assert refused.value.reason is Reason.OUT_OF_RANGE


@pytest.mark.parametrize("domain", ["select", "input_select"])
def test_unknown_option_is_refused(domain: str) -> None:
    """The message has the options that exist."""
    state = State(f"{domain}.scene", "day", {"options": ["day", "night"]})
    assert read(state) == {"option": "day"}
    assert actions_for(state, {"option": "night"}) == [ActionCall(domain, "select_option", {"option": "night"})]
    with pytest.raises(Refused, match="day, night") as refused:
        actions_for(state, {"option": "party"})
    assert refused.value.reason is Reason.NOT_AN_OPTION


@pytest.mark.parametrize(
    ("state", "attributes", "kind", "value"),
    [
        ("21.4", {"device_class": "temperature", "unit_of_measurement": "°C"}, Kind.NUMBER, 21.4),
        ("7", {}, Kind.NUMBER, 7),
        ("1e3", {"state_class": "measurement"}, Kind.NUMBER, 1000),
        ("washing", {"device_class": "enum", "options": ["washing", "idle"]}, Kind.ENUM, "washing"),
        ("2026-11-23T08:00:00+08:00", {"device_class": "timestamp"}, Kind.DATE, datetime(2026, 11, 23, tzinfo=UTC)),
        ("hello", {}, Kind.TEXT, "hello"),
    ],
)
def test_aspect_of_a_sensor_depends_on_its_attributes(
    state: str, attributes: dict[str, object], kind: Kind, value: Value
) -> None:
    """Exactly one aspect is supported."""
    sensor = State("sensor.something", state, attributes)
    (aspect,) = (aspect for aspect in DOMAINS["sensor"].aspects if aspect.supported(sensor))
    assert (aspect.kind, aspect.read(sensor)) == (kind, value)
    assert not aspect.controllable(sensor)


def test_date_is_the_beginning_of_the_local_day() -> None:
    """The state of a date sensor is a day without a time."""
    sensor = State("sensor.bin_day", "2026-11-23", {"device_class": "date"})
    with patch.object(dt_util, "DEFAULT_TIME_ZONE", ZoneInfo("Asia/Shanghai")):
        assert read(sensor) == {"moment": datetime(2026, 11, 22, 16, tzinfo=UTC)}


def test_unknown_sensor_may_have_any_kind() -> None:
    """Without a device class, a unit or a state its kind is unknown, so no binding of it is a problem."""
    assert read(State("sensor.new", "unavailable")) == {"value": None, "text": None}


@pytest.mark.parametrize("device_class", ["date", "timestamp"])
@pytest.mark.parametrize(
    "state",
    ["soon", "2026-02-30 12:00", "2026-11-23T12:00:00+99:99", "0001-01-01T00:00:00+14:00", "\ud800"],
    ids=ascii,
)
def test_invalid_date_has_no_value(device_class: str, state: str) -> None:
    """A sensor of a time has no value if its state is another text or an impossible time."""
    assert read(State("sensor.bin_day", state, {"device_class": device_class})) == {"moment": None}


@pytest.mark.parametrize(("device_class", "state"), [("date", "0001-01-01"), ("timestamp", "0001-01-01T00:00:00")])
def test_date_before_the_calendar_has_no_value(device_class: str, state: str) -> None:
    """Some integrations use the year 1 for "never", which begins later in UTC than in China."""
    sensor = State("sensor.last_seen", state, {"device_class": device_class})
    with patch.object(dt_util, "DEFAULT_TIME_ZONE", ZoneInfo("Asia/Shanghai")):
        assert read(sensor) == {"moment": None}


def test_percentage_has_a_range() -> None:
    """Only sensors in percent have limits that no attribute states."""
    humidity = State("sensor.humidity", "45", {"device_class": "humidity", "unit_of_measurement": "%"})
    power = State("sensor.power", "45", {"device_class": "power", "unit_of_measurement": "W"})
    assert aspect_of("sensor.humidity", "value").range(humidity) == Range(0, 100)
    assert aspect_of("sensor.power", "value").range(power) is None


def test_binary_sensor_only_reports() -> None:
    """It has no aspect that can be set."""
    state = State("binary_sensor.window", "on", {"device_class": "window"})
    assert read(state) == {"state": True}
    with pytest.raises(Refused):
        actions_for(state, {"state": False})
