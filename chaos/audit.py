"""The audit: compares both sides after everything has arrived."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from homeassistant.core import HomeAssistant

from simulator import CloudDevice, ServiceCall

from .house import EVERY, LAMPS, NEWEST, QUESTION, SCENE, entity_id
from .recorder import Recorder

EVENT_TIME_TOLERANCE = 1000
"""Milliseconds by which the posted time of an event may differ from the time at which it was fired."""

MAX_LISTED = 8
"""Findings of a check that are printed."""


@dataclass(frozen=True, slots=True)
class Check:
    """A promise, a summary of what was checked, and the findings that break the promise."""

    promise: str
    summary: str
    broken: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return not self.broken

    def lines(self) -> Iterator[str]:
        """Yield the lines of the report."""
        yield f"{'ok  ' if self.kept else 'FAIL'}  {self.promise}: {self.summary}"
        for finding in self.broken[:MAX_LISTED]:
            yield f"        {finding}"
        if len(self.broken) > MAX_LISTED:
            yield f"        and {len(self.broken) - MAX_LISTED} more"


def differing(hass: HomeAssistant, device: CloudDevice) -> list[str]:
    """Return the properties whose last value differs between the two sides."""
    found = []
    for name in (*NEWEST, *EVERY, *LAMPS):
        state = hass.states.get(entity_id(name))
        house = None if state is None else {"on": 1, "off": 0}.get(state.state, state.state)
        cloud = device.properties.get(name, (None, 0))[0]
        if str(house) != str(cloud):
            found.append(f"{name}: {house} in Home Assistant, {cloud} in the cloud")
    return found


def missing_samples(recorder: Recorder) -> list[str]:
    """Return the samples that have not arrived at the cloud."""
    return [
        f"{name}: {value}"
        for name, values in recorder.samples.items()
        for value in sorted(values - {value for value, _ in recorder.arrivals[name]})
    ]


def lost_events(recorder: Recorder) -> list[str]:
    """Return the events that have not arrived at the cloud, unless as many were counted as dropped."""
    missing = [f"{name} {number}" for name, number in recorder.events if (name, number) not in recorder.event_arrivals]
    return missing if len(missing) > recorder.dropped_events else []


def unanswered(device: CloudDevice, recorder: Recorder) -> list[str]:
    """Return the commands that were carried out but whose answer has not arrived at the cloud.

    Synchronous commands are left out: their callers have got a time-out as the outcome.
    """
    return [
        f"{_name(call)}: carried out, and no answer has arrived"
        for call in device.service_calls
        if recorder.executions[call.id] and not call.replies and not call.sync
    ]


def audit(hass: HomeAssistant, device: CloudDevice, recorder: Recorder) -> list[Check]:
    """Check every promise that can be checked while the device is connected."""
    last = differing(hass, device)
    count = sum(map(len, recorder.samples.values()))
    repeated = sum(times - 1 for arrivals in recorder.arrivals.values() for times in arrivals.values())
    return [
        Check("every last value is equal", f"{len(NEWEST) + len(EVERY) + len(LAMPS)} properties", last),
        Check(
            "every sample is there once",
            f"{count} samples, {repeated} repeated with the same time",
            [*(f"missing {sample}" for sample in missing_samples(recorder)), *_with_two_times(recorder)],
        ),
        audit_events(recorder),
        _commands(device, recorder),
        Check(
            "no message over the limit",
            f"{recorder.messages} messages",
            [f"{recorder.dropped} were dropped"] if recorder.dropped else [],
        ),
    ]


def audit_events(recorder: Recorder) -> Check:
    """Check that every event has arrived or was counted as dropped, with the time at which it was fired.

    An event may arrive more than once, but always with the same time.
    """
    broken = [f"missing {event}" for event in lost_events(recorder)]
    for (name, number), times in recorder.event_arrivals.items():
        fired_at = recorder.events.get((name, number))
        if len(times) > 1:
            broken.append(f"{name} {number}: posted with {len(times)} times")
        elif fired_at is None:
            broken.append(f"{name} {number}: never fired")
        elif (difference := abs(min(times) - fired_at)) > EVENT_TIME_TOLERANCE:
            broken.append(f"{name} {number}: posted with a time {difference} ms off")
    repeated = sum(times.total() - 1 for times in recorder.event_arrivals.values())
    summary = (
        f"{len(recorder.events)} events, {repeated} repeated with the same time, {recorder.dropped_events} dropped"
    )
    return Check("every event is at the cloud or counted as dropped", summary, broken)


def _with_two_times(recorder: Recorder) -> Iterable[str]:
    for name, arrivals in recorder.arrivals.items():
        times: dict[int, list[int]] = {}
        for value, at in arrivals:
            times.setdefault(value, []).append(at)
        for value in recorder.samples[name]:
            if len(times.get(value, ())) > 1:
                yield f"{name}: {value} with {len(times[value])} times"


def _name(call: ServiceCall) -> str:
    return f"{call.identifier} {call.id} {call.params}"


def _commands(device: CloudDevice, recorder: Recorder) -> Check:
    carried_out = answered = lost = 0
    broken = unanswered(device, recorder)
    for call in device.service_calls:
        executions = recorder.executions[call.id]
        name = _name(call)
        if call.identifier in (SCENE, QUESTION) and isinstance(call.params, dict):
            number = call.params["Number"]
            if isinstance(number, int) and recorder.calls[number] > 1:
                broken.append(f"{name}: its actions ran {recorder.calls[number]} times")
        if executions > 1:
            broken.append(f"{name}: carried out {executions} times")
        if len({(reply.code, str(reply.data)) for reply in call.replies}) > 1:
            broken.append(f"{name}: answered differently: {call.replies}")
        if any(reply.code == 200 for reply in call.replies) and not executions:
            broken.append(f"{name}: answered with 200 and not carried out")
        carried_out += executions > 0
        answered += bool(call.replies)
        lost += not executions and not call.replies
    summary = f"{carried_out} carried out, {answered} answered, {lost} never arrived"
    return Check("every command has one outcome", summary, broken)
