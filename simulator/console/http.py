"""The control API over HTTP, for scripts, curl and people.

| request | what it does |
|---|---|
| `POST /`, `GET /` | run an action of the platform; the fields, including `Action`, are in the query, a form or JSON |
| `GET /faults`, `POST /faults` | show the fault switches, or set some (JSON object); 400 for an unknown switch |
| `GET /wire?since=N` | return the recorded messages after number N |

A failed action is answered with `"Success": false`, and with status 200, or 4xx if the gateway in front of the platform refuses
the request. Status 400 without a code means that the request itself could not be parsed. With an AccessKey, actions must be
signed; `/faults` and `/wire` are not of the platform and need no signature.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import parse_qsl

from aiohttp import web

from ..core.faults import FaultError, Faults
from ..core.jsontext import JsonValue, NotJsonError, dump, parse
from ..core.transcript import Transcript
from ..openapi.request import ApiRequest

type Receive = Callable[[ApiRequest], Awaitable[tuple[int, JsonValue]]]

REQUEST_BYTES = 64 * 1024 * 1024
"""The official SDKs send thing models in the query, and firmware is in the body."""


class HttpApi:
    """Serves the API on one port."""

    def __init__(self, receive: Receive, faults: Faults, transcript: Transcript) -> None:
        """`receive` answers a request for an action of the platform."""
        self._receive = receive
        self._faults = faults
        self._transcript = transcript
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port; raise OSError."""
        app = web.Application(client_max_size=REQUEST_BYTES)
        app.add_routes(
            [
                web.get("/", self._run_action, allow_head=False),
                web.post("/", self._run_action),
                web.get("/faults", self._get_faults),
                web.post("/faults", self._post_faults),
                web.get("/wire", self._get_wire),
            ]
        )
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=0, max_line_size=REQUEST_BYTES
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound_port: int = self._runner.addresses[0][1]
        return bound_port

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _run_action(self, request: web.Request) -> web.Response:
        status, answer = await self._receive(await _read(request))
        return _json(answer, status=status)

    async def _get_faults(self, request: web.Request) -> web.Response:
        del request
        return _json(self._faults.as_dict())

    async def _post_faults(self, request: web.Request) -> web.Response:
        try:
            self._faults.set(**_json_object(await request.read()))
        except FaultError as error:
            raise _bad_request(str(error)) from None
        return _json(self._faults.as_dict())

    async def _get_wire(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isascii() or not since.isdigit():
            raise _bad_request("since must be the number of a message")
        return _json([message.as_json() for message in self._transcript.since(int(since))])


async def _read(request: web.Request) -> ApiRequest:
    headers = {name.lower(): ",".join(request.headers.getall(name)) for name in request.headers}
    body = await request.read()
    content: dict[str, JsonValue] = {}
    if request.content_type == "application/json":
        content = _json_object(body)
    elif body:
        content = dict[str, JsonValue](parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    return ApiRequest(request.method, request.path, dict(request.query), headers, body, content)


def _json_object(body: bytes) -> dict[str, JsonValue]:
    try:
        value = parse(body)
    except NotJsonError as error:
        raise _bad_request(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise _bad_request("the body must be a JSON object")
    return value


def _bad_request(reason: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=dump({"Success": False, "ErrorMessage": reason}), content_type="application/json")


_json = partial(web.json_response, dumps=dump)
