"""Jobs (docs/protocol.md §12.10)."""

from ..core.device import CloudDevice
from ..core.jobs import BY_DEVICE, PENDING, JobStatus, JobTask
from ..core.jsontext import JsonValue
from ..core.platform import Platform
from .uplink import Uplink, read_object, read_text, rejected

LIST, NEXT = "$list", "$next"
LISTED = 10


def get_task(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return a task by its id, the oldest pending one, or a list of the pending ones; only the id if there is none."""
    task_id = read_text(read_object(params), "taskId")
    pending = list(uplink.platform.jobs.pending(uplink.device))
    if task_id == LIST:
        tasks: list[JsonValue] = [{"taskId": task.id, "status": task.status} for task in pending[:LISTED]]
        return {"taskId": LIST, "tasks": tasks}
    task = next(iter(pending), None) if task_id == NEXT else uplink.platform.jobs.tasks.get(task_id)
    if task is None or task.device is not uplink.device:
        return {"taskId": task_id}
    return {"taskId": task.id, "task": describe(task)}


def update_task(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Take the progress of a task, or its outcome, which is final."""
    change = read_object(params)
    task = uplink.platform.jobs.tasks.get(read_text(change, "taskId"))
    status, progress, details = change.get("status"), change.get("progress", 0), change.get("statusDetails")
    if task is None or task.device is not uplink.device or task.status not in PENDING or status not in BY_DEVICE:
        raise rejected(460)
    if not isinstance(progress, int) or isinstance(progress, bool) or not 0 <= progress <= 100:
        raise rejected(460)
    if not isinstance(details, dict | None):
        raise rejected(460)
    task.progress, task.details, task.status = progress, details, JobStatus(status)
    return {"taskId": task.id}


def push_pending(platform: Platform, device: CloudDevice) -> None:
    """Tell a device of the tasks that it has not been told of."""
    for task in list(platform.jobs.pending(device)):
        if task.status is JobStatus.QUEUED:
            push(platform, task)


def push(platform: Platform, task: JobTask) -> None:
    """Tell a device of a task, or of its new status."""
    notification = platform.commands.notify(task.device, "thing/job/notify", {"task": describe(task)})
    if notification.delivered and task.status is JobStatus.QUEUED:
        task.status = JobStatus.SENT


def describe(task: JobTask) -> JsonValue:
    """Return what the device needs for a task."""
    content: dict[str, JsonValue] = {
        "taskId": task.id,
        "status": task.status,
        "progress": task.progress,
        "jobDocument": task.job.document,
    }
    if (file := task.job.file) is not None:
        content["jobFile"] = {"signMethod": "SHA256", "sign": file.sha256, "fileUrl": file.url}
    if task.details is not None:
        content["statusDetails"] = task.details
    return content
