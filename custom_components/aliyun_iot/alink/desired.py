"""Desired properties: values that the cloud keeps for the device, also while it is offline (`docs/protocol.md` §9)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import Final, Protocol

from .errors import Rejected
from .messages import JsonValue, Reply
from .topics import Topics

DESIRED_LIMIT: Final = 200
"""Identifiers that the platform accepts in one message."""


@dataclass(frozen=True, slots=True)
class Desired:
    """A desired value in its wire form, and its version, which counts from 1."""

    value: JsonValue
    version: int


class Request(Protocol):
    """Sends a request and returns the reply; raises NotConnected or RequestTimeout."""

    async def __call__(self, topic: str, method: str, params: JsonValue, *, timeout: float) -> Reply:
        """`timeout` is in seconds."""


async def get_desired(
    request: Request, topics: Topics, identifiers: Iterable[str], timeout: float
) -> dict[str, Desired]:
    """Return the desired values of these properties; one without a desired value is not in the result.

    Raises Rejected, and what `request` raises.
    """
    found: dict[str, Desired] = {}
    for batch in batched(dict.fromkeys(identifiers), DESIRED_LIMIT, strict=False):
        reply = await request(topics.desired_get, "thing.property.desired.get", list(batch), timeout=timeout)
        found |= _desired(_accepted(reply))
    return found


async def delete_desired(request: Request, topics: Topics, versions: Mapping[str, int], timeout: float) -> None:
    """Clear the desired values that still have these versions; one that was set again meanwhile stays.

    Raises Rejected, and what `request` raises.
    """
    # An empty object must not be sent: it would clear everything.
    for batch in batched(versions.items(), DESIRED_LIMIT, strict=False):
        params: JsonValue = {identifier: {"version": version} for identifier, version in batch}
        _accepted(await request(topics.desired_delete, "thing.property.desired.delete", params, timeout=timeout))


def _accepted(reply: Reply) -> JsonValue:
    if not reply.ok:
        raise Rejected(reply.code, reply.message)
    return reply.data


def _desired(data: JsonValue) -> dict[str, Desired]:
    """Read `{identifier: {"value": …, "version": …}}`; entries of another shape are left out."""
    found: dict[str, Desired] = {}
    for identifier, entry in data.items() if isinstance(data, dict) else ():
        match entry:
            case {"value": value, "version": int(version)} if not isinstance(version, bool):
                found[identifier] = Desired(value, version)
    return found
