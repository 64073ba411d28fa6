"""Samples of properties, and how they are written in messages (`docs/protocol.md` §4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import time

from .auth import Identity
from .messages import JsonValue


@dataclass(frozen=True, slots=True)
class Sample:
    """A property value in its wire form, and since when it has been valid (UTC milliseconds)."""

    value: JsonValue
    time: int


def utc_milliseconds() -> int:
    """Return the present time in its wire form."""
    return int(time.time() * 1000)


def property_params(samples: Mapping[str, Sample]) -> dict[str, JsonValue]:
    """Return the params of a property post (docs/protocol.md §4.1)."""
    return {key: {"value": sample.value, "time": sample.time} for key, sample in samples.items()}


def batch_params(samples: Iterable[tuple[str, Sample]]) -> dict[str, JsonValue]:
    """Return the params of a batch post, which may have several samples of a property (docs/protocol.md §4.3)."""
    properties: dict[str, list[JsonValue]] = {}
    for identifier, sample in samples:
        properties.setdefault(identifier, []).append(_wire(sample))
    return {"properties": {**properties}, "events": {}}


def history_params(device: Identity, samples: Iterable[tuple[str, Sample]]) -> list[JsonValue]:
    """Return the params of a history post (docs/protocol.md §4.5)."""
    return [
        {
            "identity": wire_identity(device),
            "properties": [{key: _wire(sample)} for key, sample in samples],
            "events": [],
        },
    ]


def pack_params(
    own: Mapping[str, Sample], sub_devices: Mapping[Identity, Mapping[str, Sample]]
) -> dict[str, JsonValue]:
    """Return the params of a pack post: values of the gateway itself and of sub-devices (docs/protocol.md §4.4)."""
    return {
        "properties": property_params(own),
        "events": {},
        "subDevices": [
            {"identity": wire_identity(identity), "properties": property_params(samples), "events": {}}
            for identity, samples in sub_devices.items()
        ],
    }


def wire_identity(device: Identity) -> dict[str, JsonValue]:
    """Return how a device is named in params."""
    return {"productKey": device.product_key, "deviceName": device.device_name}


def _wire(sample: Sample) -> dict[str, JsonValue]:
    return {"value": sample.value, "time": sample.time}
