"""Why the cloud refuses a value, in words."""

from collections.abc import Mapping
import re
from typing import Final

from ..alink.codes import CODES, describe
from ..alink.i18n import Words, is_chinese, labelled

_PROPERTY_MISSING: Final = 6320

_REASON: Final = re.compile(
    r"tsl parse: (?:(?P<missing>params not exist)|data type is not (?P<type>\w+)|(?P<of_value>[0-9]+)\b)|(?P<code>[0-9]+)\b"
)
"""The beginning of reasons for which there is a text (docs/protocol.md §4.1 and §7.2)."""

_TYPE_CODES: Final[Mapping[str, int]] = {
    "int": 6306,
    "float": 6307,
    "bool": 6308,
    "enum": 6309,
    "text": 6310,
    "date": 6311,
    "struct": 6312,
    "double": 6322,
    "array": 6324,
}
"""The codes for values that do not have a data type."""

_OTHER_REASON: Final[Words] = ("The cloud does not accept the value", "云端不接受该值")


def refusal_text(reason: str, language: str) -> str:
    """Return the meaning of a reason, followed by the reason itself, which the console and the log show."""
    code = _code_of(reason)
    meaning = describe(code, language).rstrip(".。") if code in CODES else _OTHER_REASON[is_chinese(language)]
    return labelled(meaning, reason, language)


def _code_of(reason: str) -> int:
    """Return the code that a reason stands for, 0 if it is not known."""
    match = _REASON.match(reason)
    if match is None:
        return 0
    if match["missing"]:
        return _PROPERTY_MISSING
    return _TYPE_CODES.get(match["type"], 0) if match["type"] else int(match["of_value"] or match["code"])
