"""The table of codes."""

import re

import pytest

from custom_components.aliyun_iot.alink.codes import CODES, Code, describe

# The codes in docs/protocol.md §7.2.
CLOUD_CODES = [
    *(200, 400, 401, 403, 404, 427, 428, 429, 460, 500, 520, 521, 522),
    *(5005, 5159, 5160, 5161, 5244),
    *(6100, 6104, 6106, 6107, 6200, 6201, 6202, 6203, 6204, 6207, 6208, 6209, 6250, 6280, 6287, 6288, 6289, 6292),
    *range(6300, 6315),
    *(6316, 6317, 6318, 6320, 6321, 6322, 6323, 6324, 6325, 6326, 6328, 6329),
    *(6356, 6357, 6400, 6401, 6402, 6450, 6600, 6619, 6661, 6710, 6713, 6717, 6718, 6760, 6813, 9112, 9201),
    *(26001, 26002, 26006, 26007, 26010),
]


def test_table_has_exactly_the_known_codes() -> None:
    """Those that the platform documents and those that this device returns."""
    assert sorted(CODES) == sorted({*CLOUD_CODES, *Code})


def test_codes_of_the_device_are_in_the_ranges_of_the_platform() -> None:
    """A device may return 200, 400, 429, 460 and codes between 100000 and 110000."""
    assert {code for code in Code if code < 100000} == {200, 400, 429, 460}
    assert all(100000 <= code <= 110000 for code in Code if code > 460)


def test_texts_are_sentences() -> None:
    """Every code has a sentence in each language."""
    english = {code: describe(code) for code in CODES}
    chinese = {code: describe(code, "zh-Hans") for code in CODES}

    assert [text for text in english.values() if not (text.endswith(".") and text.isascii())] == []
    assert [text for text in chinese.values() if not (text.endswith("。") and re.search("[一-鿿]", text))] == []


def test_meanings_are_unique_keys() -> None:
    """A meaning identifies its code, and has the form of a translation key."""
    meanings = [text.meaning for text in CODES.values()]

    assert len(set(meanings)) == len(meanings)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", meaning) for meaning in meanings)


@pytest.mark.parametrize(("language", "expected"), [("en", "12345"), ("zh", "未知"), ("de", "unknown code")])
def test_unknown_code_has_a_description(language: str, expected: str) -> None:
    """The platform may have codes that are not documented."""
    assert expected in describe(12345, language)
