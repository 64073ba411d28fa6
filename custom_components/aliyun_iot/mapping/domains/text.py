"""Texts, with the entity's length and pattern. A text that is a password is never reported.

Length and pattern are checked here, because a text helper ignores text that is too long without an error, and accepts
text that doesn't match its pattern.
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
    """Return a domain whose entities hold one text; `text` and `input_text` differ only in their name."""

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
        source=lambda state: state.state if _is_plain(state) else None,
        writable=True,
        supported=_is_plain,
    )
    return Domain(name=name, aspects=(content,), plan=plan)


def _is_plain(state: State) -> bool:
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
        raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} has an invalid pattern: {pattern}") from err
    if not fits:
        raise Refused(Reason.OUT_OF_RANGE, f"{state.entity_id} takes text that matches {pattern}, not {value!r}")


DOMAIN = text_domain("text")
