"""A thousand automations that listen to the commands of the cloud."""

import asyncio
from collections import Counter
from typing import Any

from homeassistant.const import ATTR_CONFIG_ENTRY_ID, CONF_OPTIONS

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.listeners import TriggerKind
from custom_components.aliyun_iot.reports.events import follow_triggers

from .home import Home
from .recorder import Recorder

COUNT = 1000
AT_REST = 0.1
"""Seconds in which a trigger that fires reaches its automation."""


async def listening_automations(house: Home, recorder: Recorder, seconds: float) -> None:
    """Attach the triggers for some seconds, and record which commands not all of them heard."""
    if not house.is_loaded:
        return
    hass = house.hass
    heard: Counter[str] = Counter()
    attached = False

    def fired(variables: Any, _at: object) -> None:
        if attached:
            heard[variables["trigger"]["message_id"]] += 1

    trigger = {
        "trigger": f"{DOMAIN}.{TriggerKind.PROPERTY_SET_RECEIVED}",
        CONF_OPTIONS: {ATTR_CONFIG_ENTRY_ID: house.entry.entry_id},
    }
    failures: list[str] = []
    end = await follow_triggers(hass, [trigger] * COUNT, "chaos", fired, failures.append)
    await asyncio.sleep(AT_REST)
    attached = True
    try:
        await asyncio.sleep(seconds)
        attached = False
        await asyncio.sleep(AT_REST)
    finally:
        if end:
            end()
    recorder.heard += len(heard)
    recorder.unheard += failures
    recorder.unheard += [f"{key}: heard by {times} of {COUNT}" for key, times in heard.items() if times != COUNT]
