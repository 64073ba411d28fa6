"""Texts of the demo in its two languages."""

from enum import StrEnum
from typing import NamedTuple


class Language(StrEnum):
    """The languages of the demo, named as in Home Assistant."""

    ENGLISH = "en"
    CHINESE = "zh-Hans"


class Words(NamedTuple):
    """A text in both languages."""

    en: str
    zh: str

    def text(self, language: Language) -> str:
        """Return the text in one language."""
        return self.zh if language is Language.CHINESE else self.en
