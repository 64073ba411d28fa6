"""The control API: the platform's own OpenAPI actions, by name, fields and answers.

An answer has `RequestId`, `Success`, `Code` (empty on success) and, depending on the action, `Data` or other fields; a
failure has `ErrorMessage`. Names and shapes are those of the platform's public API reference (version 2018-01-20). Values
are not checked against the thing model before they are sent, so that a device can be tested with bad values.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping
import uuid

from .calls import Calls, NotOnlineError
from .delivery import Delivery
from .device import CloudDevice, Desired, ServiceCall, now_ms
from .errors import (
    BAD_PARAMETER,
    BAD_TIMEOUT,
    BAD_TOPIC,
    NO_SUCH_ACTION,
    NO_SUCH_DEVICE,
    NO_SUCH_PRODUCT,
    OFFLINE,
    RRPC_HALF_CONNECTED,
    RRPC_OFFLINE,
    SERVICE_FAILED,
    SET_FAILED,
    TIMED_OUT,
    ApiError,
    missing,
)
from .fields import Fields
from .jsontext import JsonValue, dump
from .queries import (
    query_desired_properties,
    query_events,
    query_property_history,
    query_property_status,
    query_service_calls,
)
from .reports import delete_desired
from .topics import is_wildcard

DESIRED_PER_CALL = 10
RRPC_TIMEOUTS_MS = range(1000, 8001)

MILLISECOND = 0.001
"""Seconds; less in tests of calls that time out."""

type Answer = dict[str, JsonValue]
type Action = Callable[[Fields], Awaitable[Answer]]


class OpenApi:
    """Runs actions on the devices of one simulator."""

    def __init__(
        self,
        devices: Mapping[tuple[str, str], CloudDevice],
        calls: Calls,
        delivery: Delivery,
        *,
        service_timeout: float,
    ) -> None:
        """Serve these devices; a synchronous service times out after `service_timeout` seconds."""
        self._devices = devices
        self._calls = calls
        self._delivery = delivery
        self._service_timeout = service_timeout
        self._actions: dict[str, Action] = {
            "ClearDeviceDesiredProperty": self._clear_desired,
            "DisableThing": self._disable,
            "EnableThing": self._enable,
            "GetDeviceStatus": self._get_status,
            "InvokeThingService": self._invoke_service,
            "Pub": self._publish,
            "QueryDeviceDesiredProperty": self._query(query_desired_properties),
            "QueryDeviceEventData": self._query(query_events),
            "QueryDevicePropertyData": self._query(query_property_history),
            "QueryDevicePropertyStatus": self._query(query_property_status),
            "QueryDeviceServiceData": self._query(query_service_calls),
            "RRpc": self._rrpc,
            "SetDeviceDesiredProperty": self._set_desired,
            "SetDeviceProperty": self._set_properties,
        }

    async def call(self, action: str, fields: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Run one action and return its answer, also when it fails."""
        answer: Answer = {"RequestId": str(uuid.uuid4()).upper(), "Success": True, "Code": ""}
        try:
            return answer | await self._action(action)(Fields(fields))
        except ApiError as error:
            failure: Answer = {"Success": False, "Code": error.code, "ErrorMessage": error.message}
            return answer | failure | error.more

    def _action(self, name: str) -> Action:
        if not name:
            raise missing("Action")
        if (action := self._actions.get(name)) is None:
            raise ApiError(NO_SUCH_ACTION, f"{name!r} is not one of {', '.join(sorted(self._actions))}.")
        return action

    def _device(self, fields: Fields) -> CloudDevice:
        product_key, device_name = fields.text("ProductKey"), fields.text("DeviceName")
        if (device := self._devices.get((product_key, device_name))) is not None:
            return device
        known = any(product_key == key for key, _ in self._devices)
        raise ApiError(NO_SUCH_DEVICE if known else NO_SUCH_PRODUCT)

    def _query(self, query: Callable[[CloudDevice, Fields], JsonValue]) -> Action:
        async def run(fields: Fields) -> Answer:
            return {"Data": query(self._device(fields), fields)}

        return run

    async def _get_status(self, fields: Fields) -> Answer:
        device = self._device(fields)
        return {"Data": {"Status": device.status, "Timestamp": device.status_time}}

    async def _disable(self, fields: Fields) -> Answer:
        device = self._device(fields)
        device.disabled = True
        if device.connection is not None:
            device.connection.close("device is disabled")
        return {}

    async def _enable(self, fields: Fields) -> Answer:
        self._device(fields).disabled = False
        return {}

    async def _set_properties(self, fields: Fields) -> Answer:
        """`Items`: {identifier: value}. QueryDeviceServiceData returns the outcome, with the identifier `set`."""
        device, items = self._device(fields), fields.json_object("Items")
        try:
            call = self._calls.set_properties(device, items)
        except NotOnlineError:
            raise ApiError(OFFLINE) from None
        return {"Data": {"MessageId": call.message_id}}

    async def _set_desired(self, fields: Fields) -> Answer:
        """`Items`: {identifier: value}; `Versions`: {identifier: version to replace}, optional (§9)."""
        device, items = self._device(fields), fields.json_object("Items")
        expected = fields.optional_json_object("Versions")
        if not 0 < len(items) <= DESIRED_PER_CALL:
            raise ApiError(BAD_PARAMETER, f"Items has 1 to {DESIRED_PER_CALL} properties.")
        versions: dict[str, JsonValue] = {}
        for identifier in items:
            version = device.desired[identifier].version if identifier in device.desired else 0
            if expected.get(identifier, version) != version:
                raise ApiError(SET_FAILED, f"The version of {identifier} is {version}.")
            if device.thing_model is not None:
                known = device.thing_model.properties.get(identifier)
                if known is None or not known.writable:
                    raise ApiError(SET_FAILED, f"{identifier} is not a property that can be set.")
            versions[identifier] = version + 1
        now = now_ms()
        for identifier, value in items.items():
            device.desired[identifier] = Desired(value, int(str(versions[identifier])), now)
        message_id = self._calls.next_message_id()
        if device.online:
            message_id = self._calls.set_properties(device, items).message_id
        return {"Data": {"MessageId": message_id, "Versions": dump(versions)}}

    async def _clear_desired(self, fields: Fields) -> Answer:
        """Clear the desired values of `Identifies.N`, whatever their versions; the versions stay (§9)."""
        device, identifiers = self._device(fields), fields.texts("Identifies")
        if not identifiers:
            raise missing("Identifies")
        if len(identifiers) > DESIRED_PER_CALL:
            raise ApiError(BAD_PARAMETER, f"Identifies has 1 to {DESIRED_PER_CALL} properties.")
        delete_desired(device, {identifier: {} for identifier in identifiers})
        versions: JsonValue = {
            identifier: device.desired[identifier].version for identifier in identifiers if identifier in device.desired
        }
        return {"Data": {"Versions": dump(versions)}}

    async def _invoke_service(self, fields: Fields) -> Answer:
        """Invoke `Identifier` with `Args`; the thing model defines whether it is synchronous (§6.3, §6.4).

        Without a thing model, every service is asynchronous. `set` and `get` are the generated services: their `Args` are an
        object of values and an array of identifiers.
        """
        device, identifier = self._device(fields), fields.text("Identifier")
        try:
            if identifier == "set":
                call = self._calls.set_properties(device, fields.json_object("Args"))
            elif identifier == "get":
                call = self._calls.get_properties(device, fields.json("Args"))
            elif _is_sync(device, identifier):
                call = await self._calls.run_service(
                    device, identifier, fields.json_object("Args"), self._service_timeout
                )
                return _outcome(call)
            else:
                call = self._calls.start_service(device, identifier, fields.json_object("Args"))
        except NotOnlineError:
            raise ApiError(OFFLINE) from None
        except TimeoutError:
            raise ApiError(TIMED_OUT) from None
        return {"Data": {"MessageId": call.message_id}}

    async def _rrpc(self, fields: Fields) -> Answer:
        """Send any payload and wait `Timeout` ms for the response; with a `Topic`, on /ext/rrpc (§6.5)."""
        device, payload = self._device(fields), fields.content("RequestBase64Byte")
        timeout, topic = fields.integer("Timeout"), fields.optional_text("Topic")
        if timeout not in RRPC_TIMEOUTS_MS:
            raise ApiError(BAD_TIMEOUT, "It must be 1000 to 8000 ms.")
        if topic is not None and (is_wildcard(topic) or not device.topics.owns(topic)):
            raise ApiError(BAD_TOPIC)
        try:
            message_id, response = await self._calls.rrpc(device, payload, timeout * MILLISECOND, topic)
        except NotOnlineError:
            if device.half_connected:
                raise ApiError(RRPC_HALF_CONNECTED, RrpcCode="HALFCONN") from None
            raise ApiError(RRPC_OFFLINE, RrpcCode="OFFLINE") from None
        except TimeoutError:
            raise ApiError(TIMED_OUT, RrpcCode="TIMEOUT") from None
        return {
            "MessageId": int(message_id),
            "RrpcCode": "SUCCESS",
            "PayloadBase64Byte": base64.b64encode(response).decode(),
        }

    async def _publish(self, fields: Fields) -> Answer:
        """Publish `MessageContent` on `TopicFullName`.

        Unlike on the platform, any topic of a device is possible, so that malformed commands and raw frames can be sent. As
        on the platform, the caller does not learn whether the device receives the message.
        """
        product_key, topic = fields.text("ProductKey"), fields.text("TopicFullName")
        payload, qos = fields.content("MessageContent"), fields.integer("Qos", 0)
        if qos not in (0, 1):
            raise ApiError(BAD_PARAMETER, "Qos is 0 or 1.")
        owners = [device for (key, _), device in self._devices.items() if key == product_key]
        if not owners:
            raise ApiError(NO_SUCH_PRODUCT)
        device = next((device for device in owners if device.topics.owns(topic)), None)
        if device is None or is_wildcard(topic):
            raise ApiError(BAD_TOPIC)
        self._delivery.command(device, topic, payload, qos=qos)
        return {"MessageId": self._calls.next_message_id()}


def _is_sync(device: CloudDevice, identifier: str) -> bool:
    if device.thing_model is None:
        return False
    if (service := device.thing_model.services.get(identifier)) is None:
        raise ApiError(SERVICE_FAILED, f"{identifier} is not in the thing model.")
    return service.sync


def _outcome(call: ServiceCall) -> Answer:
    """Return the answer to a synchronous service; a code other than 200 becomes the code of the answer."""
    reply = call.reply
    data: JsonValue = {"MessageId": call.message_id, "Result": dump(reply.data if reply else None)}
    if reply is None or reply.code == 200:
        return {"Data": data}
    return {"Success": False, "Code": str(reply.code), "ErrorMessage": reply.message, "Data": data}
