"""Automations as the user interface stores them."""

from collections.abc import Mapping, Sequence
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component

ENTRY_ID = "01KB2Z7T4M9Q8W6E5R3T1Y0U8I"

type Step = dict[str, Any]

RECORD: Step = {"action": "test.record", "metadata": {}, "data": {"trigger": "{{ trigger }}"}}
"""A step that passes the variable `trigger` to the test."""


def trigger(kind: str, **options: object) -> Step:
    """Return a trigger of this integration for the entry `ENTRY_ID`."""
    return {"trigger": f"aliyun_iot.{kind}", "options": {"config_entry_id": ENTRY_ID, **options}}


def action(name: str, **data: object) -> Step:
    """Return an action of this integration for the entry `ENTRY_ID`."""
    return {"action": f"aliyun_iot.{name}", "metadata": {}, "data": {"config_entry_id": ENTRY_ID, **data}}


def reply(**data: object) -> Step:
    """Return a step that answers the command of the trigger."""
    return action("reply", command_id="{{ trigger.command_id }}", **data)


async def automate(
    hass: HomeAssistant, triggers: Sequence[Step], *actions: Step, conditions: Sequence[Step] = ()
) -> list[ServiceCall]:
    """Set up an automation and return the list to which RECORD adds its calls."""
    calls: list[ServiceCall] = []
    hass.services.async_register("test", "record", calls.append)
    config = {
        "id": "1764000000000",
        "alias": "story",
        "description": "",
        "triggers": list(triggers),
        "conditions": list(conditions),
        "actions": list(actions) or [RECORD],
        "mode": "queued",
        "max": 10,
    }
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    await hass.async_block_till_done()
    return calls


def trigger_data(call: ServiceCall) -> Mapping[str, Any]:
    """Return the variable `trigger` without the keys that every trigger has."""
    common = {"id", "idx", "alias", "platform", "description"}
    return {key: value for key, value in call.data["trigger"].items() if key not in common}
