"""Upgrades of firmware (docs/protocol.md §12.4)."""

import base64
import hashlib
from typing import Any

import aiohttp
import pytest

from simulator import CloudDevice, Note, Simulator

from .conftest import KEY, NAME, SECRET, Call, Connect
from .gateway_client import SUB_KEY, Gateway
from .mqtt_device import MqttDevice

FIRMWARE = bytes(range(256)) * 10
INFORM, PROGRESS = f"/ota/device/inform/{KEY}/{NAME}", f"/ota/device/progress/{KEY}/{NAME}"
UPGRADE, REQUEST = f"/ota/device/upgrade/{KEY}/{NAME}", f"/ota/device/request/{KEY}/{NAME}"


async def _firmware(call: Call, version: str = "2.0", **fields: Any) -> str:
    answer = await call(
        "CreateOTAFirmware",
        FirmwareName=f"v{version}",
        DestVersion=version,
        FirmwareContent=base64.b64encode(FIRMWARE).decode(),
        **fields,
    )
    assert answer["Success"], answer
    return answer["Data"]["FirmwareId"]


async def _job(call: Call, firmware: str, *names: str, **fields: Any) -> str:
    target = {f"TargetDeviceName.{number}": name for number, name in enumerate(names, 1)}
    selection = "SPECIFIC" if names else "ALL"
    answer = await call("CreateOTAStaticUpgradeJob", FirmwareId=firmware, TargetSelection=selection, **target, **fields)
    assert answer["Success"], answer
    return answer["Data"]["JobId"]


async def _task(call: Call, job: str) -> tuple[str, str, str]:
    [row] = (await call("ListOTATaskByJob", JobId=job))["Data"]["SimpleOTATaskInfo"]
    return row["TaskStatus"], row["Progress"], row["TaskDesc"]


def _inform(device: MqttDevice, version: str, **more: str) -> None:
    device.publish(INFORM, {"id": "1", "params": {"version": version} | more})


async def test_upgrade_ends_with_the_version_that_is_reported(
    device: MqttDevice, call: Call, gateway: CloudDevice
) -> None:
    """It is told, downloads, says how far it is, and reports the version; only the latter counts."""
    _inform(device, "1.0")
    await gateway.wait_for(lambda device: device.firmware == {"default": "1.0"})
    job = await _job(call, await _firmware(call), NAME)
    message = await device.receive()
    assert (message.topic, message.json["code"], message.json["message"]) == (UPGRADE, "1000", "success")
    data = message.json["data"]
    assert (data["version"], data["size"], data["signMethod"]) == ("2.0", len(FIRMWARE), "Md5")
    assert data["sign"] == data["md5"] == hashlib.md5(FIRMWARE, usedforsecurity=False).hexdigest()
    assert "module" not in data
    assert await _task(call, job) == ("NOTIFIED", "0", "")
    async with aiohttp.ClientSession() as session, session.get(data["url"]) as response:
        assert await response.read() == FIRMWARE
    for step in ("1", 100):
        await device.acknowledged(PROGRESS, {"id": "2", "params": {"step": step, "desc": "on it"}})
        assert await _task(call, job) == ("IN_PROGRESS", str(step), "on it")
    _inform(device, "1.0")
    await device.barrier()
    assert (await _task(call, job))[0] == "IN_PROGRESS"
    assert device.messages.empty()
    _inform(device, "2.0")
    await device.barrier()
    assert await _task(call, job) == ("SUCCEEDED", "100", "")
    assert (await call("QueryDeviceDetail"))["Data"]["FirmwareVersion"] == "2.0"


async def test_modules_have_versions_of_their_own(device: MqttDevice, call: Call, gateway: CloudDevice) -> None:
    """And upgrades."""
    firmware = await _firmware(call, ModuleName="MCU", SignMethod="SHA256", Type=1, SrcVersion="1.0")
    job = await _job(call, firmware, NAME)
    data = (await device.receive()).json["data"]
    assert (data["module"], data["isDiff"], data["signMethod"]) == ("MCU", 1, "SHA256")
    assert data["sign"] == hashlib.sha256(FIRMWARE).hexdigest()
    _inform(device, "2.0")
    await device.barrier()
    assert (await _task(call, job))[0] == "NOTIFIED"
    _inform(device, "2.0", module="MCU")
    await device.barrier()
    assert (await _task(call, job))[0] == "SUCCEEDED"
    assert gateway.firmware == {"default": "2.0", "MCU": "2.0"}
    info = (await call("QueryOTAFirmware", FirmwareId=firmware))["FirmwareInfo"]
    assert (info["ModuleName"], info["Type"], info["SrcVersion"], info["FirmwareSize"]) == (
        "MCU",
        1,
        "1.0",
        len(FIRMWARE),
    )


