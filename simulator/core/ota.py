"""Firmware and the upgrades of devices to it (docs/protocol.md §12.4)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
import secrets

from .clock import now_ms
from .device import CloudDevice, Connection

DEFAULT_MODULE = "default"


class OtaStatus(StrEnum):
    """The status of an upgrade, as in the answer of ListOTATaskByJob."""

    QUEUED = "QUEUED"
    NOTIFIED = "NOTIFIED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


PENDING = {OtaStatus.QUEUED, OtaStatus.NOTIFIED, OtaStatus.IN_PROGRESS}


@dataclass(frozen=True, slots=True)
class Firmware:
    """A version of the firmware of a module."""

    id: str
    product_key: str
    name: str
    version: str
    module: str
    url: str
    """Where devices download it."""
    size: int
    sign: str
    """The hash of the file by its method, in hexadecimal digits."""
    sign_method: str
    """`MD5` or `SHA256`."""
    is_diff: bool = False
    source_version: str = ""


@dataclass(slots=True, eq=False)
class OtaTask:
    """The upgrade of one device; times are in milliseconds."""

    id: str
    job_id: str
    firmware: Firmware
    device: CloudDevice
    source_version: str
    push: bool = True
    """Whether the platform sends it, instead of waiting until the device asks."""
    status: OtaStatus = OtaStatus.QUEUED
    progress: int = 0
    description: str = ""
    created: int = field(default_factory=now_ms)
    modified: int = field(default_factory=now_ms)
    sent_on: Connection | None = None
    """The connection on which the device has been told."""

    def change(self, status: OtaStatus, description: str = "") -> None:
        """Take a new status."""
        self.status, self.description, self.modified = status, description, now_ms()


class Upgrades:
    """The firmware and the upgrades of one simulator."""

    def __init__(self) -> None:
        """Start empty."""
        self.firmware: dict[str, Firmware] = {}
        self.tasks: list[OtaTask] = []

    def pending(self, device: CloudDevice, module: str | None = None) -> Iterator[OtaTask]:
        """Yield the upgrades of a device that have no outcome yet, of one module or all."""
        for task in self.tasks:
            if task.device is device and task.status in PENDING and module in (None, task.firmware.module):
                yield task

    def of_job(self, job_id: str) -> list[OtaTask]:
        """Return the upgrades of a job."""
        return [task for task in self.tasks if task.job_id == job_id]


def new_id() -> str:
    """Return the id of a firmware, a job or a task."""
    return secrets.token_hex(10)
