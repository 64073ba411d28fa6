"""Upload of files over MQTT (docs/protocol.md §12.9)."""

import json
from typing import Any

import aiohttp
import pytest

from simulator import CloudDevice, Note, Simulator
from simulator.core import uploads
from simulator.core.uploads import crc16, crc64

from .conftest import Call, Connect
from .mqtt_device import MqttDevice, rejected

PATH = "thing/file/upload/mqtt/"
FILE = bytes(range(256)) * 3 + b"end"


@pytest.fixture
async def uploader(device: MqttDevice) -> MqttDevice:
    """A device that has subscribed to the replies, which are not implicit."""
    await device.subscribe(*[f"{device.system}{PATH}{verb}_reply" for verb in ("init", "send", "cancel")])
    return device


async def _begin(device: MqttDevice, **options: Any) -> dict[str, Any]:
    params = {"fileName": "log.txt", "fileSize": len(FILE), "conflictStrategy": "overwrite"} | options
    return await device.ask(f"{PATH}init", params)


def _message(
    upload: Any, offset: Any, chunk: bytes, *, last: bool = False, crc: int | None = None, **params: Any
) -> bytes:
    header = {"uploadId": upload, "offset": offset, "bSize": len(chunk), "isComplete": last} | params
    text = json.dumps({"id": "7", "params": header}).encode()
    return len(text).to_bytes(2) + text + chunk + (crc16(chunk) if crc is None else crc).to_bytes(2, "little")


async def _send(device: MqttDevice, payload: bytes) -> dict[str, Any]:
    device.publish(f"{device.system}{PATH}send", payload)
    message = await device.receive()
    assert message.topic == f"{device.system}{PATH}send_reply"
    return message.json


def test_checksums() -> None:
    """The check values of CRC-16/ARC and CRC-64/XZ."""
    assert crc16(b"123456789") == 0xBB3D
    assert crc64(b"123456789") == 0x995DC9BBDF1939FA


async def test_file_arrives_in_chunks(uploader: MqttDevice, call: Call) -> None:
    """The application can download it, and delete it."""
    reply = await _begin(uploader, ficMode="crc64", ficValue=str(crc64(FILE)), initUid="1", extraParams={})
    data = reply["data"]
    assert (reply["code"], data["fileName"], data["fileSize"], data["offset"]) == (200, "log.txt", len(FILE), 0)
    for offset in range(0, len(FILE), 256):
        chunk = FILE[offset : offset + 256]
        reply = await _send(uploader, _message(data["uploadId"], offset, chunk))
        last = offset + 256 >= len(FILE)
        expected = {"uploadId": data["uploadId"], "offset": offset, "bSize": len(chunk)}
        assert (reply["id"], reply["code"], reply["message"]) == ("7", 200, "success")
        assert reply["data"] == (expected | {"complete": True} if last else expected)
    [row] = (await call("QueryDeviceFileList"))["Data"]["FileSummary"]
    assert (row["Name"], row["Size"]) == ("log.txt", str(len(FILE)))
    url = (await call("QueryDeviceFile", FileId=row["FileId"]))["Data"]["DownloadUrl"]
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert await response.read() == FILE
    assert (await _send(uploader, _message(data["uploadId"], 0, FILE)))["code"] == 78124
    assert (await call("DeleteDeviceFile", FileId=row["FileId"]))["Success"]
    assert (await call("QueryDeviceFileList"))["Total"] == 0
    assert (await call("QueryDeviceFile", FileId=row["FileId"]))["Code"] == "iot.file.NotExistedFile"


async def test_file_of_unknown_size(uploader: MqttDevice, call: Call) -> None:
    """The device says which chunk is the last; its checksum may be hexadecimal."""
    upload = (await _begin(uploader, fileSize=-1, ficMode="crc64", ficValue=f"{crc64(FILE):X}"))["data"]["uploadId"]
    assert "complete" not in (await _send(uploader, _message(upload, 0, FILE[:500])))["data"]
    reply = await _send(uploader, _message(upload, 500, FILE[500:], last=True))
    assert (reply["code"], reply["data"]["complete"]) == (200, True)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"fileName": ""}, 460),
        ({"fileName": "a" * 129}, 460),
        ({"fileName": "../x"}, 460),
        ({"fileSize": 0}, 460),
        ({"fileSize": "9"}, 460),
        ({"conflictStrategy": "merge"}, 460),
        ({"ficMode": "md5", "ficValue": "1"}, 460),
        ({"ficMode": "crc64"}, 460),
        ({"initUid": 1}, 460),
        ({"extraParams": "x"}, 460),
        ({"fileSize": 16 * 1024 * 1024 + 1}, 78117),
    ],
)
async def test_refused_beginnings(uploader: MqttDevice, options: dict[str, Any], code: int) -> None:
    """Of parameters, and of files that are too large."""
    assert (await _begin(uploader, **options))["code"] == code


async def _finish(device: MqttDevice, **options: Any) -> None:
    upload = (await _begin(device, **options))["data"]["uploadId"]
    assert (await _send(device, _message(upload, 0, FILE)))["data"]["complete"]


async def test_file_with_the_same_name(uploader: MqttDevice, gateway: CloudDevice) -> None:
    """It is overwritten, or refused."""
    await _finish(uploader)
    for strategy in ("append", "reject"):
        assert (await _begin(uploader, conflictStrategy=strategy))["code"] == 78123
    await _finish(uploader)
    assert len(gateway.uploads.files) == 1


