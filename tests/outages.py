"""Lost connections and reconnects, and what reached the cloud on which topic."""

import asyncio
from datetime import timedelta
import json
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.aliyun_iot.alink.link import LinkState
from simulator import CloudDevice, Simulator

from .waiting import until

WATT = {"unit_of_measurement": "W"}
POWER = {"identifier": "Power", "entity": "sensor.power", "aspect": "value", "every_sample": True}
VOLTAGE = {"identifier": "Voltage", "entity": "sensor.voltage", "aspect": "value", "every_sample": True}

HISTORY = "/thing/event/property/history/post"
BATCH = "/thing/event/property/batch/post"
POST = "/thing/event/property/post"
DESIRED = "/thing/property/desired/get"

NOON = 1_764_000_000_000
"""The start of tests with times of their own, in UTC milliseconds."""


def quick_to_return(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a lost connection come back at once."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 0.02)
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.LONGEST_DELAY", 0.02)
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.CONNECTS_PER_WINDOW", 10_000)


async def lose_connection(cloud: Simulator, device: CloudDevice, entry: MockConfigEntry) -> None:
    """Close the connection, and refuse new ones."""
    cloud.faults.set(refuse_connect={"code": 3})
    device.connection.close("an outage")
    await until(lambda: entry.runtime_data.link.state is not LinkState.ONLINE)


def end_outage(cloud: Simulator) -> None:
    """Accept connections again."""
    cloud.faults.set(refuse_connect=None)


async def try_again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let the time pass after which Home Assistant retries the set-up, and wait until it has."""
    tried = asyncio.Event()

    @callback
    def changed() -> None:
        if entry.state is not ConfigEntryState.SETUP_IN_PROGRESS:
            tried.set()

    end = entry.async_on_state_change(changed)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=20))
    async with asyncio.timeout(10):
        await tried.wait()
    end()


def pass_a_minute(hass: HomeAssistant) -> None:
    """Let the time pass after which what has changed is written to disk."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=61))


def measure(hass: HomeAssistant, entity_id: str, value: float, milliseconds: int | None = None) -> None:
    """Set the state of a sensor, so many milliseconds after noon."""
    at = None if milliseconds is None else (NOON + milliseconds) / 1000
    hass.states.async_set(entity_id, str(value), WATT, timestamp=at)


def uplinks(cloud: Simulator, *topics: str) -> list[tuple[str, Any]]:
    """Return what the device sent on these topics, in order: the topic and the params."""
    return [
        (topic, json.loads(message.payload)["params"])
        for message in cloud.wire
        for topic in topics
        if message.direction == "up" and message.topic.endswith(topic)
    ]


def on_topic(cloud: Simulator, topic: str) -> list[tuple[str, Any, int]]:
    """Return the samples of a topic, in order: property, value and time."""
    samples: list[tuple[str, Any, int]] = []
    for _, params in uplinks(cloud, topic):
        if topic == HISTORY:
            rows = [pair for group in params[0]["properties"] for pair in group.items()]
        elif topic == BATCH:
            rows = [(key, one) for key, row in params["properties"].items() for one in row]
        else:
            rows = list(params.items())
        samples += [(key, one["value"], one["time"]) for key, one in rows]
    return samples


async def all_sent(entry: MockConfigEntry) -> None:
    """Wait until nothing waits any more."""
    await until(lambda: entry.runtime_data.device.reporter.buffered == 0)


async def caught_up(entry: MockConfigEntry) -> None:
    """Wait until the resync has ended and everything is sent."""
    await until(lambda: entry.runtime_data.device.reporter.sender.past.allowed)
    await all_sent(entry)
