"""HTTP for devices: MQTT over WebSocket, and dynamic registration (docs/protocol.md §1.1, §11.2).

| request | what it does |
|---|---|
| `GET /…` with `Upgrade: websocket` | MQTT over WebSocket, on any path |
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
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen and return the port; raise OSError."""
        self._tls = tls
        app = web.Application()
        app.add_routes([web.post("/auth/register/device", self._register), web.get("/{path:.*}", self._websocket)])
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

    async def _register(self, request: web.Request) -> web.Response:
        fields = dict(parse_qsl((await request.read()).decode(errors="replace")))
        name = f"{fields.get('productKey', '')}/{fields.get('deviceName', '')}"
        try:
            device = self._registered(fields)
        except RegistrationError as error:
            self._note(name, f"registration refused with {error.code}")
            return _json({"code": error.code, "data": {}, "message": text_of(error.code)})
        self._note(name, "registered")
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

    def _note(self, name: str, note: str) -> None:
        self._platform.transcript.record(Direction.LINK, name, topic="/auth/register/device", note=note)


def _json(content: JsonValue) -> web.Response:
    return web.json_response(content, dumps=dump)
