"""Property posts: one value each, several samples, and the past (docs/protocol.md §4).

Properties that do not fit the thing model are not recorded but listed in the `data` of the reply.
"""

from ..core.device import CloudDevice, EventRecord
from ..core.jsontext import JsonValue
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
    """Record values of the past, without changing the current ones (§4.5)."""
    device = uplink.device
    samples: list[tuple[str, JsonValue, int]] = []
    records: list[EventRecord] = []
    for part in read_array(params):
        content = read_object(part)
        identity = read_object(content.get("identity"))
        if (identity.get("productKey"), identity.get("deviceName")) != (device.product_key, device.device_name):
            raise rejected(6401)
        for group in read_array(content.get("properties") or []):
            samples += [
                (identifier, *value_and_time(entry, required=True)) for identifier, entry in read_object(group).items()
            ]
        for group in read_array(content.get("events") or []):
            records += [read_event(device, identifier, entry) for identifier, entry in read_object(group).items()]
    refused = take_samples(device, samples, current=False)
    device.events.extend(records)
    return refused


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
