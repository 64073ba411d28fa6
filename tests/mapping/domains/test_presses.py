"""Presses: the value is always false, and setting it to false is no error."""

from datetime import UTC, datetime

from homeassistant.components.update import UpdateEntityFeature
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Refused
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of

from ..domain_helpers import actions_for, read

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
def test_press_is_one_action(domain: str, press: str, last: str, action: str) -> None:
    """The state becomes the time of the press, and the property stays false."""
    thing = State(f"{domain}.thing", WHEN.isoformat())
    assert read(thing) == {press: False, last: WHEN}
    assert actions_for(thing, {press: True}) == [ActionCall(domain, action)]


@THINGS
def test_setting_a_press_to_false_does_nothing(domain: str, press: str, last: str, action: str) -> None:
    """Applications reset momentary properties, which must neither press again nor fail."""
    assert actions_for(State(f"{domain}.thing", WHEN.isoformat()), {press: False}) == []


@THINGS
def test_entity_that_was_never_pressed_has_the_value_false(domain: str, press: str, last: str, action: str) -> None:
    """Although its state is unknown; an unavailable entity has no value."""
    assert read(State(f"{domain}.thing", "unknown")) == {press: False, last: None}
    assert read(State(f"{domain}.thing", "unavailable")) == {press: None, last: None}
    assert actions_for(State(f"{domain}.thing", "unknown"), {press: True}) == [ActionCall(domain, action)]


@pytest.mark.parametrize(
    ("device_class", "risky"), [("restart", True), ("update", True), ("identify", False), (None, False)]
)
def test_restart_button_is_risky(device_class: str | None, risky: bool) -> None:
    """Most buttons are not."""
    assert DOMAINS["button"].risky(State("button.router", "unknown", {"device_class": device_class})) is risky


def test_values_and_installation_of_an_update() -> None:
    """Both versions, the progress, and a press to install."""
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
    assert actions_for(update, {"install": True}) == [ActionCall("update", "install")]
    assert actions_for(update, {"install": False, "command": "skip"}) == [ActionCall("update", "skip")]
    assert actions_for(update, {"command": "clear_skipped"}) == [ActionCall("update", "clear_skipped")]
    with pytest.raises(Refused, match="not both"):
        actions_for(update, {"install": True, "command": "skip"})
    assert DOMAINS["update"].risky(update)


def test_update_that_can_not_be_installed_is_only_reported() -> None:
    """Some devices only report that there is an update."""
    update = State("update.router", "on", {"supported_features": 0, "installed_version": "1.0"})
    assert not aspect_of(update.entity_id, "install").supported(update)
    assert "progress" not in read(update)
    with pytest.raises(Refused):
        actions_for(update, {"install": True})