@pytest.mark.parametrize(
    ("step", "description"),
    [(-1, "upgrade failed"), ("-2", "download failed"), (-3, "verification failed"), (-4, "writing failed")],
)
async def test_failed_upgrade(device: MqttDevice, call: Call, step: Any, description: str) -> None:
    """With the reason; it is not sent again."""
    job = await _job(call, await _firmware(call), NAME)
    await device.receive()
    await device.acknowledged(PROGRESS, {"id": "1", "params": {"step": step, "desc": ""}})
    assert await _task(call, job) == ("FAILED", "0", description)
    assert (await device.ask("thing/ota/firmware/get", {}))["data"] == {}


async def test_device_asks_for_an_upgrade(device: MqttDevice, call: Call) -> None:
    """On the present topic and on the older one; there may be none."""
    assert (await device.ask("thing/ota/firmware/get", {"module": "default"}))["data"] == {}
    device.publish(REQUEST, {"id": "1", "params": {}})
    assert (await device.receive()).json["data"] == {}
    job = await _job(call, await _firmware(call), NAME, NeedPush="false")
    assert (await _task(call, job))[0] == "QUEUED"
    data = (await device.ask("thing/ota/firmware/get", {}))["data"]
    assert data["version"] == "2.0"
    assert (await _task(call, job))[0] == "NOTIFIED"
    device.publish(REQUEST, {"id": "1"})
    message = await device.receive()
    assert (message.topic, message.json["code"], message.json["data"]) == (REQUEST, "1000", data)
    assert (await device.ask("thing/ota/firmware/get", {"module": "MCU"}))["data"] == {}


async def test_device_that_was_offline_is_told_when_it_connects(
    device: MqttDevice, gateway: CloudDevice, call: Call, connect: Connect
) -> None:
    """And again after a reconnect, until the upgrade has an outcome."""
    await device.stop()
    await gateway.wait_for(lambda device: not device.online)
    job = await _job(call, await _firmware(call), NAME)
    assert (await _task(call, job))[0] == "QUEUED"
    for _ in range(2):
        again = await connect()
        assert (await again.receive()).topic == UPGRADE
    _inform(again, "2.0")
    await again.barrier()
    last = await connect()
    await last.barrier()
    assert last.messages.empty()


async def test_device_without_implicit_subscription_is_told_when_it_reports(
    gateway: CloudDevice, call: Call, connect: Connect
) -> None:
    """It could not hear the first time."""
    await _job(call, await _firmware(call), NAME)
    device = await connect(parameters="securemode=3")
    await device.subscribe(UPGRADE)
    _inform(device, "1.0")
    assert (await device.receive()).json["data"]["version"] == "2.0"


async def test_sub_devices_are_upgraded_through_their_gateway(
    hub: Gateway, lamps: list[CloudDevice], call: Call
) -> None:
    """On their own topics, after the reply to the login."""
    await hub.add((SUB_KEY, "lamp-0"))
    firmware = await _firmware(call, ProductKey=SUB_KEY)
    await _job(call, firmware)
    await hub.log_in((SUB_KEY, "lamp-0"))
    assert (await hub.receive()).topic == f"/ota/device/upgrade/{SUB_KEY}/lamp-0"
    hub.device.publish(f"/ota/device/inform/{SUB_KEY}/lamp-0", {"id": "1", "params": {"version": "2.0"}})
    await lamps[0].wait_for(lambda lamp: lamp.firmware == {"default": "2.0"})


async def test_second_job_for_a_module(device: MqttDevice, call: Call) -> None:
    """The device keeps its upgrade, unless the new job overwrites it."""
    first = await _job(call, await _firmware(call), NAME)
    await device.receive()
    second = await _firmware(call, "3.0")
    answer = await call("CreateOTAStaticUpgradeJob", FirmwareId=second, TargetSelection="ALL")
    assert (await call("ListOTATaskByJob", JobId=answer["Data"]["JobId"]))["Code"] == "iot.job.NotExistedJob"
    third = await _job(call, second, NAME, OverwriteMode=2)
    assert (await device.receive()).json["data"]["version"] == "3.0"
    assert (await _task(call, first))[0] == "CANCELED"
    assert (await call("CancelOTATaskByJob", JobId=third))["Success"]
    assert (await _task(call, third))[0] == "CANCELED"


