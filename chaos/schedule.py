"""Which faults happen when, drawn from a seed.

There are four streams of faults at the same time: faults of the connection and of Home Assistant as a whole, faults of
messages, what happens in the house, and what happens to its sub-devices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
import random

from .compressed import FACTOR

LONG_OUTAGE = 600 / FACTOR


class Kind(StrEnum):
    """The kinds of faults. Their values are part of the seed."""

    DROP = "drop"
    HALF_OPEN = "half-open"
    STALL = "half-open for a moment"
    REFUSE = "refuse"
    KICK = "kick"
    BROKER_RESTART = "broker restart"
    BABBLE = "no MQTT"
    FLOOD = "flood of packets"
    EXCEED = "message of 256 MB"
    LONG_OUTAGE = "ten minutes of outage"
    RELOAD = "integration restarted"
    RELOAD_IN_OUTAGE = "integration restarted in an outage"
    BROKEN_DISK = "integration restarted in an outage with a broken disk"
    RESTART = "Home Assistant restarted"
    RESTART_IN_OUTAGE = "Home Assistant restarted in an outage"
    DELAY = "delay"
    LOSE_REPLY = "lose replies"
    GARBLE = "garbled replies"
    DUPLICATE = "duplicate"
    WRONG_CODE = "wrong code"
    REFUSE_FOR_GOOD = "refused for good"
    BURST = "burst of commands"
    CLOCK = "clock set"
    GONE = "entities gone"
    RENAME = "entities renamed"
    BIND = "bindings added and removed"
    AUTOMATIONS = "a thousand automations"
    SUB_KICK = "sub-device online elsewhere"
    SUB_FORGET = "sub-device logged out"
    SUB_DISABLE = "sub-device disabled"
    SUB_REMOVE = "sub-device out of the topology"
    SUB_DELETE = "sub-device deleted"
    SUB_STEAL = "sub-device of another gateway"
    SUB_SECRET = "secret of a sub-device wrong"  # noqa: S105
    SUB_CUT = "gateway cut in a login"
    SUB_AWAY = "device of a sub-device unavailable"


CONNECTION: Mapping[Kind, float] = {
    Kind.DROP: 4,
    Kind.HALF_OPEN: 3,
    Kind.STALL: 2,
    Kind.REFUSE: 3,
    Kind.KICK: 1,
    Kind.BROKER_RESTART: 2,
    Kind.BABBLE: 1,
    Kind.FLOOD: 2,
    Kind.EXCEED: 0.5,
    Kind.LONG_OUTAGE: 0.5,
    Kind.RELOAD: 1,
    Kind.RELOAD_IN_OUTAGE: 1,
    Kind.BROKEN_DISK: 1,
    Kind.RESTART: 1,
    Kind.RESTART_IN_OUTAGE: 0.5,
}
MESSAGES: Mapping[Kind, float] = {
    Kind.DELAY: 2,
    Kind.LOSE_REPLY: 3,
    Kind.GARBLE: 1,
    Kind.DUPLICATE: 3,
    Kind.WRONG_CODE: 2,
    Kind.REFUSE_FOR_GOOD: 2,
}
HOUSE: Mapping[Kind, float] = {
    Kind.BURST: 1,
    Kind.CLOCK: 2,
    Kind.GONE: 3,
    Kind.RENAME: 2,
    Kind.BIND: 3,
    Kind.AUTOMATIONS: 1,
}
SUB_DEVICES: Mapping[Kind, float] = {
    Kind.SUB_KICK: 2,
    Kind.SUB_FORGET: 2,
    Kind.SUB_DISABLE: 1,
    Kind.SUB_REMOVE: 1,
    Kind.SUB_DELETE: 1,
    Kind.SUB_STEAL: 1,
    Kind.SUB_SECRET: 1,
    Kind.SUB_CUT: 1,
    Kind.SUB_AWAY: 2,
}
"""The weight of each kind among the faults of its stream."""

STREAMS = ((CONNECTION, 4.0), (MESSAGES, 2.0), (HOUSE, 3.0), (SUB_DEVICES, 3.0))
"""The streams of faults, with the mean seconds between two faults."""

FAULTS_AT_LEAST = 12
"""Faults of each stream in a run; a short run has shorter pauses."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that begins after a pause and lasts for some seconds; `number` is a count or selects a code."""

    pause: float
    kind: Kind
    seconds: float
    number: int


def schedule(seed: int, kinds: Mapping[Kind, float], mean_pause: float, seconds: float) -> list[Fault]:
    """Draw faults for `seconds`. The first ones are all of different kinds, so that short runs have many kinds."""
    draw = random.Random(f"{seed} {' '.join(kinds)}")  # noqa: S311 - not for secrets
    first = draw.sample(list(kinds), len(kinds))
    faults: list[Fault] = []
    left = seconds
    if seconds < 2 * LONG_OUTAGE:  # these would last for most of the run
        first = [kind for kind in first if kind not in (Kind.LONG_OUTAGE, Kind.EXCEED)]
    while left > 0:
        kind = first.pop() if first else draw.choices(list(kinds), list(kinds.values()))[0]
        lasting = LONG_OUTAGE if kind is Kind.LONG_OUTAGE else draw.uniform(0.1, 2.5)
        fault = Fault(draw.expovariate(1 / mean_pause), kind, lasting, draw.randint(1, 4))
        faults.append(fault)
        left -= fault.pause  # durations are left out, because few faults last that long
    return faults


def some[Name](names: Sequence[Name], fault: Fault, count: int) -> list[Name]:
    """Return some of these names, always the same ones for a fault."""
    return random.Random(f"{fault.seconds}").sample(names, count)  # noqa: S311 - not for secrets
