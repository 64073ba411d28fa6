"""The shadow of a device: what it has reported and what applications desire, in any form (docs/protocol.md §12.6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .jsontext import JsonValue, NotJsonError, parse

type State = dict[str, JsonValue]

ATTRIBUTES = 128
LEVELS = 5
BYTES = 16 * 1024
NO_CONTROL = 0
"""The version of an application that does not care about versions."""
RESET = -1
"""The version that empties the shadow and makes its version 0."""
DELETED = (None, "null")
"""What an attribute is set to in order to delete it."""

TEXTS = {
    400: "incorrect json format",
    401: "shadow json has no method",
    402: "shadow json has no state",
    403: "shadow json version is not a number",
    404: "shadow json has no reported",
    405: "shadow json reported is empty",
    406: "shadow json method is invalid",
    407: "shadow content is empty",
    408: "shadow reported has more than 128 attributes",
    409: "shadow version conflict",
    500: "shadow service error",
}


class ShadowError(Exception):
    """A request is refused with a code of TEXTS."""

    def __init__(self, code: int) -> None:
        """Take the code."""
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class Shadow:
    """The document, and when each of its attributes was set, in Unix seconds."""

    reported: State = field(default_factory=dict)
    desired: State = field(default_factory=dict)
    metadata: dict[str, State] = field(default_factory=lambda: {"reported": {}, "desired": {}})
    version: int = 0

    @property
    def state(self) -> State:
        """Both parts; the desired one only if there is any."""
        parts: State = {"reported": self.reported}
        return parts | {"desired": self.desired} if self.desired else parts

    @property
    def times(self) -> State:
        """The metadata of both parts."""
        parts: State = {"reported": self.metadata["reported"]}
        return parts | {"desired": self.metadata["desired"]} if self.desired else parts

    def report(self, state: Mapping[str, JsonValue], version: JsonValue, now: int) -> None:
        """Take what the device reports, or that it has done what was desired: `{"desired": "null"}`; raise ShadowError."""
        if "reported" not in state and state.get("desired", "") not in DELETED:
            raise ShadowError(404)
        reported = state.get("reported", {"": None})
        if not isinstance(reported, dict) or not reported:
            raise ShadowError(405)
        number = self._next_version(version)
        before = {} if number == RESET else self.reported
        merged = merge(before, {} if "reported" not in state else reported)
        _check_size(merged)
        if number == RESET:
            self.desired, self.metadata = {}, {"reported": {}, "desired": {}}
        if "desired" in state and state["desired"] in DELETED:
            self.desired, self.metadata["desired"] = {}, {}
        self.metadata["reported"] = _times(self.metadata["reported"], reported, merged, now)
        self.reported, self.version = merged, max(number, 0)

    def delete(self, state: Mapping[str, JsonValue], version: JsonValue) -> None:
        """Delete reported attributes, or all of them for `{"reported": "null"}`; raise ShadowError."""
        if "reported" not in state:
            raise ShadowError(404)
        reported = state["reported"]
        if reported not in DELETED and not (isinstance(reported, dict) and reported):
            raise ShadowError(405)
        number = self._next_version(version)
        self.reported = merge(self.reported, reported) if isinstance(reported, dict) else {}
        self.metadata["reported"] = _times(self.metadata["reported"], {}, self.reported, 0)
        self.version = max(number, 0)

    def desire(self, desired: State, version: int, now: int, *, delta: bool) -> None:
        """Take what an application desires, in addition to the rest or instead of it; raise ShadowError."""
        number = self.version + 1 if version == NO_CONTROL else self._next_version(version)
        merged = merge(self.desired if delta else {}, desired)
        _check_size(merged)
        before = self.metadata["desired"] if delta else {}
        self.metadata["desired"] = _times(before, desired, merged, now)
        self.desired, self.version = merged, max(number, 0)

    def _next_version(self, version: JsonValue) -> int:
        if not isinstance(version, int) or isinstance(version, bool):
            raise ShadowError(403)
        if version != RESET and version <= self.version:
            raise ShadowError(409)
        return version


def read_request(payload: bytes) -> State:
    """Return a request with a known method; raise ShadowError."""
    if not payload.strip():
        raise ShadowError(407)
    try:
        request = parse(payload)
    except NotJsonError:
        raise ShadowError(400) from None
    if not isinstance(request, dict) or len(payload) > BYTES or _depth(request.get("state")) > LEVELS + 1:
        raise ShadowError(400)
    if "method" not in request:
        raise ShadowError(401)
    if request["method"] not in ("update", "get", "delete"):
        raise ShadowError(406)
    return request


def read_state(request: Mapping[str, JsonValue]) -> State:
    """Return the state of a request; raise ShadowError."""
    state = request.get("state")
    if not isinstance(state, dict):
        raise ShadowError(402)
    return state


def merge(before: State, change: State) -> State:
    """Return a state after a change: objects are merged, what is set to null is deleted."""
    after = dict(before)
    for key, value in change.items():
        if value in DELETED:
            after.pop(key, None)
        elif isinstance(value, dict):
            known = before.get(key)
            after[key] = merge(known if isinstance(known, dict) else {}, value)
        else:
            after[key] = value
    return after


def _times(before: State, change: State, after: State, now: int) -> State:
    """Return the metadata of a state after a change: the time of each attribute."""
    times: State = {}
    for key, value in after.items():
        known, changed = before.get(key), change.get(key)
        if isinstance(value, dict):
            times[key] = _times(
                known if isinstance(known, dict) else {}, changed if isinstance(changed, dict) else {}, value, now
            )
        elif key in change or known is None:
            times[key] = {"timestamp": now}
        else:
            times[key] = known
    return times


def _check_size(state: State) -> None:
    if _count(state) > ATTRIBUTES:
        raise ShadowError(408)


def _count(value: JsonValue) -> int:
    return sum(map(_count, value.values())) if isinstance(value, dict) else 1


def _depth(value: JsonValue) -> int:
    """Return the number of nested objects, the outermost included."""
    return 1 + max(map(_depth, value.values()), default=0) if isinstance(value, dict) else 0
