"""Jobs (docs/protocol.md §12.10)."""

from ..core.device import CloudDevice
from ..core.jobs import PENDING, Job, JobStatus, JobTask
from ..core.jsontext import JsonValue, dump
from ..core.ota import new_id
from ..device_side.jobs import push, push_pending
from .call import Answer, Call
from .errors import BAD_PARAMETER, NO_SUCH_JOB, ApiError
from .times import utc

CUSTOM = "CUSTOM_JOB"
LISTED = 50


async def create(call: Call) -> Answer:
    """Give devices something to do, described by `JobDocument`, JSON.

    `TargetConfig`: {"targetType": "DEVICES", "targetDevices": [{"productKey", "deviceName"}]} or {"targetType": "ALL",
    "targetProduct": ProductKey}; `TimeoutConfig`: {"inProgressTimeoutInMinutes": …}. Unlike on the platform, the bytes of a
    file are given: `JobFileContent`, Base64. The type must be CUSTOM_JOB.
    """
    fields = call.fields
    if fields.text("Type") != CUSTOM:
        raise ApiError(BAD_PARAMETER, f"Type is {CUSTOM}.")
    minutes = fields.optional_json_object("TimeoutConfig").get("inProgressTimeoutInMinutes")
    if not isinstance(minutes, int | None):
        raise ApiError(BAD_PARAMETER, "inProgressTimeoutInMinutes is a number.")
    targets = _targets(call)
    file = None
    if fields.optional("JobFileContent") is not None:
        file = call.platform.files.add("job.bin", fields.content("JobFileContent"))
    job = Job(new_id(), fields.text("JobName"), fields.json("JobDocument"), file, minutes)
    call.platform.jobs.jobs[job.id] = job
    for device in targets:
        task = JobTask(new_id(), job, device)
        call.platform.jobs.tasks[task.id] = task
        push_pending(call.platform, device)
    return {"JobId": job.id}


async def cancel(call: Call) -> Answer:
    """Cancel the tasks of a job that have no outcome yet, and tell the devices."""
    for task in _job(call):
        if task.status in PENDING:
            task.status = JobStatus.CANCELLED
            push(call.platform, task)
    return {}


async def list_tasks(call: Call) -> Answer:
    """Return the tasks of a job; `Status` selects some."""
    status = call.fields.optional_text("Status")
    rows: list[JsonValue] = [_row(task) for task in _job(call) if status in (None, task.status)]
    return {"Data": {"data": rows[:LISTED]}}


async def query_task(call: Call) -> Answer:
    """Return a task with its details."""
    if (task := call.platform.jobs.tasks.get(call.fields.text("TaskId"))) is None:
        raise ApiError(NO_SUCH_JOB)
    details = "" if task.details is None else dump(task.details)
    return {"Data": _row(task) | {"StatusDetail": details, "Message": ""}}


def _row(task: JobTask) -> Answer:
    return {
        "TaskId": task.id,
        "JobId": task.job.id,
        "JobName": task.job.name,
        "ProductKey": task.device.product_key,
        "DeviceName": task.device.device_name,
        "IotId": task.device.iot_id,
        "Status": task.status,
        "Progress": str(task.progress),
        "UtcQueueTime": utc(task.created),
        "UtcModified": utc(task.modified),
    }


def _job(call: Call) -> list[JobTask]:
    if (job := call.platform.jobs.jobs.get(call.fields.text("JobId"))) is None:
        raise ApiError(NO_SUCH_JOB)
    return call.platform.jobs.of_job(job.id)


def _targets(call: Call) -> list[CloudDevice]:
    config = call.fields.json_object("TargetConfig")
    listed = config.get("targetDevices")
    if config.get("targetType") == "ALL":
        devices = list(call.platform.registry.of_product(str(config.get("targetProduct"))))
    else:
        names = [name for name in listed if isinstance(name, dict)] if isinstance(listed, list) else []
        devices = [call.named((str(name.get("productKey")), str(name.get("deviceName")))) for name in names]
    if not devices:
        raise ApiError(BAD_PARAMETER, "TargetConfig has no devices.")
    return devices
