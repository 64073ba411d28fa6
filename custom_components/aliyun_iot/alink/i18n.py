"""Phrases in the two languages of this library, English and simplified Chinese."""

from collections.abc import Callable, Iterable

from .foreign import Safe, safe
from .model.numeric import shortest

type Words = tuple[str, str]
"""A phrase in English and in Chinese, which may have named braces as for `str.format`."""


def is_chinese(language: str) -> bool:
    """Return whether texts for this language tag (such as `zh-Hans`) are Chinese; all others are English."""
    return language.lower().startswith("zh")


def phrase(words: Words, language: str, **details: object | Words) -> Safe:
    """Return a phrase in a language, with its braces filled by details, each of which is made safe.

    A detail may be a phrase itself, or a function that returns a text in a language.
    """
    chinese = is_chinese(language)
    filled = {
        key: safe(detail[chinese] if isinstance(detail, tuple) else detail(language) if callable(detail) else detail)
        for key, detail in details.items()
    }
    return Safe(words[chinese].format(**filled))


def enumerated(parts: Iterable[object]) -> Callable[[str], Safe]:
    """Return a detail of a phrase: parts as a list within a sentence."""
    texts = [safe(part) for part in parts]
    return lambda language: Safe(("、" if is_chinese(language) else ", ").join(texts))


def labelled(thing: object, label: str, language: str) -> Safe:
    """Return `thing` with its label in brackets, such as `1 (on)`."""
    if not label:
        return safe(thing)
    return Safe(f"{safe(thing)}（{safe(label)}）" if is_chinese(language) else f"{safe(thing)} ({safe(label)})")


def number_in_words(
    names: Words, bounds: tuple[float | None, float | None], step: float | None, unit: str, language: str
) -> str:
    """Return a description of a number such as `integer 0 to 100 %, step 1`; `names` is the name of its type."""
    chinese = is_chinese(language)
    low, high = ("" if bound is None else shortest(bound) for bound in bounds)
    joint = " "
    if low and high:
        words = f" {low} 到 {high}" if chinese else f" {low} to {high}"
    elif low:
        words = f"，不小于 {low}" if chinese else f" from {low}"
    elif high:
        words = f"，不大于 {high}" if chinese else f" up to {high}"
    else:
        words, joint = "", "，单位 " if chinese else " in "
    if unit:
        words += f"{joint}{unit}"
    if step is not None:
        words += f"，步长 {shortest(step)}" if chinese else f", step {shortest(step)}"
    return names[chinese] + words
