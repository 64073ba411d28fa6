"""Lists of many things, cut after the first: a whole house may have the same problem."""

from collections.abc import Sequence
from typing import Final

from .alink.foreign import Safe, safe
from .alink.i18n import is_chinese

MAX_LOGGED: Final = 5
"""Things in one line of the log."""


def first_of(texts: Sequence[str], most: int, language: str = "en", *, hidden: int = 0) -> list[str]:
    """Return the first texts and, in place of the others, how many they are, including `hidden` ones that are not given."""
    if not (others := len(texts[most:]) + hidden):
        return list(texts)
    return [*texts[:most], f"另外 {others} 项" if is_chinese(language) else f"and {others} more"]


def some_of(texts: Sequence[str]) -> Safe:
    """Return texts joined for a line of the log."""
    return Safe(", ".join(safe(text) for text in first_of(texts, MAX_LOGGED)))
