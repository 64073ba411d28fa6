"""Calendars, schedules, to-do lists, zones and air quality: what they hold, and what of it is private."""

from datetime import UTC, datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from homeassistant import components
from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Refused
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of, assist_satellite, todo
from custom_components.aliyun_iot.mapping.suggest.suggestions import suggest
from mapping_table.examples import EXAMPLES

from ..domain_helpers import actions_for, changed, read


def constants(domain: str) -> ModuleType:
    """Return the constants of a domain of Home Assistant without importing the domain."""
    path = Path(components.__path__[0]) / domain / "const.py"
    spec = spec_from_file_location(f"{domain}_const", path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_repeated_constants_are_those_of_home_assistant() -> None:
    """They are repeated in the domains whose import would need more than Home Assistant itself."""
    assert assist_satellite.Feature.ANNOUNCE == constants("assist_satellite").AssistSatelliteEntityFeature.ANNOUNCE
    assert todo.Feature.CREATE_TODO_ITEM == constants("todo").TodoListEntityFeature.CREATE_TODO_ITEM
    attributes = {attribute.value for attribute in constants("calendar").CalendarEntityStateAttribute}
    assert attributes == EXAMPLES["calendar"][0].attributes.keys() - {"supported_features"}
    assert constants("schedule").ScheduleEntityStateAttribute.NEXT_EVENT == "next_event"


CALENDAR = State(
    "calendar.family",
    "on",
    {
        "message": "Dentist",
        "all_day": False,
        "start_time": "2026-11-23 09:00:00",
        "end_time": "2026-11-23 10:00:00",
        "location": "",
        "description": "Bring the card",
    },
)


def test_event_of_a_calendar_is_private() -> None:
    """When somebody is where is no one's business; whether an event is in progress is suggested."""
    assert {suggestion.aspect for suggestion in suggest(CALENDAR, None, ())} == {"in_progress"}
    assert read(CALENDAR) == {
        "in_progress": True,
        "message": "Dentist",
        "start": datetime(2026, 11, 23, 9, tzinfo=UTC),
        "end": datetime(2026, 11, 23, 10, tzinfo=UTC),
        "all_day": False,
        "location": None,
        "description": "Bring the card",
    }
    assert set(read(State("calendar.empty", "off")).values()) == {False, None}


def test_schedule_has_its_next_change() -> None:
    """As a time, or as text after a restart."""
    change = datetime(2026, 11, 23, 18, tzinfo=UTC)
    for written in (change, change.isoformat()):
        assert read(State("schedule.heating", "off", {"next_event": written})) == {
            "active": False,
            "next_event": change,
        }


def test_items_of_a_list_are_counted_and_added() -> None:
    """A list that takes no items is only counted."""
    shopping = State("todo.shopping", "3", {"supported_features": 15})
    assert read(shopping) == {"open_items": 3}
    assert actions_for(shopping, {"add_item": "牛奶"}) == [ActionCall("todo", "add_item", {"item": "牛奶"})]
    with pytest.raises(Refused):
        actions_for(changed(shopping, supported_features=2), {"add_item": "牛奶"})


@pytest.mark.parametrize(("state", "people", "occupied"), [("0", 0, False), ("2", 2, True), ("unknown", None, None)])
def test_people_in_a_zone(state: str, people: int | None, occupied: bool | None) -> None:
    """Their number, and whether there are any; not where the zone is."""
    zone = State("zone.home", state, {"latitude": 31.2304, "longitude": 121.4737, "radius": 100})
    assert read(zone) == {"people": people, "occupied": occupied}


def test_air_quality_has_what_is_measured() -> None:
    """The unit is that of the state; the other measurements have none in Home Assistant."""
    station = State("air_quality.city", "14", {"unit_of_measurement": "μg/m³", "carbon_dioxide": 600})
    assert read(station) == {"pm25": 14, "carbon_dioxide": 600}
    units = {key: aspect_of(station.entity_id, key).unit(station) for key in ("pm25", "carbon_dioxide")}
    assert units == {"pm25": "μg/m³", "carbon_dioxide": None}
    assert read(changed(station, "unknown")) == {"pm25": None, "carbon_dioxide": 600}


@pytest.mark.parametrize("domain", ["air_quality", "calendar", "schedule", "zone"])
def test_they_are_only_reported(domain: str) -> None:
    """There is nothing to set."""
    assert DOMAINS[domain].plan is None
