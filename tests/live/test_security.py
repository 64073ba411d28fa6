"""Alarm panels and sirens."""

import pytest

from ..things.security import Horn, LockedPanel, Panel
from .story import CloudSet, Drive, RefusedSet, StateChange, Story, UserAction

STORIES = (
    Story(
        "alarm_control_panel",
        Panel,
        {"mode": "disarmed", "state": "disarmed", "panic": False},
        (
            CloudSet({"mode": "armed_home"}, ("alarm_control_panel.alarm_arm_home",), {"state": "armed_home"}),
            CloudSet(
                {"mode": "armed_away"},
                ("alarm_control_panel.alarm_arm_away",),
                {"mode": "armed_home", "state": "arming"},
            ),
            StateChange({"_attr_alarm_state": "armed_away"}, {"mode": "armed_away", "state": "armed_away"}),
            CloudSet({"panic": True}, ("alarm_control_panel.alarm_trigger",), {"state": "triggered", "panic": False}),
            CloudSet({"mode": "disarmed", "panic": True}, ("alarm_control_panel.alarm_disarm",), {"state": "disarmed"}),
            UserAction("alarm_control_panel.alarm_arm_home", {}, {"mode": "armed_home"}),
            RefusedSet({"mode": "armed_night"}, 100009),
            RefusedSet({"state": "disarmed"}, 100002),
        ),
    ),
    Story(
        "siren",
        Horn,
        {"power": False},
        (
            CloudSet({"power": True, "tone": "burglar"}, ("siren.turn_on",), {"power": True}),
            CloudSet({"power": False, "volume": 100}, ("siren.turn_off",), {"power": False}),
            UserAction("siren.turn_on", {}, {"power": True}),
            RefusedSet({"volume": 30}, 460),
            RefusedSet({"tone": "doorbell", "power": True}, 100009),
        ),
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_report_and_control(drive: Drive, story: Story) -> None:
    """Changes are reported, and sets are carried out."""
    await drive(story)


async def test_panel_that_requires_a_code_is_not_armed(drive: Drive) -> None:
    """No code is ever sent; Home Assistant refuses, and the answer says so."""
    app = await drive(Story("alarm_control_panel", LockedPanel, {"mode": "disarmed"}, ()))
    reply = await app.sets({"mode": "armed_home"})
    assert reply.code == 100005
    assert "code" in reply.message
    assert app.actions == [("alarm_control_panel.alarm_arm_home", {})]
    assert app.hass.states.get(app.entity_id).state == "disarmed"


async def test_fields_of_a_siren(drive: Drive) -> None:
    """Tone, volume and duration are fields of the action that steps it on."""
    app = await drive(Story("siren", Horn, {"power": False}, ()))
    assert (await app.sets({"power": True, "tone": "burglar", "volume": 50, "duration": 10})).code == 200
    assert Horn.howl == {"tone": 2, "volume_level": 0.5, "duration": 10}
    assert app.device.properties.keys() == {"Power"}
