"""The handling of messages from devices.

Messages are routed by topic alone: neither `method` nor `version` is required (docs/protocol.md §0.3). Messages that do not
fit are answered with the codes of §7.2, for single properties where the platform does so, otherwise for the whole message.
"""

from collections.abc import Mapping
import time

from .broker.packets import Publish
from .core.device import CloudDevice
from .core.jsontext import JsonValue, NotJsonError, parse
from .core.platform import Platform
from .core.topics import parse_topic
from .core.transcript import Direction, Note
from .device_side.uplink import RejectedError, Uplink, rejected
from .routes import Message, Reply, Request, RequestHandler, find_route

PAYLOAD_LIMIT = 256 * 1024


class Router:
    """Passes what devices publish to the handlers of the table, simulator/routes.py."""

    def __init__(self, platform: Platform) -> None:
        """Work for this platform."""
        self._platform = platform

    def receive(self, sender: CloudDevice, message: Publish) -> None:
        """Handle one PUBLISH of a device; no payload raises an exception."""
        device = sender
        if (note := self._gate(device, message)) is not None:
            self._record(device, message, note)
            return
        address = parse_topic(message.topic)
        found = find_route(address.pattern) if address else None
        if found is None or message.topic.removeprefix(device.topics.system) in self._platform.faults.ignore_topics:
            self._record(device, message, Note.IGNORED)
            device.changed()
            return
        route, variables = found
        uplink = Uplink(self._platform, device, message.topic, message.payload, message.qos, variables)
        match route:
            case Reply(handle):
                self._record(device, message, "" if handle(uplink) else Note.LATE)
            case Message(handle):
                self._record(device, message)  # before its answer, so that the transcript is in order
                handle(uplink)
            case Request(handle):
                self._record(device, message)
                self._answer(uplink, handle)
        device.changed()

    def _gate(self, device: CloudDevice, message: Publish) -> Note | None:
        """Return why the message is dropped, None if it is not (docs/protocol.md §1.4, §14)."""
        if len(message.payload) > PAYLOAD_LIMIT:
            return Note.TOO_LARGE
        if not device.topics.owns(message.topic):
            return Note.NOT_ALLOWED
        rates = device.connection.rates if device.connection else {}
        limited = self._platform.faults.rate_limit and message.qos in rates
        if limited and not rates[message.qos].take(time.monotonic()):
            return Note.RATE_LIMITED
        return None

    def _record(self, device: CloudDevice, message: Publish, note: str = "") -> None:
        self._platform.transcript.record(
            Direction.UP, device.name, topic=message.topic, qos=message.qos, payload=message.payload, note=note
        )

    def _answer(self, uplink: Uplink, handle: RequestHandler) -> None:
        request: dict[str, JsonValue] = {}
        try:
            request = _read_request(uplink.payload)
            self._check_request(uplink.device, request)
            code, data = 200, handle(uplink, request.get("params"))
        except RejectedError as error:
            code, data = error.code, error.data
        if _wants_reply(request):
            self._platform.delivery.reply(uplink.device, uplink.topic, request, code, data)

    def _check_request(self, device: CloudDevice, request: Mapping[str, JsonValue]) -> None:
        if not isinstance(request.get("id"), str | int):
            raise rejected(460)
        if device.raw:
            raise rejected(6813)
        if (code := self._platform.faults.take_answer_code()) is not None:
            raise rejected(code)


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
