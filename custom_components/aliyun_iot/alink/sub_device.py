"""A sub-device as its gateway knows it: what it should be, what it is, and when to try what (docs/protocol.md §10.5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import math
import time
from typing import Final

from .auth import DeviceTriple, Identity
from .errors import (
    BoundElsewhere,
    GatewayFull,
    HeldElsewhere,
    NotAGateway,
    NotInTopology,
    ProductUnknown,
    RegistrationRefused,
    SecretRefused,
    SubDeviceDeleted,
    SubDeviceDisabled,
    SubDeviceError,
)
from .mqtt.pacing import SHORT_LIVED, ConnectPacer, doubled
from .samples import utc_milliseconds

MINUTE: Final = 60.0

MAX_SUB_DEVICES: Final = 2000
"""Sub-devices that the platform allows for a gateway (docs/protocol.md §10.4)."""

MAX_LOGIN_BATCH: Final = 50
"""Sub-devices in one login or logout that the platform allows (docs/protocol.md §10.4)."""

SESSION_LOST_DELAY: Final = 2.0
LONGEST_SESSION_LOST_DELAY: Final = 5 * MINUTE
"""Seconds before the login after code 520."""


class SubDeviceState(StrEnum):
    """What a sub-device is at the moment."""

    OFFLINE = "offline"
    """Is not wanted online, or the gateway itself is offline."""
    UNREGISTERED = "unregistered"
    """Has no secret yet; the registration is about to be tried."""
    WAITING = "waiting"
    """Is about to be added to the topology, or logged in."""
    ONLINE = "online"
    REFUSED = "refused"
    """The cloud refuses it for the reason in `error`; it is tried again after a pause."""
    DISABLED = "disabled"
    """Is disabled in the console; it is logged in when it is enabled."""
    DELETED = "deleted"
    """Does not exist in the cloud."""
    REMOVED = "removed"
    """Was removed from the topology; it is not added again unless `Gateway.retry` is called or the cloud asks for it."""
    HELD_ELSEWHERE = "held_elsewhere"
    """Is online through another gateway; it is tried again after long pauses."""
    BOUND_ELSEWHERE = "bound_elsewhere"
    """Belongs to another gateway, so it can't be registered."""


@dataclass(frozen=True, slots=True)
class SubDeviceConfig:
    """A sub-device that should exist.

    Without a `secret` it is registered: with the `product_secret` if there is one, otherwise by its name alone, for which its
    product must allow dynamic registration.
    """

    identity: Identity
    secret: str | None = field(default=None, repr=False)
    product_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Behaviour:
    """The state after an error, and the first and the longest pause in seconds before another try.

    `lasting` means that a new connection is no reason to try sooner.
    """

    state: SubDeviceState
    first: float
    longest: float
    lasting: bool = False


BEHAVIOUR: Final[Mapping[type[SubDeviceError], _Behaviour]] = {
    SubDeviceError: _Behaviour(SubDeviceState.REFUSED, 5.0, 15 * MINUTE),
    SecretRefused: _Behaviour(SubDeviceState.REFUSED, 15 * MINUTE, 60 * MINUTE),
    SubDeviceDeleted: _Behaviour(SubDeviceState.DELETED, 60 * MINUTE, 60 * MINUTE, lasting=True),
    SubDeviceDisabled: _Behaviour(SubDeviceState.DISABLED, 30 * MINUTE, 30 * MINUTE),
    NotInTopology: _Behaviour(SubDeviceState.REMOVED, math.inf, math.inf, lasting=True),
    HeldElsewhere: _Behaviour(SubDeviceState.HELD_ELSEWHERE, 5 * MINUTE, 30 * MINUTE, lasting=True),
    BoundElsewhere: _Behaviour(SubDeviceState.BOUND_ELSEWHERE, 30 * MINUTE, 60 * MINUTE, lasting=True),
    RegistrationRefused: _Behaviour(SubDeviceState.REFUSED, 30 * MINUTE, 60 * MINUTE),
    ProductUnknown: _Behaviour(SubDeviceState.REFUSED, 30 * MINUTE, 60 * MINUTE),
    GatewayFull: _Behaviour(SubDeviceState.REFUSED, 15 * MINUTE, 60 * MINUTE),
    NotAGateway: _Behaviour(SubDeviceState.REFUSED, 15 * MINUTE, 60 * MINUTE),
}

