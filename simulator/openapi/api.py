"""Runs the actions of the API.

An answer has `RequestId`, `Success`, `Code` (empty on success) and, depending on the action, `Data` or other fields; a
failure has `ErrorMessage`. Names and shapes are those of the platform's public API reference (version 2018-01-20).
"""

from collections.abc import Mapping
import uuid

from ..core.jsontext import JsonValue
from ..core.platform import Platform
from .actions import ACTIONS
from .call import Action, Answer, Call
from .errors import NO_SUCH_ACTION, ApiError, missing
from .fields import Fields


class OpenApi:
    """The API of one simulator."""

    def __init__(self, platform: Platform) -> None:
        """Work on this platform."""
        self._platform = platform

    async def call(self, action: str, fields: Mapping[str, JsonValue]) -> Answer:
        """Run one action and return its answer, also when it fails."""
        answer: Answer = {"RequestId": str(uuid.uuid4()).upper(), "Success": True, "Code": ""}
        try:
            return answer | await _find(action)(Call(self._platform, Fields(fields)))
        except ApiError as error:
            failure: Answer = {"Success": False, "Code": error.code, "ErrorMessage": error.message}
            return answer | failure | error.more


def _find(name: str) -> Action:
    if not name:
        raise missing("Action")
    if (action := ACTIONS.get(name)) is None:
        raise ApiError(NO_SUCH_ACTION, f"{name!r} is not one of {', '.join(sorted(ACTIONS))}.")
    return action
