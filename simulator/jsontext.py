"""JSON as the platform reads and writes it.

Python's own reader is kept strict here: the tokens `NaN` and `Infinity` are no JSON, and absurdly deep or long
documents are a syntax error like any other. `10` is read as an int and `10.0` as a float, which is what lets the
thing model insist on a decimal for floats (docs/protocol.md §4.1).
"""

import json
from typing import Never

type JsonValue = bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None


class NotJsonError(ValueError):
    """The text is not JSON."""


def _refuse(token: str) -> Never:
    raise NotJsonError(f"{token} is not JSON")


def parse(text: bytes | str) -> JsonValue:
    """Return the value of a JSON text, UTF-8 if bytes; raise NotJsonError for anything else."""
    try:
        value: JsonValue = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NotJsonError(str(error)) from error
    return value


def dump(value: JsonValue) -> str:
    """Return the compact text of a value, Chinese left readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
