"""Queries of the control API for the records of a device, with rows as in the platform's answers.

Times and values are strings as on the platform: times are milliseconds, values are JSON. `StartTime`, `EndTime`, `Asc` and
`PageSize` are mandatory on the platform and optional here (default: all times, newest first, 50 rows).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..core.jsontext import JsonValue, dump
from ..core.records import EventRecord, ServiceCall
from ..core.thing_model import Property
from .call import Answer, Call
from .errors import BAD_PAGE, BAD_PARAMETER, ApiError, missing
from .fields import Fields

MAX_PAGE = 100
IDENTIFIERS = 10


async def query_property_status(call: Call) -> Answer:
    """Return the newest value of every property; a property that was never reported has no Value and no Time."""
    device = call.device()
    model = device.thing_model.properties if device.thing_model else {}
    rows: list[JsonValue] = []
    for identifier in [*model, *(device.properties.keys() - model.keys())]:
        row = _property_row(identifier, model.get(identifier))
        if identifier in device.properties:
            value, time_ms = device.properties[identifier]
            row |= {"Value": _as_text(value), "Time": str(time_ms)}
        rows.append(row)
    return {"Data": {"List": {"PropertyStatusInfo": rows}}}


async def query_desired_properties(call: Call) -> Answer:
    """Return the desired values of `Identifier.N`, or all; a cleared value has a Version but no Value."""
    device = call.device()
    model = device.thing_model.properties if device.thing_model else {}
    rows: list[JsonValue] = []
    for identifier in call.fields.texts("Identifier") or list(device.desired):
        row = _property_row(identifier, model.get(identifier))
        if (desired := device.desired.get(identifier)) is not None:
            row |= {"Version": desired.version, "Time": str(desired.time)}
            if not desired.cleared:
                row["Value"] = _as_text(desired.value)
        rows.append(row)
    return {"Data": {"List": {"DesiredPropertyInfo": rows}}}


async def query_property_history(call: Call) -> Answer:
    """Return the values of one property, including those of history posts."""
    device, fields = call.device(), call.fields

    def row(sample: tuple[JsonValue, int]) -> dict[str, JsonValue]:
        return {"Value": _as_text(sample[0]), "Time": str(sample[1])}

    samples = device.samples.get(fields.text("Identifier"), [])
    return {"Data": _page("PropertyInfo", samples, lambda sample: sample[1], row, fields)}


async def query_properties_history(call: Call) -> Answer:
    """Return the values of `Identifier.N`, at most `PageSize` of each.

    When one has more, the query ends before the first value left out, also for the others, so that it can go on at `NextTime`.
    """
    device, fields = call.device(), call.fields
    if not (identifiers := list(dict.fromkeys(fields.texts("Identifier")))):
        raise missing("Identifier")
    if len(identifiers) > IDENTIFIERS:
        raise ApiError(BAD_PARAMETER, f"Identifier has 1 to {IDENTIFIERS} properties.")
    period = _Period.read(fields)
    found = {name: period.select(device.samples.get(name, []), lambda sample: sample[1]) for name in identifiers}
    answer: Answer = {"NextValid": False}
    if ends := [samples[period.size][1] for samples in found.values() if len(samples) > period.size]:
        step = 1 if period.ascending else -1
        end = min(ends) if period.ascending else max(ends)
        before = {name: [one for one in samples if one[1] * step < end * step] for name, samples in found.items()}
        if not any(before.values()):
            # More values at one time than fit on a page: the query has to pass over the others, or would never end.
            before = {name: [one for one in samples if one[1] == end][: period.size] for name, samples in found.items()}
            end += step
        found, answer = before, {"NextValid": True, "NextTime": end}
    rows: list[JsonValue] = [
        {
            "Identifier": name,
            "List": {"PropertyInfo": [{"Value": _as_text(value), "Time": time} for value, time in samples]},
        }
        for name, samples in found.items()
    ]
    return answer | {"PropertyDataInfos": {"PropertyDataInfo": rows}}


async def query_events(call: Call) -> Answer:
    """Return all events, or those of one `Identifier` or `EventType`."""
    device, fields = call.device(), call.fields
    model = device.thing_model.events if device.thing_model else {}
    identifier, kind = fields.optional_text("Identifier"), fields.optional_text("EventType")

    def kind_of(event: EventRecord) -> str:
        return model[event.identifier].kind if event.identifier in model else ""

    def row(event: EventRecord) -> dict[str, JsonValue]:
        return {
            "EventType": kind_of(event),
            "Identifier": event.identifier,
            "Name": model[event.identifier].name if event.identifier in model else event.identifier,
            "OutputData": dump(dict(event.output)),
            "Time": str(event.time),
        }

    events = [
        event for event in device.events if identifier in (None, event.identifier) and kind in (None, kind_of(event))
    ]
    return {"Data": _page("EventInfo", events, lambda event: event.time, row, fields)}


async def query_service_calls(call: Call) -> Answer:
    """Return the commands sent to the device, including `set` and `get`, and their outcome.

    `OutputData` holds code, data and message of the device's first reply, and is empty until then. The platform has neither
    `MessageId` nor `Replies`, the number of replies.
    """
    device, fields = call.device(), call.fields
    model = device.thing_model.services if device.thing_model else {}
    identifier = fields.optional_text("Identifier")

    def row(command: ServiceCall) -> dict[str, JsonValue]:
        reply = command.reply
        outcome: JsonValue = {"code": reply.code, "data": reply.data, "message": reply.message} if reply else None
        return {
            "Identifier": command.identifier,
            "Name": model[command.identifier].name if command.identifier in model else command.identifier,
            "InputData": dump(command.params),
            "OutputData": dump(outcome) if reply else "",
            "Time": str(command.time),
            "MessageId": command.message_id,
            "Replies": len(command.replies),
        }

    commands = [command for command in device.service_calls if identifier in (None, command.identifier)]
    return {"Data": _page("ServiceInfo", commands, lambda command: command.time, row, fields)}


@dataclass(frozen=True, slots=True)
class _Period:
    """The time and the order of a query, and how many entries it returns."""

    first: int
    last: int
    ascending: bool
    size: int

    @classmethod
    def read(cls, fields: Fields) -> _Period:
        """Take StartTime and EndTime in either order: with Asc=0, the platform's StartTime is the later one."""
        size, ascending = fields.integer("PageSize", 50), fields.integer("Asc", 0)
        if size not in range(1, MAX_PAGE + 1) or ascending not in (0, 1):
            raise ApiError(BAD_PAGE, f"PageSize is 1 to {MAX_PAGE}, Asc 0 or 1.")
        first, last = sorted((fields.integer("StartTime", 0), fields.integer("EndTime", 2**63)))
        return cls(first, last, ascending == 1, size)

    def select[Entry](self, entries: Sequence[Entry], time_of: Callable[[Entry], int]) -> list[Entry]:
        """Return the entries of the period in the order of the query."""
        found = sorted((entry for entry in entries if self.first <= time_of(entry) <= self.last), key=time_of)
        return found if self.ascending else found[::-1]


def _page[Entry](
    name: str,
    entries: Sequence[Entry],
    time_of: Callable[[Entry], int],
    row: Callable[[Entry], dict[str, JsonValue]],
    fields: Fields,
) -> JsonValue:
    """Return one page."""
    period = _Period.read(fields)
    found, size = period.select(entries, time_of), period.size
    data: dict[str, JsonValue] = {
        "List": {name: [row(entry) for entry in found[:size]]},
        "NextValid": len(found) > size,
    }
    if len(found) > size:
        data["NextTime"] = time_of(found[size])
    return data


def _property_row(identifier: str, known: Property | None) -> dict[str, JsonValue]:
    if known is None:
        return {"Identifier": identifier, "Name": identifier, "DataType": "", "Unit": ""}
    specs = known.data_type.get("specs")
    unit = specs.get("unit", "") if isinstance(specs, dict) else ""
    return {"Identifier": identifier, "Name": known.name, "DataType": known.data_type["type"], "Unit": unit}


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else dump(value)
