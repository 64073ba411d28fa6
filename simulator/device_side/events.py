"""Events (docs/protocol.md §5)."""

from collections.abc import Mapping

from ..core.clock import now_ms
from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.records import EventRecord
from ..core.thing_model import BadValueError, ThingModel
from .uplink import Uplink, read_object, rejected
from .values import value_and_time


def post_event(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Record an event, with its output in `value` or directly in `params`."""
    texts = uplink.platform.options.dialect.text_events
    uplink.device.events.append(read_event(uplink.device, uplink.variables["identifier"], params, texts=texts))
    return {}


def read_event(device: CloudDevice, identifier: str, params: JsonValue, *, texts: bool = False) -> EventRecord:
    """Return an event that fits the thing model, or if it has to consist of `texts`, that does; raise RejectedError."""
    content = read_object(params, may_be_empty=True)
    time_ms = now_ms()
    if isinstance(content.get("value"), dict):
        value, time_ms = value_and_time(content)
        content = read_object(value, may_be_empty=True)
    if texts:
        if not all(isinstance(value, str) for value in content.values()):
            raise rejected(460)
    elif device.thing_model is not None:
        _check_event(device.thing_model, identifier, content)
    return EventRecord(identifier, content, time_ms)


def _check_event(model: ThingModel, identifier: str, output: Mapping[str, JsonValue]) -> None:
    if (event := model.events.get(identifier)) is None:
        raise rejected(5160, f"tsl parse: params not exist -> {identifier}")
    try:
        model.check_output(event, output)
    except BadValueError as error:
        raise rejected(error.code, str(error)) from None
