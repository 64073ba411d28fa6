"""Where the cloud does not answer, or the memory makes no sense, what is desired is still done once at most, and all else goes on."""

import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.aliyun_iot.alink.errors import Rejected, RequestTimeout
from simulator import CloudDevice, Simulator

from .application import LAMP
from .conftest import SetUp
from .outages import caught_up, end_outage, lose_connection, quick_to_return, uplinks
from .waiting import until
from .wishes import away, cleared, desire, fail_to_ask, is_on, journal


@pytest.fixture(autouse=True)
async def home(house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Furnish the house, and let connections come back soon."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.RETRY_INTERVAL", 0.05)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.SETTLE_DELAY", 0.05)


async def test_a_reply_lost_while_clearing(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
) -> None:
    """The version is remembered over a restart, so that the same wish is not done twice, and the next one is."""
    entry = await set_up([LAMP])
    await away(cloud, device, entry, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch"))
    key = f"aliyun_iot.{entry.entry_id}.unsent"
    assert await hass.config_entries.async_unload(entry.entry_id)
    await desire(cloud, device, LightSwitch=0)
    hass_storage[key]["data"]["desired"] = {"LightSwitch": {"version": 2, "since": 1, "done": True}}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)
    await until(lambda: journal(entry)[-1][2] == "cleared: done before (LightSwitch version 2)")

    await away(cloud, device, entry, LightSwitch=0)
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


async def test_a_cloud_without_desired_values(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Where nobody answers the question it is asked once a connection, and everything else goes on."""
    cloud.faults.set(answer_code={"code": 6813})
    entry = await set_up([LAMP])
    await until(lambda: uplinks(cloud, "/thing/property/desired/get"))
    cloud.faults.set(answer_code=None)
    await caught_up(entry)
    await cloud.call(
        "SetDeviceProperty",
        ProductKey=device.product_key,
        DeviceName=device.device_name,
        Items=json.dumps({"LightSwitch": 1}),
    )
    await device.wait_for(lambda one: one.properties.get("LightSwitch", (None,))[0] == 1)
    assert len(uplinks(cloud, "/thing/property/desired/get")) == 1


@pytest.mark.parametrize(
    "error", [RequestTimeout("no reply"), Rejected(500, "server error"), Rejected(520, "no session")]
)
async def test_a_question_that_has_to_be_repeated(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    """No answer, and none for the moment, is no reason to wait for the next connection."""
    fail_to_ask(monkeypatch, "get_desired", error, error)
    await desire(cloud, device, LightSwitch=1)
    await set_up([LAMP])
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)
    assert device.connections == 1


async def test_a_stale_wish_that_was_asked_for_in_vain(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is no younger for a connection that has told nothing."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.RETRY_INTERVAL", 3600)
    fail_to_ask(monkeypatch, "get_desired", RequestTimeout("no reply"))
    hass_storage["aliyun_iot.here.unsent"] = away_for_25_hours()
    await desire(cloud, device, LightSwitch=1)
    entry = await set_up([LAMP], entry_id="here")
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    end_outage(cloud)
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


@pytest.mark.parametrize("question", ["get_desired", "delete_desired"])
async def test_a_fresh_wish_after_a_stale_one(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    question: str,
) -> None:
    """What is stale is cleared at the next try; the absence is over then, and the next one counts by itself."""
    fail_to_ask(monkeypatch, question, RequestTimeout("no reply"))
    hass_storage["aliyun_iot.here.unsent"] = away_for_25_hours()
    await desire(cloud, device, LightSwitch=1)
    entry = await set_up([LAMP], entry_id="here")
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)
    await until(lambda: "may be too old (" in journal(entry)[-1][2])

    await away(cloud, device, entry, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)


@pytest.mark.parametrize(
    "row",
    [
        {"version": 1},
        {"version": 1, "since": "noon", "done": False},
        ["version", 1],
    ],
)
async def test_a_memory_that_makes_no_sense(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    row: object,
) -> None:
    """It is as good as none: the wish is done, and then comes the past."""
    hass_storage["aliyun_iot.here.unsent"] = {"version": 1, "data": {"desired": {"LightSwitch": row}}}
    await desire(cloud, device, LightSwitch=1)
    entry = await set_up([LAMP], entry_id="here")
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)
    await caught_up(entry)


async def test_a_failure_that_nobody_has_thought_of(
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It ends up in the log, and the past is sent all the same."""
    fail_to_ask(monkeypatch, "get_desired", ZeroDivisionError())
    await caught_up(await set_up([LAMP]))
    assert "Getting the desired values failed unexpectedly" in caplog.text


def away_for_25_hours() -> dict[str, Any]:
    """Return what is stored of a connection that was lost more than a day ago."""
    since = int(dt_util.utcnow().timestamp() * 1000) - 25 * 3_600_000
    return {"version": 1, "data": {"offline_since": since}}
