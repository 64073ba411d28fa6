"""Why a value of Home Assistant cannot be sent: it is outside the range, has no item, its template fails, and so on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from ..alink.errors import InvalidValue
from ..alink.i18n import Words, is_chinese
from .aspect import Reason, Refused

MAX_TEXT: Final = 200
"""Characters of a text; the labels of an enum may be much longer."""

_PRIVATE: Final[Mapping[Reason, Words]] = {
    Reason.CONFLICT: ("the value contradicts another one", "值与其他值矛盾"),
    Reason.NOT_AN_OPTION: ("the property has no item for the value", "属性中没有与该值对应的选项"),
    Reason.NOT_SUPPORTED: ("the value cannot be converted", "值无法转换"),
    Reason.OUT_OF_RANGE: ("the value is outside the range of the property", "值超出属性的范围"),
    Reason.WRONG_TYPE: ("the value is of another type than the property", "值的类型与属性不符"),
}
"""What is said about a private value, which the usual text would repeat."""

_HIDDEN: Final[Words] = ("{} (it is private)", "{}（私密，不显示）")


@dataclass(frozen=True, slots=True)
class Unreportable:
    """Why the present value of a property cannot be sent, as a text in both languages."""

    reason: Reason
    text: Words

    @classmethod
    def of(cls, error: Refused | InvalidValue, *, private: bool) -> Self:
        """Return what may be shown of an error; the text about a private value does not contain it."""
        if isinstance(error, Refused):
            reason = error.reason
        else:
            reason = Reason.WRONG_TYPE if error.wrong_type else Reason.OUT_OF_RANGE
        if private:
            english, chinese = (hidden.format(text) for hidden, text in zip(_HIDDEN, _PRIVATE[reason], strict=True))
        else:
            english, chinese = (_line(_described(error, language)) for language in ("en", "zh"))
        return cls(reason, (english, chinese))

    def describe(self, language: str = "en") -> str:
        """Return the text in simplified Chinese for `zh…`, otherwise in English."""
        return self.text[is_chinese(language)]


def _described(error: Refused | InvalidValue, language: str) -> str:
    """Return the text of an error, with the path of a nested value only: whoever shows it names the property."""
    text = error.describe(language)
    if isinstance(error, Refused) or not {".", "["}.isdisjoint(error.path):
        return text
    return text.removeprefix(error.path).lstrip(":： ")


def _line(text: str) -> str:
    """Return a text as one line that is not too long."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"
