"""Lists that are cut say how much is left out, everywhere in the same words."""

from pathlib import Path
import re

import pytest

from custom_components.aliyun_iot import const
from custom_components.aliyun_iot.health.issues import MAX_LISTED, listed
from custom_components.aliyun_iot.log_text import first_of, some_of

from .walk import translations


@pytest.mark.parametrize(("language", "more"), [("en", "and 178 more"), ("zh-Hans", "另外 178 项")])
def test_what_is_left_out_is_counted(language: str, more: str) -> None:
    """Also when some things are not even given."""
    names = [str(number) for number in range(188)]
    assert first_of(names, 10, language) == [*names[:10], more]
    assert first_of(names[:20], 10, language, hidden=168) == [*names[:10], more]
    assert first_of(names[:10], 10, language) == names[:10]
    assert listed(names, language).splitlines()[MAX_LISTED:] == [f"- {more}"]


def test_line_of_the_log() -> None:
    """It is in English."""
    assert some_of(list("abcdefg")) == "a, b, c, d, e, and 2 more"


def test_there_is_one_way_to_count_the_rest() -> None:
    """No other text says how many more there are, and no list ends with dots."""
    for language in ("en", "zh-Hans"):
        assert not re.search(r"\{\w+\} more|还有 \{|另外 \{", str(translations(language)))
    sources = Path(const.__file__).parent.rglob("*.py")
    ways = [
        path.name for path in sources if re.search(r"\} more\b|\", …\"|\[\"…\"\]", path.read_text(encoding="utf-8"))
    ]
    assert ways == ["log_text.py"]