async def test_tasks_of_a_job_by_pages(cloud: Simulator, gateway: CloudDevice, call: Call) -> None:
    """And by status and device."""
    for number in range(4):
        cloud.add_device(KEY, f"dev-{number}", SECRET)
    job = await _job(call, await _firmware(call))
    answer = await call("ListOTATaskByJob", JobId=job, PageSize=2, CurrentPage=3)
    assert (answer["Total"], answer["PageCount"], len(answer["Data"]["SimpleOTATaskInfo"])) == (5, 3, 1)
    answer = await call("ListOTATaskByJob", JobId=job, **{"DeviceNames.1": "dev-1", "TaskStatus": "QUEUED"})
    assert [row["DeviceName"] for row in answer["Data"]["SimpleOTATaskInfo"]] == ["dev-1"]
    assert (await call("ListOTATaskByJob", JobId=job, TaskStatus="FAILED"))["Total"] == 0
    assert not (await call("ListOTATaskByJob", JobId=job, PageSize=0))["Success"]


@pytest.mark.parametrize(
    ("topic", "payload", "note"),
    [
        (INFORM, b"x", Note.MALFORMED),
        (INFORM, {"id": "1", "params": {}}, Note.MALFORMED),
        (INFORM, {"id": "1", "params": {"version": 2}}, Note.MALFORMED),
        (INFORM, {"id": "1", "params": {"version": "2", "module": ""}}, Note.MALFORMED),
        (PROGRESS, {"id": "1", "params": {"step": "0"}}, Note.MALFORMED),
        (PROGRESS, {"id": "1", "params": {"step": 101}}, Note.MALFORMED),
        (PROGRESS, {"id": "1", "params": {"step": -5}}, Note.MALFORMED),
        (PROGRESS, {"id": "1", "params": {"step": "half"}}, Note.MALFORMED),
        (PROGRESS, [], Note.MALFORMED),
        (PROGRESS, {"id": "1", "params": {"step": "50"}}, Note.LATE),
    ],
)
async def test_reports_without_effect(
    cloud: Simulator, device: MqttDevice, gateway: CloudDevice, topic: str, payload: object, note: Note
) -> None:
    """There is no reply that could say so, but the transcript does."""
    await device.acknowledged(topic, payload)
    assert cloud.wire[-1].note == note
    assert gateway.firmware == {}


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("CreateOTAFirmware", {"FirmwareName": "x", "DestVersion": "1", "FirmwareContent": "?"}),
        (
            "CreateOTAFirmware",
            {"FirmwareName": "x", "DestVersion": "1", "FirmwareContent": "eA==", "SignMethod": "CRC"},
        ),
        ("CreateOTAFirmware", {"FirmwareName": "x", "DestVersion": "1", "FirmwareContent": "eA==", "Type": 2}),
        ("CreateOTAStaticUpgradeJob", {"FirmwareId": "nope", "TargetSelection": "ALL"}),
        ("QueryOTAFirmware", {"FirmwareId": "nope"}),
        ("CancelOTATaskByJob", {"JobId": "nope"}),
    ],
)
async def test_refused_actions(call: Call, action: str, fields: dict[str, Any]) -> None:
    """With an error."""
    assert not (await call(action, **fields))["Success"]


@pytest.mark.parametrize("fields", [{"TargetSelection": "GRAY"}, {"TargetSelection": "SPECIFIC"}])
async def test_refused_targets(call: Call, fields: dict[str, Any]) -> None:
    """Only all devices, or some by name."""
    firmware = await _firmware(call)
    assert not (await call("CreateOTAStaticUpgradeJob", FirmwareId=firmware, **fields))["Success"]
    answer = await call(
        "CreateOTAStaticUpgradeJob", FirmwareId=firmware, TargetSelection="SPECIFIC", **{"TargetDeviceName.1": "gw-9"}
    )
    assert answer["Code"] == "iot.device.NotExistedDevice"


@pytest.mark.parametrize("code", [429, 9112])
async def test_refused_requests(cloud: Simulator, device: MqttDevice, code: int) -> None:
    """On demand, by both ways to ask (§12.4): too many requests, and a device that the service does not know."""
    cloud.faults.set(answer_code={"code": code, "count": 2})
    device.publish(REQUEST, {"id": "1", "params": {}})
    message = await device.receive()
    assert (message.topic, message.json["code"], message.json["data"]) == (REQUEST, str(code), {})
    assert message.json["message"] != "success"
    reply = await device.ask("thing/ota/firmware/get", {})
    assert (reply["code"], reply["message"]) == (code, message.json["message"])
