"""Jobs (docs/protocol.md §12.10)."""

import base64
import hashlib
from typing import Any

import aiohttp
import pytest

from simulator import CloudDevice, Simulator
from simulator.core import jobs

from .conftest import KEY, NAME, SECRET, Call, Connect
from .mqtt_device import MqttDevice, rejected

DOCUMENT = {"action": "reboot"}


async def _job(call: Call, *names: str, **fields: Any) -> str:
    config: dict[str, Any] = {"targetType": "ALL", "targetProduct": KEY}
    if names:
        config = {"targetType": "DEVICES", "targetDevices": [{"productKey": KEY, "deviceName": name} for name in names]}
    values = {"JobName": "test", "Type": "CUSTOM_JOB", "JobDocument": DOCUMENT, "TargetConfig": config} | fields
    answer = await call("CreateJob", **values)
    assert answer["Success"], answer
    return answer["JobId"]


async def _row(call: Call, job: str) -> dict[str, Any]:
    [row] = (await call("ListTask", JobId=job))["Data"]["data"]
    return row


async def _notified(device: MqttDevice) -> dict[str, Any]:
    message = await device.answer({})
    assert message.topic == f"{device.system}thing/job/notify"
    return message.json["params"]["task"]


async def test_device_does_a_job(device: MqttDevice, call: Call, gateway: CloudDevice) -> None:
    """It is told, answers, says how far it is, and that it has succeeded."""
    job = await _job(call, NAME)
    task = await _notified(device)
    assert (task["status"], task["jobDocument"]) == ("QUEUED", DOCUMENT)
    await gateway.wait_for(lambda device: bool(device.notifications[-1].replies))
    row = await _row(call, job)
    assert (row["TaskId"], row["Status"], row["Progress"]) == (task["taskId"], "SENT", "0")
    update = {"taskId": task["taskId"], "status": "IN_PROGRESS", "progress": 50, "statusDetails": {"at": "half"}}
    reply = await device.ask("thing/job/update", update)
    assert rejected(reply) == (200, {"taskId": task["taskId"]})
    data = (await call("QueryTask", TaskId=task["taskId"]))["Data"]
    assert (data["Status"], data["Progress"], data["StatusDetail"]) == ("IN_PROGRESS", "50", '{"at":"half"}')
    done = {"taskId": task["taskId"], "status": "SUCCEEDED", "progress": 100}
    assert (await device.ask("thing/job/update", done))["code"] == 200
    assert (await _row(call, job))["Status"] == "SUCCEEDED"
    assert (await device.ask("thing/job/update", done))["code"] == 460


async def test_job_with_a_file(device: MqttDevice, call: Call) -> None:
    """With its signature."""
    await _job(call, JobFileContent=base64.b64encode(b"content").decode())
    file = (await _notified(device))["jobFile"]
    assert (file["signMethod"], file["sign"]) == ("SHA256", hashlib.sha256(b"content").hexdigest())
    async with aiohttp.ClientSession() as session, session.get(file["fileUrl"]) as response:
        assert await response.read() == b"content"


async def test_device_asks_for_its_jobs(device: MqttDevice, call: Call) -> None:
    """A list, the next one, one by its id; those that do not exist have only an id."""
    assert (await device.ask("thing/job/get", {"taskId": "$next"}))["data"] == {"taskId": "$next"}
    assert (await device.ask("thing/job/get", {"taskId": "$list"}))["data"] == {"taskId": "$list", "tasks": []}
    tasks = []
    for _ in range(12):
        await _job(call, NAME)
        tasks.append((await _notified(device))["taskId"])
    listed = (await device.ask("thing/job/get", {"taskId": "$list"}))["data"]["tasks"]
    assert listed == [{"taskId": task, "status": "SENT"} for task in tasks[:10]]
    data = (await device.ask("thing/job/get", {"taskId": "$next"}))["data"]
    assert (data["taskId"], data["task"]["status"], data["task"]["jobDocument"]) == (tasks[0], "SENT", DOCUMENT)
    await device.ask("thing/job/update", {"taskId": tasks[0], "status": "REJECTED"})
    assert (await device.ask("thing/job/get", {"taskId": "$next"}))["data"]["taskId"] == tasks[1]
    data = (await device.ask("thing/job/get", {"taskId": tasks[0]}))["data"]
    assert data["task"]["status"] == "REJECTED"
    assert (await device.ask("thing/job/get", {"taskId": "nope"}))["data"] == {"taskId": "nope"}


