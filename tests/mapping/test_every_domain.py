"""Common to all domains: no invented values, no exceptions, and a refusal refuses all values."""

from datetime import UTC, date, datetime, timedelta, timezone

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import Range, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of, domain_of

from .domain_helpers import actions_for


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("unknown", ["unknown", "unavailable"])
def test_unknown_state_has_no_value(domain: str, unknown: str) -> None:
    """Not off, not 0, not empty."""
    state = State(f"{domain}.gone", unknown, {"brightness": 3, "current_position": 3, "temperature": 3})
    silent = [aspect for aspect in DOMAINS[domain].aspects if not (unknown == "unknown" and aspect.always_known)]
    assert {aspect.key: aspect.read(state) for aspect in silent} == dict.fromkeys(aspect.key for aspect in silent)


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


def test_domains_are_found_by_entity() -> None:
    """Entities of other domains can't be mapped: the result is None."""
    assert domain_of("light.lamp") is DOMAINS["light"]
    assert domain_of("camera.door") is None
    assert aspect_of("camera.door", "power") is None
    assert aspect_of("light.lamp", "power").key == "power"
    assert all(domain.name == name for name, domain in DOMAINS.items())
    keys = [[aspect.key for aspect in domain.aspects] for domain in DOMAINS.values()]
    assert all(len(set(names)) == len(names) for names in keys)
