"""The control API over HTTP, for scripts, curl and people.

| request | what it does |
|---|---|
| `POST /` | run an action of the platform; the fields, including `Action`, are a form or JSON |
| `GET /faults`, `POST /faults` | show the fault switches, or set some (JSON object); 400 for an unknown switch |
| `GET /wire?since=N` | return the recorded messages after number N |

A failed action is answered with status 200 and `"Success": false`, as on the platform. Status 400 means that the request
itself could not be parsed.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from aiohttp import web

from ..core.faults import FaultError, Faults
from ..core.jsontext import JsonValue, NotJsonError, dump, parse
from ..core.transcript import Transcript

type Call = Callable[[str, Mapping[str, JsonValue]], Awaitable[JsonValue]]


class HttpApi:
    """Serves the API on one port."""

    def __init__(self, call: Call, faults: Faults, transcript: Transcript) -> None:
        """`call` runs an action of the platform with its fields."""
        self._call = call
        self._faults = faults
        self._transcript = transcript
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port; raise OSError."""
        app = web.Application()
        app.add_routes(
            [
                web.post("/", self._post_action),
                web.get("/faults", self._get_faults),
                web.post("/faults", self._post_faults),
                web.get("/wire", self._get_wire),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0)
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

    async def _post_action(self, request: web.Request) -> web.Response:
        fields = await _read_fields(request)
        action = fields.pop("Action", "")
        return _json(await self._call(action if isinstance(action, str) else "", fields))

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


async def _read_fields(request: web.Request) -> dict[str, JsonValue]:
    if request.content_type == "application/json":
        return _json_object(await request.read())
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


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