async def test_upload_is_continued(uploader: MqttDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the strategy `append`, or the same request; not after a day."""
    first = (await _begin(uploader, initUid="a"))["data"]["uploadId"]
    await _send(uploader, _message(first, 0, FILE[:300]))
    for options in ({"conflictStrategy": "append"}, {"initUid": "a"}):
        data = (await _begin(uploader, **options))["data"]
        assert (data["uploadId"], data["offset"]) == (first, 300)
    monkeypatch.setattr(uploads, "KEPT_MS", -1)
    assert (await _send(uploader, _message(first, 300, FILE[300:])))["code"] == 78122
    data = (await _begin(uploader, conflictStrategy="append"))["data"]
    assert (data["uploadId"] != first, data["offset"]) == (True, 0)


async def test_refused_chunks(uploader: MqttDevice, gateway: CloudDevice) -> None:
    """With their codes; the upload can go on afterwards."""
    upload = (await _begin(uploader))["data"]["uploadId"]
    await _send(uploader, _message(upload, 0, FILE[:300]))
    refused = [
        (b"", 400),
        (b"\x00\x05{", 400),
        (b"\x00\x02[]\x00\x00", 400),
        (_message("nope", 300, FILE[300:]), 78122),
        (_message(upload, 300, FILE[300:], bSize=1), 460),
        (_message(upload, "300", FILE[300:]), 460),
        (_message(upload, 300, FILE[300:], isComplete="yes"), 460),
        (_message(None, 300, FILE[300:]), 460),
        (_message(upload, 300, bytes(128 * 1024 + 1)), 78118),
        (_message(upload, 301, FILE[301:]), 78119),
        (_message(upload, 300, FILE[300:400]), 78120),
        (_message(upload, 300, FILE[300:], crc=1), 78121),
        (_message(upload, 0, FILE[:300]), 78126),
    ]
    for payload, code in refused:
        reply = await _send(uploader, payload)
        assert (reply["code"], reply["data"].get("complete")) == (code, None), (payload[:80], reply)
    assert (await _send(uploader, _message(upload, 300, FILE[300:])))["data"]["complete"]
    assert [bytes(file.content) for file in gateway.uploads.files] == [FILE]


async def test_file_that_is_not_intact(uploader: MqttDevice, gateway: CloudDevice) -> None:
    """Its checksum, or its size; the upload has failed."""
    for options in ({"ficMode": "crc64", "ficValue": "1"}, {"fileSize": len(FILE) + 1}):
        upload = (await _begin(uploader, **options))["data"]["uploadId"]
        assert (await _send(uploader, _message(upload, 0, FILE, last=True)))["code"] == 78125
        assert (await _send(uploader, _message(upload, 0, FILE, last=True)))["code"] == 78122
    assert gateway.uploads.files == []


async def test_file_that_grows_too_large(uploader: MqttDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of unknown size before."""
    monkeypatch.setattr("simulator.device_side.upload.FILE_BYTES", 1000)
    upload = (await _begin(uploader, fileSize=-1))["data"]["uploadId"]
    assert (await _send(uploader, _message(upload, 0, bytes(900))))["code"] == 200
    assert (await _send(uploader, _message(upload, 900, bytes(900))))["code"] == 78117


async def test_cancelled_upload(uploader: MqttDevice) -> None:
    """It is forgotten; what is finished can't be cancelled."""
    upload = (await _begin(uploader))["data"]["uploadId"]
    assert rejected(await uploader.ask(f"{PATH}cancel", {"uploadId": upload})) == (200, {"uploadId": upload})
    assert (await uploader.ask(f"{PATH}cancel", {"uploadId": upload}))["code"] == 78122
    assert (await uploader.ask(f"{PATH}cancel", {}))["code"] == 460
    upload = (await _begin(uploader))["data"]["uploadId"]
    await _send(uploader, _message(upload, 0, FILE))
    assert (await uploader.ask(f"{PATH}cancel", {"uploadId": upload}))["code"] == 78124


async def test_server_error_on_demand(uploader: MqttDevice, cloud: Simulator) -> None:
    """A chunk is refused with the code."""
    upload = (await _begin(uploader))["data"]["uploadId"]
    cloud.faults.set(answer_code={"code": 500, "count": 1})
    assert (await _send(uploader, _message(upload, 0, FILE)))["code"] == 500
    assert (await _send(uploader, _message(upload, 0, FILE)))["code"] == 200


@pytest.mark.parametrize("verb", ["init", "send", "cancel"])
async def test_uploads_take_qos_0_only(cloud: Simulator, device: MqttDevice, verb: str) -> None:
    """Anything else is dropped."""
    await device.acknowledged(f"{device.system}{PATH}{verb}", b"{}")
    assert cloud.wire[-1].note == Note.ONLY_QOS_0


async def test_replies_need_a_subscription(cloud: Simulator, device: MqttDevice, connect: Connect) -> None:
    """They are undelivered without one."""
    device.publish(f"{device.system}{PATH}init", {"id": "1", "params": {}})
    await device.barrier()
    assert Note.UNDELIVERED in [message.note for message in cloud.wire]
