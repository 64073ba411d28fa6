"""What the cloud records of a device."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .jsontext import JsonValue


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as posted; `time` is in milliseconds."""

    identifier: str
    output: Mapping[str, JsonValue]
    time: int


@dataclass(frozen=True, slots=True)
class UserMessage:
    """A message on a topic `/{pk}/{dn}/…`; `topic` is the part after `user/`, or the whole topic without it; `time` in ms."""

    topic: str
    payload: bytes
    qos: int
    time: int


@dataclass(frozen=True, slots=True)
class DeviceReply:
    """The reply of a device to a command; `round_trip` is in seconds since the command was written to the socket."""

    code: int
    data: JsonValue
    message: str
    round_trip: float


@dataclass(slots=True)
class ServiceCall:
    """A command to the device: a service, or `set` and `get` for properties.

    `id` is the id of the Alink message. `message_id` is the id that the API returns; for a synchronous service it is the
    number in the RRPC topic, otherwise the same as `id`. There is more than one reply if the device has answered the command
    more than once, or if it was delivered more than once.
    """

    message_id: str
    id: str
    identifier: str
    params: JsonValue
    sync: bool
    time: int
    written_at: float
    replies: list[DeviceReply] = field(default_factory=list)

    @property
    def reply(self) -> DeviceReply | None:
        """The first reply, None if there is none yet."""
        return self.replies[0] if self.replies else None


@dataclass(frozen=True, slots=True)
class Desired:
    """A desired property value; a cleared value keeps its version (§9)."""

    value: JsonValue
    version: int
    time: int
    cleared: bool = False


@dataclass(slots=True)
class Notification:
    """A downlink that is not a command: a change of the topology, that a sub-device is disabled, a configuration.

    `path` is the topic below `/sys/{pk}/{dn}/`.
    """

    id: str
    path: str
    params: JsonValue
    delivered: bool = False
    """Whether the device was online and had subscribed."""
    replies: list[DeviceReply] = field(default_factory=list)
