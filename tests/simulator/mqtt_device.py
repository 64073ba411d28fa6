"""A device for the simulator's tests: paho in a thread of its own, which shares no code with the simulator's packet layer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
import hmac
import json
import ssl
from typing import Any

import paho.mqtt.client as mqtt

CONNACK = {
    "Success": 0,
    "Unsupported protocol version": 1,
    "Client identifier not valid": 2,
    "Server unavailable": 3,
    "Bad user name or password": 4,
    "Not authorized": 5,
}


@dataclass(frozen=True, slots=True)
class Message:
    """A received message."""

    topic: str
    payload: bytes
    qos: int
    duplicate: bool

    @property
    def json(self) -> Any:
        """The payload as JSON."""
        return json.loads(self.payload)


def signed(product_key: str, device_name: str, secret: str, parameters: str = "_ss=1") -> tuple[str, str, str]:
    """Return (client id, user name, password) signed with the default method."""
    content = f"clientIdtestdeviceName{device_name}productKey{product_key}"
    password = hmac.new(secret.encode(), content.encode(), "md5").hexdigest()
    return f"test|{parameters}|", f"{device_name}&{product_key}", password


class MqttDevice:
    """Connects, and puts received messages into a queue."""

    def __init__(
        self,
        port: int,
        credentials: tuple[str, str, str],
        *,
        keep_alive: int = 60,
        protocol: int = mqtt.MQTTv311,
        tls: ssl.SSLContext | None = None,
        clean_session: bool = True,
        transport: str = "tcp",
    ) -> None:
        """Prepare; nothing is sent before connect()."""
        client_id, username, password = credentials
        self._port = port
        self._keep_alive = keep_alive
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[int] = self._loop.create_future()
        self._acks: dict[int, asyncio.Future[list[int]]] = {}
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.closed = asyncio.Event()
        self.session_present = False
        self.system = "/sys/{1}/{0}/".format(*username.split("&"))
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=mqtt.MQTTProtocolVersion(protocol),
            reconnect_on_failure=False,
            clean_session=clean_session,
            transport=transport,
        )
        self.client.username_pw_set(username, password)
        if tls is not None:
            self.client.tls_set_context(tls)
        self.client.on_connect = lambda _c, _u, flags, code, _p: self._soon(
            self._on_connect, code.getName(), flags.session_present
        )
        self.client.on_disconnect = lambda *_: self._soon(self.closed.set)
        self.client.on_message = lambda _c, _u, message: self._soon(
            self.messages.put_nowait, Message(message.topic, message.payload, message.qos, message.dup)
        )
        self.client.on_publish = lambda _c, _u, mid, *_: self._soon(self._on_ack, mid, [])
        self.client.on_subscribe = lambda _c, _u, mid, codes, _p: self._soon(
            self._on_ack, mid, [code.value for code in codes]
        )
        self.client.on_unsubscribe = lambda _c, _u, mid, *_: self._soon(self._on_ack, mid, [])

    async def connect(self) -> int:
        """Connect and return the CONNACK code."""
        await asyncio.to_thread(self.client.connect, "127.0.0.1", self._port, self._keep_alive)
        self.client.loop_start()
        async with asyncio.timeout(30):
            return await self._connack

    async def stop(self) -> None:
        """Disconnect and end the thread."""
        self.client.disconnect()
        await asyncio.to_thread(self.client.loop_stop)

    async def subscribe(self, *filters: str, qos: int = 0) -> list[int]:
        """Subscribe in one packet and return the codes of the SUBACK."""
        return await self._acknowledged(self.client.subscribe([(topic, qos) for topic in filters])[1])

    async def unsubscribe(self, *filters: str) -> None:
        """Unsubscribe in one packet."""
        await self._acknowledged(self.client.unsubscribe(list(filters))[1])

    def publish(self, topic: str, payload: object, qos: int = 0) -> int:
        """Publish bytes unchanged, anything else as JSON; return the packet id."""
        content = payload if isinstance(payload, bytes) else json.dumps(payload)
        return self.client.publish(topic, content, qos).mid

    async def receive(self) -> Message:
        """Return the next message."""
        async with asyncio.timeout(30):
            return await self.messages.get()

    async def ask(self, path: str, params: object, **envelope: object) -> Any:
        """Post a request below /sys/{pk}/{dn}/ and return the JSON of the reply."""
        request = {"id": "1", "version": "1.0", "params": params, "sys": {"ack": 1}} | envelope
        self.publish(self.system + path, request)
        message = await self.receive()
        assert message.topic == f"{self.system}{path}_reply"
        return message.json

    async def answer(self, data: object, **envelope: object) -> Message:
        """Answer the next command on its reply topic, and return the command."""
        command = await self.receive()
        reply = {"id": command.json["id"], "code": 200, "data": data} | envelope
        self.publish(reply_topic(command.topic), reply)
        return command

    async def barrier(self) -> None:
        """Wait until the simulator has handled everything sent so far, and its answers have arrived."""
        await self._acknowledged(self.publish(f"{self.system.removeprefix('/sys')}user/barrier", {}, qos=1))

    async def acknowledged(self, topic: str, payload: object) -> None:
        """Publish with QoS 1 and wait for the PUBACK."""
        await self._acknowledged(self.publish(topic, payload, qos=1))

    async def _acknowledged(self, mid: int | None) -> list[int]:
        assert mid is not None
        async with asyncio.timeout(30):
            return await self._acks.setdefault(mid, self._loop.create_future())

    def _soon(self, callback: Any, *args: Any) -> None:
        self._loop.call_soon_threadsafe(callback, *args)

    def _on_connect(self, name: str, session_present: bool) -> None:
        self.session_present = session_present
        if not self._connack.done():
            self._connack.set_result(CONNACK[name])

    def _on_ack(self, mid: int, codes: list[int]) -> None:
        self._acks.setdefault(mid, self._loop.create_future()).set_result(codes)


def reply_topic(topic: str) -> str:
    """Return the topic of the reply to a command."""
    if topic.startswith("/ext/rrpc/"):
        return topic
    if "/rrpc/request/" in topic:
        return topic.replace("/rrpc/request/", "/rrpc/response/")
    return f"{topic}_reply"


def rejected(reply: Mapping[str, Any]) -> tuple[int, Any]:
    """Return the code and the data of a reply."""
    return reply["code"], reply["data"]
