"""Jobs, and the task of each device in them (docs/protocol.md §12.10)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from .clock import now_ms
from .device import CloudDevice
from .files import ServedFile
from .jsontext import JsonValue


class JobStatus(StrEnum):
    """The status of a task."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    REMOVED = "REMOVED"
    TIMED_OUT = "TIMED_OUT"


PENDING = {JobStatus.QUEUED, JobStatus.SENT, JobStatus.IN_PROGRESS}
BY_DEVICE = {JobStatus.IN_PROGRESS, JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.REJECTED}
"""What a device may set."""


@dataclass(frozen=True, slots=True)
class Job:
    """What devices are to do."""

    id: str
    name: str
    document: JsonValue
    file: ServedFile | None
    timeout_minutes: int | None
    created: int = field(default_factory=now_ms)


@dataclass(slots=True, eq=False)
class JobTask:
    """What one device is to do, and how far it is; times are in milliseconds."""

    id: str
    job: Job
    device: CloudDevice
    progress: int = 0
    details: JsonValue = None
    created: int = field(default_factory=now_ms)
    modified: int = field(default_factory=now_ms)
    _status: JobStatus = JobStatus.QUEUED

    @property
    def status(self) -> JobStatus:
        """The status; a task in progress times out by itself."""
        minutes = self.job.timeout_minutes
        overdue = minutes is not None and now_ms() - self.modified > minutes * 60_000
        if overdue and self._status is JobStatus.IN_PROGRESS:
            self._status = JobStatus.TIMED_OUT
        return self._status

    @status.setter
    def status(self, status: JobStatus) -> None:
        self._status, self.modified = status, now_ms()


class Jobs:
    """The jobs of one simulator."""

    def __init__(self) -> None:
        """Start empty."""
        self.jobs: dict[str, Job] = {}
        self.tasks: dict[str, JobTask] = {}

    def pending(self, device: CloudDevice) -> Iterator[JobTask]:
        """Yield the tasks of a device that have no outcome yet."""
        return (task for task in self.tasks.values() if task.device is device and task.status in PENDING)

    def of_job(self, job_id: str) -> list[JobTask]:
        """Return the tasks of a job."""
        return [task for task in self.tasks.values() if task.job.id == job_id]
