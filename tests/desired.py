"""Desired values in tests: setting them, and what became of them."""

import asyncio
from collections.abc import Iterable
import json
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink.desired import Desired
from custom_components.aliyun_iot.alink.device import Device
from simulator import CloudDevice, Simulator

from .application import LAMP
from .outages import caught_up, end_outage, lose_connection

CLEAR = "/thing/property/desired/delete"


async def set_desired(cloud: Simulator, device: CloudDevice, **values: Any) -> None:
    """Set desired values as an application does."""
    await cloud.call(
        "SetDeviceDesiredProperty",
        ProductKey=device.product_key,
        DeviceName=device.device_name,
        Items=json.dumps(values),
    )


def slow_lamp(hass: HomeAssistant) -> tuple[dict[str, Any], list[object], asyncio.Event]:
    """Return the binding of a lamp that takes time, the values it was set to, and the event that lets it finish."""
    started: list[object] = []
    go_on = asyncio.Event()

    async def slow(call: ServiceCall) -> None:
        started.append(call.data["value"])
        await go_on.wait()

    hass.services.async_register("test", "slow", slow)
    actions = [{"action": "test.slow", "data": {"value": "{{ value }}"}}]
    return {**LAMP, "aspect": "actions", "entity": "", "access": "control", "actions": actions}, started, go_on


def journal(entry: MockConfigEntry) -> list[tuple[str, int, str]]:
    """Return the rows of the journal: kind, code and message."""
    return [(row.kind, row.code, row.message) for row in entry.runtime_data.device.commander.journal.rows()]


def is_on(hass: HomeAssistant) -> bool:
    """Return whether the lamp is on."""
    return hass.states.get("input_boolean.lamp").state == "on"


def cleared(device: CloudDevice, *identifiers: str) -> bool:
    """Return whether nothing is desired of these properties any more."""
    return all(device.desired[identifier].cleared for identifier in identifiers)


async def set_desired_while_offline(
    cloud: Simulator, device: CloudDevice, entry: MockConfigEntry, **values: Any
) -> None:
    """Lose the connection, set desired values, and connect again."""
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    await set_desired(cloud, device, **values)
    end_outage(cloud)


async def turn_off_while_offline(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, entry: MockConfigEntry
) -> None:
    """Lose the connection, turn the lamp off in Home Assistant, and connect again."""
    await lose_connection(cloud, device, entry)
    await hass.services.async_call("input_boolean", "turn_off", {"entity_id": "input_boolean.lamp"}, blocking=True)
    end_outage(cloud)


class SlowAnswers:
    """The answers of the cloud to requests for desired values, held back until they are released."""

    def __init__(
        self, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch, *, only_the_first: bool = False
    ) -> None:
        """Hold them back from now on."""
        self.held = 0
        self._only_the_first = only_the_first
        self._go_on = asyncio.Event()
        self._get = entry.runtime_data.link.device.get_desired
        monkeypatch.setattr(entry.runtime_data.link.device, "get_desired", self._hold)

    def release(self) -> None:
        """Hold back no more answers."""
        self._go_on.set()

    async def _hold(self, identifiers: Iterable[str]) -> dict[str, Desired]:
        found = await self._get(identifiers)
        self.held += 1
        if self.held == 1 or not self._only_the_first:
            await self._go_on.wait()
        return found


def fail_requests(monkeypatch: pytest.MonkeyPatch, question: str, *errors: Exception) -> None:
    """Let the next requests of a kind (`get_desired` or `delete_desired`) fail with these errors."""
    ask = getattr(Device, question)
    left = list(errors)

    async def fail_first(device: Device, *args: object) -> object:
        if left:
            raise left.pop(0)
        return await ask(device, *args)

    monkeypatch.setattr(Device, question, fail_first)
