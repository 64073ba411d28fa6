"""Why something was not done, in one form for every part of the commander."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from ..alink.codes import Code, describe
from ..alink.command import Answer
from ..alink.errors import InvalidValue
from ..alink.messages import JsonValue
from ..mapping.aspect import Reason, Refused
from .privacy import withheld

MAX_MESSAGE: Final = 200
"""Characters of the error text of an action."""

_CODES: Final[Mapping[Reason, Code]] = {
    Reason.CONFLICT: Code.PARAMETER_ERROR,
    Reason.NOT_AN_OPTION: Code.OUT_OF_RANGE,
    Reason.NOT_SUPPORTED: Code.READ_ONLY,
    Reason.OUT_OF_RANGE: Code.OUT_OF_RANGE,
    Reason.WRONG_TYPE: Code.TYPE_WRONG,
}


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

    def answer(self) -> Answer:
        """Return the answer to a command that failed as a whole."""
        return Answer(self.code, message=self.message)


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
