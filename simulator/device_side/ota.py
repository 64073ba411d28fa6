"""Upgrades of firmware (docs/protocol.md §12.4). The outcome is decided by the version that the device reports."""

from collections.abc import Mapping

from ..core.codes import text_of
from ..core.device import CloudDevice
from ..core.jsontext import JsonValue, NotJsonError, dump, parse
from ..core.ota import DEFAULT_MODULE, OtaStatus, OtaTask
from ..core.platform import Platform
from ..core.transcript import Note
from .uplink import Answer, Uplink, answer

UPGRADE = "/ota/device/upgrade/{pk}/{dn}"
REQUEST = "/ota/device/request/{pk}/{dn}"
SENT = "1000"
"""The code of what is sent on these topics."""
FAILURES = {-1: "upgrade failed", -2: "download failed", -3: "verification failed", -4: "writing failed"}


def take_version(uplink: Uplink) -> list[Answer] | Note:
    """Record the version of a module. It ends the upgrade to it; another upgrade is sent, unless it was on this connection."""
    params = _params(uplink)
    version, module = params.get("version"), params.get("module", DEFAULT_MODULE)
    if not isinstance(version, str) or not version or not isinstance(module, str) or not module:
        return Note.MALFORMED
    device = uplink.device
    device.firmware[module] = version
    for task in uplink.platform.upgrades.pending(device, module):
        if task.firmware.version == version:
            task.progress = 100
            task.change(OtaStatus.SUCCEEDED)
    push_pending(uplink.platform, device)
    return []


def take_progress(uplink: Uplink) -> list[Answer] | Note:
    """Record the progress of an upgrade: 1 to 100, or -1 to -4 for a failure."""
    params = _params(uplink)
    module = params.get("module", DEFAULT_MODULE)
    try:
        step = int(str(params.get("step")))
    except ValueError:
        return Note.MALFORMED
    if step not in range(1, 101) and step not in FAILURES:
        return Note.MALFORMED
    task = next(uplink.platform.upgrades.pending(uplink.device, str(module)), None)
    if task is None:
        return Note.LATE
    description = params.get("desc")
    text = description if isinstance(description, str) else ""
    if step in FAILURES:
        task.change(OtaStatus.FAILED, text or FAILURES[step])
    else:
        task.progress = step
        task.change(OtaStatus.IN_PROGRESS, text)
    return []


def get_firmware(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return the pending upgrade of a module, `{}` if there is none."""
    return _find(uplink, params)


def take_request(uplink: Uplink) -> list[Answer] | Note:
    """Answer the older request for a pending upgrade, on its own topic."""
    if (code := uplink.platform.faults.take_answer_code()) is not None:
        return [answer(uplink, REQUEST, _content(uplink.platform, {}, str(code), text_of(code)))]
    return [answer(uplink, REQUEST, _content(uplink.platform, _find(uplink, dict(_params(uplink)))))]


def _content(platform: Platform, data: JsonValue, code: str = SENT, message: str = "success") -> JsonValue:
    return {"code": code, "data": data, "id": platform.commands.next_message_id(), "message": message}


def push_pending(platform: Platform, device: CloudDevice) -> None:
    """Send the upgrades that a device does not know on its present connection."""
    for task in list(platform.upgrades.pending(device)):
        if task.push and device.connection is not None and task.sent_on is not device.connection:
            push(platform, task)


def push(platform: Platform, task: OtaTask) -> None:
    """Send an upgrade."""
    topic = task.device.topics.expand(UPGRADE)
    if platform.delivery.command(task.device, topic, dump(_content(platform, describe(task))).encode()):
        _told(task)


def describe(task: OtaTask) -> JsonValue:
    """Return what the device needs for an upgrade."""
    firmware = task.firmware
    data: dict[str, JsonValue] = {
        "size": firmware.size,
        "version": firmware.version,
        "url": firmware.url,
        "signMethod": "Md5" if firmware.sign_method == "MD5" else "SHA256",
        "sign": firmware.sign,
    }
    if firmware.sign_method == "MD5":
        data["md5"] = firmware.sign
    if firmware.is_diff:
        data["isDiff"] = 1
    if firmware.module != DEFAULT_MODULE:
        data["module"] = firmware.module
    return data


def _find(uplink: Uplink, params: JsonValue) -> JsonValue:
    module = params.get("module", DEFAULT_MODULE) if isinstance(params, dict) else DEFAULT_MODULE
    task = next(uplink.platform.upgrades.pending(uplink.device, str(module)), None)
    if task is None:
        return {}
    _told(task)
    return describe(task)


def _told(task: OtaTask) -> None:
    task.sent_on = task.device.connection
    if task.status is OtaStatus.QUEUED:
        task.change(OtaStatus.NOTIFIED)


def _params(uplink: Uplink) -> Mapping[str, JsonValue]:
    try:
        request = parse(uplink.payload)
    except NotJsonError:
        return {}
    params = request.get("params") if isinstance(request, dict) else None
    return params if isinstance(params, dict) else {}
