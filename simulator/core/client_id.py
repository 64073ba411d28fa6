"""The parameters between the bars of a client id, `clientId|key=value,…|` (docs/protocol.md §2.2)."""

from collections.abc import Mapping

from .topics import IMPLICIT, IMPLICIT_LONG_RRPC

LONG_RRPC = 1
"""Bit 0 of `ext`: the device accepts RRPC on /ext/rrpc/…"""


def parse_parameters(text: str) -> dict[str, str]:
    """Return the parameters, without white space around them (§19); raise ValueError if one is not `key=value`."""
    parameters: dict[str, str] = {}
    for pair in text.split(",") if text.strip() else ():
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise ValueError("a parameter in the client id is not key=value")
        parameters[key.strip()] = value.strip()
    return parameters


def takes_long_rrpc(parameters: Mapping[str, str]) -> bool:
    """Return whether `ext` declares that RRPC is accepted on its long topic."""
    flags = parameters.get("ext", "0")
    return flags.isascii() and flags.isdigit() and bool(int(flags) & LONG_RRPC)


def implicit_filters(parameters: Mapping[str, str], *, long_rrpc: bool) -> tuple[str, ...]:
    """Return the topics to which the platform subscribes a device by itself: those of `_ss=1` (§0.5)."""
    if parameters.get("_ss") != "1":
        return ()
    return IMPLICIT + IMPLICIT_LONG_RRPC if long_rrpc else IMPLICIT
