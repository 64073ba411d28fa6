"""What became of a command, in a form that may be shown: failures, answers, and values cut to a size.

Private values do not get this far (`alink/privacy.py`): `Commander.carry_out` removes them from every answer, `Announcer` from
everything that it announces, and the journal, the states, the logbook and the cloud get nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import json
from typing import Any, Final, Self

from ..alink.codes import CODES, Code, describe
from ..alink.command import Answer
from ..alink.errors import InvalidValue
from ..alink.foreign import CUT, Safe, safe
from ..alink.messages import JsonValue
from ..alink.privacy import Secrets, without_credentials
from ..mapping.aspect import Reason, Refused

MAX_MESSAGE: Final = 200
"""Characters of the error text of an action."""

MAX_SEARCHED: Final = 4096
"""Characters of a longer text that are searched for credentials; fewer are shown."""

_CODES: Final[Mapping[Reason, Code]] = {
    Reason.CONFLICT: Code.PARAMETER_ERROR,
    Reason.NOT_AN_OPTION: Code.OUT_OF_RANGE,
    Reason.NOT_SUPPORTED: Code.READ_ONLY,
    Reason.OUT_OF_RANGE: Code.OUT_OF_RANGE,
    Reason.WRONG_TYPE: Code.TYPE_WRONG,
}

MAX_TEXT: Final = 100
MAX_PARTS: Final = 50
MAX_DEPTH: Final = 4
MAX_BYTES: Final = 4096
"""Limits of a value that is shown: characters of a text, parts of a list or structure, levels, and bytes of it as JSON."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something was not done: a code for the cloud and a message for people, which is safe to show and to send."""

    code: int
    message: str

    def __post_init__(self) -> None:
        """Make the message safe: it may be that of an exception."""
        public = without_credentials(self.message[:MAX_SEARCHED])
        object.__setattr__(self, "message", safe(self.message if public == self.message else public))

    @classmethod
    def of_value(cls, error: InvalidValue | Refused, *, private: bool) -> Self:
        """Return why a value cannot be used; the message about a private value does not repeat it."""
        if isinstance(error, Refused):
            code = _CODES[error.reason]
            return cls(code, describe(code).removesuffix(".") if private else str(error))
        code = Code.TYPE_WRONG if error.wrong_type else Code.OUT_OF_RANGE
        return cls(code, f"{error.path}: wanted {error.wanted('en')}" if private else str(error))

    @classmethod
    def of_action(cls, error: Exception, secrets: Secrets, *, expected: bool) -> Self:
        """Return why an action failed that was given these private values.

        `expected` errors are worded for users. The text of any other exception may contain whatever the code behind it knows,
        such as the address of a device with its password, so only its class is named, and the log has the rest.
        """
        if not expected:
            return cls(Code.ACTION_FAILED, f"unexpected {type(error).__name__}, see the log of Home Assistant")
        return cls(Code.ACTION_FAILED, secrets.withheld(str(error)) or type(error).__name__)


class TooBusy(Exception):  # noqa: N818 - named after the code
    """A command is refused with 429 before anything was done."""

    def __init__(self, message: str, *, overload: bool = True) -> None:
        """Take `overload` for a sign of too many commands, as opposed to what the user asked for."""
        super().__init__(message)
        self.overload = overload


class NotAllowedNow(Exception):  # noqa: N818 - named after what happened
    """An action must not start any more."""

    def __init__(self, failure: Failure) -> None:
        """Say why."""
        super().__init__(failure.message)
        self.failure = failure


DRY_RUN: Final = Failure(Code.DRY_RUN, "dry run: nothing was done")


def is_spoken(code: int) -> bool:
    """Return whether only the message says what is meant by a code: it is that of an action or an automation."""
    return code not in CODES or code in (Code.ACTION_FAILED, Code.INTERNAL_ERROR)


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
    name = safe(name)
    return message if message.startswith((f"{name}:", f"{name}.", f"{name}[")) else f"{name}: {message}"


def shortened(value: Any, budget: int = MAX_BYTES, *, parts: int = MAX_PARTS, text: int = MAX_TEXT) -> Any:
    """Return a value that is short enough for a state or an event: at most about `budget` bytes as JSON.

    Texts are cut, and `CUT` stands for what is left out of a list or a structure. Only the last text may exceed the budget.
    """
    return _Shortener(budget, parts, text).cut(value, 0)


@dataclass(slots=True)
class _Shortener:
    """Cuts one value; `left` are the bytes that are left for it."""

    left: int
    parts: int
    text: int

    def cut(self, value: Any, depth: int) -> Any:
        match value:
            case dict() | list() if depth == MAX_DEPTH or not self.left:
                return CUT
            case dict():
                members: dict[str, Any] = {}
                for key, inner in value.items():
                    if not self.left or len(members) == self.parts:
                        return members | {CUT: CUT}
                    name = self._taken(cut_text(str(key)))
                    members[name] = self.cut(inner, depth + 1)
                return members
            case list():
                items: list[Any] = []
                for inner in value:
                    if not self.left or len(items) == self.parts:
                        return [*items, CUT]
                    items.append(self.cut(inner, depth + 1))
                return items
            case str():
                return self._taken(cut_text(value, min(self.text, max(self.left, len(CUT)))))
            case _:
                return self._taken(value)

    def _taken[T](self, value: T) -> T:
        """Return a value, of which the size is taken from what is left."""
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
        size = len(text.encode(errors="replace"))
        self.left = max(0, self.left - size - 4)
        return value


def cut_text(text: str, most: int = MAX_TEXT) -> Safe:
    """Return a text as one line of at most so many printable characters."""
    return safe(str(text), most)  # also one that was safe already, but longer
