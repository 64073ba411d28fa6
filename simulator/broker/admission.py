"""Who may connect: the check of CONNECT (docs/protocol.md §2.5, §11.1)."""

from dataclasses import dataclass, field

from ..core.device import CloudDevice
from ..core.jsontext import JsonValue
from ..core.platform import Platform
from ..core.registration import RegistrationError, RegistrationRequest, register, register_unlisted
from .identity import (
    BAD_CREDENTIALS,
    MALFORMED_CLIENT_ID,
    NOT_AUTHORIZED,
    UNACCEPTABLE_PROTOCOL,
    UNAVAILABLE,
    ClientId,
    RefusedError,
    check_signature,
    check_token,
    parse_user_name,
)
from .packets import Connect

KEEP_ALIVE = range(30, 1201)
PROTOCOLS = {("MQTT", 4), ("MQIsdp", 3)}
REGISTER, REGISTER_UNLISTED, TOKEN = "register", "regnwl", "connwl"
SECURE_MODES = {REGISTER: {"2"}, REGISTER_UNLISTED: {"2", "-2"}, TOKEN: {"-2"}}
"""The documentation says -2 for `regnwl`, the Python SDK sends 2."""


@dataclass(frozen=True, slots=True)
class Registered:
    """The answer to a CONNECT that registers the device: a message without subscription, and nothing else."""

    name: str
    topic: str
    content: dict[str, JsonValue] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A device that may connect."""

    device: CloudDevice
    client: ClientId


def admit(platform: Platform, packet: Connect, *, encrypted: bool) -> Admitted | Registered:
    """Return what a CONNECT leads to; raise RefusedError."""
    if (code := platform.faults.take_refusal()) is not None:
        raise RefusedError(code, "on demand")
    if packet.protocol not in PROTOCOLS:
        raise RefusedError(UNACCEPTABLE_PROTOCOL, "not MQTT 3.1 or 3.1.1")
    client = ClientId.parse(packet.client_id)
    key = parse_user_name(packet.username)
    kind = client.parameters.get("authType")
    if kind is not None and client.parameters.get("securemode") not in SECURE_MODES.get(kind, set()):
        raise RefusedError(MALFORMED_CLIENT_ID, f"authType {kind} is not offered with this securemode")
    if kind in (REGISTER, REGISTER_UNLISTED):
        return _register(platform, client, key, packet.password or "", encrypted=encrypted)
    return Admitted(_check_device(platform, packet, client, key), client)


def _check_device(platform: Platform, packet: Connect, client: ClientId, key: tuple[str, str]) -> CloudDevice:
    if (device := platform.registry.devices.get(key)) is None:
        raise RefusedError(NOT_AUTHORIZED, "no such device")
    if not device.may_connect(platform.options.connects_per_minute):
        raise RefusedError(UNAVAILABLE, f"more than {platform.options.connects_per_minute} connects in 60 s")
    if client.parameters.get("authType") == TOKEN:
        check_token(client, device, packet.password)
    else:
        check_signature(client, device, packet.password)
    platform.registry.note_signature(device.name, packet.password)
    if device.disabled:
        raise RefusedError(NOT_AUTHORIZED, "device is disabled")
    if packet.keep_alive not in KEEP_ALIVE:
        raise RefusedError(MALFORMED_CLIENT_ID, f"keep-alive {packet.keep_alive} is not in 30 to 1200")
    return device


def _register(
    platform: Platform, client: ClientId, key: tuple[str, str], password: str, *, encrypted: bool
) -> Registered:
    """Register a device; neither its keep-alive nor its client id is checked, but TLS is required."""
    if not encrypted and not platform.options.plain_registration:
        raise RefusedError(MALFORMED_CLIENT_ID, "dynamic registration needs TLS (or the option plain_registration)")
    random = client.parameters.get("random", "")
    if not random:
        raise RefusedError(MALFORMED_CLIENT_ID, "dynamic registration without random")
    method = client.parameters.get("signmethod", "")
    request = RegistrationRequest(*key, random, method, password)
    content: dict[str, JsonValue] = {"productKey": key[0], "deviceName": key[1]}
    try:
        if client.parameters["authType"] == REGISTER:
            device = register(platform.registry, request)
            platform.registry.note_signature(device.name, password)
            return Registered(device.name, "/ext/register", content | {"deviceSecret": device.device_secret})
        token = register_unlisted(platform.registry, request)
    except RegistrationError as error:
        raise RefusedError(
            MALFORMED_CLIENT_ID if error.code == 6292 else BAD_CREDENTIALS, f"registration refused with {error.code}"
        ) from None
    content |= {"clientId": token.client_id, "deviceToken": token.device_token}
    return Registered("/".join(key), "/ext/regnwl", content)
