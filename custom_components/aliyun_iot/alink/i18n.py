"""Phrases in the two languages of this library: English, and simplified Chinese."""

from .model.numeric import shortest

type Words = tuple[str, str]
"""The same in English and in Chinese, perhaps with named braces to be filled."""


def is_chinese(language: str) -> bool:
    """Tell whether texts for this language tag (such as `zh-Hans`) are Chinese; all others are English."""
    return language.lower().startswith("zh")


def phrase(words: Words, language: str, **details: object | Words) -> str:
    """Return words in a language, with the details in their braces, which may be words themselves."""
    chinese = is_chinese(language)
    said = {key: detail[chinese] if isinstance(detail, tuple) else detail for key, detail in details.items()}
    return words[chinese].format(**said)


def labelled(thing: object, label: str, language: str) -> str:
    """Return a thing with its label in brackets: `1 (on)`."""
    if not label:
        return str(thing)
    return f"{thing}（{label}）" if is_chinese(language) else f"{thing} ({label})"


def number_in_words(
    names: Words, bounds: tuple[float | None, float | None], step: float | None, unit: str, language: str
) -> str:
    """Return a phrase such as `integer 0 to 100 %, step 1`; `names` call the type in English and in Chinese."""
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
