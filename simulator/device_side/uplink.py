"""A message from a device, and what its handler returns or raises."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.device import CloudDevice
from ..core.jsontext import JsonValue, dump
from ..core.platform import Platform


@dataclass(frozen=True, slots=True)
class Uplink:
    """A PUBLISH of a device that may publish it; `variables` are the named levels of its route."""

    platform: Platform
    device: CloudDevice
    topic: str
    payload: bytes
    qos: int
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that answers an uplink in a form of its own."""

    topic: str
    payload: bytes


def answer(uplink: Uplink, pattern: str, content: JsonValue) -> Answer:
    """Return an answer with JSON on a topic such as `/shadow/get/{pk}/{dn}`."""
    return Answer(uplink.device.topics.expand(pattern), dump(content).encode())


class RejectedError(Exception):
    """The whole message is refused; `code` and `data` are those of the reply."""

    def __init__(self, code: int, data: JsonValue) -> None:
        """Take a code of docs/protocol.md §7.2."""
        super().__init__(code, data)
        self.code = code
        self.data = data


def rejected(code: int, data: JsonValue = None) -> RejectedError:
    """Return a refusal; `data` says more, such as the reason or the devices that it is about."""
    return RejectedError(code, data or {})


def read_object(
    value: JsonValue, *, may_be_empty: bool = False, limit: tuple[int, int] | None = None
) -> dict[str, JsonValue]:
    """Return a JSON object; raise 460 for anything else. `limit` is the number of members and the code beyond it."""
    if not isinstance(value, dict) or not (value or may_be_empty):
        raise rejected(460)
    if limit is not None and len(value) > limit[0]:
        raise rejected(limit[1])
    return value


def read_array(value: JsonValue, *, may_be_empty: bool = True, limit: tuple[int, int] | None = None) -> list[JsonValue]:
    """Return a JSON array; raise 460 for anything else. `limit` is the number of elements and the code beyond it."""
    if not isinstance(value, list) or not (value or may_be_empty):
        raise rejected(460)
    if limit is not None and len(value) > limit[0]:
        raise rejected(limit[1])
    return value


def read_text(owner: Mapping[str, JsonValue], key: str) -> str:
    """Return a member that must be a text and not be empty; raise 460."""
    value = owner.get(key)
    if not isinstance(value, str) or not value:
        raise rejected(460, f"{key} must be a text")
    return value
