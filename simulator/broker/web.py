"""HTTP for devices: MQTT over WebSocket, and dynamic registration (docs/protocol.md §1.1, §11.2).

| request | what it does |
|---|---|
| `GET /…` with `Upgrade: websocket` | MQTT over WebSocket, on any path |
| `GET /files/…` | a configuration, firmware or file of a job, also in parts (`Range`) |
| `GET` and `POST /auth/bootstrap…` | the endpoint to connect to, for devices that were told to ask for it (§13) |
| `POST /auth/register/device` | dynamic registration; the fields are a form, the answer is JSON |

With TLS these are wss and HTTPS.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import ssl
from urllib.parse import parse_qsl

from aiohttp import web

from ..core.codes import text_of
from ..core.device import CloudDevice
from ..core.jsontext import JsonValue, dump
from ..core.platform import Platform
from ..core.registration import RegistrationError, RegistrationRequest, register
from ..core.transcript import Direction
from .packets import FRAME_LIMIT
from .streams import Stream, WebSocketStream

REGISTRATION_FIELDS = ("productKey", "deviceName", "random", "signMethod", "sign")

type Converse = Callable[[asyncio.StreamReader, Stream], Awaitable[None]]


class DeviceWeb:
    """Serves devices on one port."""

    def __init__(self, platform: Platform, converse: Converse) -> None:
        """`converse` speaks MQTT with a device until the end of its connection."""
        self._platform = platform
        self._converse = converse
        self._tls: ssl.SSLContext | None = None
        self._mqtt: JsonValue = {}
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None, *, mqtt_port: int) -> int:
        """Listen and return the port; raise OSError. Devices that ask for their endpoint get `mqtt_port`."""
        self._tls = tls
        self._mqtt = {"host": host, "port": mqtt_port}
        app = web.Application()
        app.add_routes(
            [
                web.post("/auth/register/device", self._register),
                web.route("*", "/auth/bootstrap{path:.*}", self._bootstrap),
                web.get("/files/{path:.*}", self._download),
                web.get("/{path:.*}", self._websocket),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=tls)
        await site.start()
        bound_port: int = self._runner.addresses[0][1]
        return bound_port

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=("mqtt", "mqttv3.1"), max_msg_size=FRAME_LIMIT)
        if not socket.can_prepare(request):
            raise web.HTTPNotFound
        await socket.prepare(request)
        stream = WebSocketStream(socket, request.transport, encrypted=self._tls is not None)
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(stream.read())
            sending = tasks.create_task(stream.send())
            await self._converse(stream.reader, stream)
            await stream.drain()
            reading.cancel()
            sending.cancel()
        return socket

    async def _download(self, request: web.Request) -> web.Response:
        if (file := self._platform.files.find(request.path)) is None:
            raise web.HTTPNotFound
        try:
            wanted = request.http_range
            start, stop, _ = wanted.indices(len(file.content))
        except ValueError:
            raise web.HTTPRequestRangeNotSatisfiable from None
        self._note("", request.path, f"downloaded bytes {start} to {stop} of {len(file.content)}")
        if wanted == slice(None, None, 1):
            return web.Response(body=file.content)
        return web.Response(
            status=206,
            body=file.content[start:stop],
            headers={"Content-Range": f"bytes {start}-{stop - 1}/{len(file.content)}"},
        )

    async def _bootstrap(self, request: web.Request) -> web.Response:
        self._note("", request.path, "asked for the endpoint")
        data: JsonValue = {"resources": {"mqtt": self._mqtt}}
        return _json({"code": 200, "data": data, "message": "success"})

    async def _register(self, request: web.Request) -> web.Response:
        fields = dict(parse_qsl((await request.read()).decode(errors="replace")))
        name = f"{fields.get('productKey', '')}/{fields.get('deviceName', '')}"
        try:
            device = self._registered(fields)
        except RegistrationError as error:
            self._note(name, request.path, f"registration refused with {error.code}")
            return _json({"code": error.code, "data": {}, "message": text_of(error.code)})
        self._note(name, request.path, "registered")
        data: JsonValue = {
            "productKey": device.product_key,
            "deviceName": device.device_name,
            "deviceSecret": device.device_secret,
        }
        return _json({"code": 200, "data": data, "message": "success"})

    def _registered(self, fields: Mapping[str, str]) -> CloudDevice:
        if not all(fields.get(field) for field in REGISTRATION_FIELDS):
            raise RegistrationError(460)
        if (code := self._platform.faults.take_answer_code()) is not None:
            raise RegistrationError(code)
        product_key, device_name, random, method, signature = (fields[field] for field in REGISTRATION_FIELDS)
        request = RegistrationRequest(product_key, device_name, random, method, signature)
        return register(self._platform.registry, request)

    def _note(self, name: str, path: str, note: str) -> None:
        self._platform.transcript.record(Direction.LINK, name, topic=path, note=note)


def _json(content: JsonValue) -> web.Response:
    return web.json_response(content, dumps=dump)
