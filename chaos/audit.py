"""The audit: compares both sides after everything has arrived."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from homeassistant.helpers import issue_registry as ir

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.health.issues import Issue
from simulator import CloudDevice, ServiceCall

from .clock import JUMPS
from .home import Home, losses_of
from .house import ENTITIES, QUESTION, SCENE
from .recorder import Recorder
from .sub_devices import CHILDREN, key_of

EVENT_TIME_TOLERANCE = 1000
"""Milliseconds by which the posted time of an event may differ from the time at which it was fired."""

DAY_MS = 24 * 3_600_000
"""What is further ahead when it is sent is from before the clock was set back, and gets the present time."""

TOO_BUSY = 429

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


def differing(house: Home, devices: Iterable[CloudDevice]) -> dict[str, str]:
    """Return the bound properties whose last value differs between the two sides, and how, by their keys."""
    known = {
        key_of(device.device_name, identifier): value
        for device in devices
        for identifier, (value, _) in device.properties.items()
    }
    found = {}
    bound = house.bound
    for key, name in ENTITIES.items():
        here, there = _number(house.value(name)), _number(known.get(key))
        if key in bound and here != there:
            found[key] = f"{key}: {here} in Home Assistant, {there} in the cloud"
    return found


def untold(house: Home, devices: Iterable[CloudDevice]) -> list[str]:
    """Return the properties whose last value differs although the integration does not say that the cloud refused it."""
    told = {
        key_of(parts.device.identity.device_name, identifier)
        for parts in house.all_parts
        for identifier in parts.reporter.outbox.refusals
    }
    return [difference for key, difference in differing(house, devices).items() if key not in told]


def misplaced(house: Home, devices: Iterable[CloudDevice]) -> list[str]:
    """Return the sub-devices that are not online as their devices are available, in the cloud or as Home Assistant shows."""
    online = {device.key: device.online for device in devices}
    found = []
    for child in CHILDREN:
        here, there, shown = house.is_available(child), online[child.identity], house.shows_connected(child)
        if not here == there == shown:
            found.append(
                f"{child.identity.device_name}: available {here}, online in the cloud {there}, shown as connected {shown}"
            )
    return found


def missing_samples(house: Home, recorder: Recorder) -> list[str]:
    """Return the samples that have not arrived at the cloud, unless as many of their sensor were counted as lost."""
    losses = house.losses
    missing = {name: sorted(values) for name, values in _missing(recorder).items() if len(values) > losses[name]}
    return [f"{name}: {value} ({losses[name]} lost)" for name, values in missing.items() for value in values]


def lost_events(house: Home, recorder: Recorder) -> list[str]:
    """Return the events that have not arrived at the cloud, unless as many were counted as dropped or lost."""
    missing = [(name, number) for name, number in recorder.events if (name, number) not in recorder.event_arrivals]
    counted = house.dropped + sum(house.losses[name] for name in {name for name, _ in recorder.events})
    return [f"{name} {number}" for name, number in missing] if len(missing) > counted else []


def unanswered(recorder: Recorder) -> list[str]:
    """Return the commands that reached the house but whose answer has not arrived at the cloud.

    Synchronous commands are left out: their callers have got a time-out as the outcome.
    """
    return [
        f"{_name(call)}: it reached the house, and no answer has arrived"
        for call in recorder.commands
        if call.id in recorder.reached and not call.replies and not call.sync and call.id not in recorder.excused
    ]


def ungranted(house: Home, device: CloudDevice, recorder: Recorder) -> list[str]:
    """Return the desired values that the cloud keeps, and the last ones that were neither set nor too old."""
    found = []
    for name, values in recorder.wishes.items():
        if not values:
            continue
        if not (desired := device.desired.get(name)) or not desired.cleared:
            found.append(f"{name}: {values[-1]} is still desired")
        elif not recorder.granted[name, values[-1]] and recorder.stale.get(name) != values[-1]:
            found.append(f"{name}: {values[-1]} was cleared but not set")
    return found


def audit(house: Home, device: CloudDevice, recorder: Recorder) -> list[Check]:
    """Check every promise that can be checked while the device is connected."""
    last = list(differing(house, recorder.present).values())
    places = misplaced(house, recorder.present)
    samples = sum(map(len, recorder.samples.values()))
    repeated = sum(times - 1 for arrivals in recorder.arrivals.values() for times in arrivals.values())
    missing = sum(map(len, _missing(recorder).values()))
    lost = sum(house.losses[name] for name in recorder.samples)
    return [
        Check("every last value is equal", f"{len(house.bound)} properties", last),
        Check("sub-devices are online while their devices are available", f"{len(CHILDREN)} sub-devices", places),
        Check(
            "every sample is there once or counted as lost",
            f"{samples} samples, {repeated} repeated with the same time, {missing} missing, {lost} counted as lost",
            [*(f"missing {sample}" for sample in missing_samples(house, recorder)), *_with_two_times(house, recorder)],
        ),
        audit_events(house, recorder),
        _losses(house),
        _commands(recorder),
        _wishes(house, device, recorder),
        Check("every listening automation hears every command", f"{recorder.heard} commands", recorder.unheard),
        Check(
            "no message over the limit",
            f"{recorder.messages} messages",
            [f"{recorder.dropped} were dropped"] if recorder.dropped else [],
        ),
    ]


def audit_events(house: Home, recorder: Recorder) -> Check:
    """Check that every event has arrived or was counted, with the time at which it was fired.

    An event may arrive more than once, but always with the same time.
    """
    broken = [f"missing {event}" for event in lost_events(house, recorder)]
    for (name, number), times in recorder.event_arrivals.items():
        fired_at = recorder.events.get((name, number))
        if _are_several(times):
            broken.append(f"{name} {number}: posted with {len(times)} times")
        elif fired_at is None:
            broken.append(f"{name} {number}: never fired")
        elif not _is_time_of_event(min(times), fired_at):
            broken.append(f"{name} {number}: posted with a time {min(times) - fired_at} ms off")
    repeated = sum(times.total() - 1 for times in recorder.event_arrivals.values())
    lost = sum(house.losses[name] for name in {name for name, _ in recorder.events})
    summary = (
        f"{len(recorder.events)} events, {repeated} repeated with the same time, {house.dropped} dropped, {lost} lost"
    )
    return Check("every event is at the cloud or counted as dropped or lost", summary, broken)


def _is_time_of_event(posted: int, fired_at: int) -> bool:
    """Return whether an event has its time: the clock may have been set just when it was fired, or back before it was sent."""
    jumps = (0.0, *(sign * jump for jump in JUMPS for sign in (1000, -1000)))
    at_once = any(abs(posted - fired_at - jump) <= EVENT_TIME_TOLERANCE for jump in jumps)
    return at_once or fired_at - posted > DAY_MS - EVENT_TIME_TOLERANCE


def _are_several(times: Collection[int]) -> bool:
    """Return whether something arrived with several times although the clock was not set back by more than a day between."""
    return len(times) > 1 and max(times) - min(times) < DAY_MS


def _missing(recorder: Recorder) -> dict[str, set[int]]:
    return {name: values - {value for value, _ in recorder.arrivals[name]} for name, values in recorder.samples.items()}


def _losses(house: Home) -> Check:
    """Check that losses are told by an issue of the device, which is deleted with the entry: only those of this run count."""
    issues = ir.async_get(house.hass).issues
    broken = [
        f"{parts.stored.title}: {count} losses, and no repair issue"
        for parts in house.all_parts
        if (count := parts.reporter.losses.total)
        and (DOMAIN, f"{Issue.REFUSED_FOR_GOOD}_{parts.stored.key}") not in issues
    ]
    count = losses_of(house.all_parts).total()
    return Check("what is lost is told", f"{house.losses.total()} losses, {count} since the last reload", broken)


def _wishes(house: Home, device: CloudDevice, recorder: Recorder) -> Check:
    """Check that desired values were set at most once, and the last ones exactly once unless they were too old."""
    broken = ungranted(house, device, recorder)
    broken += [
        "; ".join([f"{name}: {value} was set {times} times", *recorder.set_again.get((name, value), ())])
        for (name, value), times in recorder.granted.items()
        if times > 1
    ]
    if recorder.stale and not recorder.clock_was_set:
        broken.append(f"too old although no clock was set: {recorder.stale}")
    count = sum(map(len, recorder.wishes.values()))
    summary = f"{count} desired, {len(recorder.granted)} set, {len(recorder.stale)} of the last too old at some time"
    return Check("desired values are set once, unless too old", summary, broken)


def _number(value: object) -> object:
    """Return a value in a form that can be compared with that of the other side."""
    if isinstance(value, str):
        value = {"on": "1", "off": "0"}.get(value, value)
    try:
        return float(str(value))
    except ValueError:
        return value


def _with_two_times(house: Home, recorder: Recorder) -> Iterable[str]:
    for name, arrivals in recorder.arrivals.items():
        times: dict[int, list[int]] = {}
        for value, at in arrivals:
            times.setdefault(value, []).append(at)
        for value in recorder.samples[name]:
            if (ENTITIES[name], str(value)) not in house.shown_again and _are_several(times.get(value, ())):
                yield f"{name}: {value} with {len(times[value])} times: {sorted(times[value])}"


def _name(call: ServiceCall) -> str:
    return f"{call.identifier} {call.id} {call.params}"


def _commands(recorder: Recorder) -> Check:
    carried_out = answered = busy = lost = 0
    broken = unanswered(recorder)
    for call in recorder.commands:
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
        busy += any(reply.code == TOO_BUSY for reply in call.replies)
        lost += call.id not in recorder.reached
    summary = f"{carried_out} carried out, {answered} answered, {busy} of them refused with 429, {lost} never arrived"
    if recorder.excused:
        summary += (
            f", {len(recorder.excused & recorder.reached)} answers lost with Home Assistant or with a deleted device"
        )
    return Check("every command has one outcome", summary, broken)
