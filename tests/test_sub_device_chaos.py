"""Everything that can happen to the sub-devices of a house, in an order drawn from a seed; then both sides are compared."""

import asyncio
import json
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.aliyun_iot.alink.auth import Identity
from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.stored_device import StoredDevice
from custom_components.aliyun_iot.sub_device_row import add_sub_devices, identities_of
from simulator import Simulator

from .conftest import DEVICE_NAME, PRODUCT_KEY, SetUp
from .sub_device_faults import SubDeviceFaults, fast_clock
from .sub_house import LAMPS, SECRET, add_lamps_in_the_cloud, entity_of, new_lamp
from .waiting import until

ALINK = "custom_components.aliyun_iot.alink"
COUNT = 12
STEPS = 50


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
async def test_chaos(
    hass: HomeAssistant,
    set_up: SetUp,
    cloud: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    seed: int,
) -> None:
    """Each is online in the cloud while its device is available; values are equal; each command has one outcome."""
    for delay in ("FIRST_DELAY", "LONGEST_DELAY", "KICKED_DELAY", "WINDOW"):
        monkeypatch.setattr(f"{ALINK}.mqtt.pacing.{delay}", 0.01)
    monkeypatch.setattr(f"{ALINK}.gateway_requests.REPLY_TIMEOUT", 0.5)
    monkeypatch.setattr(f"{ALINK}.gateway.RECONNECT_SPREAD", 0.0)
    entry = await set_up(options={"thing_model": None, "offline_delay": 0})
    gateway = entry.runtime_data.sub_devices.gateway
    gateway._clock = fast_clock

    async def switch(call: ServiceCall) -> None:
        for entity_id in call.data["entity_id"]:
            hass.states.async_set(entity_id, call.service.removeprefix("turn_"))

    hass.services.async_register("light", "turn_on", switch)
    hass.services.async_register("light", "turn_off", switch)
    names = [f"lamp-{number}" for number in range(COUNT)]
    lamps = [Identity(LAMPS, name) for name in names]
    add_lamps_in_the_cloud(cloud, names)
    add_sub_devices(hass, entry, [new_lamp(hass, name, name) for name in names])
    await hass.async_block_till_done()
    owners = identities_of(entry)
    entities = {lamp: entity_of(hass, lamp.device_name) for lamp in lamps}

    async def poke() -> None:
        while True:  # the waiting of the gateway knows nothing of the fast clock
            await asyncio.sleep(0.01)
            gateway._changed.set()

    poking = asyncio.create_task(poke())
    request.addfinalizer(poking.cancel)

    def toggle(lamp: Identity) -> None:
        known = hass.states.get(entities[lamp])
        assert known
        hass.states.async_set(entities[lamp], "off" if known.state == "unavailable" else "unavailable")

    gateway_device = cloud.device(PRODUCT_KEY, DEVICE_NAME)
    faults = SubDeviceFaults(cloud, gateway_device, lamps, SECRET, seed, toggle=toggle, retry=gateway.retry)
    commands: list[tuple[Any, str]] = []
    for number in range(STEPS):
        await faults.step()
        lamp = faults.random.choice(lamps)
        if (device := faults.find(lamp)) and device.online:
            answer = await cloud.call(
                "SetDeviceProperty",
                ProductKey=LAMPS,
                DeviceName=lamp.device_name,
                Items=json.dumps({"Power": number % 2}),
            )
            if answer["Success"]:
                commands.append((device, answer["Data"]["MessageId"]))
    await faults.heal()
    await until(lambda: entry.runtime_data.link.is_online)
    gateway.retry()

    def differing() -> list[str]:
        found = []
        for lamp in lamps:
            here, there = hass.states.get(entities[lamp]), cloud.device(*lamp)
            assert here
            available = here.state != "unavailable"
            key = f"{StoredDevice(entry, owners[lamp]).key}_connected"
            shown = hass.states.get(er.async_get(hass).async_get_entity_id("binary_sensor", DOMAIN, key) or "")
            if not (available == there.online == (shown is not None and shown.state == "on")):
                found.append(f"{lamp.device_name}: {here.state}, in the cloud {there.online}, shown {shown}")
            elif available and there.properties.get("Power", (None,))[0] != (here.state == "on"):
                found.append(f"{lamp.device_name}: {here.state}, in the cloud {there.properties}")
        return found

    number = 0
    async with asyncio.timeout(60):
        while differing():  # a lost session shows with the next value
            number += 1
            for lamp in lamps:
                known = hass.states.get(entities[lamp])
                if known and known.state != "unavailable":
                    hass.states.async_set(entities[lamp], ("on", "off")[number % 2])
            await asyncio.sleep(0.5)
    assert all(len({reply.code for reply in device.call(message).replies}) <= 1 for device, message in commands)
    assert any(device.call(message).replies for device, message in commands)
