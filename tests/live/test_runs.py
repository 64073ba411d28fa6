"""Scripts and automations."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_capture_events

from .story import CloudApplication, CloudSet, Configured, Drive, Story, UserAction

WAITS = {"sequence": [{"wait_for_trigger": [{"trigger": "event", "event_type": "done"}]}]}
ENDS = {"sequence": [{"event": "did"}]}
FIRES = Configured(
    [{"alias": "thing", "triggers": [{"trigger": "event", "event_type": "go"}], "actions": [{"event": "went"}]}]
)


async def test_script_runs_until_it_is_stopped_or_ends(hass: HomeAssistant, drive: Drive) -> None:
    """The answer doesn't wait for its end."""
    app = await drive(
        Story(
            "script",
            WAITS,
            {"power": False},
            (
                CloudSet({"power": True}, ("script.turn_on",)),
                CloudSet({"power": False}, ("script.turn_off",)),
                UserAction("script.turn_on", {}, {"power": True}),
            ),
        )
    )
    hass.bus.async_fire("done")
    await app.expect({"power": False})
    await expect_last_run(app)


async def test_script_that_ends_at_once(hass: HomeAssistant, drive: Drive) -> None:
    """The property is false again before it can be read."""
    done = async_capture_events(hass, "did")
    app = await drive(Story("script", ENDS, {"power": False}, (CloudSet({"power": True}, ("script.turn_on",), {}),)))
    await expect_last_run(app)
    await app.expect({"power": False})
    assert len(done) == 1


async def test_automation_is_disabled_and_reports_its_last_run(hass: HomeAssistant, drive: Drive) -> None:
    """While the cloud has disabled it, its trigger does nothing."""
    went = async_capture_events(hass, "went")
    app = await drive(
        Story(
            "automation",
            FIRES,
            {"power": True},
            (
                CloudSet({"trigger": True}, ("automation.trigger",), {"trigger": False}),
                CloudSet({"power": False}, ("automation.turn_off",)),
                UserAction("automation.toggle", {}, {"power": True}),
            ),
        )
    )
    hass.bus.async_fire("go")
    await hass.async_block_till_done()
    await expect_last_run(app)
    assert (await app.sets({"power": False})).code == 200
    hass.bus.async_fire("go")
    await hass.async_block_till_done()
    assert len(went) == 2


async def expect_last_run(app: CloudApplication) -> None:
    """Wait until the cloud has the time of the last run, to the millisecond."""
    when = app.hass.states.get(app.entity_id).attributes["last_triggered"]
    await app.expect({"last_triggered": when.replace(microsecond=when.microsecond // 1000 * 1000)})
