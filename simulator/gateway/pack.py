"""Posts of a gateway for itself and its sub-devices in one message (docs/protocol.md §4.4)."""

from collections.abc import Mapping

from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.records import EventRecord
from ..core.thing_model import BadValueError
from ..device_side.events import read_event
from ..device_side.uplink import Uplink, read_array, read_object, rejected
from ..device_side.values import IDENTIFIERS, value_and_time
from .topology import own_sub_device

SUB_DEVICES = 20
EVENTS = 20


def post(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Record the properties and events of all devices, or of none: one failure refuses the whole message."""
    content = read_object(params)
    entries = map(read_object, read_array(content.get("subDevices") or [], limit=(SUB_DEVICES, 6357)))
    parts = [
        (uplink.device, content),
        *((own_sub_device(uplink, read_object(entry.get("identity"))), entry) for entry in entries),
    ]
    if not any(part.get("properties") or part.get("events") for _, part in parts):
        raise rejected(460)
    if sum(len(_members(part, "properties")) for _, part in parts) > IDENTIFIERS:
        raise rejected(6106)
    if sum(len(_members(part, "events")) for _, part in parts) > EVENTS:
        raise rejected(6356)
    samples = [(device, *sample) for device, part in parts for sample in _samples(device, part)]
    events = [(device, event) for device, part in parts for event in _events(device, part)]
    for device, identifier, value, time_ms in samples:
        device.record_sample(identifier, value, time_ms)
    for device, event in events:
        device.events.append(event)
    for device, _ in parts[1:]:
        device.changed()
    return {}


def _members(part: Mapping[str, JsonValue], name: str) -> dict[str, JsonValue]:
    return read_object(part.get(name) or {}, may_be_empty=True)


def _samples(device: CloudDevice, part: Mapping[str, JsonValue]) -> list[tuple[str, JsonValue, int]]:
    samples = [
        (identifier, *value_and_time(entry, required=True))
        for identifier, entry in _members(part, "properties").items()
    ]
    if device.thing_model is not None:
        for identifier, value, _ in samples:
            try:
                device.thing_model.check_property(identifier, value)
            except BadValueError as error:
                raise rejected(error.code, str(error)) from None
    return samples


def _events(device: CloudDevice, part: Mapping[str, JsonValue]) -> list[EventRecord]:
    return [read_event(device, identifier, entry) for identifier, entry in _members(part, "events").items()]
