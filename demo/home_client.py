"""A client of Home Assistant's public HTTP and WebSocket interfaces, like a browser."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Literal, TypedDict, cast

import aiohttp

from .words import Language

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None

USER = "demo"
PASSWORD = "demo"  # noqa: S105 - of a demo on loopback; it is printed
REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=60)
START_TIMEOUT = 60.0

FLOWS = {"add": "flow", "options": "options/flow", "subentry": "subentries/flow"}
type FlowKind = Literal["add", "options", "subentry"]


class RequestFailed(Exception):  # noqa: N818 - named after what happened
    """Home Assistant refused a request; the text says why."""


class FlowStep(TypedDict, total=False):
    """The answer of a config, options or subentry flow; its keys depend on `type`."""

    type: str
    flow_id: str
    step_id: str
    errors: dict[str, str] | None
    data_schema: list[dict[str, Json]]
    menu_options: list[str] | dict[str, str]
    reason: str
    result: dict[str, Json]
    next_flow: tuple[str, str]
    description_placeholders: dict[str, str]


@dataclass(frozen=True, slots=True)
class State:
    """The state of an entity."""

    entity_id: str
    state: str
    attributes: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class HomeEvent:
    """An event of Home Assistant's bus; `at` is in Unix seconds."""

    at: float
    type: str
    data: Mapping[str, Json]


class HomeClient:
    """A client with the rights of the owner."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Nothing is sent before `onboard`."""
        self._session = session
        self._url = url
        self._headers: dict[str, str] = {}
        self._socket: aiohttp.ClientWebSocketResponse
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._listeners: dict[int, Callable[[HomeEvent], None]] = {}

    async def onboard(self, language: Language) -> None:
        """Create the owner by the onboarding API with this language, log in, and connect the WebSocket."""
        client_id = f"{self._url}/"
        owner: Json = {
            "name": USER.title(),
            "username": USER,
            "password": PASSWORD,
            "client_id": client_id,
            "language": language,
        }
        created = _object(await self._post("/api/onboarding/users", owner))
        grant = {"grant_type": "authorization_code", "client_id": client_id, "code": str(created["auth_code"])}
        async with self._session.post(f"{self._url}/auth/token", data=grant, timeout=REQUEST_TIMEOUT) as response:
            token = _object(await _read(response))["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}
        self._socket = await self._session.ws_connect(f"{self._url}/api/websocket", max_msg_size=0)
        await self._socket.receive_json()
        await self._socket.send_json({"type": "auth", "access_token": token})
        if (await self._socket.receive_json())["type"] != "auth_ok":
            raise RequestFailed("the WebSocket interface refused the log-in")

    async def listen_forever(self) -> None:
        """Handle messages of the WebSocket until the connection ends; runs as a task."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._handle(_object(cast("Json", message.json())))
        finally:
            for waiting in self._answers.values():
                if not waiting.done():
                    waiting.set_exception(aiohttp.ClientConnectionError("the WebSocket was closed"))

    async def wait_until_started(self) -> None:
        """Wait until Home Assistant has started completely; raises TimeoutError."""
        async with asyncio.timeout(START_TIMEOUT):
            while _object(await self._get("/api/config"))["state"] != "RUNNING":  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.1)

    async def command(self, command: str, **fields: Json) -> Json:
        """Run a command of the WebSocket interface and return its result; raises RequestFailed."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "type": command, **fields})
        async with asyncio.timeout(REQUEST_TIMEOUT.total):
            result: Json = await answer
            return result

    async def follow(self, event_type: str, listener: Callable[[HomeEvent], None]) -> None:
        """Call the listener for each event of a type from now on."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._listeners[number] = listener
        await self._socket.send_json({"id": number, "type": "subscribe_events", "event_type": event_type})
        await answer

    async def catch_up(self) -> None:
        """Wait until all events so far have been handled: the WebSocket keeps the order."""
        await self.command("ping")

    async def run_action(self, action: str, data: Mapping[str, Json], *, response: bool = False) -> Json:
        """Run an action (`light.turn_on`) and return its response if requested; raises RequestFailed."""
        domain, _, service = action.partition(".")
        result = await self.command(
            "call_service", domain=domain, service=service, service_data=dict(data), return_response=response
        )
        return _object(result).get("response")

    async def state(self, entity_id: str) -> State:
        """Return the state of an entity; raises RequestFailed if there is none."""
        found = _object(await self._get(f"/api/states/{entity_id}"))
        return State(entity_id, str(found["state"]), _object(found["attributes"]))

    async def entries(self, domain: str) -> list[dict[str, Json]]:
        """Return the config entries of an integration."""
        return [
            _object(row)
            for row in cast("list[Json]", await self._get(f"/api/config/config_entries/entry?domain={domain}"))
        ]

    async def start_flow(self, kind: FlowKind, handler: Json) -> FlowStep:
        """Start a flow; `handler` is a domain, an entry id, or [entry id, subentry type]."""
        started = await self._post(f"/api/config/config_entries/{FLOWS[kind]}", {"handler": handler})
        return cast("FlowStep", started)

    async def continue_flow(self, kind: FlowKind, flow_id: str, values: Mapping[str, Json]) -> FlowStep:
        """Submit the form of a flow."""
        return cast("FlowStep", await self._post(f"/api/config/config_entries/{FLOWS[kind]}/{flow_id}", dict(values)))

    async def shown_page(self, kind: FlowKind, flow_id: str) -> FlowStep:
        """Return the page that a flow shows now."""
        return cast("FlowStep", await self._get(f"/api/config/config_entries/{FLOWS[kind]}/{flow_id}"))

    async def close_flow(self, kind: FlowKind, flow_id: str) -> None:
        """Close the dialog of a flow."""
        path = f"{self._url}/api/config/config_entries/{FLOWS[kind]}/{flow_id}"
        async with self._session.delete(path, headers=self._headers, timeout=REQUEST_TIMEOUT) as response:
            await _read(response)

    def _handle(self, document: dict[str, Json]) -> None:
        number = document["id"]
        if not isinstance(number, int):
            return
        if document["type"] == "event":
            self._listeners[number](_event(_object(document["event"])))
        elif waiting := self._answers.pop(number, None):
            _settle(waiting, document)

    async def _get(self, path: str) -> Json:
        async with self._session.get(self._url + path, headers=self._headers, timeout=REQUEST_TIMEOUT) as response:
            return await _read(response)

    async def _post(self, path: str, body: Json) -> Json:
        async with self._session.post(
            self._url + path, json=body, headers=self._headers, timeout=REQUEST_TIMEOUT
        ) as response:
            return await _read(response)


async def _read(response: aiohttp.ClientResponse) -> Json:
    if not response.ok:
        raise RequestFailed(f"{response.method} {response.url.path}: {response.status} {await response.text()}")
    return cast("Json", await response.json())


def _settle(waiting: asyncio.Future[Json], document: dict[str, Json]) -> None:
    if waiting.done():
        return
    if document["type"] == "pong" or document.get("success"):
        waiting.set_result(document.get("result"))
    else:
        waiting.set_exception(RequestFailed(str(_object(document["error"])["message"])))


def _event(event: dict[str, Json]) -> HomeEvent:
    at = datetime.fromisoformat(str(event["time_fired"])).timestamp()
    return HomeEvent(at, str(event["event_type"]), _object(event["data"]))


def _object(document: Json) -> dict[str, Json]:
    if not isinstance(document, dict):
        raise RequestFailed(f"Home Assistant answered with something unexpected: {document!r}")
    return document
