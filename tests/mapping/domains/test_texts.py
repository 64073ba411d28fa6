"""Texts: a valid text is set, one of the wrong length or pattern is refused, and passwords are never reported."""

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Reason, Refused
from custom_components.aliyun_iot.mapping.domains import aspect_of

from ..domain_helpers import actions_for, changed, read

DOMAINS = pytest.mark.parametrize("domain", ["text", "input_text"])


def plate(domain: str) -> State:
    """Return a text of two to five capital letters."""
    return State(f"{domain}.plate", "ABC", {"min": 2, "max": 5, "pattern": "[A-Z]+$", "mode": "text"})


@DOMAINS
def test_text_is_reported_and_set(domain: str) -> None:
    """Unchanged."""
    assert read(plate(domain)) == {"text": "ABC"}
    assert actions_for(plate(domain), {"text": "XY"}) == [ActionCall(domain, "set_value", {"value": "XY"})]


@DOMAINS
def test_empty_text_is_a_value(domain: str) -> None:
    """Unlike an unknown one."""
    note = State(f"{domain}.note", "", {"min": 0, "max": 100, "pattern": None, "mode": "text"})
    assert read(note) == {"text": ""}
    assert actions_for(note, {"text": ""}) == [ActionCall(domain, "set_value", {"value": ""})]


@DOMAINS
@pytest.mark.parametrize(
    ("value", "why"), [("A", "2 char"), ("ABCDEF", "5 char"), ("abc", "matches"), ("AB3", "match")]
)
def test_text_of_the_wrong_length_or_pattern_is_refused(domain: str, value: str, why: str) -> None:
    """A text helper would ignore it without an error, and the cloud would get a success."""
    with pytest.raises(Refused, match=why) as refused:
        actions_for(plate(domain), {"text": value})
    assert refused.value.reason is Reason.OUT_OF_RANGE


def test_invalid_pattern_refuses_every_text() -> None:
    """No text can match it."""
    with pytest.raises(Refused, match="invalid pattern"):
        actions_for(changed(plate("text"), pattern="["), {"text": "ABC"})


@DOMAINS
def test_password_is_neither_reported_nor_set(domain: str) -> None:
    """Also by a binding that was made before it became a password."""
    secret = changed(plate(domain), mode="password")
    aspect = aspect_of(secret.entity_id, "text")
    assert not aspect.supported(secret)
    assert aspect.read(secret) is None
    with pytest.raises(Refused):
        actions_for(secret, {"text": "ABC"})
