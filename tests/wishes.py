"""What somebody wishes of a device through the cloud, and what became of it."""

import asyncio
from collections.abc import Iterable
import json
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink import device as alink_device
from custom_components.aliyun_iot.alink.desired import Desired
from simulator import CloudDevice, Simulator

from .application import LAMP
from .outages import caught_up, end_outage, lose_connection

CLEAR = "/thing/property/desired/delete"


async def desire(cloud: Simulator, device: CloudDevice, **values: Any) -> None:
    """Set desired values as an application does."""
    await cloud.call(
        "SetDeviceDesiredProperty",
        ProductKey=device.product_key,
        DeviceName=device.device_name,
        Items=json.dumps(values),
    )


def slow_lamp(hass: HomeAssistant) -> tuple[dict[str, Any], list[object], asyncio.Event]:
    """Return the binding of a lamp that needs time, the values that were begun with, and what lets them be finished."""
    started: list[object] = []
    go_on = asyncio.Event()

    async def slow(call: ServiceCall) -> None:
        started.append(call.data["value"])
        await go_on.wait()

    hass.services.async_register("test", "slow", slow)
    actions = [{"action": "test.slow", "data": {"value": "{{ value }}"}}]
    return {**LAMP, "aspect": "actions", "entity": "", "access": "control", "actions": actions}, started, go_on


def journal(entry: MockConfigEntry) -> list[tuple[str, int, str]]:
    """Return the steps that are in the journal: what it was, its code and its text."""
    return [(row["kind"], row["code"], row["message"]) for row in entry.runtime_data.device.commander.journal.rows()]


def is_on(hass: HomeAssistant) -> bool:
    """Tell whether the lamp is on."""
    return hass.states.get("input_boolean.lamp").state == "on"


def cleared(device: CloudDevice, *identifiers: str) -> bool:
    """Tell whether nothing is desired of these properties any more."""
    return all(device.desired[identifier].cleared for identifier in identifiers)


async def away(cloud: Simulator, device: CloudDevice, entry: MockConfigEntry, **values: Any) -> None:
    """Lose the connection, let somebody desire something, and return."""
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    await desire(cloud, device, **values)
    end_outage(cloud)


async def turn_off_while_away(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, entry: MockConfigEntry
) -> None:
    """Lose the connection, let somebody in the house turn the lamp off, and return."""
    await lose_connection(cloud, device, entry)
    await hass.services.async_call("input_boolean", "turn_off", {"entity_id": "input_boolean.lamp"}, blocking=True)
    end_outage(cloud)


class SlowAnswers:
    """The answers of the cloud to what is desired, each of which arrives only when it is let through."""

    def __init__(self, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> None:
        """Hold them back from now on."""
        self.held = 0
        self._go_on = asyncio.Event()
        self._get = entry.runtime_data.link.device.get_desired
        monkeypatch.setattr(entry.runtime_data.link.device, "get_desired", self._hold)

    def let_through(self) -> None:
        """Hold nothing back any more."""
        self._go_on.set()

    async def _hold(self, identifiers: Iterable[str]) -> dict[str, Desired]:
        found = await self._get(identifiers)
        self.held += 1
        await self._go_on.wait()
        return found


def fail_to_ask(monkeypatch: pytest.MonkeyPatch, question: str, *errors: Exception) -> None:
    """Let the next questions of a kind (`get_desired` or `delete_desired`) fail, each with one of these errors."""
    ask = getattr(alink_device, question)
    left = list(errors)

    async def fail_first(*args: object) -> object:
        if left:
            raise left.pop(0)
        return await ask(*args)

    monkeypatch.setattr(alink_device, question, fail_first)