_CLASSES: Final[Mapping[int, type[SubDeviceError]]] = {
    401: SecretRefused,
    427: HeldElsewhere,
    428: GatewayFull,
    521: SubDeviceDeleted,
    522: SubDeviceDisabled,
    5005: ProductUnknown,
    5244: RegistrationRefused,
    6100: SubDeviceDeleted,
    6202: ProductUnknown,
    6203: NotAGateway,
    6204: SubDeviceDisabled,
    6208: SubDeviceDisabled,
    6250: ProductUnknown,
    6287: SecretRefused,
    6288: RegistrationRefused,
    6289: RegistrationRefused,
    6292: RegistrationRefused,
    6400: GatewayFull,
    6401: NotInTopology,
    6600: SecretRefused,
    6619: BoundElsewhere,
}


def sub_device_error(code: int, message: str = "") -> SubDeviceError:
    """Return the error of a code, with the cloud's `message` if it sent one."""
    return _CLASSES.get(code, SubDeviceError)(code, message)


@dataclass(slots=True, eq=False)
class SubDevice:
    """A sub-device. Others than the gateway read the attributes up to `error`, and call `Gateway` to change something.

    `since` is when `state` became what it is, in UTC milliseconds. `due` is the monotonic time of the next try.
    """

    identity: Identity
    secret: str | None = field(repr=False)
    product_secret: str | None = field(repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    wanted: bool = False
    """Whether it should be online."""
    state: SubDeviceState = SubDeviceState.OFFLINE
    since: int = field(default_factory=utc_milliseconds)
    error: SubDeviceError | None = None

    in_topology: bool | None = field(default=None, repr=False)
    """None while the topology is not known."""
    leaving: bool = field(default=False, repr=False)
    """Whether it is just being removed from the topology."""
    due: float = field(default=-math.inf, repr=False)
    failures: int = field(default=0, repr=False)
    together: int = field(default=MAX_LOGIN_BATCH, repr=False)
    """The largest batch to log it in with; after failed ones it is smaller, so that the culprit is found."""
    _online_at: float | None = field(default=None, repr=False)
    pacer: ConnectPacer = field(init=False, repr=False)
    """The platform allows five logins a minute, as it does connects of other devices."""

    def __post_init__(self) -> None:
        """Begin without logins."""
        self.pacer = ConnectPacer(self.clock)

    @property
    def triple(self) -> DeviceTriple:
        """The names and the secret; raises ValueError without a secret."""
        if self.secret is None:
            raise ValueError("the sub-device is not registered")
        return DeviceTriple(*self.identity, self.secret)

    @property
    def resting(self) -> SubDeviceState:
        """The state without an error, while it is not online."""
        if self.secret is None:
            return SubDeviceState.UNREGISTERED
        return SubDeviceState.WAITING if self.wanted else SubDeviceState.OFFLINE

    def delay(self) -> float:
        """Return the seconds until the pause after a failure is over."""
        return max(0.0, self.due - self.clock())

    def login_delay(self) -> float:
        """Return the seconds until it may be logged in."""
        return max(self.delay(), self.pacer.delay())

    def came_online(self) -> None:
        """Record a login."""
        self.error = None
        self.due = -math.inf
        self.together = MAX_LOGIN_BATCH
        self._online_at = self.clock()

    def went_offline(self) -> None:
        """Record the end of a login; only one that lasted proves that earlier failures are over."""
        if self._online_at is not None and self.clock() - self._online_at >= SHORT_LIVED:
            self.failures = 0
        self._online_at = None

    def fail(self, error: SubDeviceError, jitter: float) -> None:
        """Record why it is not online; it is tried again after a pause, which `jitter` (0 to 1) spreads."""
        behaviour = BEHAVIOUR[type(error)]
        self._pause(behaviour.first, behaviour.longest, jitter)
        self.error = error
        self.together = 1

    def lost_session(self, jitter: float) -> None:
        """Record that the cloud has no session of it any more: it may log in again, but not at once."""
        self._pause(SESSION_LOST_DELAY, LONGEST_SESSION_LOST_DELAY, jitter)

    def _pause(self, first: float, longest: float, jitter: float) -> None:
        self.due = self.clock() + doubled(first, self.failures, longest) * (0.75 + 0.5 * jitter)
        self.failures += 1

    def forgive(self) -> None:
        """Allow another try at once."""
        self.error = None
        self.failures = 0
        self.due = -math.inf

    def reconnected(self) -> None:
        """Allow another try on a new connection, unless that would not help; it is still tried alone after an error."""
        if self.error is None or not BEHAVIOUR[type(self.error)].lasting:
            self.due = -math.inf

    def state_after_error(self) -> SubDeviceState:
        """Return the state that belongs to `error`, and the resting one without an error."""
        return BEHAVIOUR[type(self.error)].state if self.error else self.resting
