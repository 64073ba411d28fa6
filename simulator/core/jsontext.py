"""JSON as the platform reads and writes it.

Python's parser is made strict: the tokens `NaN` and `Infinity` are not JSON, and documents that are too deep or too long
are syntax errors like any other. `10` is read as an int and `10.0` as a float, so that the thing model can require a
decimal point for floats (docs/protocol.md §4.1).
"""

import json
from typing import Never

type JsonValue = bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None


class NotJsonError(ValueError):
    """The text is not JSON."""


def _refuse(token: str) -> Never:
    raise NotJsonError(f"{token} is not JSON")


def parse(text: bytes | str) -> JsonValue:
    """Return the value of a JSON text (bytes are UTF-8); raise NotJsonError."""
    try:
        value: JsonValue = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotJsonError(str(error)) from error
    return value


def dump(value: JsonValue) -> str:
    """Return a value as compact JSON, without escaping Chinese."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
