"""The aspects of every entity, state and attributes, and bindings without an entity."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from enum import IntFlag, StrEnum
from typing import Any

from homeassistant.core import HomeAssistant, State
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
import pytest

from custom_components.aliyun_iot.mapping.aspect import Kind, Raw
from custom_components.aliyun_iot.mapping.attributes import as_raw
from custom_components.aliyun_iot.mapping.binding import Binding
from custom_components.aliyun_iot.mapping.domains import DOMAINS
from custom_components.aliyun_iot.mapping.generic import (
    NO_ENTITY_STATE,
    RENDERED,
    STATE_ASPECTS,
    aspect_for,
    attribute_aspect,
)

MOWING = State("zone.garden", "3", {"radius": 12.5, "passive": None, "persons": ("person.a", "person.b")})
OUTSIDE = State("weather.home", "sunny", {"temperature": 71, "temperature_unit": "°F"})


class Mode(StrEnum):
    """A mode as some integrations store it."""

    ECO = "eco"


class Feature(IntFlag):
    """Features as integrations store them."""

    FAST = 4


def reads(state: State, source: str) -> Raw:
    """Return the value of an attribute."""
    aspect = aspect_for(Binding("A", state.entity_id, "attribute", source=source), state.entity_id)
    assert aspect
    return aspect.read(state)


def test_entity_of_any_domain_has_a_state_and_attributes() -> None:
    """Also of a domain without a file."""
    state_aspect = aspect_for(Binding("A", "zone.garden", "raw_state"), "zone.garden")
    assert state_aspect
    assert state_aspect.read(MOWING) == "3"
    assert reads(MOWING, "radius") == 12.5
    assert reads(MOWING, "persons") == ["person.a", "person.b"]


def test_missing_attribute_has_no_value() -> None:
    """Nor does None; and the attributes of an unavailable entity are outdated."""
    assert reads(MOWING, "speed") is None
    assert reads(MOWING, "passive") is None
    assert reads(State("zone.garden", "unavailable", {"radius": 1}), "radius") is None
    assert reads(State("scene.movie", "unknown", {"radius": 1}), "radius") == 1
    for unknown in ("unknown", "unavailable"):
        assert STATE_ASPECTS[0].read(State("zone.garden", unknown)) is None


def test_aspects_of_domains_are_found_by_the_same_function() -> None:
    """No domain has an aspect with the key of a generic one."""
    assert aspect_for(Binding("A", "switch.a", "power"), "switch.a") is DOMAINS["switch"].aspect("power")
    assert aspect_for(Binding("A", "zone.a", "power"), "zone.a") is None
    assert aspect_for(Binding("A", "", "template", source="{{ 1 }}"), "") is RENDERED
    generic = {"raw_state", "attribute", "template", "actions"}
    assert not generic & {aspect.key for domain in DOMAINS.values() for aspect in domain.aspects}
    for key in generic:
        aspect = aspect_for(Binding("A", "", key, source="x"), "")
        assert aspect
        assert (aspect.key, aspect.kind) == (key, Kind.RAW)
        assert not aspect.controllable(NO_ENTITY_STATE)


def test_equal_bindings_have_equal_aspects() -> None:
    """A binding that is made again is equal, so its value is not posted again."""
    one, other = (aspect_for(Binding("A", "zone.a", "attribute", source="radius"), "zone.a") for _ in range(2))
    assert one == other


def test_units_and_ranges_come_from_the_state() -> None:
    """The state has the entity's unit, an attribute the unit in the attribute for its unit."""
    state_aspect = STATE_ASPECTS[0]
    level = State("number.level", "5", {"min": 0, "max": 10, "step": 1, "unit_of_measurement": "L"})
    assert state_aspect.unit(level) == "L"
    assert state_aspect.range(level)
    assert state_aspect.range(MOWING) is None
    temperature = aspect_for(Binding("A", "weather.home", "attribute", source="temperature"), "weather.home")
    assert temperature
    assert temperature.unit(OUTSIDE) == "°F"
    assert temperature.unit(MOWING) is None


async def test_attributes_of_home_assistant_have_the_units_that_it_defines(hass: HomeAssistant) -> None:
    """So that they are converted, or refused, like the aspects of the domain."""
    hass.config.units = US_CUSTOMARY_SYSTEM
    found = {
        (entity_id, name): attribute_aspect(name).unit(State(entity_id, "x", attributes))
        for entity_id, name, attributes in (
            ("climate.ac", "current_temperature", {}),
            ("climate.ac", "temperature", {"temperature_unit": "K"}),
            ("climate.ac", "humidity", {}),
            ("water_heater.tank", "target_temp_high", {}),
            ("weather.home", "dew_point", {"temperature_unit": "°C"}),
            ("weather.home", "wind_gust_speed", {}),
            ("sun.sun", "azimuth", {}),
            ("light.lamp", "brightness", {}),
            ("light.lamp", "color_temp_kelvin", {}),
            ("vacuum.robot", "battery_level", {}),
            ("switch.pump", "temperature", {}),
        )
    }
    assert list(found.values()) == ["°F", "K", "%", "°F", "°C", None, "°", None, "K", "%", None]


@pytest.mark.parametrize(
    ("held", "raw"),
    [
        (True, True),
        (7, 7),
        (0.5, 0.5),
        (float("nan"), None),
        ("text", "text"),
        (Mode.ECO, "eco"),
        (Feature.FAST, 4),
        (datetime(2026, 11, 23, 8, tzinfo=UTC), "2026-11-23T08:00:00+00:00"),
        (date(2026, 11, 23), "2026-11-23"),
        (time(8, 30), "08:30:00"),
        ((1, 2), [1, 2]),
        ({"b", "a"}, ["a", "b"]),
        ({1: Mode.ECO, "x": [None]}, {"1": "eco", "x": [None]}),
        (object(), None),
        (b"bytes", None),
    ],
)
def test_attributes_are_converted_to_json(held: object, raw: Raw) -> None:
    """Integrations may set attributes to anything."""
    result: Any = as_raw(held)
    assert result == raw
    assert type(result) is type(raw)
    assert not isinstance(held, Mapping) or result is not held


def test_password_is_never_reported_as_whole_state() -> None:
    """A text in password mode has no value."""
    aspect = aspect_for(Binding("Secret", "text.door", "raw_state"), "text.door")
    assert aspect is not None
    assert aspect.read(State("text.door", "hunter2", {"mode": "password"})) is None
    assert aspect.read(State("text.door", "hello", {"mode": "text"})) == "hello"
