"""The uplinks of devices: properties, events, desired values and tags (docs/protocol.md §4, §5, §9).

Each function takes the device and the `params` of its message, returns the `data` of the reply, and raises RejectedError
if the whole message is refused. Properties that do not fit the thing model are not recorded but listed in `data`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .device import CloudDevice, Desired, EventRecord, now_ms
from .jsontext import JsonValue
from .tsl import BadValueError, ThingModel

DAY_MS = 24 * 60 * 60 * 1000
IDENTIFIERS = 200


@dataclass(slots=True)
class RejectedError(Exception):
    """The whole message is refused; `code` and `data` are those of the reply."""

    code: int
    data: JsonValue


def rejected(code: int, reason: str = "") -> RejectedError:
    """Return a refusal with the reason as `data`."""
    return RejectedError(code, reason or {})


def post_properties(device: CloudDevice, params: JsonValue) -> JsonValue:
    """Record a property post with plain values or `{value, time}`; return what was refused (§4.1)."""
    samples = [(identifier, *_value_and_time(entry)) for identifier, entry in _object(params, limit=6106).items()]
    return _take_samples(device, samples)


def post_batch(device: CloudDevice, params: JsonValue) -> JsonValue:
    """Record several samples of each property and event (§4.3)."""
    content = _object(params)
    properties = _object(content.get("properties") or {}, may_be_empty=True, limit=6106)
    events = _object(content.get("events") or {}, may_be_empty=True)
    if not properties and not events:
        raise rejected(460)
    samples = [
        (identifier, *_value_and_time(entry, required=True))
        for identifier, entries in properties.items()
        for entry in _array(entries)
    ]
    records = [_event(device, identifier, entry) for identifier, entries in events.items() for entry in _array(entries)]
    refused = _take_samples(device, samples)
    device.events.extend(records)
    return refused


def post_history(device: CloudDevice, params: JsonValue) -> JsonValue:
    """Record values of the past, without changing the current ones (§4.5)."""
    samples: list[tuple[str, JsonValue, int]] = []
    records: list[EventRecord] = []
    for part in _array(params):
        content = _object(part)
        identity = _object(content.get("identity"))
        if (identity.get("productKey"), identity.get("deviceName")) != (device.product_key, device.device_name):
            raise rejected(6401)
        for group in _array(content.get("properties") or []):
            samples += [
                (identifier, *_value_and_time(entry, required=True)) for identifier, entry in _object(group).items()
            ]
        for group in _array(content.get("events") or []):
            records += [_event(device, identifier, entry) for identifier, entry in _object(group).items()]
    refused = _take_samples(device, samples, current=False)
    device.events.extend(records)
    return refused


def post_event(device: CloudDevice, identifier: str, params: JsonValue) -> JsonValue:
    """Record an event, with its output in `value` or directly in `params` (§5)."""
    device.events.append(_event(device, identifier, params))
    return {}


def get_desired(device: CloudDevice, params: JsonValue) -> JsonValue:
    """Return the requested desired values, as far as they are set (§9)."""
    identifiers = [identifier for identifier in _array(params, limit=6104) if isinstance(identifier, str)]
    found = {identifier: device.desired[identifier] for identifier in identifiers if identifier in device.desired}
    return {
        identifier: {"value": desired.value, "version": desired.version}
        for identifier, desired in found.items()
        if not desired.cleared
    }


def delete_desired(device: CloudDevice, params: JsonValue) -> JsonValue:
    """Clear desired values, all of them for `{}`; a value is kept if another version is given (§9)."""
    wanted = _object(params, may_be_empty=True, limit=6104)
    for identifier in wanted or list(device.desired):
        desired = device.desired.get(identifier)
        options = _object(wanted.get(identifier, {}), may_be_empty=True)
        if desired is not None and options.get("version", desired.version) == desired.version:
            device.desired[identifier] = Desired(None, desired.version, now_ms(), cleared=True)
    return {}


def update_tags(device: CloudDevice, params: JsonValue) -> JsonValue:
    """Add or replace tags (§12.1)."""
    for tag in map(_object, _array(params)):
        device.tags[str(tag.get("attrKey"))] = str(tag.get("attrValue"))
    return {}


def delete_tags(device: CloudDevice, params: JsonValue) -> JsonValue:
    """Remove tags (§12.1)."""
    for tag in map(_object, _array(params)):
        device.tags.pop(str(tag.get("attrKey")), None)
    return {}


def get_thing_model(device: CloudDevice, params: JsonValue) -> JsonValue:
    """Return the TSL document (§8.4)."""
    del params
    if device.thing_model is None:
        raise rejected(6321)
    return device.thing_model.document


def _take_samples(
    device: CloudDevice, samples: list[tuple[str, JsonValue, int]], *, current: bool = True
) -> dict[str, JsonValue]:
    """Record the samples that fit the thing model, or all without one, and return the others with the reasons."""
    refused: dict[str, JsonValue] = {}
    for identifier, value, time_ms in samples:
        try:
            if device.thing_model is not None:
                device.thing_model.check_property(identifier, value)
        except BadValueError as error:
            refused[identifier] = str(error)
        else:
            device.record_sample(identifier, value, time_ms, current=current)
    return refused


def _event(device: CloudDevice, identifier: str, params: JsonValue) -> EventRecord:
    content = _object(params, may_be_empty=True)
    time_ms = now_ms()
    if isinstance(content.get("value"), dict):
        value, time_ms = _value_and_time(content)
        content = _object(value, may_be_empty=True)
    if device.thing_model is not None:
        _check_event(device.thing_model, identifier, content)
    return EventRecord(identifier, content, time_ms)


def _check_event(model: ThingModel, identifier: str, output: Mapping[str, JsonValue]) -> None:
    if (event := model.events.get(identifier)) is None:
        raise rejected(5160, f"tsl parse: params not exist -> {identifier}")
    try:
        model.check_output(event, output)
    except BadValueError as error:
        raise rejected(error.code, str(error)) from None


def _value_and_time(entry: JsonValue, *, required: bool = False) -> tuple[JsonValue, int]:
    """Split `{value, time}`; anything else is a value of the present. `value` and `time` are reserved words."""
    if not isinstance(entry, dict) or "value" not in entry or not entry.keys() <= {"value", "time"}:
        if required:
            raise rejected(460)
        return entry, now_ms()
    time_ms = entry.get("time", None if required else now_ms())
    if not isinstance(time_ms, int) or isinstance(time_ms, bool) or not 0 <= time_ms <= now_ms() + DAY_MS:
        raise rejected(6326)
    return entry["value"], time_ms


def _object(value: JsonValue, *, may_be_empty: bool = False, limit: int | None = None) -> dict[str, JsonValue]:
    """Return a JSON object; raise 460 for anything else, `limit` if it has too many members."""
    if not isinstance(value, dict) or not (value or may_be_empty):
        raise rejected(460)
    if limit is not None and len(value) > IDENTIFIERS:
        raise rejected(limit)
    return value


def _array(value: JsonValue, *, limit: int | None = None) -> list[JsonValue]:
    """Return a JSON array; raise 460 for anything else, `limit` if it has too many elements."""
    if not isinstance(value, list):
        raise rejected(460)
    if limit is not None and len(value) > IDENTIFIERS:
        raise rejected(limit)
    return value