async def test_tasks_of_other_devices_are_unknown(
    cloud: Simulator, device: MqttDevice, gateway: CloudDevice, connect: Connect, call: Call
) -> None:
    """Neither read nor changed."""
    cloud.add_device(KEY, "gw-2", SECRET)
    other = await connect("gw-2")
    await _job(call, "gw-2")
    task = (await _notified(other))["taskId"]
    assert (await device.ask("thing/job/get", {"taskId": task}))["data"] == {"taskId": task}
    assert (await device.ask("thing/job/update", {"taskId": task, "status": "FAILED"}))["code"] == 460


async def test_device_that_was_offline_is_told_when_it_connects(
    device: MqttDevice, gateway: CloudDevice, call: Call, connect: Connect
) -> None:
    """Once."""
    await device.stop()
    await gateway.wait_for(lambda device: not device.online)
    job = await _job(call, NAME)
    assert (await _row(call, job))["Status"] == "QUEUED"
    await _notified(await connect())
    assert (await _row(call, job))["Status"] == "SENT"
    again = await connect()
    await again.barrier()
    assert again.messages.empty()


async def test_cancelled_job(device: MqttDevice, call: Call) -> None:
    """The device is told; it can't go on."""
    job = await _job(call, NAME)
    task = await _notified(device)
    assert (await call("CancelJob", JobId=job))["Success"]
    assert (await _notified(device))["status"] == "CANCELLED"
    update = {"taskId": task["taskId"], "status": "SUCCEEDED"}
    assert (await device.ask("thing/job/update", update))["code"] == 460
    assert (await call("ListTask", JobId=job, Status="CANCELLED"))["Data"]["data"]
    assert not (await call("ListTask", JobId=job, Status="FAILED"))["Data"]["data"]


async def test_task_times_out(device: MqttDevice, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some minutes after it began."""
    job = await _job(call, NAME, TimeoutConfig={"inProgressTimeoutInMinutes": 10})
    task = await _notified(device)
    await device.ask("thing/job/update", {"taskId": task["taskId"], "status": "IN_PROGRESS"})
    now = jobs.now_ms()
    monkeypatch.setattr(jobs, "now_ms", lambda: now + 11 * 60_000)
    assert (await _row(call, job))["Status"] == "TIMED_OUT"
    assert (await device.ask("thing/job/update", {"taskId": task["taskId"], "status": "SUCCEEDED"}))["code"] == 460


@pytest.mark.parametrize(
    "change",
    [
        {"status": "QUEUED"},
        {"status": "CANCELLED"},
        {"status": None},
        {"progress": 101},
        {"progress": "50"},
        {"progress": True},
        {"statusDetails": "half"},
        {"taskId": "nope"},
        {"taskId": 1},
    ],
)
async def test_refused_updates(device: MqttDevice, call: Call, change: dict[str, Any]) -> None:
    """460, and the task stays as it is."""
    job = await _job(call, NAME)
    task = await _notified(device)
    update = {"taskId": task["taskId"], "status": "IN_PROGRESS", "progress": 50} | change
    assert (await device.ask("thing/job/update", update))["code"] == 460
    assert (await _row(call, job))["Status"] == "SENT"


@pytest.mark.parametrize(
    "fields",
    [
        {"Type": "SET_PROPERTY"},
        {"JobDocument": "{"},
        {"TargetConfig": {}},
        {"TargetConfig": {"targetType": "ALL", "targetProduct": "a1Nothing01"}},
        {"TargetConfig": {"targetType": "DEVICES", "targetDevices": [{"productKey": KEY, "deviceName": "gw-9"}]}},
        {"TimeoutConfig": {"inProgressTimeoutInMinutes": "soon"}},
        {"JobFileContent": "?"},
    ],
)
async def test_refused_jobs(device: MqttDevice, call: Call, fields: dict[str, Any]) -> None:
    """No device is told."""
    values = {
        "JobName": "test",
        "Type": "CUSTOM_JOB",
        "JobDocument": DOCUMENT,
        "TargetConfig": {"targetType": "ALL", "targetProduct": KEY},
    }
    assert not (await call("CreateJob", **values | fields))["Success"]
    await device.barrier()
    assert device.messages.empty()


@pytest.mark.parametrize("action", ["CancelJob", "ListTask"])
async def test_unknown_job(call: Call, action: str) -> None:
    """With an error, as for an unknown task."""
    assert (await call(action, JobId="nope"))["Code"] == "iot.job.NotExistedJob"
    assert (await call("QueryTask", TaskId="nope"))["Code"] == "iot.job.NotExistedJob"
