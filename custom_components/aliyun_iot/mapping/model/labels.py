"""Labels of enum items that the platform accepts, for options with any text (`docs/protocol.md` §8.3).

A label is recognisable, and it is a function of the option alone, apart from the fingerprint that keeps two options of one
list apart. So an option is found again by its label whatever the order of the list, and an option that is new in the list
never gets the item of another one.
"""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
import re
from typing import Final

from homeassistant.util import slugify

LABEL_LENGTH: Final = 20
DESCRIPTION_LENGTH: Final = 100

_LABEL = re.compile(rf"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_-]{{0,{LABEL_LENGTH - 1}}}")
_ALLOWED = re.compile(r"[A-Za-z0-9\u4e00-\u9fff_-]+")
_NEGATIVE = re.compile(r"[-−](?=[0-9])")
_FINGERPRINT: Final = 4
_HEAD: Final = 9
_UNNAMED: Final = "option"


def is_legal(label: str) -> bool:
    """Return whether the platform accepts a label."""
    return _LABEL.fullmatch(label) is not None


@lru_cache(maxsize=2048)
def plain_label(option: str) -> str:
    """Return the label of an option: "HDMI 1" is called HDMI-1; of a long one, the beginning and the end are kept."""
    return _shortened(_legal_characters(option), LABEL_LENGTH) or marked_label(option)


@lru_cache(maxsize=2048)
def marked_label(option: str) -> str:
    """Return the label of an option whose plain label is also that of another one: with a fingerprint of the option."""
    fingerprint = sha256(option.encode(errors="surrogatepass")).hexdigest()[:_FINGERPRINT]
    name = _shortened(_legal_characters(option), LABEL_LENGTH - _FINGERPRINT - 1) or _UNNAMED
    return f"{name}_{fingerprint}"


def legal_labels(labels: Mapping[int, str]) -> dict[int, str]:
    """Return legal labels, no two equal, for the items of an enum or a bool, by their keys; legal ones are kept."""
    wished = {key: label if is_legal(label) else plain_label(label) for key, label in labels.items()}
    counts = Counter(wished.values())
    legal: dict[int, str] = {}
    for key, wish in wished.items():
        label = wish if wish == labels[key] or counts[wish] == 1 else marked_label(labels[key])
        while label in legal.values():  # the same option twice, or the same fingerprint by chance
            label = marked_label(f"{key} {label}")
        legal[key] = label
    return legal


def changes_in_words(before: Mapping[int, str], after: Mapping[int, str]) -> str:
    """Return which labels were changed, for the description of a property: as many as it has room for."""
    changed = [f"{label} → {after[key]}" for key, label in before.items() if after[key] != label]
    for count in range(len(changed), 0, -1):
        rest = len(changed) - count
        text = ", ".join(changed[:count]) + (f" (+{rest})" if rest else "")
        if len(text) <= DESCRIPTION_LENGTH:
            return text
    return f"{changed[0][: DESCRIPTION_LENGTH - 1]}…" if changed else ""


def _legal_characters(option: str) -> str:
    signed = _NEGATIVE.sub("minus-", option, count=1) if _NEGATIVE.match(option) else option
    spelled = "".join(map(_spelled, signed))
    return "-".join(part.strip("_-") for part in _ALLOWED.findall(spelled) if part.strip("_-"))


def _spelled(character: str) -> str:
    """Return a character with the Latin letters of other alphabets, and a blank for what has no letters."""
    if _ALLOWED.fullmatch(character):
        return character
    if character == "+":
        return "-plus"
    return " " if (letters := slugify(character)) in ("unknown", "") else letters


def _shortened(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    tail = length - _HEAD - 1
    return f"{text[:_HEAD].rstrip('_-')}_{text[-tail:].lstrip('_-')}"
