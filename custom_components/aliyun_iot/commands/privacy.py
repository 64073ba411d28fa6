"""Private values: masked before anything about a command is shown, stored or sent.

The event bus, states, the logbook and diagnostics are read by many people and kept for days, and the cloud may log what a
device answers. A value is private if the name of its property, parameter or member says so. Only the triggers of automations
and the actions that the user bound get private values: they need them to act.
"""

from collections.abc import Iterator, Mapping
import re
from textwrap import shorten
from typing import Any, Final

HIDDEN: Final = "**"

MAX_TEXT: Final = 100
MAX_PARTS: Final = 50
MAX_DEPTH: Final = 4

_PRIVATE = re.compile(
    r"(?i:passw(or)?d|passcode|passphrase|secret|token|credential)|PIN"
    r"|Pin(?:Code)?(?![A-Za-z0-9])|(?<![A-Za-z0-9])(?i:pin)(?![A-Za-z0-9])|(?<![A-Za-z0-9])(?i:pincode)"
)


def is_private(name: str, value: object = None) -> bool:
    """Return whether a value is private, or a member of it; `name` is its identifier or its path."""
    if _PRIVATE.search(name):
        return True
    match value:
        case Mapping():
            return any(is_private(str(key), inner) for key, inner in value.items())
        case list():
            return any(is_private("", inner) for inner in value)
        case _:
            return False


def masked(name: str, value: Any) -> Any:
    """Return a value without what is private in it."""
    if _PRIVATE.search(name):
        return HIDDEN
    match value:
        case Mapping():
            return {key: masked(str(key), inner) for key, inner in value.items()}
        case list():
            return [masked("", inner) for inner in value]
        case _:
            return value


def shortened(value: Any, depth: int = 0) -> Any:
    """Return a value that is short enough for a state or a line of the logbook."""
    match value:
        case str():
            return shorten(value, MAX_TEXT, placeholder="…")
        case Mapping() | list() if depth == MAX_DEPTH:
            return "…"
        case Mapping():
            return {key: shortened(inner, depth + 1) for key, inner in list(value.items())[:MAX_PARTS]}
        case list():
            return [shortened(inner, depth + 1) for inner in value[:MAX_PARTS]]
        case _:
            return value


def shown(name: str, value: Any) -> Any:
    """Return a value masked and shortened."""
    return shortened(masked(name, value))


def withheld(text: str, values: Mapping[str, object]) -> str:
    """Return an error text, or a sentence in its place if it contains one of `values` (by name) that is private."""
    if any(part in text for name, value in values.items() for part in _private_texts(name, value)):
        return "the error text is withheld, because it contains a private value"
    return text


def _private_texts(name: str, value: object, *, inside: bool = False) -> Iterator[str]:
    """Yield the private parts of a value as texts, also as `repr` writes them."""
    private = inside or bool(_PRIVATE.search(name))
    match value:
        case Mapping():
            for key, inner in value.items():
                yield from _private_texts(str(key), inner, inside=private)
        case list() | tuple():
            for inner in value:
                yield from _private_texts("", inner, inside=private)
        case None | bool() | "":
            return
        case _ if private:
            yield from (str(value), repr(value).strip("'\""))
