"""Scripts, automations and events: what runs, what is enabled, and what happened when."""

from datetime import UTC, datetime

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall
from custom_components.aliyun_iot.mapping.domains import DOMAINS

from ..asking import changed, commands, read

WHEN = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.mark.parametrize("domain", ["script", "automation"])
@pytest.mark.parametrize("last_triggered", [WHEN, WHEN.isoformat()], ids=["object", "text"])
def test_it_is_turned_on_and_off(domain: str, last_triggered: object) -> None:
    """Running or enabled; the time is an object, and text after a restart."""
    thing = State(f"{domain}.party", "off", {"last_triggered": last_triggered})
    assert read(thing) == {"power": False, "last_triggered": WHEN}
    assert commands(thing, {"power": True}) == [ActionCall(domain, "turn_on")]
    assert commands(thing, {"power": False}) == [ActionCall(domain, "turn_off")]
    assert DOMAINS[domain].risky(thing)


@pytest.mark.parametrize("domain", ["script", "automation"])
def test_what_never_ran_has_no_time(domain: str) -> None:
    """Not the beginning of the epoch."""
    assert read(State(f"{domain}.party", "off", {"last_triggered": None}))["last_triggered"] is None


def test_an_event_says_what_happened_last_and_when() -> None:
    """Before the first one, nothing."""
    doorbell = State("event.doorbell", WHEN.isoformat(), {"event_types": ["ring", "hold"], "event_type": "ring"})
    assert read(doorbell) == {"event_type": "ring", "moment": WHEN}
    assert read(changed(doorbell, "unknown", event_type=None)) == {"event_type": None, "moment": None}
    assert DOMAINS["event"].aspect("event_type").options(doorbell) == ("ring", "hold")
    assert DOMAINS["event"].plan is None


@pytest.mark.parametrize("domain", ["select", "input_select"])
@pytest.mark.parametrize("step", ["next", "previous", "first", "last"])
def test_a_choice_can_be_stepped_through(domain: str, step: str) -> None:
    """For a remote control with two keys."""
    choice = State(f"{domain}.program", "eco", {"options": ["eco", "fast"]})
    assert commands(choice, {"command": step}) == [ActionCall(domain, f"select_{step}")]
