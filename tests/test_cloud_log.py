"""Logs of the device in the cloud: only when asked for, without secrets and values, and never about themselves."""

from datetime import timedelta
import logging
import threading
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.aliyun_iot.alink.cloud_log import post_logs
from custom_components.aliyun_iot.alink.foreign import logger_of
from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.management.cloud_log import CAPACITY, PACE, PACKAGE
from custom_components.aliyun_iot.sub_device_row import NewSubDevice, SubDeviceRow, add_sub_devices
from simulator import CloudDevice, Direction, Simulator

from .conftest import DEVICE_SECRET, SetUp
from .outages import end_outage, lose_connection, quick_to_return
from .test_management import options
from .waiting import until

LOGGER = logger_of(f"{PACKAGE}.reports.story")
LOGS = {"cloud_log": True}


async def set_mode(cloud: Simulator, device: CloudDevice, mode: int) -> None:
    """Start or stop to ask for logs, as in the console."""
    await cloud.call("SetDeviceLogConfig", ProductKey=device.product_key, DeviceName=device.device_name, Mode=mode)


def collectors() -> list[logging.Handler]:
    """Return the handlers of the integration's logger."""
    return logging.getLogger(PACKAGE).handlers


def posts(cloud: Simulator) -> int:
    """Return how many messages with logs were sent."""
    return sum(one.direction is Direction.UP and one.topic.endswith("/thing/log/post") for one in cloud.wire)


async def pass_pace(hass: HomeAssistant) -> None:
    """Let the time until the next message pass."""
    await hass.async_block_till_done()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=PACE + 1))
    await hass.async_block_till_done()


def contents(device: CloudDevice) -> list[Any]:
    """Return the texts that the cloud has."""
    return [line["logContent"] for line in device.logs]


async def test_only_when_asked(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """Nothing is collected before the platform asks, nothing after it has stopped to, and nothing after the end."""
    entry = await set_up(options=LOGS)
    topic = entry.runtime_data.link.device.topics.log_config_push
    await until(lambda: topic in device.connection.subscriptions)
    LOGGER.warning("too early")
    assert not collectors()
    await set_mode(cloud, device, 1)
    await until(collectors)
    LOGGER.warning("The cloud rejected %s", "Power")
    LOGGER.error("No luck")
    LOGGER.info("nobody cares")
    try:
        raise ValueError("secret details")  # noqa: TRY301
    except ValueError:
        LOGGER.exception("Sending failed unexpectedly")
    await pass_pace(hass)
    await until(lambda: len(device.logs) == 3)
    assert [(line["logLevel"], line["module"], line["logContent"]) for line in device.logs] == [
        ("WARN", "reports.story", "The cloud rejected Power"),
        ("ERROR", "reports.story", "No luck"),
        ("ERROR", "reports.story", "Sending failed unexpectedly (ValueError)"),
    ]
    LOGGER.warning("pending")
    await set_mode(cloud, device, 0)
    await until(lambda: not collectors())
    await pass_pace(hass)
    assert posts(cloud) == 1

    await set_mode(cloud, device, 1)
    await until(collectors)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not collectors()


async def test_mode_is_asked_for(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """A mode set while the device was offline or the setting was off is found; the setting ends it."""
    device.logs_enabled = True
    entry = await set_up(options=LOGS)
    await until(collectors)
    await options(hass, entry, cloud_log=False)
    assert not collectors()
    await options(hass, entry, cloud_log=True)
    await until(collectors)


async def test_neither_secrets_nor_values(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Lines leave the house: what is private or a value is masked, and what is about another entry stays here."""
    device.logs_enabled = True
    other = MockConfigEntry(
        domain=DOMAIN,
        title="Neighbour",
        data={"product_key": "a1Other", "device_name": "other-1", "device_secret": "0123456789abcdef"},
    )
    other.add_to_hass(hass)
    entry = await set_up(options=LOGS)
    add_sub_devices(
        hass, entry, [NewSubDevice(SubDeviceRow("a1Lamps", "lamp-1", product_secret="5ec0ffee5ec0ffee"), "Lamp")]
    )
    await until(collectors)
    LOGGER.warning("The secret is %s", DEVICE_SECRET)
    LOGGER.warning("The secret of the product is %s", "5ec0ffee5ec0ffee")
    LOGGER.warning("Fetching %s", "https://me:pw@files.example/a?token=abc")
    LOGGER.warning("Power: wanted a number, got 31.5; Name: wanted text, got 'Li Lei'")
    LOGGER.warning("Anna's lamp can't take %r, Bob's can't take %r", "Li Lei", 'Li\'s "x"')
    LOGGER.warning("Neighbour lost its connection")
    LOGGER.warning("The host of %s refuses", "a1Other.other-1")
    LOGGER.warning("two\nlines%s", "x" * 5000)
    await pass_pace(hass)
    await until(lambda: len(device.logs) == 6)
    secret, product_secret, address, values, quoted, long = contents(device)
    assert secret == product_secret == "the text is withheld, because it contains a private value"
    assert address == "Fetching https://**@files.example/a?token=**"
    assert values == "Power: wanted a number, got **; Name: wanted text, got **"
    assert quoted == "Anna's lamp can't take **, Bob's can't take **"
    assert long.startswith("two lines")
    assert len(long) < 1001


async def test_pace(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """A flood from any thread becomes few messages of 40 lines, and the oldest lines give way."""
    device.logs_enabled = True
    await set_up(options=LOGS)
    await until(collectors)

    def flood() -> None:
        for number in range(CAPACITY + 50):
            LOGGER.warning("line %d", number)

    thread = threading.Thread(target=flood)
    thread.start()
    await hass.async_add_executor_job(thread.join)
    for _ in range(6):
        await pass_pace(hass)
    await until(lambda: len(device.logs) == CAPACITY)
    assert contents(device) == [f"line {number}" for number in range(50, CAPACITY + 50)]
    assert posts(cloud) == CAPACITY // 40


async def test_logs_about_logs(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What posting causes is not posted; lines that did not arrive are posted on the next connection."""
    quick_to_return(monkeypatch)
    device.logs_enabled = True
    entry = await set_up(options=LOGS)
    await until(collectors)

    async def noisy(*arguments: Any) -> None:
        LOGGER.warning("posting is difficult")
        await post_logs(*arguments)

    monkeypatch.setattr(f"{PACKAGE}.management.cloud_log.post_logs", noisy)
    LOGGER.warning("once")
    await pass_pace(hass)
    await until(lambda: contents(device) == ["once"])
    await pass_pace(hass)
    assert posts(cloud) == 1

    await lose_connection(cloud, device, entry)
    LOGGER.warning("while offline")
    await pass_pace(hass)
    end_outage(cloud)
    await until(lambda: entry.runtime_data.link.state is LinkState.ONLINE)
    await pass_pace(hass)
    await until(lambda: "while offline" in contents(device))
    assert "posting is difficult" not in contents(device)
