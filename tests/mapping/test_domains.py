"""Each domain both ways: what its states say, and which actions a set of values becomes."""

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

from .asking import changed, commands, read


@pytest.mark.parametrize("domain", ["switch", "input_boolean"])
def test_a_switch_is_on_or_off(domain: str) -> None:
    """The simplest entity: its state is the value, the value its action."""
    state = State(f"{domain}.pump", "on")
    assert read(state) == {"power": True}
    assert commands(state, {"power": False}) == [ActionCall(domain, "turn_off")]
    assert commands(state, {"power": True}) == [ActionCall(domain, "turn_on")]


def test_a_lamp_says_what_it_does(lamp: State) -> None:
    """White light has a temperature and no colour, coloured light the reverse, and darkness neither."""
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


def test_a_lamp_brighter_than_a_float_is_survived(lamp: State) -> None:
    """Attributes hold anything; a percentage of the greatest number there is must not overflow."""
    assert read(changed(lamp, brightness=1e308))["brightness"] > 100


def test_a_lamp_that_is_hardly_lit_is_not_off(lamp: State) -> None:
    """The lowest level is rounded to 1 %, never to 0 %."""
    assert round(read(changed(lamp, brightness=1))["brightness"]) == 1
    assert commands(lamp, {"brightness": 0.1}) == [ActionCall("light", "turn_on", {"brightness": 1})]


