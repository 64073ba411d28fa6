"""Buttons, scenes, updates and events."""

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from ..things.presses import Bell, Doorbell, Firmware
from .story import CloudApplication, CloudSet, Configured, Drive, RefusedSet, Story, UserAction

PRESSED = (
    (Story("button", Bell, {"press": False}, ()), "press", "last_pressed", "button.press"),
    (Story("input_button", {}, {"press": False}, ()), "press", "last_pressed", "input_button.press"),
    (
        Story("scene", Configured([{"name": "thing", "entities": {"light.x": "on"}}]), {"activate": False}, ()),
        "activate",
        "last_activated",
        "scene.turn_on",
    ),
)


@pytest.mark.parametrize(("story", "press", "last", "action"), PRESSED, ids=str)
async def test_press_from_the_cloud_and_from_home_assistant(
    hass: HomeAssistant, drive: Drive, story: Story, press: str, last: str, action: str
) -> None:
    """Setting true presses once, and false is reported; setting false does nothing and succeeds."""
    hass.states.async_set("light.x", "on")  # the scene would answer that its light is not available
    app = await drive(story)
    samples = app.device.samples[press.capitalize()]
    before = len(samples)

    assert (await app.sets({press: True})).code == 200
    assert [name for name, _ in app.actions] == [action]
    await app.device.wait_for(lambda _: len(samples) > before)
    assert {value for value, _ in samples} == {0}
    await expect_time(app, last)

    app.actions.clear()
    assert (await app.sets({press: False})).code == 200
    assert not app.actions

    await app.run(Story(story.domain, story.thing, {}, (UserAction(action, {}, {press: False}),)))
    await expect_time(app, last)


async def expect_time(app: CloudApplication, last: str) -> None:
    """Wait until the cloud has the time of the last press, to the millisecond."""
    when = dt_util.parse_datetime(app.hass.states.get(app.entity_id).state)
    await app.expect({last: when.replace(microsecond=when.microsecond // 1000 * 1000)})


async def test_every_set_presses_the_button(hass: HomeAssistant, drive: Drive) -> None:
    """Although the property never changes."""
    app = await drive(Story("button", Bell, {"press": False}, ()))
    assert isinstance(app.entity, Bell)
    for times in (1, 2, 3):
        assert (await app.sets({"press": True})).code == 200
        assert app.entity.rung == times


async def test_update_is_installed(drive: Drive) -> None:
    """It is available, it is installed, and then no update is available."""
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
                CloudSet(
                    {"install": True},
                    ("update.install",),
                    {"available": False, "installed_version": "1.1", "in_progress": False, "install": False},
                ),
            ),
        )
    )


async def test_install_without_an_update_is_refused(drive: Drive) -> None:
    """Home Assistant refuses, and the answer says so."""
    app = await drive(Story("update", Firmware, {"available": True}, ()))
    assert isinstance(app.entity, Firmware)
    app.entity._attr_latest_version = "1.0"
    app.entity.async_write_ha_state()
    await app.expect({"available": False})
    assert (await app.sets({"install": True})).code == 100005


async def test_doorbell_is_reported(drive: Drive) -> None:
    """Type and time of the last event; the same type again has a new time. It can not be set."""
    app = await drive(Story("event", Doorbell, {}, (RefusedSet({"event_type": "ring"}, 100002),)))
    assert isinstance(app.entity, Doorbell)
    assert not app.values()
    for kind in ("ring", "ring", "hold"):
        app.entity.happen(kind)
        await app.expect({"event_type": kind})
        await expect_time(app, "moment")
