"""Alarm panels and sirens."""

import pytest

from ..things.security import Horn, LockedPanel, Panel
from .driving import Changes, Drive, Happens, Refuses, Sets, Story

STORIES = (
    Story(
        "alarm_control_panel",
        Panel,
        {"mode": "disarmed", "state": "disarmed", "panic": False},
        (
            Sets({"mode": "armed_home"}, ("alarm_control_panel.alarm_arm_home",), {"state": "armed_home"}),
            Sets(
                {"mode": "armed_away"},
                ("alarm_control_panel.alarm_arm_away",),
                {"mode": "armed_home", "state": "arming"},
            ),
            Changes({"_attr_alarm_state": "armed_away"}, {"mode": "armed_away", "state": "armed_away"}),
            Sets({"panic": True}, ("alarm_control_panel.alarm_trigger",), {"state": "triggered", "panic": False}),
            Sets({"mode": "disarmed", "panic": True}, ("alarm_control_panel.alarm_disarm",), {"state": "disarmed"}),
            Happens("alarm_control_panel.alarm_arm_home", {}, {"mode": "armed_home"}),
            Refuses({"mode": "armed_night"}, 100009),
            Refuses({"state": "disarmed"}, 100002),
        ),
    ),
    Story(
        "siren",
        Horn,
        {"power": False},
        (
            Sets({"power": True, "tone": "burglar"}, ("siren.turn_on",), {"power": True}),
            Sets({"power": False, "volume": 100}, ("siren.turn_off",), {"power": False}),
            Happens("siren.turn_on", {}, {"power": True}),
            Refuses({"volume": 30}, 460),
            Refuses({"tone": "doorbell", "power": True}, 100009),
        ),
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_both_ways(drive: Drive, story: Story) -> None:
    """The cloud learns whether there is danger, and does what it was allowed to."""
    await drive(story)


async def test_a_panel_that_wants_a_code_is_not_armed(drive: Drive) -> None:
    """No code is ever sent; Home Assistant's refusal is what the cloud is told."""
    remote = await drive(Story("alarm_control_panel", LockedPanel, {"mode": "disarmed"}, ()))
    reply = await remote.sets({"mode": "armed_home"})
    assert reply.code == 100005
    assert "code" in reply.message
    assert remote.actions == [("alarm_control_panel.alarm_arm_home", {})]
    assert remote.hass.states.get(remote.entity_id).state == "disarmed"


async def test_a_siren_howls_as_it_is_asked_to(drive: Drive) -> None:
    """Tone, volume and duration are fields of the one action that turns it on."""
    remote = await drive(Story("siren", Horn, {"power": False}, ()))
    assert (await remote.sets({"power": True, "tone": "burglar", "volume": 50, "duration": 10})).code == 200
    assert Horn.howl == {"tone": 2, "volume_level": 0.5, "duration": 10}
    assert remote.device.properties.keys() == {"Power"}
