"""Property posts: one value each, several samples, and the past (docs/protocol.md §4).

Properties that do not fit the thing model are not recorded but listed in the `data` of the reply.
"""

from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.records import EventRecord
from ..core.thing_model import BadValueError
from .events import read_event
from .uplink import Uplink, read_array, read_object, rejected
from .values import IDENTIFIERS, value_and_time


def post_properties(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Record a property post with plain values or `{value, time}`; return what was refused (§4.1)."""
    samples = [
        (identifier, *value_and_time(entry))
        for identifier, entry in read_object(params, limit=(IDENTIFIERS, 6106)).items()
    ]
    return take_samples(uplink.device, samples)


def post_batch(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Record several samples of each property and event (§4.3)."""
    device = uplink.device
    content = read_object(params)
    properties = read_object(content.get("properties") or {}, may_be_empty=True, limit=(IDENTIFIERS, 6106))
    events = read_object(content.get("events") or {}, may_be_empty=True)
    if not properties and not events:
        raise rejected(460)
    samples = [
        (identifier, *value_and_time(entry, required=True))
        for identifier, entries in properties.items()
        for entry in read_array(entries)
    ]
    records = [
        read_event(device, identifier, entry) for identifier, entries in events.items() for entry in read_array(entries)
    ]
    refused = take_samples(device, samples)
    device.events.extend(records)
    return refused


def post_history(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Record values of the past of the device or its sub-devices, without changing the current ones (§4.5)."""
    samples: list[tuple[CloudDevice, list[tuple[str, JsonValue, int]]]] = []
    records: list[tuple[CloudDevice, EventRecord]] = []
    for part in map(read_object, read_array(params)):
        device = _identified(uplink.device, read_object(part.get("identity")))
        groups = map(read_object, read_array(part.get("properties") or []))
        samples.append(
            (
                device,
                [(name, *value_and_time(entry, required=True)) for group in groups for name, entry in group.items()],
            )
        )
        for group in map(read_object, read_array(part.get("events") or [])):
            records += [(device, read_event(device, identifier, entry)) for identifier, entry in group.items()]
    refused: dict[str, JsonValue] = {}
    for device, values in samples:
        refused |= take_samples(device, values, current=False)
    for device, record in records:
        device.events.append(record)
    return refused


def _identified(device: CloudDevice, identity: dict[str, JsonValue]) -> CloudDevice:
    """Return the device itself, or one of its sub-devices; raise 6401."""
    key = str(identity.get("productKey")), str(identity.get("deviceName"))
    if key == device.key:
        return device
    if key not in device.sub_devices:
        raise rejected(6401)
    return device.sub_devices[key]


def take_samples(
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
