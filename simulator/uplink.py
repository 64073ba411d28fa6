"""The handling of messages from devices.

Messages are routed by topic alone: neither `method` nor `version` is required (docs/protocol.md §0.3). Messages that do not
fit are answered with the codes of §7.2, for single properties where the platform does so, otherwise for the whole message.
"""

from collections.abc import Callable, Mapping
import time

from .calls import Calls
from .delivery import Delivery
from .device import CloudDevice, UserMessage, now_ms
from .faults import Faults
from .jsontext import JsonValue, NotJsonError, dump, parse
from .packets import Publish
from .reports import (
    RejectedError,
    delete_desired,
    delete_tags,
    get_desired,
    get_thing_model,
    post_batch,
    post_event,
    post_history,
    post_properties,
    rejected,
    update_tags,
)
from .wire import Direction, Note, WireLog

PAYLOAD_LIMIT = 256 * 1024

type Handler = Callable[[CloudDevice, JsonValue], JsonValue]
"""Takes `params`, returns `data`, raises RejectedError."""


class Uplinks:
    """Receives the messages that devices publish."""

    def __init__(self, delivery: Delivery, calls: Calls, wire: WireLog, faults: Faults) -> None:
        """Answer through `delivery`, and pass replies to commands to `calls`."""
        self._delivery = delivery
        self._calls = calls
        self._wire = wire
        self._faults = faults
        self._handlers: dict[str, Handler] = {
            "thing/event/property/post": post_properties,
            "thing/event/property/batch/post": post_batch,
            "thing/event/property/history/post": post_history,
            "thing/property/desired/get": get_desired,
            "thing/property/desired/delete": delete_desired,
            "thing/deviceinfo/update": update_tags,
            "thing/deviceinfo/delete": delete_tags,
            "thing/dsltemplate/get": get_thing_model,
        }

    def receive(self, device: CloudDevice, message: Publish) -> None:
        """Handle one PUBLISH; no payload raises an exception."""
        note = self._gate(device, message)
        # Record the message before its answer, so that the transcript is in order.
        if note is not None:
            self._record(device, message, note)
            return
        path = message.topic.removeprefix(device.topics.system)
        if (accepted := self._take_reply(device, message, path)) is not None:
            self._record(device, message, "" if accepted else Note.LATE)
        elif path == "thing/model/up_raw":
            self._record(device, message)
            device.raw_up.append(message.payload)
            self._answer_raw(device, message.topic)
        elif message.topic.startswith(device.topics.users):
            self._record(device, message)
            suffix = message.topic.removeprefix(device.topics.users)
            device.user_messages.append(UserMessage(suffix, message.payload, message.qos, now_ms()))
        elif message.topic == device.topics.ntp_request:
            self._record(device, message)
            self._answer_time(device, message.payload)
        elif (handler := self._handler(path)) is not None:
            self._record(device, message)
            self._answer(device, message, handler)
        else:
            self._record(device, message, Note.IGNORED)
        device.changed()

    def _gate(self, device: CloudDevice, message: Publish) -> Note | None:
        """Return why the message is dropped, None if it is not (docs/protocol.md §1.4, §14)."""
        if len(message.payload) > PAYLOAD_LIMIT:
            return Note.TOO_LARGE
        if not device.topics.owns(message.topic):
            return Note.NOT_ALLOWED
        rates = device.connection.rates if device.connection else {}
        if self._faults.rate_limit and message.qos in rates and not rates[message.qos].take(time.monotonic()):
            return Note.RATE_LIMITED
        return None

    def _record(self, device: CloudDevice, message: Publish, note: str = "") -> None:
        self._wire.record(
            Direction.UP, device.name, topic=message.topic, qos=message.qos, payload=message.payload, note=note
        )

    def _take_reply(self, device: CloudDevice, message: Publish, path: str) -> bool | None:
        """Pass on a reply to a command; return whether it was awaited, None for other messages."""
        if (message_id := device.topics.long_rrpc_id(message.topic)) is not None:
            return self._calls.take_response(device, message_id, message.payload)
        match path.split("/"):
            case ["rrpc", "response", message_id]:
                return self._calls.take_response(device, message_id, message.payload)
            case ["thing", "service", "property", "set_reply" | "get_reply" as name] | ["thing", "service", name] if (
                name.endswith("_reply")
            ):
                return self._calls.take_reply(device, name.removesuffix("_reply"), message.payload)
            case ["thing", "model", "down_raw_reply"]:
                device.raw_down_replies.append(message.payload)
                return True
        return None

    def _handler(self, path: str) -> Handler | None:
        if path == "thing/dsltemplate/get" and self._faults.dsltemplate_silent:
            return None
        if (handler := self._handlers.get(path)) is not None:
            return handler
        match path.split("/"):
            case ["thing", "event", identifier, "post"]:
                return lambda device, params: post_event(device, identifier, params)
        return None

    def _answer(self, device: CloudDevice, message: Publish, handler: Handler) -> None:
        request: dict[str, JsonValue] = {}
        try:
            request = _read_request(message.payload)
            self._check_request(device, request)
            code, data = 200, handler(device, request.get("params"))
        except RejectedError as error:
            code, data = error.code, error.data
        if _wants_reply(request):
            self._delivery.reply(device, message.topic, request, code, data)

    def _check_request(self, device: CloudDevice, request: Mapping[str, JsonValue]) -> None:
        if not isinstance(request.get("id"), str | int):
            raise rejected(460)
        if device.raw:
            raise rejected(6813)
        if (code := self._faults.take_answer_code()) is not None:
            raise rejected(code)

    def _answer_raw(self, device: CloudDevice, topic: str) -> None:
        code = self._faults.take_answer_code() or 200
        request: dict[str, JsonValue] = {"id": self._calls.next_message_id()}
        self._delivery.reply(device, topic, request, code, {})

    def _answer_time(self, device: CloudDevice, payload: bytes) -> None:
        """Answer an NTP request in the type of the request, text or number (§12.3)."""
        received = self._now()
        try:
            request = parse(payload)
        except NotJsonError:
            return
        sent = request.get("deviceSendTime") if isinstance(request, dict) else None
        if not isinstance(sent, str | int):
            return
        write: Callable[[int], JsonValue] = str if isinstance(sent, str) else int
        answer: JsonValue = {
            "deviceSendTime": sent,
            "serverRecvTime": write(received),
            "serverSendTime": write(self._now()),
        }
        self._delivery.answer(device, device.topics.ntp_response, dump(answer).encode())

    def _now(self) -> int:
        return now_ms() + int(self._faults.clock_ahead * 1000)


def _read_request(payload: bytes) -> dict[str, JsonValue]:
    try:
        request = parse(payload)
    except NotJsonError:
        raise rejected(6207) from None
    if not isinstance(request, dict):
        raise rejected(460)
    return request


def _wants_reply(request: Mapping[str, JsonValue]) -> bool:
    options = request.get("sys")
    return not (isinstance(options, dict) and options.get("ack") in (0, "0"))
