"""Without an answer of the cloud, or with an invalid store, a desired value is carried out once at most."""

import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.aliyun_iot.alink.errors import Rejected, RequestTimeout
from simulator import CloudDevice, Simulator

from .application import LAMP
from .conftest import SetUp
from .desired import cleared, fail_requests, is_on, journal, set_desired, set_desired_while_offline
from .outages import caught_up, end_outage, lose_connection, quick_to_return, uplinks
from .waiting import until


@pytest.fixture(autouse=True)
async def home(house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up the house, and let connections be made again soon."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.RETRY_INTERVAL", 0.05)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.SETTLE_DELAY", 0.05)


async def test_version_is_kept_over_a_restart(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
) -> None:
    """The same version is not carried out twice, the next one is carried out."""
    entry = await set_up([LAMP])
    await set_desired_while_offline(cloud, device, entry, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch"))
    key = f"aliyun_iot.{entry.entry_id}.unsent"
    assert await hass.config_entries.async_unload(entry.entry_id)
    await set_desired(cloud, device, LightSwitch=0)
    hass_storage[key]["data"]["desired"] = {"LightSwitch": {"version": 2, "since": 1, "done": True}}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)
    await until(lambda: journal(entry)[-1][2] == "cleared: done before (LightSwitch version 2)")

    await set_desired_while_offline(cloud, device, entry, LightSwitch=0)
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


async def test_cloud_without_desired_values(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """There is one request for each connection, and everything else works."""
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
async def test_unanswered_request_is_repeated(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    """On the same connection."""
    fail_requests(monkeypatch, "get_desired", error, error)
    await set_desired(cloud, device, LightSwitch=1)
    await set_up([LAMP])
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)
    assert device.connections == 1


async def test_stale_value_after_an_unanswered_request(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It stays stale after the next connect."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.RETRY_INTERVAL", 3600)
    fail_requests(monkeypatch, "get_desired", RequestTimeout("no reply"))
    hass_storage["aliyun_iot.here.unsent"] = offline_for_25_hours()
    await set_desired(cloud, device, LightSwitch=1)
    entry = await set_up([LAMP], entry_id="here")
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    end_outage(cloud)
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


@pytest.mark.parametrize("question", ["get_desired", "delete_desired"])
async def test_new_value_after_a_stale_one(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    question: str,
) -> None:
    """The stale one is cleared at the next try, and the age of the new one counts from then on."""
    fail_requests(monkeypatch, question, RequestTimeout("no reply"))
    hass_storage["aliyun_iot.here.unsent"] = offline_for_25_hours()
    await set_desired(cloud, device, LightSwitch=1)
    entry = await set_up([LAMP], entry_id="here")
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)
    await until(lambda: "may be too old (" in journal(entry)[-1][2])

    await set_desired_while_offline(cloud, device, entry, LightSwitch=1)
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
async def test_invalid_store(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    row: object,
) -> None:
    """The value is carried out as if nothing were stored, and then the past is sent."""
    hass_storage["aliyun_iot.here.unsent"] = {"version": 1, "data": {"desired": {"LightSwitch": row}}}
    await set_desired(cloud, device, LightSwitch=1)
    entry = await set_up([LAMP], entry_id="here")
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)
    await caught_up(entry)


async def test_unexpected_exception(
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, and the past is sent."""
    fail_requests(monkeypatch, "get_desired", ZeroDivisionError())
    await caught_up(await set_up([LAMP]))
    assert "Getting the desired values failed unexpectedly" in caplog.text


def offline_for_25_hours() -> dict[str, Any]:
    """Return the store of a connection that was lost more than a day ago."""
    since = int(dt_util.utcnow().timestamp() * 1000) - 25 * 3_600_000
    return {"version": 1, "data": {"offline_since": since}}
