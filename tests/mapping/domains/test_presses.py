"""Presses: never true for longer than the touch, and a reset is no mistake."""

from datetime import UTC, datetime

from homeassistant.components.update import UpdateEntityFeature
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Refused
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of

from ..asking import commands, read

WHEN = datetime(2026, 11, 23, 8, tzinfo=UTC)
THINGS = pytest.mark.parametrize(
    ("domain", "press", "last", "action"),
    [
        ("button", "press", "last_pressed", "press"),
        ("input_button", "press", "last_pressed", "press"),
        ("scene", "activate", "last_activated", "turn_on"),
    ],
)


@THINGS
def test_a_press_is_one_action(domain: str, press: str, last: str, action: str) -> None:
    """The state is when it was, and the property is no again."""
    thing = State(f"{domain}.thing", WHEN.isoformat())
    assert read(thing) == {press: False, last: WHEN}
    assert commands(thing, {press: True}) == [ActionCall(domain, action)]


@THINGS
def test_to_reset_a_press_does_nothing(domain: str, press: str, last: str, action: str) -> None:
    """Applications put a momentary property back; that is no reason to press again, nor to complain."""
    assert commands(State(f"{domain}.thing", WHEN.isoformat()), {press: False}) == []


@THINGS
def test_what_was_never_pressed_is_not_pressed(domain: str, press: str, last: str, action: str) -> None:
    """Its state is unknown, and still this much is known; of one that is unavailable nothing is."""
    assert read(State(f"{domain}.thing", "unknown")) == {press: False, last: None}
    assert read(State(f"{domain}.thing", "unavailable")) == {press: None, last: None}
    assert commands(State(f"{domain}.thing", "unknown"), {press: True}) == [ActionCall(domain, action)]


@pytest.mark.parametrize(
    ("device_class", "risky"), [("restart", True), ("update", True), ("identify", False), (None, False)]
)
def test_a_button_that_restarts_something_is_risky(device_class: str | None, risky: bool) -> None:
    """Not every touch is harmless."""
    assert DOMAINS["button"].risky(State("button.router", "unknown", {"device_class": device_class})) is risky


def test_an_update_says_what_there_is_and_installs() -> None:
    """Both versions, how far it is, and one press for it."""
    attributes = {
        "supported_features": UpdateEntityFeature.INSTALL | UpdateEntityFeature.PROGRESS,
        "installed_version": "1.0",
        "latest_version": "1.1",
        "in_progress": True,
        "update_percentage": 40,
    }
    update = State("update.router", "on", attributes)
    assert read(update) == {
        "available": True,
        "installed_version": "1.0",
        "latest_version": "1.1",
        "in_progress": True,
        "progress": 40,
        "install": False,
    }
    assert commands(update, {"install": True}) == [ActionCall("update", "install")]
    assert DOMAINS["update"].risky(update)


def test_an_update_that_cannot_be_installed_is_only_told() -> None:
    """Some devices only say that there is something new."""
    update = State("update.router", "on", {"supported_features": 0, "installed_version": "1.0"})
    assert not aspect_of(update.entity_id, "install").supported(update)
    assert "progress" not in read(update)
    with pytest.raises(Refused):
        commands(update, {"install": True})
