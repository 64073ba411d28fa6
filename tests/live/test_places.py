"""Zones, groups and schedules."""

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from .story import CloudSet, Configured, Drive, RefusedSet, Story, UserAction


async def test_people_in_a_zone_are_counted(hass: HomeAssistant, drive: Drive) -> None:
    """Home Assistant counts them."""
    place = {"name": "thing", "latitude": 31.2304, "longitude": 121.4737}
    app = await drive(
        Story("zone", Configured([place]), {"people": 0, "occupied": False}, (RefusedSet({"people": 1}, 100002),))
    )
    for name in ("anna", "li"):
        hass.states.async_set(f"person.{name}", "thing", {"in_zones": ["zone.thing"], **place})
    await app.expect({"people": 2, "occupied": True})


async def test_members_of_a_group_are_set(hass: HomeAssistant, drive: Drive) -> None:
    """A group in the group as well; the group is on as long as one of them is."""
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": {"a": {}, "b": {}}})
    assert await async_setup_component(hass, "homeassistant", {})
    inner = {"entities": ["input_boolean.b"]}
    groups = Configured({"thing": {"entities": ["input_boolean.a", "group.inner"]}, "inner": inner})
    story = Story(
        "group",
        groups,
        {"power": False},
        (
            CloudSet({"power": True}, ("homeassistant.turn_on",)),
            UserAction("homeassistant.turn_off", {}, {"power": False}),
            CloudSet({"power": True}, ("homeassistant.turn_on",)),
        ),
    )
    app = await drive(story)
    assert [hass.states.get(f"input_boolean.{name}").state for name in "ab"] == ["on", "on"]
    await hass.services.async_call("input_boolean", "turn_off", {"entity_id": "input_boolean.a"}, blocking=True)
    await app.expect({"power": True})
    assert (await app.sets({"power": False})).code == 200
    assert [hass.states.get(f"input_boolean.{name}").state for name in "ab"] == ["off", "off"]


async def test_group_of_people_is_home_or_away(hass: HomeAssistant, drive: Drive) -> None:
    """It can't be set."""
    hass.states.async_set("person.anna", "not_home")
    app = await drive(
        Story(
            "group",
            Configured({"thing": {"entities": ["person.anna"]}}),
            {"home": False},
            (RefusedSet({"home": True}, 100002),),
        )
    )
    hass.states.async_set("person.anna", "home")
    await app.expect({"home": True})


@pytest.mark.parametrize("expected_lingering_timers", [True], ids=["a schedule never stops"])
async def test_schedule_is_active_until_its_next_change(hass: HomeAssistant, drive: Drive) -> None:
    """Every day has the same hours here, so that the present time does not matter."""
    day = [{"from": "00:00:00", "to": "24:00:00"}]
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    app = await drive(
        Story(
            "schedule",
            {"name": "thing", **dict.fromkeys(days, day)},
            {"active": True},
            (RefusedSet({"active": False}, 100002),),
        )
    )
    await app.expect({"next_event": hass.states.get(app.entity_id).attributes["next_event"]})
