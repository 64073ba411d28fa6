"""The auditor: compares what both sides know after the dust has settled."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from homeassistant.core import HomeAssistant

from simulator import CloudDevice, ServiceCall

from .house import EVERY, LAMPS, NEWEST, QUESTION, SCENE, entity_id
from .witness import Witness

AUDITS_EVENTS = False
"""Whether `audit` checks events. Switch it on once the integration keeps events during an outage."""

EVENT_TIME_TOLERANCE = 1000
"""Milliseconds by which the posted time of an event may differ from the time at which it was fired."""

NAMED = 8
"""Findings of one kind that are told in full."""


@dataclass(frozen=True, slots=True)
class Check:
    """One promise: what was looked at, and what was not as promised."""

    promise: str
    looked_at: str
    broken: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return not self.broken

    def lines(self) -> Iterator[str]:
        """Tell it."""
        yield f"{'ok  ' if self.kept else 'FAIL'}  {self.promise}: {self.looked_at}"
        for one in self.broken[:NAMED]:
            yield f"        {one}"
        if len(self.broken) > NAMED:
            yield f"        and {len(self.broken) - NAMED} more"


def differing(hass: HomeAssistant, device: CloudDevice) -> list[str]:
    """Return the properties whose last value is not the same on both sides."""
    found = []
    for name in (*NEWEST, *EVERY, *LAMPS):
        state = hass.states.get(entity_id(name))
        house = None if state is None else {"on": 1, "off": 0}.get(state.state, state.state)
        cloud = device.properties.get(name, (None, 0))[0]
        if str(house) != str(cloud):
            found.append(f"{name}: {house} in the house, {cloud} in the cloud")
    return found


def missing(witness: Witness) -> list[str]:
    """Return the samples that the cloud does not have."""
    return [
        f"{name}: {value}"
        for name, values in witness.samples.items()
        for value in sorted(values - {value for value, _ in witness.arrivals[name]})
    ]


def lost_events(witness: Witness) -> list[str]:
    """Return the events that have not arrived at the cloud, unless as many were counted as dropped."""
    missing_ones = [
        f"{name} {number}" for name, number in witness.events if (name, number) not in witness.event_arrivals
    ]
    return missing_ones if len(missing_ones) > witness.dropped_events else []


def unanswered(device: CloudDevice, witness: Witness) -> list[str]:
    """Return the commands that were carried out and whose answer the cloud does not have.

    Not the synchronous ones: their callers were told after seconds that there is no answer, which is an outcome, too.
    """
    return [
        f"{_name(call)}: carried out, and no answer has arrived"
        for call in device.service_calls
        if witness.executions[call.id] and not call.replies and not call.sync
    ]


def audit(hass: HomeAssistant, device: CloudDevice, witness: Witness) -> list[Check]:
    """Look at everything that can be seen while the device is connected."""
    last = differing(hass, device)
    events = [audit_events(witness)] if AUDITS_EVENTS else []
    count = sum(map(len, witness.samples.values()))
    repeated = sum(times - 1 for arrivals in witness.arrivals.values() for times in arrivals.values())
    return [
        Check("every last value is equal", f"{len(NEWEST) + len(EVERY) + len(LAMPS)} properties", last),
        Check(
            "every sample is there once",
            f"{count} samples, {repeated} repeated with the same time",
            [*(f"missing {one}" for one in missing(witness)), *_under_two_times(witness)],
        ),
        *events,
        _commands(device, witness),
        Check(
            "no message over the limit",
            f"{witness.messages} messages",
            [f"{witness.dropped} were dropped"] if witness.dropped else [],
        ),
    ]


def audit_events(witness: Witness) -> Check:
    """Check that every event has arrived or was counted as dropped, with the time at which it was fired.

    An event may arrive more than once, but always with the same time.
    """
    broken = [f"missing {event}" for event in lost_events(witness)]
    for (name, number), times in witness.event_arrivals.items():
        fired_at = witness.events.get((name, number))
        if len(times) > 1:
            broken.append(f"{name} {number}: posted with {len(times)} times")
        elif fired_at is None:
            broken.append(f"{name} {number}: never fired")
        elif (difference := abs(min(times) - fired_at)) > EVENT_TIME_TOLERANCE:
            broken.append(f"{name} {number}: posted with a time {difference} ms off")
    repeated = sum(times.total() - 1 for times in witness.event_arrivals.values())
    looked_at = (
        f"{len(witness.events)} events, {repeated} repeated with the same time, {witness.dropped_events} dropped"
    )
    return Check("every event is at the cloud or counted as dropped", looked_at, broken)


def _under_two_times(witness: Witness) -> Iterable[str]:
    for name, arrivals in witness.arrivals.items():
        times: dict[int, list[int]] = {}
        for value, at in arrivals:
            times.setdefault(value, []).append(at)
        for value in witness.samples[name]:
            if len(times.get(value, ())) > 1:
                yield f"{name}: {value} under {len(times[value])} times"


def _name(call: ServiceCall) -> str:
    return f"{call.identifier} {call.id} {call.params}"


def _commands(device: CloudDevice, witness: Witness) -> Check:
    carried_out = answered = nowhere = 0
    broken = unanswered(device, witness)
    for call in device.service_calls:
        executions = witness.executions[call.id]
        name = _name(call)
        if call.identifier in (SCENE, QUESTION) and isinstance(call.params, dict):
            number = call.params["Number"]
            if isinstance(number, int) and witness.calls[number] > 1:
                broken.append(f"{name}: its actions ran {witness.calls[number]} times")
        if executions > 1:
            broken.append(f"{name}: carried out {executions} times")
        if len({(reply.code, str(reply.data)) for reply in call.replies}) > 1:
            broken.append(f"{name}: answered differently: {call.replies}")
        if any(reply.code == 200 for reply in call.replies) and not executions:
            broken.append(f"{name}: answered with 200 and not carried out")
        carried_out += executions > 0
        answered += bool(call.replies)
        nowhere += not executions and not call.replies
    looked_at = f"{carried_out} carried out, {answered} answered, {nowhere} never arrived"
    return Check("every command has one outcome", looked_at, broken)
