"""Scripts, automations, events and steps through options."""

from datetime import UTC, datetime

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall
from custom_components.aliyun_iot.mapping.domains import DOMAINS

from ..domain_helpers import actions_for, changed, read

WHEN = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.mark.parametrize("domain", ["script", "automation"])
@pytest.mark.parametrize("last_triggered", [WHEN, WHEN.isoformat()], ids=["object", "text"])
def test_scripts_and_automations_are_turned_on_and_off(domain: str, last_triggered: object) -> None:
    """The time of the last run is a datetime, or text after a restart."""
    thing = State(f"{domain}.party", "off", {"last_triggered": last_triggered})
    assert read(thing) == {
        "power": False,
        "last_triggered": WHEN,
        **({"trigger": False} if domain == "automation" else {}),
    }
    assert actions_for(thing, {"power": True}) == [ActionCall(domain, "turn_on")]
    assert actions_for(thing, {"power": False}) == [ActionCall(domain, "turn_off")]
    assert DOMAINS[domain].risky(thing)


@pytest.mark.parametrize("domain", ["script", "automation"])
def test_what_never_ran_has_no_time(domain: str) -> None:
    """Not the beginning of the epoch."""
    assert read(State(f"{domain}.party", "off", {"last_triggered": None}))["last_triggered"] is None


@pytest.mark.parametrize(
    ("values", "actions"),
    [
        ({"trigger": True}, ["trigger"]),
        ({"trigger": False}, []),
        ({"trigger": True, "power": True}, ["turn_on", "trigger"]),
        ({"trigger": True, "power": False}, ["turn_off"]),
    ],
)
def test_automation_runs_when_it_is_pressed(values: dict[str, bool], actions: list[str]) -> None:
    """Off wins: what is disabled by the same set does not run."""
    assert actions_for(State("automation.party", "off"), values) == [ActionCall("automation", name) for name in actions]


def test_values_of_an_event_entity() -> None:
    """Before the first event there are none."""
    doorbell = State("event.doorbell", WHEN.isoformat(), {"event_types": ["ring", "hold"], "event_type": "ring"})
    assert read(doorbell) == {"event_type": "ring", "moment": WHEN}
    assert read(changed(doorbell, "unknown", event_type=None)) == {"event_type": None, "moment": None}
    assert DOMAINS["event"].aspect("event_type").options(doorbell) == ("ring", "hold")
    assert DOMAINS["event"].plan is None


@pytest.mark.parametrize("domain", ["select", "input_select"])
@pytest.mark.parametrize("step", ["next", "previous", "first", "last"])
def test_options_can_be_stepped_through(domain: str, step: str) -> None:
    """For applications with two buttons."""
    choice = State(f"{domain}.program", "eco", {"options": ["eco", "fast"]})
    assert actions_for(choice, {"command": step}) == [ActionCall(domain, f"select_{step}")]
