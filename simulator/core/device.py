"""A device as the cloud knows it, and the record of what it has sent."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import secrets
import time
from typing import Protocol

from .clock import now_ms
from .jsontext import JsonValue
from .limits import SlidingWindow
from .mqtt_session import MqttSession
from .product import Product
from .records import Desired, DeviceReply, EventRecord, Notification, ServiceCall, UserMessage
from .shadow import Shadow
from .thing_model import ThingModel
from .topics import DeviceTopics, Subscriptions
from .uploads import Uploads

CONNECTED_ELSEWHERE = 427
"""The code for a gateway whose sub-device has connected elsewhere (docs/protocol.md §10.3)."""


class RrpcForm(StrEnum):
    """The topic form of synchronous services (docs/protocol.md §6.4)."""

    AUTO = "auto"
    """As declared in the client id: bit 0 of `ext`."""
    SYS = "sys"
    """/sys/{pk}/{dn}/rrpc/request/{messageId}"""
    EXT = "ext"
    """/ext/rrpc/{messageId}/sys/{pk}/{dn}/thing/service/{serviceId}"""


class Status(StrEnum):
    """The status in the answer of GetDeviceStatus."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    UNACTIVE = "UNACTIVE"
    """Has never been online."""
    DISABLE = "DISABLE"


class Connection(Protocol):
    """How a device is reached: by its own MQTT connection, or by a login through its gateway."""

    @property
    def device(self) -> CloudDevice:
        """The device that is reached."""

    @property
    def line(self) -> Line:
        """The MQTT connection, which is the gateway's for a sub-device."""

    @property
    def subscriptions(self) -> Subscriptions:
        """The subscriptions of the device."""

    @property
    def rates(self) -> Mapping[int, SlidingWindow]:
        """The limit of messages for each QoS."""

    @property
    def carried(self) -> dict[tuple[str, str], Connection]:
        """The sub-devices that are logged in on it, by product key and device name."""

    @property
    def ended(self) -> dict[tuple[str, str], Connection]:
        """The sub-devices that were logged in on it; what is said about them still uses their subscriptions."""

    @property
    def keep_alive(self) -> int:
        """Keep-alive of the MQTT connection, in seconds."""

    @property
    def takes_long_rrpc(self) -> bool:
        """Whether synchronous services are sent on /ext/rrpc/… (§6.4)."""

    def send(self, topic: str, payload: bytes, qos: int, *, twice: bool = False) -> bool:
        """Write a PUBLISH; return False if too many messages are unacknowledged."""

    def close(self, reason: str, *, code: int = 0, lost: bool = False) -> None:
        """Make the device offline. A gateway learns the `code` of /ext/error (§10.3), if it is not 0.

        `lost` means that the network lost the connection, so that the platform does not know yet that the device is gone.
        """


class Line(Connection, Protocol):
    """An MQTT connection."""

    def freeze(self) -> None:
        """Neither read nor write until unfreeze()."""

    def unfreeze(self) -> None:
        """Undo freeze()."""

    def babble(self) -> None:
        """Send data that are not MQTT."""

    def flood(self) -> None:
        """Send thousands of packets that mean nothing."""

    def exceed(self) -> None:
        """Begin to send a message that is far too large."""


