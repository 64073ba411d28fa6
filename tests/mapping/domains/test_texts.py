"""Texts: what fits is set, what is too long or of another form is refused, and passwords stay at home."""

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Reason, Refused
from custom_components.aliyun_iot.mapping.domains import aspect_of

from ..asking import changed, commands, read

DOMAINS = pytest.mark.parametrize("domain", ["text", "input_text"])


def plate(domain: str) -> State:
    """Return a text of two to five capital letters."""
    return State(f"{domain}.plate", "ABC", {"min": 2, "max": 5, "pattern": "[A-Z]+$", "mode": "text"})


@DOMAINS
def test_a_text_is_said_and_set(domain: str) -> None:
    """As it is."""
    assert read(plate(domain)) == {"text": "ABC"}
    assert commands(plate(domain), {"text": "XY"}) == [ActionCall(domain, "set_value", {"value": "XY"})]


@DOMAINS
def test_an_empty_text_is_a_text(domain: str) -> None:
    """Nothing written is something to say, unlike nothing known."""
    note = State(f"{domain}.note", "", {"min": 0, "max": 100, "pattern": None, "mode": "text"})
    assert read(note) == {"text": ""}
    assert commands(note, {"text": ""}) == [ActionCall(domain, "set_value", {"value": ""})]


@DOMAINS
@pytest.mark.parametrize(
    ("value", "why"), [("A", "2 char"), ("ABCDEF", "5 char"), ("abc", "matches"), ("AB3", "match")]
)
def test_a_text_that_does_not_fit_is_refused(domain: str, value: str, why: str) -> None:
    """A text helper would drop or break in silence, and the cloud would believe that it was set."""
    with pytest.raises(Refused, match=why) as refused:
        commands(plate(domain), {"text": value})
    assert refused.value.reason is Reason.OUT_OF_RANGE


def test_a_broken_pattern_refuses_everything() -> None:
    """No text can match what is no pattern."""
    with pytest.raises(Refused, match="invalid pattern"):
        commands(changed(plate("text"), pattern="["), {"text": "ABC"})


@DOMAINS
def test_a_password_stays_at_home(domain: str) -> None:
    """Neither said nor set, not even by a binding that was made before it became a password."""
    secret = changed(plate(domain), mode="password")
    aspect = aspect_of(secret.entity_id, "text")
    assert not aspect.supported(secret)
    assert aspect.read(secret) is None
    with pytest.raises(Refused):
        commands(secret, {"text": "ABC"})
