"""Logs of the device in the cloud, posted while the platform asks for them (`docs/protocol.md` §12.5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from .errors import Rejected
from .model.numeric import to_whole
from .remote_file import invalid

if TYPE_CHECKING:
    from .device import Device
    from .messages import JsonValue

LINES_PER_MESSAGE: Final = 40


class LogLevel(StrEnum):
    """The levels that are posted."""

    FATAL = "FATAL"
    ERROR = "ERROR"
    WARN = "WARN"


@dataclass(frozen=True, slots=True)
class LogMode:
    """Whether the platform asks for logs."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line; `at` has a time zone."""

    at: datetime
    level: LogLevel
    module: str
    content: str

    def as_json(self) -> dict[str, JsonValue]:
        """Return the line as it is sent."""
        moment = f"{self.at:%Y-%m-%dT%H:%M:%S}.{self.at.microsecond // 1000:03}{self.at:%z}"
        return {
            "utcTime": moment,
            "logLevel": self.level.value,
            "module": self.module,
            "code": "0",
            "logContent": self.content,
        }


async def get_log_mode(device: Device) -> LogMode:
    """Ask whether logs are wanted; raises Rejected, MessageError, and what `Device.request` raises."""
    params: JsonValue = {"configScope": "device", "getType": "content"}
    return read_log_mode(await device.ask(device.topics.log_config_get, "thing.config.log.get", params))


async def post_logs(device: Device, lines: Iterable[LogLine]) -> None:
    """Post lines, `LINES_PER_MESSAGE` at most; raises Rejected, and what `Device.request` raises."""
    params: JsonValue = [line.as_json() for line in lines]
    reply = await device.request(device.topics.log_post, "thing.log.post", params)
    if not reply.ok:
        raise Rejected(reply.code, reply.message)


def read_log_mode(data: JsonValue) -> LogMode:
    """Read the configuration of logs; raises MessageError."""
    content = data.get("content") if isinstance(data, dict) else None
    mode = to_whole(content.get("mode")) if isinstance(content, dict) else None
    if mode not in (0, 1):
        raise invalid("the configuration of logs has no mode")
    return LogMode(mode == 1)
