"""Common to all domains: no invented values, no exceptions, and a refusal refuses all values."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from homeassistant.const import Platform
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping import domains
from custom_components.aliyun_iot.mapping.aspect import Range, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of, domain_of
from custom_components.aliyun_iot.mapping.selection import is_supported
from mapping_table.examples import EXAMPLES

from .domain_helpers import actions_for, changed


@pytest.mark.parametrize("domain", DOMAINS)
def test_unavailable_entity_has_no_value(domain: str) -> None:
    """Whatever attributes it still has."""
    for example in EXAMPLES[domain]:
        unavailable = changed(example, "unavailable")
        assert {aspect.read(unavailable) for aspect in DOMAINS[domain].aspects} == {None}


class Watched(State):
    """A state that records whether it was looked at, apart from its attributes."""

    looked = False

    @property  # type: ignore[override]
    def state(self) -> str:
        """Record the look."""
        self.looked = True
        return self._value

    @state.setter
    def state(self, value: str) -> None:
        self._value = value


@pytest.mark.parametrize("domain", DOMAINS)
def test_unknown_state_leaves_only_attributes(domain: str) -> None:
    """An aspect that is the state or follows from it has no value: not off, not 0, not empty. Any other one is read."""
    for example in EXAMPLES[domain]:
        for aspect in DOMAINS[domain].aspects:
            watched = Watched(example.entity_id, example.state, example.attributes)
            watched.looked = False
            value = aspect.source(watched)
            expected = None if watched.looked else value
            assert aspect.read(changed(example, "unknown")) == expected, aspect.key


@pytest.mark.parametrize("domain", DOMAINS)
def test_command_has_no_value(domain: str) -> None:
    """It leaves nothing to report, and something can be done with it."""
    for example in EXAMPLES[domain]:
        for aspect in DOMAINS[domain].aspects:
            assert aspect.read(example) is None or not aspect.momentary
            assert aspect.writable or not aspect.momentary


DEFAULTS = [
    ("fan", "speed", {"percentage": 0}, {"percentage": 40}, 40),
    ("humidifier", "action", {"action": "off"}, {"action": "drying"}, "drying"),
    ("update", "in_progress", {"in_progress": False}, {"in_progress": True}, True),
    ("water_heater", "away_mode", {"away_mode": "off"}, {"away_mode": "on"}, True),
]


@pytest.mark.parametrize(("domain", "key", "default", "read", "value"), DEFAULTS)
def test_default_of_home_assistant_is_no_value_while_the_state_is_unknown(
    domain: str, key: str, default: dict[str, object], read: dict[str, object], value: Value
) -> None:
    """`FanEntity` has 0 % before it knows a speed, `HumidifierEntity` writes off for what is not known to be on."""
    aspect = aspect_of(f"{domain}.thing", key)
    assert aspect.read(State(f"{domain}.thing", "unknown", default)) is None
    assert aspect.read(State(f"{domain}.thing", "on", default)) is not None
    assert aspect.read(State(f"{domain}.thing", "unknown", read)) == value


ODD: tuple[object, ...] = (
    None,
    "text",
    "",
    -1,
    10**400,
    float("nan"),
    float("inf"),
    True,
    [],
    [None],
    ["a", 3],
    {},
    (1, 2, 3),
    object(),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
    datetime(2026, 11, 23, tzinfo=UTC),
    date(2026, 11, 23),
)


REPORTED = (
    "action",
    "activity_list",
    "available_modes",
    "available_tones",
    "away_mode",
    "current_activity",
    "direction",
    "duration",
    "effect",
    "effect_list",
    "fan_speed",
    "fan_speed_list",
    "finishes_at",
    "hs_color",
    "maximum",
    "minimum",
    "operation_list",
    "oscillating",
    "percentage",
    "percentage_step",
    "preset_mode",
    "remaining",
    "swing_horizontal_mode",
    "swing_horizontal_modes",
    "volume_level",
    "is_volume_muted",
    "source",
    "source_list",
    "sound_mode",
    "sound_mode_list",
    "shuffle",
    "repeat",
    "media_title",
    "media_artist",
    "media_album_name",
    "app_name",
    "mode",
    "pattern",
    "has_date",
    "has_time",
    "timestamp",
    "last_triggered",
    "event_type",
    "event_types",
    "installed_version",
    "latest_version",
    "in_progress",
    "update_percentage",
    "latitude",
    "longitude",
    "gps_accuracy",
    "battery_level",
    "elevation",
    "azimuth",
    "next_rising",
    "next_setting",
    "temperature_unit",
    "apparent_temperature",
    "dew_point",
    "pressure",
    "pressure_unit",
    "wind_speed",
    "wind_speed_unit",
    "wind_gust_speed",
    "wind_bearing",
    "visibility",
    "visibility_unit",
    "cloud_coverage",
    "uv_index",
    "ozone",
    "air_quality_index",
    "all_day",
    "changed_by",
    "end_time",
    "entity_id",
    "in_zones",
    "media_channel",
    "media_duration",
    "message",
    "next_dawn",
    "next_event",
    "particulate_matter_10",
    "rising",
    "start_time",
    "supported_speeds",
)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("odd", ODD)
def test_odd_attributes_never_raise(domain: str, odd: object) -> None:
    """An integration may set an attribute to anything; no reader raises."""
    names = [
        "brightness",
        "color_mode",
        "color_temp_kelvin",
        "min_color_temp_kelvin",
        "max_color_temp_kelvin",
        "rgb_color",
        "supported_color_modes",
        "supported_features",
        "device_class",
        "unit_of_measurement",
        "state_class",
        "options",
        "min",
        "max",
        "step",
        "current_position",
        "current_tilt_position",
        "hvac_modes",
        "hvac_action",
        "temperature",
        "target_temp_low",
        "target_temp_high",
        "current_temperature",
        "current_humidity",
        "humidity",
        "min_temp",
        "max_temp",
        "target_temp_step",
        "fan_mode",
        "fan_modes",
        "preset_modes",
        "swing_modes",
        *REPORTED,
    ]
    state = State(f"{domain}.odd", "on", dict.fromkeys(names, odd))
    for aspect in DOMAINS[domain].aspects:
        value = aspect.read(state)
        assert value is None or aspect.kind.fits(value)
        assert isinstance(aspect.supported(state), bool)
        assert isinstance(aspect.controllable(state), bool)
        assert isinstance(aspect.options(state), tuple)
        assert aspect.range(state) is None or isinstance(aspect.range(state), Range)
        assert aspect.unit(state) is None or isinstance(aspect.unit(state), str)
        assert isinstance(aspect.identifiers_for(state), tuple)
    assert isinstance(DOMAINS[domain].risky(state), bool)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"target_temperature": 40}, Reason.OUT_OF_RANGE),
        ({"target_temperature": "warm"}, Reason.WRONG_TYPE),
        ({"target_temperature": True}, Reason.WRONG_TYPE),
        ({"power": 1}, Reason.WRONG_TYPE),
        ({"mode": 1}, Reason.WRONG_TYPE),
        ({"target_temperature": float("nan")}, Reason.WRONG_TYPE),
        ({"mode": "dry"}, Reason.NOT_AN_OPTION),
        ({"current_temperature": 20}, Reason.NOT_SUPPORTED),
        ({"preset_mode": "eco"}, Reason.NOT_SUPPORTED),
        ({"moon_phase": 1}, Reason.NOT_SUPPORTED),
        ({"target_temperature": 22, "mode": "dry"}, Reason.NOT_AN_OPTION),
    ],
)
def test_one_invalid_value_refuses_all(thermostat: State, values: dict[str, Value], reason: Reason) -> None:
    """So a set is never carried out in part."""
    with pytest.raises(Refused) as refused:
        actions_for(thermostat, values)
    assert refused.value.reason is reason


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("odd", ["", "\ud800", "9" * 400, "99:99", "-1", "nan", "2026-02-30", "0001-01-01"], ids=ascii)
def test_odd_states_never_raise(domain: str, odd: str) -> None:
    """A state may be any text in any domain."""
    state = State(f"{domain}.odd", odd, {"device_class": "date"})
    for aspect in DOMAINS[domain].aspects:
        value = aspect.read(state)
        assert value is None or aspect.kind.fits(value)


def test_no_values_need_no_action(lamp: State) -> None:
    """An empty set doesn't turn anything on."""
    assert actions_for(lamp, {}) == []


