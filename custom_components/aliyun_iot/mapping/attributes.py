"""Read the attributes of a state without trusting them.

Attributes come from any integration, also from custom ones and templates: a number may be text, a list may be None.
Nothing here raises; an attribute of the wrong type reads as None or empty.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, IntFlag
from math import isfinite

from homeassistant.const import (
    ATTR_DEVICE_CLASS,
    ATTR_SUPPORTED_FEATURES,
    ATTR_UNIT_OF_MEASUREMENT,
    PERCENTAGE,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    UnitOfTime,
)
from homeassistant.core import State, async_get_hass_or_none
from homeassistant.util import dt as dt_util

from ..alink.model.numeric import to_number
from .aspect import FromAttributes, Range, Raw

PERCENT_RANGE = Range(0, 100, 1)
COUNT_RANGE = Range(0, 2**31 - 1, 1)
"""Whole numbers up to the largest one of an int property."""
SECONDS_RANGE = COUNT_RANGE
"""Durations in whole seconds: up to 68 years."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = 1e8
_MILLISECONDS = 1e11
"""The smallest numbers that are taken for seconds and for milliseconds since 1970."""


number = to_number
"""Numbers in states and attributes are read as those on the wire."""


def text(raw: object) -> str | None:
    """Return text that isn't empty."""
    return str(raw) if isinstance(raw, str) and raw else None


def moment(raw: str) -> datetime | None:
    """Return the time in UTC from ISO 8601 text, local time if it has no zone; None if the text is no time."""
    if not raw.isascii():  # a lone surrogate crashes the parser, and Home Assistant with it
        return None
    try:
        parsed = dt_util.parse_datetime(raw)
        return dt_util.as_utc(parsed) if parsed else None
    except ValueError, OverflowError:  # 30 February, or the year 1 east of Greenwich
        return None


def any_moment(raw: object) -> datetime | None:
    """Return the time in UTC from ISO 8601 text, or from a number since 1970 (also as text); None for anything else.

    Home Assistant counts seconds, the platform milliseconds. Both mean the same time for no number, so the size tells them
    apart: up to 10 digits are seconds, 12 and more are milliseconds. Both ranges begin in March 1973. A smaller number may be
    either and is none, except for 0.
    """
    if isinstance(raw, str) and (named := moment(raw)):
        return named
    amount = number(raw)
    if amount is None or not (amount == 0 or _SECONDS <= abs(amount) < 100 * _SECONDS or abs(amount) >= _MILLISECONDS):
        return None
    milliseconds = amount if abs(amount) >= _MILLISECONDS else amount * 1000
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:  # the year 10000
        return None


def day(raw: str) -> datetime | None:
    """Return the beginning of a local day in UTC from an ISO 8601 date; None if the text is no date."""
    parsed = dt_util.parse_date(raw) if raw.isascii() else None
    return moment(parsed.isoformat()) if parsed else None


def texts(raw: object) -> tuple[str, ...]:
    """Return the texts of a list, set or tuple, each once; those of a set, which has no order of its own, sorted."""
    if not isinstance(raw, list | tuple | set | frozenset):
        return ()
    found = dict.fromkeys(str(item) for item in raw if isinstance(item, str))
    return tuple(sorted(found) if isinstance(raw, set | frozenset) else found)


def as_raw(value: object) -> Raw:
    """Return a value as JSON can hold it: times as ISO 8601, sets and tuples as lists; None if JSON can't hold it."""
    match value:
        case Enum():
            return as_raw(value.value)
        case float():
            return value if isfinite(value) else None
        case bool() | int():
            return value
        case str():
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {str(key): as_raw(item) for key, item in value.items()}
        case list() | tuple():
            return [as_raw(item) for item in value]
        case set() | frozenset():
            return [as_raw(item) for item in sorted(value, key=str)]
        case _:
            return None


def number_of(name: str) -> FromAttributes[float | None]:
    """Return a reader of a numeric attribute."""
    return FromAttributes(lambda state: number(state.attributes.get(name)))


def flag_of(name: str) -> FromAttributes[bool | None]:
    """Return a reader of an attribute that is true or false."""

    def read(state: State) -> bool | None:
        raw = state.attributes.get(name)
        return raw if isinstance(raw, bool) else None

    return FromAttributes(read)


def text_of(name: str) -> FromAttributes[str | None]:
    """Return a reader of a text attribute."""
    return FromAttributes(lambda state: text(state.attributes.get(name)))


def texts_of(name: str) -> Callable[[State], tuple[str, ...]]:
    """Return a reader of an attribute that lists texts."""
    return lambda state: texts(state.attributes.get(name))


def moment_of(name: str) -> FromAttributes[datetime | None]:
    """Return a reader of an attribute that is a time or ISO 8601 text."""

    def read(state: State) -> datetime | None:
        raw = state.attributes.get(name)
        return moment(raw.isoformat() if isinstance(raw, datetime) else text(raw) or "")

    return FromAttributes(read)


def unless_default[T](read: FromAttributes[T | None], default: T) -> FromAttributes[T | None]:
    """Return a reader that ignores a default while the state is unknown.

    Some attributes are never None: Home Assistant writes the default, such as off or 0, before it has any value.
    """

    def trusted(state: State) -> T | None:
        value = read(state)
        return None if value == default and state.state == STATE_UNKNOWN else value

    return FromAttributes(trusted)


def range_of(minimum: str, maximum: str, step: str) -> Callable[[State], Range | None]:
    """Return a reader of the three attributes that limit a number."""

    def read(state: State) -> Range | None:
        limits = Range(*(number(state.attributes.get(name)) for name in (minimum, maximum, step)))
        return None if limits.min is None and limits.max is None else limits

    return read


def fixed_range(limits: Range) -> Callable[[State], Range | None]:
    """Return a reader of fixed limits, for values whose limits are in no attribute."""
    return lambda _: limits


def has_attribute(name: str) -> Callable[[State], bool]:
    """Return a test for an attribute, whatever its value; an unavailable entity, which has no attributes, passes it."""
    return lambda state: name in state.attributes or state.state == STATE_UNAVAILABLE


def has_feature(feature: IntFlag) -> Callable[[State], bool]:
    """Return a test for any of the features in the entity's `supported_features`."""

    def test(state: State) -> bool:
        features = state.attributes.get(ATTR_SUPPORTED_FEATURES)
        return isinstance(features, int) and bool(features & feature)

    return test


def device_class(state: State) -> str | None:
    """Return the device class of the entity."""
    return text(state.attributes.get(ATTR_DEVICE_CLASS))


def own_unit(state: State) -> str | None:
    """Return the entity's unit of measurement."""
    unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
    return unit if isinstance(unit, str) and unit else None


def percent(_: State) -> str | None:
    """Return the percent sign."""
    return PERCENTAGE


def seconds(_: State) -> str | None:
    """Return the unit of durations."""
    return UnitOfTime.SECONDS


def system_temperature_unit(_: State) -> str | None:
    """Return the unit of climate temperatures, which is in no attribute; None outside the event loop.

    Climate entities show temperatures in the unit of the installation (`show_temp` in Home Assistant's `climate`).
    """
    hass = async_get_hass_or_none()
    return hass.config.units.temperature_unit if hass else None
