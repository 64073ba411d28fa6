"""Sessions of sub-devices: their logins and logouts through a gateway (docs/protocol.md §10.3)."""

from collections.abc import Mapping

from ..core.client_id import implicit_filters, parse_parameters, takes_long_rrpc
from ..core.device import CloudDevice, Connection, Line
from ..core.jsontext import JsonValue
from ..core.limits import message_rates
from ..core.mqtt_session import MqttSession
from ..core.platform import Platform
from ..core.topics import Address, Subscriptions
from ..core.transcript import Direction
from ..device_side.uplink import Uplink, read_object, rejected
from .entries import Entry, check_all, key_of, name, read_entries
from .lifecycle import DELETED, DISABLED, NO_SESSION, NOT_IN_TOPOLOGY, report_error
from .topology import read_signature

LIFECYCLE_REPLIES = {f"/sys/{{pk}}/{{dn}}/thing/{verb}_reply" for verb in ("disable", "enable", "delete")}
"""Topics on which a gateway answers for a sub-device whose session has ended."""


class SubDeviceSession:
    """A sub-device that is logged in. It shares the connection of its gateway, and goes offline with it."""

    def __init__(
        self, platform: Platform, device: CloudDevice, line: Line, parameters: Mapping[str, str], *, persistent: bool
    ) -> None:
        """`parameters` are those in the client id of the login, `persistent` is that it is without clean session."""
        self.device = device
        self.line = line
        self.takes_long_rrpc = line.takes_long_rrpc or takes_long_rrpc(parameters)
        filters = implicit_filters(parameters, long_rrpc=self.takes_long_rrpc)
        self._implicit = filters if platform.options.dialect.subscribes else ()
        self._persistent = persistent
        self._session: MqttSession
        self.rates = message_rates()
        self.keep_alive = line.keep_alive
        self.carried: dict[tuple[str, str], Connection] = {}
        self.ended: dict[tuple[str, str], Connection] = {}
        self._platform = platform

    @property
    def subscriptions(self) -> Subscriptions:
        """The subscriptions of its MQTT session."""
        return self._session.subscriptions

    def begin(self) -> None:
        """Make the device online. Where it was online before, it goes offline; a gateway is told (427)."""
        before = self.device.connection
        if before is not None and before.line is self.line:
            before.close("logged in again")
        self._session, present = self.device.open_session(self._implicit, persistent=self._persistent)
        self.line.ended.pop(self.device.key, None)
        self.line.carried[self.device.key] = self
        self._note(f"logged in through {self.line.device.name}{', session present' if present else ''}")
        self.device.attach(self)
        self._platform.came_online(self.device)
        while (message := self._session.take_queued()) is not None:
            self._platform.delivery.command(self.device, message.topic, message.payload, qos=1)

    def send(self, topic: str, payload: bytes, qos: int, *, twice: bool = False) -> bool:
        """Send a message to the gateway."""
        return self.line.send(topic, payload, qos, twice=twice)

    def close(self, reason: str, *, code: int = 0, lost: bool = False) -> None:
        """End the session; see Connection.close()."""
        if self.line.carried.pop(self.device.key, None) is None:
            return
        self.line.ended[self.device.key] = self
        self.device.detach(self, lost=lost)
        self.device.close_session(self._session)
        self._note(f"logged out: {reason}")
        if code:
            report_error(self._platform, self.line.device, self.device.key, code)

    def _note(self, note: str) -> None:
        self._platform.transcript.record(Direction.LINK, self.device.name, note=note)


def log_in(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Log one sub-device in."""
    [session] = _check_logins(uplink, [read_object(params)])
    session.begin()
    return name(session.device.key)


def log_in_batch(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Log several sub-devices in, or none of them."""
    content = read_object(params)
    entries = read_entries(content.get("deviceList"), uplink.platform.options.login_batch)
    sessions = _check_logins(uplink, entries, content.get("signMethod"))
    for session in sessions:
        session.begin()
    return [name(session.device.key) for session in sessions]


def log_out(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Log one sub-device out."""
    session = _session(uplink, read_object(params))
    session.close("by the gateway")
    return name(session.device.key)


def log_out_batch(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Log several sub-devices out, or none of them."""
    entries = read_entries(params, uplink.platform.options.login_batch)
    sessions = check_all(entries, lambda entry: _session(uplink, entry))
    for session in sessions:
        session.close("by the gateway")
    return [name(session.device.key) for session in sessions]


def find_publisher(platform: Platform, sender: CloudDevice, address: Address) -> CloudDevice | int:
    """Return the sub-device that a gateway publishes for, or the code of /ext/error if it must not."""
    key = address.product_key, address.device_name
    if (line := sender.connection) is not None:
        if (session := line.carried.get(key)) is not None:
            return session.device
        if address.pattern in LIFECYCLE_REPLIES and key in line.ended:
            return line.ended[key].device
    if (device := platform.registry.devices.get(key)) is None:
        return DELETED if key in platform.registry.deleted else NOT_IN_TOPOLOGY
    if device.gateway is not sender:
        return NOT_IN_TOPOLOGY
    return DISABLED if device.disabled else NO_SESSION


def _check_logins(uplink: Uplink, entries: list[Entry], method: JsonValue = None) -> list[SubDeviceSession]:
    """Return a session for each; raise RejectedError."""
    gateway, options = uplink.device, uplink.platform.options
    if (line := gateway.connection) is None:
        raise rejected(500)
    sessions = check_all(entries, lambda entry: _check_login(uplink, line.line, entry, method))
    names = list[JsonValue]([name(session.device.key) for session in sessions])
    if not gateway.may_log_in(len(sessions), options.logins_per_second):
        raise rejected(429, names)
    if len(line.carried.keys() | {session.device.key for session in sessions}) > options.sub_device_limit:
        raise rejected(428, names)
    return sessions


def _check_login(uplink: Uplink, line: Line, entry: Entry, method: JsonValue) -> SubDeviceSession:
    key = key_of(entry)
    signature = read_signature(entry, method)
    if entry.get("cleanSession", "true") not in ("true", "false"):
        raise rejected(460)
    registry = uplink.platform.registry
    if (device := registry.devices.get(key)) is None:
        raise rejected(DELETED if key in registry.deleted else 6100)
    if device.gateway is not uplink.device:
        raise rejected(NOT_IN_TOPOLOGY)
    if device.disabled:
        raise rejected(DISABLED)
    if not device.may_connect(uplink.platform.options.connects_per_minute):
        raise rejected(429)
    if not signature.fits(device.device_secret):
        raise rejected(6287)
    parameters = _parameters(str(entry["clientId"]))
    persistent = entry.get("cleanSession") == "false"
    return SubDeviceSession(uplink.platform, device, line, parameters, persistent=persistent)


def _parameters(client_id: str) -> dict[str, str]:
    """Return what stands between the bars of a client id, which is optional at a login."""
    try:
        return parse_parameters(client_id.partition("|")[2].removesuffix("|"))
    except ValueError:
        raise rejected(460) from None


def _session(uplink: Uplink, entry: Entry) -> Connection:
    key = key_of(entry)
    line = uplink.device.connection
    if line is None or (session := line.carried.get(key)) is None:
        raise rejected(NO_SESSION)
    return session
