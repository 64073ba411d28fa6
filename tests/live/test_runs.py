"""Scripts and automations."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_capture_events

from .driving import Configured, Drive, Happens, Remote, Sets, Story

WAITS = {"sequence": [{"wait_for_trigger": [{"trigger": "event", "event_type": "done"}]}]}
ENDS = {"sequence": [{"event": "did"}]}
FIRES = Configured(
    [{"alias": "thing", "triggers": [{"trigger": "event", "event_type": "go"}], "actions": [{"event": "went"}]}]
)


async def test_a_script_runs_until_it_is_stopped_or_ends(hass: HomeAssistant, drive: Drive) -> None:
    """Started, it is running; the answer doesn't wait for its end."""
    remote = await drive(
        Story(
            "script",
            WAITS,
            {"power": False},
            (
                Sets({"power": True}, ("script.turn_on",)),
                Sets({"power": False}, ("script.turn_off",)),
                Happens("script.turn_on", {}, {"power": True}),
            ),
        )
    )
    hass.bus.async_fire("done")
    await remote.learns({"power": False})
    await learns_when_it_ran(remote)


async def test_a_script_that_ends_at_once_was_started(hass: HomeAssistant, drive: Drive) -> None:
    """It reads no again before anybody could look."""
    done = async_capture_events(hass, "did")
    remote = await drive(Story("script", ENDS, {"power": False}, (Sets({"power": True}, ("script.turn_on",), {}),)))
    await learns_when_it_ran(remote)
    await remote.learns({"power": False})
    assert len(done) == 1


async def test_an_automation_is_enabled_and_says_when_it_ran(hass: HomeAssistant, drive: Drive) -> None:
    """Disabled from the cloud, it lets its trigger pass."""
    went = async_capture_events(hass, "went")
    remote = await drive(
        Story(
            "automation",
            FIRES,
            {"power": True},
            (Sets({"power": False}, ("automation.turn_off",)), Happens("automation.toggle", {}, {"power": True})),
        )
    )
    hass.bus.async_fire("go")
    await hass.async_block_till_done()
    await learns_when_it_ran(remote)
    assert (await remote.sets({"power": False})).code == 200
    hass.bus.async_fire("go")
    await hass.async_block_till_done()
    assert len(went) == 1


async def learns_when_it_ran(remote: Remote) -> None:
    """Wait until the cloud knows when it ran last, to the millisecond."""
    when = remote.hass.states.get(remote.entity_id).attributes["last_triggered"]
    await remote.learns({"last_triggered": when.replace(microsecond=when.microsecond // 1000 * 1000)})
