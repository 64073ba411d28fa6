"""Desired properties: values that the cloud keeps for the device, also while it is offline (`docs/protocol.md` §9)."""

from dataclasses import dataclass
from typing import Final

from .messages import JsonValue

DESIRED_LIMIT: Final = 200
"""Identifiers that the platform accepts in one message."""


@dataclass(frozen=True, slots=True)
class Desired:
    """A desired value in its wire form, and its version, which counts from 1."""

    value: JsonValue
    version: int


def read_desired(data: JsonValue) -> dict[str, Desired]:
    """Read `{identifier: {"value": …, "version": …}}`; entries of another shape are left out."""
    found: dict[str, Desired] = {}
    for identifier, entry in data.items() if isinstance(data, dict) else ():
        match entry:
            case {"value": value, "version": int(version)} if not isinstance(version, bool):
                found[identifier] = Desired(value, version)
    return found
