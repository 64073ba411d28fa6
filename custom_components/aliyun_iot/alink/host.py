"""The hosts that speak Alink, and what each of them leaves out (`docs/protocol.md` §19)."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MAX_TRIES: Final = 3
"""Requests of one kind without any reply after which they are given up on a connection."""


class HostKind(StrEnum):
    """The kinds of hosts that a user can choose."""

    ALIYUN = "aliyun"
    TUYA = "tuya"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Host:
    """What a host does.

    `tls_port` is the port of a host that is given without one. `tries` is as `MAX_TRIES`, and if it `stays_silent`, requests
    that were given up are not tried on the next connection either. `has_rrpc` is that there are synchronous calls,
    `subscribes` that it makes the subscriptions of sub-devices, `text_events` that the output of events consists of texts.
    """

    tls_port: int | None = None
    tries: int = MAX_TRIES
    stays_silent: bool = False
    has_rrpc: bool = True
    subscribes: bool = True
    text_events: bool = False


_HOSTS: Final = {
    HostKind.ALIYUN: Host(),
    HostKind.TUYA: Host(tls_port=443),
    HostKind.OTHER: Host(tries=1, stays_silent=True, has_rrpc=False, subscribes=False),
}

ALIYUN: Final = _HOSTS[HostKind.ALIYUN]


def host_of(kind: HostKind, *, text_events: bool = False) -> Host:
    """Return the host of a kind, with events as the user wants them."""
    return replace(_HOSTS[kind], text_events=text_events)
