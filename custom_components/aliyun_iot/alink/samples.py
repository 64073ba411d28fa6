"""Property values with their time, and how a message carries them: `docs/protocol.md` §4."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import time

from .auth import DeviceTriple
from .messages import JsonValue


@dataclass(frozen=True, slots=True)
class Sample:
    """A property value as it goes on the wire, and when it became true (UTC milliseconds)."""

    value: JsonValue
    time: int


def utc_milliseconds() -> int:
    """Return the present time as it goes on the wire."""
    return int(time.time() * 1000)


def property_params(samples: Mapping[str, Sample]) -> dict[str, JsonValue]:
    """Return values by identifier as a post has them (docs/protocol.md §4.1)."""
    return {key: {"value": sample.value, "time": sample.time} for key, sample in samples.items()}


def batch_params(samples: Iterable[tuple[str, Sample]]) -> dict[str, JsonValue]:
    """Return samples, several of a property if need be, as a batch post has them (docs/protocol.md §4.3)."""
    properties: dict[str, list[JsonValue]] = {}
    for identifier, sample in samples:
        properties.setdefault(identifier, []).append(_wire(sample))
    return {"properties": {**properties}, "events": {}}


def history_params(triple: DeviceTriple, samples: Iterable[tuple[str, Sample]]) -> list[JsonValue]:
    """Return samples of the past as a history post has them (docs/protocol.md §4.5)."""
    identity: JsonValue = {"productKey": triple.product_key, "deviceName": triple.device_name}
    return [
        {"identity": identity, "properties": [{key: _wire(sample)} for key, sample in samples], "events": []},
    ]


def _wire(sample: Sample) -> dict[str, JsonValue]:
    return {"value": sample.value, "time": sample.time}
