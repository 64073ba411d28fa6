"""Texts of a length and a pattern of their own. What hides its value as a password is never exported.

Lengths and patterns are checked before Home Assistant is asked: a text helper would drop what is too long without a word,
and take what doesn't match its pattern.
"""

from collections.abc import Mapping
import re

from homeassistant.components.text import TextMode
from homeassistant.components.text.const import (
    ATTR_VALUE,
    SERVICE_SET_VALUE,
    TextEntityCapabilityAttribute as Capability,
)
from homeassistant.core import State

from ..aspect import ActionCall, Aspect, Domain, Kind, Reason, Refused, Value
from ..attributes import number, text

TEXT = "text"


def text_domain(name: str) -> Domain:
    """Return a domain whose entities hold one text; `text` and `input_text` differ in their name."""

    def plan(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
        value = str(values[TEXT])
        _require_length(state, value)
        _require_pattern(state, value)
        return [ActionCall(name, SERVICE_SET_VALUE, {ATTR_VALUE: value})]

    content = Aspect(
        key=TEXT,
        kind=Kind.TEXT,
        name_en="Text",
        name_zh="文本",
        source=lambda state: state.state if _is_open(state) else None,
        writable=True,
        supported=_is_open,
    )
    return Domain(name=name, aspects=(content,), plan=plan)


def _is_open(state: State) -> bool:
    return state.attributes.get(Capability.MODE) != TextMode.PASSWORD


def _require_length(state: State, value: str) -> None:
    low, high = (number(state.attributes.get(name)) for name in (Capability.MIN, Capability.MAX))
    if low is not None and len(value) < low:
        raise Refused(Reason.OUT_OF_RANGE, f"{state.entity_id} takes {low:g} characters or more, not {len(value)}")
    if high is not None and len(value) > high:
        raise Refused(Reason.OUT_OF_RANGE, f"{state.entity_id} takes {high:g} characters at most, not {len(value)}")


def _require_pattern(state: State, value: str) -> None:
    pattern = text(state.attributes.get(Capability.PATTERN))
    try:
        fits = pattern is None or re.match(pattern, value)
    except re.PatternError as err:
        raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} has a pattern that is none: {pattern}") from err
    if not fits:
        raise Refused(Reason.OUT_OF_RANGE, f"{state.entity_id} takes what matches {pattern}, which {value!r} does not")


DOMAIN = text_domain("text")
