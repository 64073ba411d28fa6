"""Firmware and upgrades (docs/protocol.md §12.4)."""

from collections.abc import Iterable

from ..core.clock import now_ms
from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.ota import DEFAULT_MODULE, PENDING, Firmware, OtaStatus, OtaTask, new_id
from ..device_side.ota import push_pending
from .call import Answer, Call
from .errors import BAD_PARAMETER, NO_SUCH_FIRMWARE, NO_SUCH_JOB, ApiError
from .pages import page
from .times import utc

SIGN_METHODS = {"MD5", "SHA256"}
SPECIFIC, ALL = "SPECIFIC", "ALL"
OVERWRITE = 2
MAX_PAGE = 200


async def create_firmware(call: Call) -> Answer:
    """Keep a firmware.

    Its bytes are in `FirmwareContent` (Base64), or `FirmwareUrl`, `FirmwareSize` and `FirmwareSign` say where they are. The
    platform, which keeps files in its object storage, has only the latter.
    """
    fields = call.fields
    method, kind = (fields.optional_text("SignMethod") or "MD5").upper(), fields.integer("Type", 0)
    if method not in SIGN_METHODS or kind not in (0, 1):
        raise ApiError(BAD_PARAMETER, "SignMethod is MD5 or SHA256, Type 0 or 1.")
    name = fields.text("FirmwareName")
    if fields.optional("FirmwareContent") is not None:
        file = call.platform.files.add("firmware.bin", fields.content("FirmwareContent"))
        url, size, sign = file.url, len(file.content), file.md5 if method == "MD5" else file.sha256
    else:
        url, size, sign = fields.text("FirmwareUrl"), fields.integer("FirmwareSize"), fields.text("FirmwareSign")
    firmware = Firmware(
        new_id(),
        call.product().key,
        name,
        fields.text("DestVersion"),
        fields.optional_text("ModuleName") or DEFAULT_MODULE,
        url,
        size,
        sign,
        method,
        kind == 1,
        fields.optional_text("SrcVersion") or "",
    )
    call.platform.upgrades.firmware[firmware.id] = firmware
    return {"Data": {"FirmwareId": firmware.id, "UtcCreate": utc(now_ms())}}


async def query_firmware(call: Call) -> Answer:
    """Return a firmware."""
    firmware = _firmware(call)
    return {
        "FirmwareInfo": {
            "FirmwareId": firmware.id,
            "FirmwareName": firmware.name,
            "ProductKey": firmware.product_key,
            "DestVersion": firmware.version,
            "SrcVersion": firmware.source_version,
            "ModuleName": firmware.module,
            "FirmwareUrl": firmware.url,
            "FirmwareSize": firmware.size,
            "FirmwareSign": firmware.sign,
            "SignMethod": firmware.sign_method,
            "Type": int(firmware.is_diff),
        }
    }


async def create_upgrade(call: Call) -> Answer:
    """Upgrade devices to a firmware: `TargetSelection` ALL, or SPECIFIC with `TargetDeviceName.N`.

    A device that is online is told at once, unless `NeedPush` is false; any other when it connects or reports its version. A
    device whose module has a pending upgrade keeps it, unless `OverwriteMode` is 2.
    """
    firmware, job_id = _firmware(call), new_id()
    upgrades, push = call.platform.upgrades, call.fields.boolean("NeedPush", default=True)
    for device in _targets(call, firmware):
        pending = list(upgrades.pending(device, firmware.module))
        if pending and call.fields.integer("OverwriteMode", 1) != OVERWRITE:
            continue
        for task in pending:
            task.change(OtaStatus.CANCELED, "overwritten")
        source = device.firmware.get(firmware.module, "")
        upgrades.tasks.append(OtaTask(new_id(), job_id, firmware, device, source, push))
        push_pending(call.platform, device)
    return {"Data": {"JobId": job_id, "UtcCreate": utc(now_ms())}}


async def list_tasks(call: Call) -> Answer:
    """Return the upgrades of a job, by pages; `TaskStatus` and `DeviceNames.N` select some."""
    status, names = call.fields.optional_text("TaskStatus"), call.fields.texts("DeviceNames")
    tasks = [
        task for task in _job(call) if status in (None, task.status) and (not names or task.device.device_name in names)
    ]
    shown = page(call.fields, tasks, size=20, limit=MAX_PAGE)
    return shown.counts() | {"Data": {"SimpleOTATaskInfo": [_row(task) for task in shown.entries]}}


async def cancel_tasks(call: Call) -> Answer:
    """Cancel the upgrades of a job that have no outcome yet."""
    for task in _job(call):
        if task.status in PENDING:
            task.change(OtaStatus.CANCELED, "cancelled")
    return {}


def _row(task: OtaTask) -> JsonValue:
    return {
        "TaskId": task.id,
        "JobId": task.job_id,
        "FirmwareId": task.firmware.id,
        "ProductKey": task.device.product_key,
        "ProductName": task.device.product.name,
        "DeviceName": task.device.device_name,
        "IotId": task.device.iot_id,
        "SrcVersion": task.source_version,
        "DestVersion": task.firmware.version,
        "TaskStatus": task.status,
        "TaskDesc": task.description,
        "Progress": str(task.progress),
        "UtcCreate": utc(task.created),
        "UtcModified": utc(task.modified),
    }


def _firmware(call: Call) -> Firmware:
    if (firmware := call.platform.upgrades.firmware.get(call.fields.text("FirmwareId"))) is None:
        raise ApiError(NO_SUCH_FIRMWARE)
    return firmware


def _job(call: Call) -> list[OtaTask]:
    if not (tasks := call.platform.upgrades.of_job(call.fields.text("JobId"))):
        raise ApiError(NO_SUCH_JOB)
    return tasks


def _targets(call: Call, firmware: Firmware) -> Iterable[CloudDevice]:
    if (selection := call.fields.text("TargetSelection")) not in (ALL, SPECIFIC):
        raise ApiError(BAD_PARAMETER, f"TargetSelection is {ALL} or {SPECIFIC}.")
    if selection == ALL:
        return list(call.platform.registry.of_product(firmware.product_key))
    if not (names := call.fields.texts("TargetDeviceName")):
        raise ApiError(BAD_PARAMETER, "TargetDeviceName is missing.")
    return [call.named((firmware.product_key, name)) for name in names]
