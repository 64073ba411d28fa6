"""A gateway for the simulator's tests: signs and sends what gateways send."""

from collections.abc import Iterable, Mapping
import hmac
from typing import Any

from .mqtt_device import Message, MqttDevice

SUB_KEY, SUB_SECRET = "a1SubLamp01", "fedcba9876543210fedcba9876543210"
PRODUCT_SECRET = "productsecret016"
CLIENT_ID = "test|_ss=1|"

type Key = tuple[str, str]


def hmac_hex(secret: str, content: Mapping[str, str], method: str = "sha256") -> str:
    """Return the signature over keys and values in alphabetical order."""
    text = "".join(key + content[key] for key in sorted(content))
    return hmac.new(secret.encode(), text.encode(), method).hexdigest()


def named(key: Key) -> dict[str, str]:
    """Return a device as requests name it."""
    return {"productKey": key[0], "deviceName": key[1]}


def signed_entry(key: Key, secret: str = SUB_SECRET, method: str = "signMethod", **other: Any) -> dict[str, Any]:
    """Return an entry of topology (with `signmethod`) or login, with further or other fields."""
    content = named(key) | {"clientId": CLIENT_ID, "timestamp": "789"}
    return content | {method: "hmacSha256", "sign": hmac_hex(secret, content)} | other


def proxied(key: Key, secret: str = PRODUCT_SECRET, **other: Any) -> dict[str, Any]:
    """Return an entry of product_register."""
    content = named(key) | {"random": "abc"}
    return content | {"signMethod": "hmacSha256", "sign": hmac_hex(secret, content)} | other


class Gateway:
    """A gateway that is online."""

    def __init__(self, device: MqttDevice) -> None:
        """Use a connected client."""
        self.device = device
        self.system = device.system
        self.pair = device.system.removeprefix("/sys/").rstrip("/")

    async def ask(self, path: str, params: object) -> dict[str, Any]:
        """Send a request below /sys/{pk}/{dn}/ and return the reply."""
        return await self.device.ask(path, params)

    async def session(self, verb: str, params: object, **envelope: object) -> dict[str, Any]:
        """Send a request of /ext/session and return the reply."""
        topic = f"/ext/session/{self.pair}/combine/{verb}"
        self.device.publish(topic, {"id": "1", "params": params} | envelope)
        reply = await self.device.receive()
        assert reply.topic == f"{topic}_reply"
        return reply.json

    async def add(self, *keys: Key, secret: str = SUB_SECRET) -> dict[str, Any]:
        """Add devices to the topology."""
        return await self.ask("thing/topo/add", [signed_entry(key, secret, method="signmethod") for key in keys])

    async def log_in(self, *keys: Key) -> dict[str, Any]:
        """Log devices in, in one batch."""
        return await self.session("batch_login", {"deviceList": [signed_entry(key) for key in keys]})

    async def hear_errors(self) -> None:
        """Subscribe to /ext/error, which is not implicit."""
        assert await self.device.subscribe(f"/ext/error/{self.pair}") == [0]

    async def error(self) -> tuple[int, Key]:
        """Return the next message, which must be on /ext/error: its code and the device that it is about."""
        message = await self.device.receive()
        assert message.topic == f"/ext/error/{self.pair}", message
        data = message.json["data"]
        return message.json["code"], (data["productKey"], data["deviceName"])

    async def receive(self) -> Message:
        """Return the next message."""
        return await self.device.receive()


def keys(data: Iterable[Mapping[str, str]]) -> list[Key]:
    """Return the devices that a reply names."""
    return [(entry["productKey"], entry["deviceName"]) for entry in data]