def test_one_set_is_one_action_for_a_lamp(lamp: State) -> None:
    """What belongs together arrives together."""
    assert commands(lamp, {"power": True, "brightness": 50, "color_temp": 3000}) == [
        ActionCall("light", "turn_on", {"brightness": 128, "color_temp_kelvin": 3000})
    ]
    assert commands(lamp, {"color": (255, 120, 0), "brightness": 100}) == [
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
    """Nobody who says off wants light, whatever else the app sends along."""
    assert commands(lamp, values) == [ActionCall("light", "turn_off")]


def test_brightness_turns_a_dark_lamp_on(lamp: State) -> None:
    """A brightness is a wish for light."""
    assert commands(changed(lamp, "off"), {"brightness": 30}) == [ActionCall("light", "turn_on", {"brightness": 76})]


def test_a_lamp_refuses_two_colours_at_once(lamp: State) -> None:
    """Home Assistant takes one colour field per action."""
    with pytest.raises(Refused) as refused:
        commands(lamp, {"color": (255, 0, 0), "color_temp": 3000})
    assert refused.value.reason is Reason.CONFLICT


def test_a_lamp_has_no_more_than_it_supports() -> None:
    """Plain lamps have a switch only; asking more of them is refused, not ignored."""
    plain = State("light.porch", "on", {"supported_color_modes": ["onoff"], "color_mode": "onoff"})
    assert read(plain) == {"power": True}
    with pytest.raises(Refused) as refused:
        commands(plain, {"power": True, "brightness": 50})
    assert refused.value.reason is Reason.NOT_SUPPORTED


def test_a_thermostat_says_what_it_does(thermostat: State) -> None:
    """Every facet of a thermostat has its own value."""
    assert read(thermostat) == {
        "power": True,
        "mode": "heat",
        "target_temperature": 21.5,
        "current_temperature": 20.3,
        "current_humidity": 45,
        "fan_mode": "low",
    }
    assert read(changed(thermostat, "off"))["power"] is False


def test_a_temperature_never_touches_the_mode(thermostat: State) -> None:
    """The classic mistake of bridges."""
    for mode in ("off", "heat", "cool"):
        assert commands(changed(thermostat, mode), {"target_temperature": 23.5}) == [
            ActionCall("climate", "set_temperature", {"temperature": 23.5})
        ]


def test_a_thermostat_takes_the_mode_first(thermostat: State) -> None:
    """A mode often brings its own temperature, so the wanted one has to come after it."""
    assert commands(thermostat, {"fan_mode": "high", "target_temperature": 24, "mode": "cool", "power": True}) == [
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
def test_a_thermostat_is_turned_on_and_off(thermostat: State, values: dict[str, Value], action: ActionCall) -> None:
    """Off comes alone; on is an action of its own where no mode says it."""
    assert commands(thermostat, values) == [action]


def test_a_thermostat_without_a_switch_is_turned_off_by_its_mode(thermostat: State) -> None:
    """Off is a mode too; on is not, since nobody knows which one."""
    modal = changed(thermostat, supported_features=ClimateEntityFeature.TARGET_TEMPERATURE)
    assert commands(modal, {"power": False}) == [ActionCall("climate", "set_hvac_mode", {"hvac_mode": "off"})]
    assert commands(modal, {"power": True, "mode": "heat"}) == [
        ActionCall("climate", "set_hvac_mode", {"hvac_mode": "heat"})
    ]
    with pytest.raises(Refused, match="by a mode"):
        commands(modal, {"power": True})


def test_a_thermostat_that_is_never_off_says_so(thermostat: State) -> None:
    """No switch, no mode for it: it can be turned on and not off."""
    endless = changed(thermostat, supported_features=ClimateEntityFeature.TURN_ON, hvac_modes=["heat"])
    assert commands(endless, {"power": True}) == [ActionCall("climate", "turn_on")]
    with pytest.raises(Refused, match="turned off"):
        commands(endless, {"power": False})


def test_a_thermostat_with_a_range_takes_both_limits() -> None:
    """Home Assistant wants both; the one that was not asked for stays."""
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
    assert commands(state, {"target_temperature_high": 27}) == [
        ActionCall("climate", "set_temperature", {"target_temp_low": 18, "target_temp_high": 27})
    ]
    with pytest.raises(Refused):
        commands(state, {"target_temperature": 21})
    with pytest.raises(Refused, match=r"from 18\.0 down to 17"):
        commands(state, {"target_temperature_high": 17})
    with pytest.raises(Refused, match="not both"):
        commands(
            changed(state, supported_features=ClimateEntityFeature.TARGET_TEMPERATURE | 2),
            {"target_temperature": 20, "target_temperature_high": 27},
        )
    with pytest.raises(Refused, match="both limits"):
        commands(changed(state, target_temp_low=None), {"target_temperature_high": 27})


def test_a_curtain_moves(curtain: State) -> None:
    """Position and open are two views of one movement; closing wins, then the position."""
    assert read(curtain) == {"position": 50, "open": True, "command": None}
    close, move, open_it = (
        ActionCall("cover", "close_cover"),
        ActionCall("cover", "set_cover_position", {"position": 30}),
        ActionCall("cover", "open_cover"),
    )
    assert commands(curtain, {"position": 30}) == [move]
    assert commands(curtain, {"open": True, "position": 30}) == [move]
    assert commands(curtain, {"open": True}) == [open_it]
    assert commands(curtain, {"open": False, "position": 30}) == [close]


@pytest.mark.parametrize(
    ("state", "is_open"), [("open", True), ("opening", True), ("closed", False), ("closing", None)]
)
def test_a_moving_curtain_contradicts_no_command(curtain: State, state: str, is_open: bool | None) -> None:
    """While it closes it is neither what it was nor what it will be."""
    assert read(changed(curtain, state))["open"] is is_open


def test_blinds_tilt() -> None:
    """Tilt is independent of the position."""
    features = CoverEntityFeature.OPEN | CoverEntityFeature.SET_TILT_POSITION
    state = State("cover.blinds", "open", {"supported_features": features, "current_tilt_position": 20})
    assert read(state) == {"open": True, "command": None, "tilt": 20}
    assert commands(state, {"open": True, "tilt": 80}) == [
        ActionCall("cover", "open_cover"),
        ActionCall("cover", "set_cover_tilt_position", {"tilt_position": 80}),
    ]
    with pytest.raises(Refused, match="close"):
        commands(state, {"open": False})


def test_a_position_that_cannot_be_set_is_still_reported(curtain: State) -> None:
    """Some covers know where they are but only open and close."""
    simple = changed(curtain, supported_features=CoverEntityFeature.OPEN | CoverEntityFeature.CLOSE)
    assert read(simple)["position"] == 50
    assert not aspect_of("cover.curtain", "position").controllable(simple)
    with pytest.raises(Refused):
        commands(simple, {"position": 30})


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
def test_what_opens_a_house_is_risky(entity: State, risky: bool) -> None:
    """Only these need the user's word before the cloud may command them."""
    assert DOMAINS[entity.domain].risky(entity) is risky


@pytest.mark.parametrize(
    ("state", "locked"),
    [("locked", True), ("unlocked", False), ("open", False), ("locking", None), ("unlocking", None), ("jammed", None)],
)
def test_a_lock_is_locked_or_not_or_on_its_way(state: str, locked: bool | None) -> None:
    """A jammed lock is neither; its full state says so."""
    lock = State("lock.door", state)
    assert read(lock) == {"locked": locked, "state": state}
    assert commands(lock, {"locked": True}) == [ActionCall("lock", "lock")]
    assert commands(lock, {"locked": False}) == [ActionCall("lock", "unlock")]


@pytest.mark.parametrize("domain", ["number", "input_number"])
def test_a_number_stays_within_its_limits(domain: str) -> None:
    """The entity's own limits decide, before Home Assistant is asked."""
    state = State(f"{domain}.setpoint", "21.5", {"min": 5, "max": 30, "step": 0.5, "unit_of_measurement": "°C"})
    value = aspect_of(state.entity_id, "value")
    assert (value.read(state), value.range(state), value.unit(state)) == (21.5, Range(5, 30, 0.5), "°C")
    assert commands(state, {"value": 30}) == [ActionCall(domain, "set_value", {"value": 30})]
    for too_much in (4.9, 30.1):
        with pytest.raises(Refused, match="from 5") as refused:
            commands(state, {"value": too_much})
        assert refused.value.reason is Reason.OUT_OF_RANGE


@pytest.mark.parametrize("domain", ["select", "input_select"])
def test_a_choice_is_one_of_its_options(domain: str) -> None:
    """An option that isn't there is refused with those that are."""
    state = State(f"{domain}.scene", "day", {"options": ["day", "night"]})
    assert read(state) == {"option": "day", "command": None}
    assert commands(state, {"option": "night"}) == [ActionCall(domain, "select_option", {"option": "night"})]
    with pytest.raises(Refused, match="day, night") as refused:
        commands(state, {"option": "party"})
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
def test_a_sensor_is_what_its_attributes_say(
    state: str, attributes: dict[str, object], kind: Kind, value: Value
) -> None:
    """Exactly one of a sensor's aspects is its own."""
    sensor = State("sensor.something", state, attributes)
    (aspect,) = (aspect for aspect in DOMAINS["sensor"].aspects if aspect.supported(sensor))
    assert (aspect.kind, aspect.read(sensor)) == (kind, value)
    assert not aspect.controllable(sensor)


def test_a_date_is_the_beginning_of_the_local_day() -> None:
    """Sensors may name a day without a time."""
    sensor = State("sensor.bin_day", "2026-11-23", {"device_class": "date"})
    with patch.object(dt_util, "DEFAULT_TIME_ZONE", ZoneInfo("Asia/Shanghai")):
        assert read(sensor) == {"moment": datetime(2026, 11, 22, 16, tzinfo=UTC)}


def test_a_silent_sensor_may_become_anything() -> None:
    """Without a device class, a unit or a state there is no telling, and no binding of it is called wrong."""
    assert read(State("sensor.new", "unavailable")) == {"value": None, "text": None}


@pytest.mark.parametrize("device_class", ["date", "timestamp"])
@pytest.mark.parametrize(
    "state",
    ["soon", "2026-02-30 12:00", "2026-11-23T12:00:00+99:99", "0001-01-01T00:00:00+14:00", "\ud800"],
    ids=ascii,
)
def test_a_date_that_is_none_says_nothing(device_class: str, state: str) -> None:
    """A sensor that promises a time and says something else, or no time there ever was, has no value."""
    assert read(State("sensor.bin_day", state, {"device_class": device_class})) == {"moment": None}


@pytest.mark.parametrize(("device_class", "state"), [("date", "0001-01-01"), ("timestamp", "0001-01-01T00:00:00")])
def test_a_date_before_all_others_says_nothing(device_class: str, state: str) -> None:
    """Some integrations mean "never" by the year 1, which has not begun in UTC when it has in China."""
    sensor = State("sensor.last_seen", state, {"device_class": device_class})
    with patch.object(dt_util, "DEFAULT_TIME_ZONE", ZoneInfo("Asia/Shanghai")):
        assert read(sensor) == {"moment": None}


def test_a_share_goes_from_0_to_100() -> None:
    """Only percentages have limits that go without saying."""
    humidity = State("sensor.humidity", "45", {"device_class": "humidity", "unit_of_measurement": "%"})
    power = State("sensor.power", "45", {"device_class": "power", "unit_of_measurement": "W"})
    assert aspect_of("sensor.humidity", "value").range(humidity) == Range(0, 100)
    assert aspect_of("sensor.power", "value").range(power) is None


def test_a_binary_sensor_only_reports() -> None:
    """There is nothing to command."""
    state = State("binary_sensor.window", "on", {"device_class": "window"})
    assert read(state) == {"state": True}
    with pytest.raises(Refused):
        commands(state, {"state": False})
