"""Runs the actions of the API.

An answer has `RequestId`, `Success`, `Code` (empty on success) and, depending on the action, `Data` or other fields; a
failure has `ErrorMessage`. Names and shapes are those of the platform's public API reference (version 2018-01-20).
"""

from collections.abc import Mapping
import uuid

from ..core.jsontext import JsonValue
from ..core.platform import Platform
from .actions import ACTIONS
from .authentication import Verifier
from .call import Action, Answer, Call
from .errors import NO_SUCH_ACTION, NO_SUCH_VERSION, ApiError, missing
from .fields import Fields
from .request import ApiRequest

VERSION = "2018-01-20"
HOST = "iot.cn-shanghai.aliyuncs.com"


class OpenApi:
    """The API of one simulator."""

    def __init__(self, platform: Platform, verifier: Verifier | None = None) -> None:
        """Work on this platform; a `verifier` checks the requests over HTTP."""
        self._platform = platform
        self._verifier = verifier

    async def call(self, action: str, fields: Mapping[str, JsonValue]) -> Answer:
        """Run one action and return its answer, also when it fails."""
        try:
            return await self._run(action, fields)
        except ApiError as error:
            return _failure(error)

    async def receive(self, request: ApiRequest) -> tuple[int, Answer]:
        """Answer a request over HTTP; also return the HTTP status (docs/protocol.md §20.3)."""
        try:
            self._check(request)
            return 200, await self._run(request.action, request.fields)
        except ApiError as error:
            return error.status, _failure(error)

    def _check(self, request: ApiRequest) -> None:
        if self._verifier is not None:
            self._verifier.check(request)
        if request.version not in ("", VERSION):
            raise ApiError(NO_SUCH_VERSION, f"It is {VERSION}.")

    async def _run(self, action: str, fields: Mapping[str, JsonValue]) -> Answer:
        return _header(success=True, code="") | await _find(action)(Call(self._platform, Fields(fields)))


def _header(*, success: bool, code: str) -> Answer:
    return {"RequestId": str(uuid.uuid4()).upper(), "Success": success, "Code": code}


def _failure(error: ApiError) -> Answer:
    """Return the answer to a failed request. SDKs read the gateway's `Message`, and the platform's `ErrorMessage`."""
    answer = _header(success=False, code=error.code) | {"ErrorMessage": error.message} | error.more
    return answer if error.status == 200 else answer | {"Message": error.message, "HostId": HOST}


def _find(name: str) -> Action:
    if not name:
        raise missing("Action")
    if (action := ACTIONS.get(name)) is None:
        raise ApiError(NO_SUCH_ACTION, f"{name!r} is not one of {', '.join(sorted(ACTIONS))}.")
    return action
