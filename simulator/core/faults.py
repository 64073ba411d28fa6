"""Faults on demand, set by `POST /faults` of the control API or by `Simulator.faults`.

| field | value |
|---|---|
| `refuse_connect` | {"code": CONNACK code 1 to 5, "count": number of CONNECTs (default: all)}; null ends it |
| `answer_code` | {"code": …, "count": …}: uplinks are answered with this code and have no effect; null ends it |
| `delay_replies` | seconds by which replies to uplinks are delayed |
| `lose_replies` | number of replies to uplinks that are not sent |
| `garble_replies` | number of replies to uplinks that are not an Alink message |
| `clock_ahead` | seconds by which the time service is ahead of this machine's clock, negative if it is behind |
| `duplicate_downlink` | number of commands that are delivered twice, byte for byte |
| `ignore_topics` | topics below `/sys/{pk}/{dn}/`, such as `thing/dsltemplate/get`: requests on them have no effect |
| `refuse_wildcards` | SUBSCRIBE with a wildcard gets 0x80, except for the message id of an RRPC topic |
| `rate_limit` | more than 30 QoS 0 or 10 QoS 1 messages a second are dropped silently (docs/protocol.md §14) |
| `drop_connection` | a device (`ProductKey/DeviceName` or `DeviceName`): its TCP connection, or its gateway's, is closed |
| `freeze`, `unfreeze` | a device: its connection becomes half-open (nothing is read or written), and works again |
| `kick` | a device: its connection is closed as if another client had connected with its triple |
| `babble` | a device: it is sent bytes that are not MQTT |
| `flood` | a device: it is sent thousands of packets that mean nothing: acknowledgements, replies and retained commands |
| `exceed` | a device: it is sent the beginning of a message of 256 MB |
| `reset` | true: all of the above is reset before the other fields are applied |
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .device import CONNECTED_ELSEWHERE, CloudDevice
from .jsontext import JsonValue


class FaultError(ValueError):
    """A fault is unknown, or its value is invalid."""


@dataclass(slots=True)
class CodeFault:
    """A code to return instead of the right one, `count` times, or always for None."""

    code: int
    count: int | None = None


class Faults:
    """The fault switches; all are off at first, except `rate_limit` if requested."""

    def __init__(self, find_device: Callable[[str], CloudDevice], *, rate_limit: bool = False) -> None:
        """`find_device` returns a device by its name, or raises KeyError."""
        self._find_device = find_device
        self._rate_limit_at_start = rate_limit
        self._clear()

    def _clear(self) -> None:
        self.refuse_connect: CodeFault | None = None
        self.answer_code: CodeFault | None = None
        self.delay_replies = 0.0
        self.lose_replies = 0
        self.garble_replies = 0
        self.clock_ahead = 0.0
        self.duplicate_downlink = 0
        self.ignore_topics: set[str] = set()
        self.refuse_wildcards = False
        self.rate_limit = self._rate_limit_at_start

    def set(self, **fields: JsonValue) -> None:
        """Set switches as `POST /faults` does; raise FaultError without changing anything."""
        steps = [self._step(name, value) for name, value in sorted(fields.items(), key=lambda item: item[0] != "reset")]
        for step in steps:
            step()

    def as_dict(self) -> dict[str, JsonValue]:
        """Return the switches for `GET /faults`."""
        return {
            "refuse_connect": _code_fault_as_dict(self.refuse_connect),
            "answer_code": _code_fault_as_dict(self.answer_code),
            "delay_replies": self.delay_replies,
            "lose_replies": self.lose_replies,
            "garble_replies": self.garble_replies,
            "clock_ahead": self.clock_ahead,
            "duplicate_downlink": self.duplicate_downlink,
            "ignore_topics": list[JsonValue](sorted(self.ignore_topics)),
            "refuse_wildcards": self.refuse_wildcards,
            "rate_limit": self.rate_limit,
        }

    def take_refusal(self) -> int | None:
        """Return the code to refuse a CONNECT with, or None."""
        self.refuse_connect, code = _use(self.refuse_connect)
        return code

    def take_answer_code(self) -> int | None:
        """Return the code to answer an uplink with, or None."""
        self.answer_code, code = _use(self.answer_code)
        return code

    def take_loss(self) -> bool:
        """Return whether to lose a reply."""
        lost = self.lose_replies > 0
        self.lose_replies -= lost
        return lost

    def take_garbling(self) -> bool:
        """Return whether to garble a reply."""
        garbled = self.garble_replies > 0
        self.garble_replies -= garbled
        return garbled

    def take_duplicate(self) -> bool:
        """Return whether to deliver a command twice."""
        twice = self.duplicate_downlink > 0
        self.duplicate_downlink -= twice
        return twice

    def _step(self, name: str, value: JsonValue) -> Callable[[], None]:
        """Validate one field and return the function that sets it."""
        match name:
            case "refuse_connect":
                fault = _code_fault(name, value, range(1, 6))
                return lambda: setattr(self, name, fault)
            case "answer_code":
                fault = _code_fault(name, value, range(1, 1_000_000))
                return lambda: setattr(self, name, fault)
            case "delay_replies" | "clock_ahead":
                seconds = _seconds(name, value)
                return lambda: setattr(self, name, seconds)
            case "lose_replies" | "garble_replies" | "duplicate_downlink":
                if not _is_count(value):
                    raise FaultError(f"{name} must be a count")
                return lambda: setattr(self, name, value)
            case "ignore_topics":
                topics = _topics(name, value)
                return lambda: setattr(self, name, topics)
            case "refuse_wildcards" | "rate_limit":
                if not isinstance(value, bool):
                    raise FaultError(f"{name} must be true or false")
                return lambda: setattr(self, name, value)
            case "drop_connection" | "freeze" | "unfreeze" | "kick" | "babble" | "flood" | "exceed":
                return self._connection_step(name, value)
            case "reset":
                if value is not True:
                    raise FaultError("reset must be true")
                return self._clear
        raise FaultError(f"unknown fault {name!r}")

    def _connection_step(self, name: str, value: JsonValue) -> Callable[[], None]:
        try:
            device = self._find_device(value if isinstance(value, str) else "")
        except KeyError:
            raise FaultError(f"{name} must be a device, as ProductKey/DeviceName or DeviceName") from None
        if (connection := device.connection) is None:
            raise FaultError(f"{name}: {device.name} is not online")
        line = connection.line
        match name:
            case "freeze":
                return line.freeze
            case "unfreeze":
                return line.unfreeze
            case "kick":
                return lambda: connection.close("replaced by a newer connection", code=CONNECTED_ELSEWHERE)
            case "babble":
                return line.babble
            case "flood":
                return line.flood
            case "exceed":
                return line.exceed
        return lambda: line.close("dropped on demand", lost=True)


def _topics(name: str, value: JsonValue) -> set[str]:
    topics = {topic for topic in value if isinstance(topic, str)} if isinstance(value, list) else set()
    if not isinstance(value, list) or len(topics) != len(value):
        raise FaultError(f"{name} must be a list of topics")
    return topics


def _seconds(name: str, value: JsonValue) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or (value < 0 and name != "clock_ahead"):
        raise FaultError(f"{name} must be a number of seconds")
    return float(value)


def _is_count(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _code_fault(name: str, value: JsonValue, codes: range) -> CodeFault | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not {"code"} <= value.keys() <= {"code", "count"}:
        raise FaultError(f'{name} must be {{"code": …}}, {{"code": …, "count": …}} or null')
    code, count = value["code"], value.get("count")
    if not isinstance(code, int) or isinstance(code, bool) or code not in codes:
        raise FaultError(f"{name}: code must be a whole number from {codes.start} to {codes.stop - 1}")
    if count is not None and (not isinstance(count, int) or not _is_count(count)):
        raise FaultError(f"{name}: count must be a count or null")
    return CodeFault(code, count)


def _code_fault_as_dict(fault: CodeFault | None) -> JsonValue:
    return None if fault is None else {"code": fault.code, "count": fault.count}


def _use(fault: CodeFault | None) -> tuple[CodeFault | None, int | None]:
    """Return the fault after one more use, and the code to return."""
    if fault is None or fault.count == 0:
        return None, None
    if fault.count is None:
        return fault, fault.code
    return CodeFault(fault.code, fault.count - 1) if fault.count > 1 else None, fault.code
