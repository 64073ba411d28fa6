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
from .core.product import NodeType
from .core.topics import Address, is_too_long, parse_topic
from .core.transcript import Direction, Note
from .device_side.uplink import RejectedError, Uplink, rejected
from .gateway.lifecycle import NOT_IN_TOPOLOGY, report_error
from .gateway.sessions import find_publisher
from .routes import Message, Reply, Request, Route, find_route

PAYLOAD_LIMIT = 256 * 1024


class Router:
    """Passes what devices publish to the handlers of the table, simulator/routes.py."""

    def __init__(self, platform: Platform) -> None:
        """Work for this platform."""
        self._platform = platform

    def receive(self, sender: CloudDevice, message: Publish) -> None:
        """Handle one PUBLISH on the connection of a device; no payload raises an exception."""
        if (address := parse_topic(message.topic)) is None:
            self._record(sender, message, Note.NOT_ALLOWED)
            return
        device = sender if sender.topics.owns(message.topic) else self._find_sub_device(sender, message, address)
        if device is None:
            return
        found = find_route(address.pattern)
        if (note := self._gate(device, message, found and found[0])) is not None:
            self._record(device, message, note)
        elif found is not None:
            route, variables = found
            uplink = Uplink(self._platform, device, message.topic, message.payload, message.qos, variables)
            self._handle(route, uplink, message, sender)
        device.changed()

    def _find_sub_device(self, sender: CloudDevice, message: Publish, address: Address) -> CloudDevice | None:
        """Return the sub-device that a gateway may publish for. Otherwise, record that the message is dropped."""
        code = NOT_IN_TOPOLOGY
        if sender.product.node_type is NodeType.GATEWAY and address.device_name:
            found = find_publisher(self._platform, sender, address)
            if isinstance(found, CloudDevice):
                return found
            code = found
        self._record(sender, message, Note.NOT_ALLOWED if code == NOT_IN_TOPOLOGY else Note.NO_SESSION)
        if sender.product.node_type is NodeType.GATEWAY:
            report_error(self._platform, sender, (address.product_key, address.device_name), code)
        return None

    def _gate(self, device: CloudDevice, message: Publish, route: Route | None) -> Note | None:
        """Return why the message has no effect, None if it has one (docs/protocol.md §1.4, §14)."""
        if len(message.payload) > PAYLOAD_LIMIT:
            return Note.TOO_LARGE
        if is_too_long(message.topic):
            return Note.TOPIC_TOO_LONG
        rates = device.connection.rates if device.connection else {}
        limited = self._platform.faults.rate_limit and message.qos in rates
        if limited and not rates[message.qos].take(time.monotonic()):
            return Note.RATE_LIMITED
        below = message.topic.removeprefix(device.topics.system)
        ignored = self._platform.options.dialect.ignored
        if route is None or below in self._platform.faults.ignore_topics:
            return Note.IGNORED
        if below in ignored or device.topics.contract(message.topic) in ignored:
            return Note.IGNORED
        if isinstance(route, Request | Message) and route.only_qos_0 and message.qos:
            return Note.ONLY_QOS_0
        return None

    def _handle(self, route: Route, uplink: Uplink, message: Publish, sender: CloudDevice) -> None:
        match route:
            case Reply(handle):
                self._record(uplink.device, message, "" if handle(uplink) else Note.LATE)
            case Message(handle):
                answers = handle(uplink)
                # Record the message before its answers, so that the transcript is in order.
                self._record(uplink.device, message, answers if isinstance(answers, Note) else "")
                for answer in answers if isinstance(answers, list) else ():
                    self._platform.delivery.answer(uplink.device, answer.topic, answer.payload)
            case Request():
                self._record(uplink.device, message)
                self._answer(uplink, route, sender)

    def _record(self, device: CloudDevice, message: Publish, note: str = "") -> None:
        self._platform.transcript.record(
            Direction.UP, device.name, topic=message.topic, qos=message.qos, payload=message.payload, note=note
        )

    def _answer(self, uplink: Uplink, route: Request, sender: CloudDevice) -> None:
        request: dict[str, JsonValue] = {}
        try:
            request = _read_request(uplink.payload)
            self._check_request(uplink.device, request)
            if route.for_gateway and (uplink.device is not sender or sender.product.node_type is not NodeType.GATEWAY):
                raise rejected(6203)
            code, data = 200, route.handle(uplink, request.get("params"))
        except RejectedError as error:
            code, data = error.code, error.data
        if _wants_reply(request, on_demand=self._platform.options.dialect.replies_on_demand):
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


def _wants_reply(request: Mapping[str, JsonValue], *, on_demand: bool) -> bool:
    options = request.get("sys")
    ack = options.get("ack") if isinstance(options, dict) else None
    return ack in (1, "1") if on_demand else ack not in (0, "0")
