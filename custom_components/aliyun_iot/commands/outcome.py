"""What became of a command, in a form that may be shown: failures, answers, and values without what is private in them.

The event bus, states, the logbook and diagnostics are read by many people and kept for days, and the cloud may log what a
device answers. So private values are masked here, before anything is shown, stored or sent. A value is private if the name of
its property, parameter or member says so. Only the triggers of automations and the actions that the user bound get private
values: they need them to act.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import re
from textwrap import shorten
from typing import Any, Final, Self

from ..alink.codes import Code, describe
from ..alink.command import Answer
from ..alink.errors import InvalidValue
from ..alink.messages import JsonValue
from ..mapping.aspect import Reason, Refused

MAX_MESSAGE: Final = 200
"""Characters of the error text of an action."""

_CODES: Final[Mapping[Reason, Code]] = {
    Reason.CONFLICT: Code.PARAMETER_ERROR,
    Reason.NOT_AN_OPTION: Code.OUT_OF_RANGE,
    Reason.NOT_SUPPORTED: Code.READ_ONLY,
    Reason.OUT_OF_RANGE: Code.OUT_OF_RANGE,
    Reason.WRONG_TYPE: Code.TYPE_WRONG,
}

HIDDEN: Final = "**"

MAX_TEXT: Final = 100
MAX_PARTS: Final = 50
MAX_DEPTH: Final = 4

_PRIVATE = re.compile(
    r"(?i:passw(or)?d|passcode|passphrase|secret|token|credential)|PIN"
    r"|Pin(?:Code)?(?![A-Za-z0-9])|(?<![A-Za-z0-9])(?i:pin)(?![A-Za-z0-9])|(?<![A-Za-z0-9])(?i:pincode)"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something was not done: a code for the cloud and a message for people, which contains no private value."""

    code: int
    message: str

    @classmethod
    def of_value(cls, error: InvalidValue | Refused, *, private: bool) -> Self:
        """Return why a value cannot be used; the message about a private value does not repeat it."""
        if isinstance(error, Refused):
            code = _CODES[error.reason]
            return cls(code, describe(code).removesuffix(".") if private else str(error))
        code = Code.TYPE_WRONG if error.wrong_type else Code.OUT_OF_RANGE
        return cls(code, f"{error.path}: wanted {error.wanted('en')}" if private else str(error))

    @classmethod
    def of_action(cls, error: Exception, values: Mapping[str, object], *, expected: bool) -> Self:
        """Return why an action failed; `values` (by name) are what it was given, `expected` errors speak for themselves."""
        text = withheld(str(error), values)
        message = text if expected else f"{type(error).__name__}: {text}"
        return cls(Code.ACTION_FAILED, message[:MAX_MESSAGE] or type(error).__name__)


DRY_RUN: Final = Failure(Code.DRY_RUN, "dry run: nothing was done")


def answer_of(failures: Mapping[str, Failure], data: dict[str, JsonValue] | None = None) -> Answer:
    """Return the answer to a command: the first failure decides the code, and `data` names everything that failed.

    `failures` are by identifier. Without failures the answer is a success with `data`.
    """
    if not failures:
        return Answer(data=data or {})
    first = next(iter(failures.values()))
    message = "; ".join(_sentence(name, failure.message) for name, failure in failures.items())
    return Answer(first.code, {name: failure.message for name, failure in failures.items()}, message)


def _sentence(name: str, message: str) -> str:
    """Return a message with the name in front, unless it begins with a path, as in `RGBColor.Red: …`."""
    return message if message.startswith((f"{name}:", f"{name}.", f"{name}[")) else f"{name}: {message}"


def is_private(name: str, value: object = None) -> bool:
    """Return whether a value is private, or a member of it; `name` is its identifier or its path."""
    return bool(masked(name, value) != value)


def masked(name: str, value: Any) -> Any:
    """Return a value without what is private in it."""
    if _PRIVATE.search(name):
        return HIDDEN
    match value:
        case dict():
            return {key: masked(str(key), inner) for key, inner in value.items()}
        case list():
            return [masked("", inner) for inner in value]
        case _:
            return value


def shortened(value: Any, depth: int = 0) -> Any:
    """Return a value that is short enough for a state or a line of the logbook."""
    match value:
        case str() if len(value) > MAX_TEXT:
            return shorten(value, MAX_TEXT, placeholder="…")
        case dict() | list() if depth == MAX_DEPTH:
            return "…"
        case dict():
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
        case dict():
            for key, inner in value.items():
                yield from _private_texts(str(key), inner, inside=private)
        case list() | tuple():
            for inner in value:
                yield from _private_texts("", inner, inside=private)
        case None | bool() | "":
            return
        case _ if private:
            yield from (str(value), repr(value).strip("'\""))
