"""Buttons, scenes and updates: what is touched, from home and from the cloud."""

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from ..things.touched import Bell, Doorbell, Firmware
from .driving import Configured, Drive, Happens, Refuses, Remote, Sets, Story

TOUCHED = (
    (Story("button", Bell, {"press": False}, ()), "press", "last_pressed", "button.press"),
    (Story("input_button", {}, {"press": False}, ()), "press", "last_pressed", "input_button.press"),
    (
        Story("scene", Configured([{"name": "thing", "entities": {"light.x": "on"}}]), {"activate": False}, ()),
        "activate",
        "last_activated",
        "scene.turn_on",
    ),
)


@pytest.mark.parametrize(("story", "press", "last", "action"), TOUCHED, ids=str)
async def test_touched_from_the_cloud_and_from_home(
    hass: HomeAssistant, drive: Drive, story: Story, press: str, last: str, action: str
) -> None:
    """Set to yes, it is touched once and reads no again; set to no, nothing happens and nobody complains."""
    remote = await drive(story)
    samples = remote.device.samples[press.capitalize()]
    before = len(samples)

    assert (await remote.sets({press: True})).code == 200
    assert [name for name, _ in remote.actions] == [action]
    await remote.device.wait_for(lambda _: len(samples) > before)
    assert {value for value, _ in samples} == {0}
    await learns_the_time(remote, last)

    remote.actions.clear()
    assert (await remote.sets({press: False})).code == 200
    assert not remote.actions

    await remote.play(Story(story.domain, story.thing, {}, (Happens(action, {}, {press: False}),)))
    await learns_the_time(remote, last)


async def learns_the_time(remote: Remote, last: str) -> None:
    """Wait until the cloud knows when the entity was touched last, to the millisecond."""
    when = dt_util.parse_datetime(remote.hass.states.get(remote.entity_id).state)
    await remote.learns({last: when.replace(microsecond=when.microsecond // 1000 * 1000)})


async def test_a_button_is_pressed_as_often_as_it_was_asked(hass: HomeAssistant, drive: Drive) -> None:
    """Once for each set, though the property never changes."""
    remote = await drive(Story("button", Bell, {"press": False}, ()))
    assert isinstance(remote.entity, Bell)
    for times in (1, 2, 3):
        assert (await remote.sets({"press": True})).code == 200
        assert remote.entity.rung == times


async def test_an_update_is_installed(drive: Drive) -> None:
    """It is there, it is installed, and then there is none to install."""
    await drive(
        Story(
            "update",
            Firmware,
            {
                "available": True,
                "installed_version": "1.0",
                "latest_version": "1.1",
                "in_progress": False,
                "install": False,
            },
            (
                Sets(
                    {"install": True},
                    ("update.install",),
                    {"available": False, "installed_version": "1.1", "in_progress": False, "install": False},
                ),
            ),
        )
    )


async def test_without_an_update_there_is_nothing_to_install(drive: Drive) -> None:
    """Home Assistant refuses, and the cloud is told."""
    remote = await drive(Story("update", Firmware, {"available": True}, ()))
    assert isinstance(remote.entity, Firmware)
    remote.entity._attr_latest_version = "1.0"
    remote.entity.async_write_ha_state()
    await remote.learns({"available": False})
    assert (await remote.sets({"install": True})).code == 100005


async def test_a_doorbell_is_heard(drive: Drive) -> None:
    """What happened last and when; the same again is another moment. Nobody rings it from the cloud."""
    remote = await drive(Story("event", Doorbell, {}, (Refuses({"event_type": "ring"}, 100002),)))
    assert isinstance(remote.entity, Doorbell)
    assert not remote.said()
    for kind in ("ring", "ring", "hold"):
        remote.entity.happen(kind)
        await remote.learns({"event_type": kind})
        await learns_the_time(remote, "moment")