@dataclass(slots=True, eq=False)
class CloudDevice:
    """One device: its triple, its thing model, its connection and its records.

    From a device that is not of a raw product, raw frames are accepted as well as Alink JSON, which no real product does, so
    that one device can use everything.
    """

    product: Product
    device_name: str
    device_secret: str = field(repr=False)
    thing_model: ThingModel | None = field(default=None, repr=False)
    raw: bool = False
    rrpc: RrpcForm = RrpcForm.AUTO

    disabled: bool = False
    connections: int = 0
    """Accepted CONNECTs."""
    status_time: int = 0
    connection: Connection | None = field(default=None, repr=False)
    topics: DeviceTopics = field(init=False, repr=False)

    properties: dict[str, tuple[JsonValue, int]] = field(default_factory=dict, repr=False)
    """The newest value of each property and its time in milliseconds."""
    samples: dict[str, list[tuple[JsonValue, int]]] = field(default_factory=dict, repr=False)
    """All values of each property, including those of history posts, in the order of arrival."""
    events: list[EventRecord] = field(default_factory=list, repr=False)
    service_calls: list[ServiceCall] = field(default_factory=list, repr=False)
    notifications: list[Notification] = field(default_factory=list, repr=False)
    raw_up: list[bytes] = field(default_factory=list, repr=False)
    raw_down_replies: list[bytes] = field(default_factory=list, repr=False)
    user_messages: list[UserMessage] = field(default_factory=list, repr=False)
    desired: dict[str, Desired] = field(default_factory=dict, repr=False)
    tags: dict[str, str] = field(default_factory=dict, repr=False)
    system_tags: dict[str, str] = field(default_factory=dict, repr=False)
    """What an SDK reports about itself: language, version, interface."""

    gateway: CloudDevice | None = field(default=None, repr=False)
    """The gateway in whose topology the device is, online or not."""
    sub_devices: dict[tuple[str, str], CloudDevice] = field(default_factory=dict, repr=False)
    """The topology of a gateway."""
    firmware: dict[str, str] = field(default_factory=dict, repr=False)
    """The version of each module, as reported."""
    logs_enabled: bool = False
    """Whether the platform wants the logs of the device."""
    logs: list[dict[str, JsonValue]] = field(default_factory=list, repr=False)
    diagnostics: list[dict[str, JsonValue]] = field(default_factory=list, repr=False)
    resets: int = 0
    uploads: Uploads = field(default_factory=Uploads, repr=False)
    shadow: Shadow = field(default_factory=Shadow, repr=False)
    found: list[tuple[str, str]] = field(default_factory=list, repr=False)
    """Devices that a gateway has found: product keys and device names."""
    iot_id: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    created: int = field(default_factory=now_ms, repr=False)
    activated: int = 0
    """When it was online for the first time; all times are in milliseconds."""
    last_online: int = 0
    """When it came online last."""
    nickname: str = ""
    registered: bool = False
    """Whether it has got its secret by dynamic registration."""
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    """Client ids and tokens of dynamic registration without pre-registration."""
    mqtt_session: MqttSession | None = field(default=None, repr=False)
    """Present during a connection, and after it if the device has asked for it."""

    _connects: SlidingWindow | None = field(default=None, repr=False)
    _logins: SlidingWindow | None = field(default=None, repr=False)
    _half_connected_until: float = 0.0
    _waiters: list[tuple[Callable[[CloudDevice], bool], asyncio.Future[None]]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        """Derive the topics."""
        self.topics = DeviceTopics(self.product_key, self.device_name)

    @property
    def product_key(self) -> str:
        """The key of its product."""
        return self.product.key

    @property
    def key(self) -> tuple[str, str]:
        """Product key and device name."""
        return self.product.key, self.device_name

    @property
    def name(self) -> str:
        """`ProductKey/DeviceName`, as in the transcript."""
        return f"{self.product_key}/{self.device_name}"

    @property
    def online(self) -> bool:
        """Whether the cloud regards the device as connected, which includes a half-open connection."""
        return self.connection is not None

    @property
    def status(self) -> Status:
        """The status as returned by the API."""
        if self.disabled:
            return Status.DISABLE
        if self.online:
            return Status.ONLINE
        return Status.OFFLINE if self.connections else Status.UNACTIVE

    @property
    def half_connected(self) -> bool:
        """Whether the connection was lost without a DISCONNECT less than a keep-alive ago; RRpc reports this state (§6.5)."""
        return not self.online and time.monotonic() < self._half_connected_until

    def call(self, message_id: str) -> ServiceCall:
        """Return the command with this MessageId; raise KeyError."""
        for call in reversed(self.service_calls):
            if call.message_id == message_id:
                return call
        raise KeyError(message_id)

    def may_connect(self, per_minute: int | None) -> bool:
        """Count a CONNECT or a login of this device; return False beyond the limit (docs/protocol.md §1.4, §10.3)."""
        if per_minute is None:
            return True
        self._connects = self._connects or SlidingWindow(per_minute, 60.0)
        return self._connects.take(time.monotonic())

    def may_log_in(self, count: int, per_second: int | None) -> bool:
        """Count logins of sub-devices of this gateway; return False beyond the limit (§10.4)."""
        if per_second is None:
            return True
        self._logins = self._logins or SlidingWindow(per_second, 1.0)
        return self._logins.take(time.monotonic(), count)

    def open_session(self, implicit: tuple[str, ...], *, persistent: bool) -> tuple[MqttSession, bool]:
        """Begin an MQTT session, or continue the one that was kept; also return whether there was one."""
        kept = self.mqtt_session
        if persistent and kept is not None and kept.persistent:
            return kept, True
        self.mqtt_session = MqttSession(Subscriptions(self.topics, implicit), persistent)
        return self.mqtt_session, False

    def close_session(self, session: MqttSession) -> None:
        """Forget an MQTT session, unless it is to be kept or has been replaced."""
        if self.mqtt_session is session and not session.persistent:
            self.mqtt_session = None

    def attach(self, connection: Connection) -> None:
        """Take a new connection; the previous one is closed without a message (docs/protocol.md §1.4)."""
        before, self.connection = self.connection, connection
        if before is not None:
            before.close("replaced by a newer connection", code=CONNECTED_ELSEWHERE)
        self.connections += 1
        self.status_time = now_ms()
        self.last_online = self.status_time
        self.activated = self.activated or self.status_time
        self.changed()

    def detach(self, connection: Connection, *, lost: bool = False) -> None:
        """Remove a connection that has ended, or was `lost` by the network, unless it has been replaced."""
        for carried in list(connection.carried.values()):
            carried.close("the gateway is offline", lost=lost)
        if self.connection is connection:
            self.connection = None
            self._half_connected_until = time.monotonic() + connection.keep_alive if lost else 0.0
            self.status_time = now_ms()
            self.changed()

    def record_sample(self, identifier: str, value: JsonValue, time_ms: int, *, current: bool = True) -> None:
        """Record a property value; a `current` value becomes the value of the property."""
        self.samples.setdefault(identifier, []).append((value, time_ms))
        if current:
            self.properties[identifier] = (value, time_ms)

    async def wait_for(self, condition: Callable[[CloudDevice], bool], timeout: float = 30.0) -> None:
        """Wait until the condition is true; it is evaluated whenever the device changes.

        Raise TimeoutError after `timeout` seconds.
        """
        if condition(self):
            return
        waiter = (condition, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter[1]
        finally:
            self._waiters.remove(waiter)

    async def wait_reply(self, message_id: str, timeout: float = 30.0) -> DeviceReply:
        """Return the device's reply to the command with this MessageId; raise KeyError or TimeoutError."""
        call = self.call(message_id)
        await self.wait_for(lambda _: bool(call.replies), timeout)
        return call.replies[0]

    def changed(self) -> None:
        """Evaluate the conditions that are waited for."""
        for condition, future in self._waiters:
            if not future.done() and condition(self):
                future.set_result(None)
