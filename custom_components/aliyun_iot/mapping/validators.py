"""What voluptuous checks the fields of stored data with; each validator raises `vol.Invalid`."""

from collections.abc import Callable
import re
from typing import Any, Final

import voluptuous as vol

from ..alink.model.numeric import to_number, to_whole

RESERVED_IDENTIFIERS: Final = frozenset({"event", "get", "post", "property", "set", "time", "value"})
"""Identifiers that the platform reserves (`docs/protocol.md` §8.3)."""

_IDENTIFIER = re.compile(r"(?:[A-Za-z0-9_]{1,50}:)?(?P<name>[A-Za-z0-9_]{1,50})")


def valid_identifier(value: object) -> str:
    """Validate an identifier, with or without the prefix of its module (`docs/protocol.md` §4.2 and §8.3)."""
    match = _IDENTIFIER.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise vol.Invalid(
            "an identifier has 1 to 50 letters, digits and underscores, after a module and a colon if it is in one"
        )
    if match["name"] in RESERVED_IDENTIFIERS:
        raise vol.Invalid(f"{match['name']} is reserved by the platform")
    return match.string


def finite(value: object) -> float:
    """Validate a finite number, which may be text."""
    number = to_number(value)
    if number is None:
        raise vol.Invalid("expected a finite number")
    return number


def whole(value: object) -> int:
    """Validate an integer, which may be text."""
    number = to_whole(value)
    if number is None:
        raise vol.Invalid("expected an integer")
    return number


def not_zero(value: float) -> float:
    """Validate a scale."""
    if value == 0:
        raise vol.Invalid("a scale of 0 would make every value the same")
    return value


def home_value(value: object) -> str:
    """Validate the left side of an option; YAML reads an unquoted on or off as a bool."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float | str):
        return str(value)
    raise vol.Invalid("expected a value of the entity")


def property_value(value: object) -> int | str:
    """Validate the right side of an option."""
    if isinstance(value, int | str):
        return int(value) if isinstance(value, bool) else value
    raise vol.Invalid("expected an integer or text")


def exactly_one(*names: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a validator for data that have one of several fields and none of the others."""

    def validate(data: dict[str, Any]) -> dict[str, Any]:
        if len(data.keys() & names) != 1:
            raise vol.Invalid(f"expected one of {', '.join(names)}")
        return data

    return validate


AMOUNT: Final = vol.All(finite, vol.Range(min=0))
DIGITS: Final = vol.Any(None, vol.All(whole, vol.Range(min=0, max=9)))
NOT_EMPTY: Final = vol.All(str, vol.Length(min=1))
OPTIONS: Final = vol.Schema({home_value: property_value})
SCALE: Final = vol.All(finite, not_zero)
STEPS: Final = vol.All([dict], vol.Length(min=1))
"""Actions or triggers, of which there has to be one; what is in them is for Home Assistant to check."""