def test_every_file_is_listed() -> None:
    """The folder is not scanned at import."""
    assert {path.stem for path in Path(domains.__file__).parent.glob("*.py")} - {"__init__"} == DOMAINS.keys()


LEFT_OUT = {
    "ai_task",
    "camera",
    "conversation",
    "geo_location",
    "image",
    "image_processing",
    "infrared",
    "radio_frequency",
    "stt",
    "tts",
    "wake_word",
}
"""The domains whose entities have nothing that a property could hold (`mapping/domains/__init__.py`)."""


def test_every_domain_of_home_assistant_is_mapped_or_left_out_on_purpose() -> None:
    """A new one of Home Assistant fails here; what is left out is reported by a selection as nothing that can be bound."""
    assert {str(platform) for platform in Platform} - DOMAINS.keys() <= LEFT_OUT
    assert not [name for name in LEFT_OUT if is_supported(State(f"{name}.thing", "on"))]


def test_domains_are_found_by_entity() -> None:
    """Entities of other domains can't be mapped: the result is None."""
    assert domain_of("light.lamp") is DOMAINS["light"]
    assert domain_of("camera.door") is None
    assert aspect_of("camera.door", "power") is None
    assert aspect_of("light.lamp", "power").key == "power"
    assert all(domain.name == name for name, domain in DOMAINS.items())
    keys = [[aspect.key for aspect in domain.aspects] for domain in DOMAINS.values()]
    assert all(len(set(names)) == len(names) for names in keys)
