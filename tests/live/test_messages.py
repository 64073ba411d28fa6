"""Notifiers, to-do lists and calendars."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import entity_sources
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from simulator import CloudDevice

from ..application import SetProperties, wait_for_value
from ..conftest import SetUp
from ..things.messages import Agenda, Phone, Shopping
from .story import Added, CloudSet, Drive, RefusedSet, Story


async def test_message_of_the_cloud_is_sent(drive: Drive) -> None:
    """With its title; the time of the last one is reported."""
    Phone.received.clear()
    story = Story(
        "notify",
        Added(Phone),
        {},
        (
            CloudSet({"message": "门铃响了"}, ("notify.send_message",), {}),
            CloudSet({"message": "Ring", "title": "Door"}, ("notify.send_message",), {}),
            RefusedSet({"title": "Door"}, 460),
        ),
    )
    app = await drive(story)
    assert Phone.received == [("门铃响了", None), ("Ring", "Door")]
    when = dt_util.parse_datetime(app.hass.states.get(app.entity_id).state)
    await app.expect({"last_sent": when.replace(microsecond=when.microsecond // 1000 * 1000)})


async def test_open_items_are_counted(drive: Drive) -> None:
    """Also those that the cloud has added."""
    await drive(
        Story(
            "todo",
            Shopping,
            {"open_items": 1},
            (CloudSet({"add_item": "牛奶"}, ("todo.add_item",), {"open_items": 2}),),
        )
    )


@pytest.mark.parametrize("expected_lingering_timers", [True], ids=["the event ends in 2200"])
async def test_calendar_reports_its_event(drive: Drive) -> None:
    """Its title only because this test binds everything."""
    await drive(
        Story(
            "calendar",
            Agenda,
            {"in_progress": True, "message": "Holiday", "all_day": False},
            (RefusedSet({"in_progress": False}, 100002),),
        )
    )


@pytest.mark.parametrize(("confirmed", "code"), [(True, 200), (False, 100003)])
async def test_satellite_speaks_once_that_is_confirmed(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    set_properties: SetProperties,
    confirmed: bool,
    code: int,
) -> None:
    """Home Assistant's own satellites need packages that the tests don't have."""
    spoken = async_mock_service(hass, "assist_satellite", "announce")
    satellite = "assist_satellite.kitchen"
    hass.states.async_set(satellite, "idle", {"supported_features": 1})
    device.thing_model = None
    await set_up(
        [
            {"identifier": "VoiceState", "entity": satellite, "aspect": "state"},
            {
                "identifier": "Announcement",
                "entity": satellite,
                "aspect": "announcement",
                "access": "control",
                "confirmed": confirmed,
            },
        ],
        options={"thing_model": None},
    )
    entity_sources(hass)[satellite] = {"domain": "test"}
    assert (await set_properties(Announcement="早上好")).code == code
    assert [call.data for call in spoken] == ([{"entity_id": satellite, "message": "早上好"}] if confirmed else [])
    hass.states.async_set(satellite, "listening", {"supported_features": 1})
    await wait_for_value(device, "VoiceState", 1)
