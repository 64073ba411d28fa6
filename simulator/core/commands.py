"""Commands to devices and the replies to them (docs/protocol.md §6)."""

import asyncio
from itertools import count
import time

from .clock import now_ms
from .delivery import Delivery, takes_long_rrpc
from .device import CloudDevice, Connection, RrpcForm
from .jsontext import JsonValue, NotJsonError, dump, parse
from .records import DeviceReply, Notification, ServiceCall

FIRST_ALINK_ID = 1_770_000_001
FIRST_MESSAGE_ID = 1_770_000_000_000_000_001
"""Message ids of RRPC need 64 bits, as on the platform."""
NO_CODE = -1
"""The code of a reply without a code."""


class NotOnlineError(Exception):
    """The device has no connection."""


class Commands:
    """Sends commands and passes their replies to the callers."""

    def __init__(self, delivery: Delivery) -> None:
        """Start without any command."""
        self._delivery = delivery
        self._alink_ids = count(FIRST_ALINK_ID)
        self._message_ids = count(FIRST_MESSAGE_ID)
        self._awaited: dict[tuple[str, str], asyncio.Future[bytes]] = {}

    def set_properties(self, device: CloudDevice, values: JsonValue) -> ServiceCall:
        """Send a property set; raise NotOnlineError."""
        return self._send(device, "set", "property/set", values)

    def get_properties(self, device: CloudDevice, identifiers: JsonValue) -> ServiceCall:
        """Send a property get; raise NotOnlineError."""
        return self._send(device, "get", "property/get", identifiers)

    def start_service(self, device: CloudDevice, identifier: str, arguments: JsonValue) -> ServiceCall:
        """Send an asynchronous service; raise NotOnlineError."""
        return self._send(device, identifier, identifier, arguments)

    async def run_service(
        self, device: CloudDevice, identifier: str, arguments: JsonValue, timeout: float
    ) -> ServiceCall:
        """Send a synchronous service and wait for its reply; raise NotOnlineError or TimeoutError (seconds)."""
        message_id = self.next_message_id()
        call = self._record(device, identifier, arguments, message_id)
        topic = device.topics.rrpc_request(message_id)
        if device.rrpc is not RrpcForm.SYS and takes_long_rrpc(device):
            topic = device.topics.long_rrpc(message_id, device.topics.service(identifier))
        response = await self._rrpc(device, message_id, topic, _request(call, identifier), timeout)
        _add_reply(device, call, _read_reply(response) or {})
        return call

    async def rrpc(
        self, device: CloudDevice, payload: bytes, timeout: float, topic: str | None = None
    ) -> tuple[str, bytes]:
        """Send any payload and return (message id, payload of the response); raise NotOnlineError or TimeoutError (seconds).

        With a topic of the device, the request is sent on `/ext/rrpc/{message id}{topic}`. A device that has not declared bit 0
        of `ext` does not receive it (§6.5).
        """
        message_id = self.next_message_id()
        request_topic = device.topics.rrpc_request(message_id)
        if topic is not None:
            request_topic = device.topics.long_rrpc(message_id, topic)
        return message_id, await self._rrpc(device, message_id, request_topic, payload, timeout)

    def notify(
        self, device: CloudDevice, path: str, params: JsonValue, *, connection: Connection | None = None
    ) -> Notification:
        """Send a downlink below `/sys/{pk}/{dn}/` that is not a command; its replies are recorded, too."""
        notification = Notification(str(next(self._alink_ids)), path, params)
        device.notifications.append(notification)
        message = {"id": notification.id, "version": "1.0", "params": params, "method": path.replace("/", ".")}
        notification.delivered = self._delivery.command(
            device, device.topics.system + path, dump(message).encode(), connection=connection
        )
        return notification

    def take_notification_reply(self, device: CloudDevice, path: str, payload: bytes) -> bool:
        """Take a reply to a notification; return False if no such notification was sent."""
        document = _read_reply(payload)
        for notification in reversed(device.notifications):
            if document is not None and notification.id == str(document.get("id")) and notification.path == path:
                notification.replies.append(_reply(document, 0.0))
                return True
        return False

    def take_reply(self, device: CloudDevice, identifier: str, payload: bytes) -> bool:
        """Take a reply from a `…_reply` topic; return False if no such command was sent."""
        if (document := _read_reply(payload)) is None:
            return False
        alink_id = str(document.get("id"))
        for call in reversed(device.service_calls):
            if call.id == alink_id and call.identifier == identifier and not call.sync:
                _add_reply(device, call, document)
                return True
        return False

    def take_response(self, device: CloudDevice, message_id: str, payload: bytes) -> bool:
        """Take an RRPC response; return False if it is not awaited any more."""
        awaited = self._awaited.get((device.name, message_id))
        if awaited is None or awaited.done():
            return False
        awaited.set_result(payload)
        return True

    def next_message_id(self) -> str:
        """Return a new message id."""
        return str(next(self._message_ids))

    def _send(self, device: CloudDevice, identifier: str, path: str, params: JsonValue) -> ServiceCall:
        call = self._record(device, identifier, params)
        payload = _request(call, path.replace("/", "."))
        self._delivery.command(device, device.topics.service(path), payload)
        return call

    def _record(
        self, device: CloudDevice, identifier: str, params: JsonValue, message_id: str | None = None
    ) -> ServiceCall:
        """Record a command before it is sent; a command with a message id is synchronous."""
        if not device.online:
            raise NotOnlineError
        alink_id = str(next(self._alink_ids))
        sync = message_id is not None
        call = ServiceCall(message_id or alink_id, alink_id, identifier, params, sync, now_ms(), time.perf_counter())
        device.service_calls.append(call)
        return call

    async def _rrpc(self, device: CloudDevice, message_id: str, topic: str, payload: bytes, timeout: float) -> bytes:
        if not device.online:
            raise NotOnlineError
        key = device.name, message_id
        awaited: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._awaited[key] = awaited
        self._delivery.command(device, topic, payload, qos=0)
        try:
            async with asyncio.timeout(timeout):
                return await awaited
        finally:
            del self._awaited[key]


def _request(call: ServiceCall, method: str) -> bytes:
    return dump({"id": call.id, "version": "1.0", "params": call.params, "method": f"thing.service.{method}"}).encode()


def _read_reply(payload: bytes) -> dict[str, JsonValue] | None:
    try:
        document = parse(payload)
    except NotJsonError:
        return None
    return document if isinstance(document, dict) else None


def _add_reply(device: CloudDevice, call: ServiceCall, document: dict[str, JsonValue]) -> None:
    call.replies.append(_reply(document, time.perf_counter() - call.written_at))
    device.changed()


def _reply(document: dict[str, JsonValue], round_trip: float) -> DeviceReply:
    code = document.get("code")
    try:
        number = int(code) if isinstance(code, int | str) else NO_CODE
    except ValueError:
        number = NO_CODE
    message = document.get("message")
    return DeviceReply(number, document.get("data"), message if isinstance(message, str) else "", round_trip)
