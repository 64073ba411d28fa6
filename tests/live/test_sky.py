"""People, tracked devices, the sun and the weather, which are only reported."""

from datetime import UTC, datetime

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from ..things.sky import Air, Phone, Sky
from .story import Added, Configured, Drive, RefusedSet, StateChange, Story

SHANGHAI = {"Latitude": 31.2304, "Longitude": 121.4737}
HOME = {"Latitude": 32.87336, "Longitude": -117.22743}


async def test_phone_comes_home(hass: HomeAssistant, drive: Drive) -> None:
    """Its location, and whether it is at home; the home of the tests is in California."""
    assert await async_setup_component(hass, "zone", {})
    await drive(
        Story(
            "device_tracker",
            Added(Phone),
            {"home": False, "zone": "not_home", "in_zones": "", "location": SHANGHAI, "accuracy": 12},
            (
                StateChange(
                    {"_attr_latitude": HOME["Latitude"], "_attr_longitude": HOME["Longitude"]},
                    {"home": True, "zone": "home", "in_zones": "zone.home", "location": HOME},
                ),
                StateChange(
                    {"_attr_latitude": None, "_attr_longitude": None},
                    {"home": True, "zone": "home", "in_zones": "zone.home", "location": HOME},
                ),
                RefusedSet({"home": False}, 100002),
            ),
        )
    )


async def test_person_is_where_the_phone_is(hass: HomeAssistant, drive: Drive) -> None:
    """Home Assistant uses the trackers of a person."""
    assert await async_setup_component(hass, "zone", {})
    phone = {"source_type": "gps", "latitude": 31.2304, "longitude": 121.4737, "gps_accuracy": 12}
    hass.states.async_set("device_tracker.phone", "not_home", phone)
    people = [{"id": "1", "name": "thing", "device_trackers": ["device_tracker.phone"]}]
    app = await drive(
        Story(
            "person",
            Configured(people),
            {"home": False, "zone": "not_home", "location": SHANGHAI, "accuracy": 12},
            (RefusedSet({"zone": "home"}, 100002),),
        )
    )
    hass.states.async_set("device_tracker.phone", "home", {"source_type": "router"})
    await app.expect({"home": True, "zone": "home"})
    hass.states.async_set("device_tracker.phone", "Work", phone)
    await app.expect({"home": False, "zone": "Work"})


@pytest.mark.parametrize("expected_lingering_timers", [True], ids=["the sun never stops"])
async def test_sun_rises(hass: HomeAssistant, drive: Drive, freezer: FrozenDateTimeFactory) -> None:
    """Above the horizon or not, position, next rising and setting."""
    await hass.config.async_update(latitude=31.23, longitude=121.47, elevation=4)
    freezer.move_to(datetime(2026, 11, 23, 12, tzinfo=UTC))
    night = Story(
        "sun", Configured({}), {"above_horizon": False}, (RefusedSet({"above_horizon": True}, 100002),), name="sun"
    )
    app = await drive(night)
    state = hass.states.get("sun.sun")
    await app.expect(
        {
            "elevation": pytest.approx(state.attributes["elevation"]),
            "azimuth": pytest.approx(state.attributes["azimuth"]),
        }
    )
    rising = app.values()["NextRising"]
    assert abs(rising - datetime.fromisoformat(state.attributes["next_rising"])).total_seconds() < 0.001


async def test_air_is_measured(drive: Drive) -> None:
    """Also while the fine dust, which is the state, is unknown."""
    await drive(
        Story(
            "air_quality",
            Air,
            {"pm25": 14, "carbon_dioxide": 600},
            (StateChange({"dust": None, "gas": 700}, {"pm25": 14, "carbon_dioxide": 700}),),
        )
    )


async def test_weather_changes(drive: Drive) -> None:
    """In the units of the installation, and a compass point in degrees."""
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
                StateChange(
                    {"_attr_condition": "lightning-rainy", "_attr_native_temperature": 15.5, "_attr_wind_bearing": 90},
                    {"condition": "lightning-rainy", "temperature": 15.5, "wind_bearing": 90},
                ),
                RefusedSet({"temperature": 25.0}, 100002),
            ),
        )
    )
