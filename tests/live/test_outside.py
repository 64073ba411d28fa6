"""People, telephones, the sun and the weather: nothing that could be commanded."""

from datetime import UTC, datetime

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from ..things.outside import Phone, Sky
from .driving import Added, Changes, Configured, Drive, Refuses, Story

SHANGHAI = {"Latitude": 31.2304, "Longitude": 121.4737}
HOME = {"Latitude": 32.87336, "Longitude": -117.22743}


async def test_a_telephone_comes_home(hass: HomeAssistant, drive: Drive) -> None:
    """Where it is, and whether that is home; the house of the tests is in California."""
    assert await async_setup_component(hass, "zone", {})
    await drive(
        Story(
            "device_tracker",
            Added(Phone),
            {"home": False, "zone": "not_home", "location": SHANGHAI, "accuracy": 12},
            (
                Changes(
                    {"_attr_latitude": HOME["Latitude"], "_attr_longitude": HOME["Longitude"]},
                    {"home": True, "zone": "home", "location": HOME},
                ),
                Refuses({"home": False}, 100002),
            ),
        )
    )


async def test_a_person_is_where_the_telephone_is(hass: HomeAssistant, drive: Drive) -> None:
    """Home Assistant follows the trackers of a person."""
    assert await async_setup_component(hass, "zone", {})
    phone = {"source_type": "gps", "latitude": 31.2304, "longitude": 121.4737, "gps_accuracy": 12}
    hass.states.async_set("device_tracker.phone", "not_home", phone)
    people = [{"id": "1", "name": "thing", "device_trackers": ["device_tracker.phone"]}]
    remote = await drive(
        Story(
            "person",
            Configured(people),
            {"home": False, "zone": "not_home", "location": SHANGHAI, "accuracy": 12},
            (Refuses({"zone": "home"}, 100002),),
        )
    )
    hass.states.async_set("device_tracker.phone", "home", {"source_type": "router"})
    await remote.learns({"home": True, "zone": "home"})
    hass.states.async_set("device_tracker.phone", "Work", phone)
    await remote.learns({"home": False, "zone": "Work"})


@pytest.mark.parametrize("expected_lingering_timers", [True], ids=["the sun never stops"])
async def test_the_sun_rises(hass: HomeAssistant, drive: Drive, freezer: FrozenDateTimeFactory) -> None:
    """Up or down, where, and when next."""
    await hass.config.async_update(latitude=31.23, longitude=121.47, elevation=4)
    freezer.move_to(datetime(2026, 11, 23, 12, tzinfo=UTC))
    night = Story(
        "sun", Configured({}), {"above_horizon": False}, (Refuses({"above_horizon": True}, 100002),), name="sun"
    )
    remote = await drive(night)
    state = hass.states.get("sun.sun")
    await remote.learns(
        {
            "elevation": pytest.approx(state.attributes["elevation"]),
            "azimuth": pytest.approx(state.attributes["azimuth"]),
        }
    )
    rising = remote.said()["NextRising"]
    assert abs(rising - datetime.fromisoformat(state.attributes["next_rising"])).total_seconds() < 0.001


async def test_the_weather_turns(drive: Drive) -> None:
    """In the units of the house, and a compass point in degrees."""
    await drive(
        Story(
            "weather",
            Sky,
            {
                "condition": "sunny",
                "temperature": 20.5,
                "humidity": 40,
                "pressure": 1013,
                "wind_speed": 18,
                "wind_bearing": 225,
            },
            (
                Changes(
                    {"_attr_condition": "lightning-rainy", "_attr_native_temperature": 15.5, "_attr_wind_bearing": 90},
                    {"condition": "lightning-rainy", "temperature": 15.5, "wind_bearing": 90},
                ),
                Refuses({"temperature": 25.0}, 100002),
            ),
        )
    )
