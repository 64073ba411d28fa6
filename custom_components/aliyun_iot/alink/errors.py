"""What can go wrong between a device and the cloud: one class for each cause that is handled differently."""
# ruff: noqa: N818 - named after what happened, as Home Assistant names its own (`ServiceNotFound`).

from collections.abc import Callable
from reprlib import Repr
from typing import ClassVar, Final, override

from .foreign import Safe, safe
from .i18n import Words, phrase
from .privacy import BY_NAME_ALONE, HIDDEN

_SHORT: Final = Repr(maxstring=80, maxother=80)
"""Shortens any value, however large or deeply nested."""


class AlinkError(Exception):
    """Anything this library raises on purpose. Its text is safe to log and to show (`foreign.py`)."""

    @override
    def __str__(self) -> Safe:
        """Return the text as one line."""
        return safe(self.args[0] if len(self.args) == 1 else super().__str__())


class ConnectError(AlinkError):
    """A connection could not be made or was lost; the subclass says why.

    `key` names the cause; the config flow uses it as the translation key of its error.
    """

    key: ClassVar[str]

    def __init_subclass__(cls, key: str = "") -> None:
        """Set the key: a subclass without a key of its own has that of its base."""
        if key:
            cls.key = key


class HostNotFound(ConnectError, key="host_not_found"):
    """The name of the host can't be resolved."""


class ConnectionRefused(ConnectError, key="refused"):
    """The host is there, but nothing listens on the port."""


class HostUnreachable(ConnectError, key="unreachable"):
    """No route leads to the host."""


class ConnectTimeout(ConnectError, key="timed_out"):
    """The host did not answer in time."""


class TlsFailed(ConnectError, key="tls_failed"):
    """The host does not speak TLS, or no version that is accepted."""


class CertificateInvalid(ConnectError, key="certificate_invalid"):
    """The certificate of the host is not trusted, has expired or belongs to another host."""


class CredentialsRefused(ConnectError, key="invalid_auth"):
    """CONNACK 4 or 5: wrong secret, or the device is disabled or deleted (`docs/protocol.md` §1.4)."""


class ServerUnavailable(ConnectError, key="server_unavailable"):
    """CONNACK 3: the cloud can't serve the device at the moment."""


class ClientRejected(ConnectError, key="client_rejected"):
    """CONNACK 1 or 2: the protocol version or the client id was not accepted."""


class ConnectionLost(ConnectError, key="connection_lost"):
    """The connection was lost: closed or reset by the host, or silent."""


class ConnectionClosed(ConnectionLost):
    """The host closed the connection, as it does when another client connects with the same identity."""


class ConnectionReset(ConnectionLost):
    """The connection was reset, as by routers and overloaded servers; a second client causes a close instead."""


class CloudSilent(ConnectionLost):
    """The host answers pings, but the cloud behind it does not reply to requests any more."""


class DeviceDisabled(CredentialsRefused):
    """The credentials are refused after the cloud said that the device is disabled (codes 522 and 6204)."""


class DeviceDeleted(CredentialsRefused):
    """The credentials are refused after the cloud said that there is no such device (codes 521 and 6100)."""


class KickedOut(ConnectError, key="kicked_out"):
    """Connections are closed again and again: another client seems to use the device triple (`docs/protocol.md` §1.4)."""


class PacketRefused(ConnectError, key="packet_refused"):
    """The host sent a packet that the platform never sends, such as one that is too large: it is another host, or hostile."""

    def __init__(self, fault: Words, **details: object) -> None:
        """`details` fill the braces of `fault`."""
        super().__init__(Safe(f"the host sent {phrase(fault, 'en', **details)}"))
        self._fault = fault
        self._details = details

    def describe(self, language: str = "en") -> str:
        """Return what the host sent, in simplified Chinese for `zh…`, otherwise in English."""
        return phrase(self._fault, language, **self._details)


class NotConnected(AlinkError):
    """There is no connection, or it was lost before a request was answered."""


class RequestTimeout(AlinkError):
    """The cloud did not reply in time; whether the request took effect is unknown."""


class Unanswered(RequestTimeout):
    """The host has replied to no request of this kind on this connection, so nothing was sent."""


class Rejected(AlinkError):
    """The cloud replied to a request with another code than 200."""

    def __init__(self, code: int, message: str) -> None:
        """`code` is one of `docs/protocol.md` §7.2; `message` is the cloud's and may be empty."""
        self.code = code
        self.message = safe(message)
        reason = f": {self.message}" if message else ""
        super().__init__(Safe(f"the cloud answered with {code}{reason}"))


class TripleInvalid(AlinkError, ValueError):
    """A part of the device triple is malformed.

    The text never contains the value: the secret may have been pasted into the wrong field.
    """

    def __init__(self, field: str, problem: str) -> None:
        """`field` is `product_key`, `device_name` or `device_secret`; `problem` says which values are valid."""
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class ThingModelError(AlinkError, ValueError):
    """A document is not a thing model, or an invalid one."""

    def __init__(self, path: str, fault: Words, **details: object) -> None:
        """`path` is the place, such as `properties[3].dataType.type` ("" for the whole document).

        `fault` is one of `model/faults.py`, and `details` fill its braces.
        """
        problem = phrase(fault, "en", **details)
        self.path = safe(path)
        super().__init__(Safe(f"{self.path}: {problem}") if path else problem)
        self.problem = problem
        self._fault = fault
        self._details = details

    def describe(self, language: str = "en") -> str:
        """Return the problem without the place, in simplified Chinese for `zh…`, otherwise in English."""
        return phrase(self._fault, language, **self._details)


class InvalidValue(AlinkError, ValueError):
    """A value does not fit its data type in the thing model."""

    def __init__(
        self, path: str, wanted: Callable[[str], str], got: object, code: int, *, wrong_type: bool = True
    ) -> None:
        """`got` is the value.

        `path` is the identifier, for a nested value like `RGBColor.Red` or `ZoneLevels[3]`; `wanted` returns a description of
        the valid values in a language; `code` is the one that the cloud would reply (`docs/protocol.md` §7.2); `wrong_type` is
        false when only the range forbids the value.
        """
        self.path = safe(path)
        self.wanted = wanted
        self.got = got
        self.code = code
        self.wrong_type = wrong_type
        super().__init__(self.describe())

    def describe(self, language: str = "en") -> str:
        """Return the value, unless it is private, and the valid ones; in Chinese for `zh…`, otherwise in English."""
        return phrase(
            ("{path}: wanted {wanted}, got {got}", "{path}：应为{wanted}，实际为 {got}"),
            language,
            path=self.path or ("value", "值"),
            wanted=self.wanted(language),
            got=HIDDEN if self.path in BY_NAME_ALONE else _SHORT.repr(BY_NAME_ALONE.masked("", self.got)),
        )


class MessageError(AlinkError, ValueError):
    """A payload is not an Alink message, or a message can't be written."""

    def __init__(self, message_id: str | None, problem: str, code: int) -> None:
        """`message_id` is None when it could not be read; `code` is the one to answer with."""
        super().__init__(problem)
        self.id = message_id
        self.problem = safe(problem)
        self.code = code


class SubDeviceError(Rejected):
    """The cloud does not register a sub-device, log it in or keep it online (`docs/protocol.md` §10.5).

    `key` names the cause, for translations. This class is for codes without a meaning of their own, after which another try may
    help.
    """

    key: ClassVar[str] = "refused"

    def __init_subclass__(cls, key: str) -> None:
        """Set the key."""
        cls.key = key


class SecretRefused(SubDeviceError, key="secret_refused"):
    """The signature of the sub-device is wrong (codes 401, 6287 and 6600): its DeviceSecret or ProductSecret is."""


class SubDeviceDeleted(SubDeviceError, key="deleted"):
    """There is no such device (codes 521 and 6100, `thing/delete`)."""


class SubDeviceDisabled(SubDeviceError, key="disabled"):
    """The device is disabled in the console (codes 522, 6204 and 6208, `thing/disable`)."""


class NotInTopology(SubDeviceError, key="not_in_topology"):
    """The device was removed from the topology of the gateway (code 6401), or taken by another gateway."""


class HeldElsewhere(SubDeviceError, key="held_elsewhere"):
    """The device is online through another gateway or by itself (code 427)."""


class BoundElsewhere(SubDeviceError, key="bound_elsewhere"):
    """The device belongs to another gateway, so it can't be registered here (code 6619)."""


class RegistrationRefused(SubDeviceError, key="registration_refused"):
    """The product does not allow dynamic registration, or the device is registered (codes 5244, 6288, 6289 and 6292)."""


class ProductUnknown(SubDeviceError, key="product_unknown"):
    """There is no such product (codes 5005, 6202 and 6250)."""


class GatewayFull(SubDeviceError, key="gateway_full"):
    """The gateway has as many sub-devices as the platform allows (codes 428 and 6400)."""


class NotAGateway(SubDeviceError, key="not_a_gateway"):
    """The product of the device that connects is not one of gateways, or the host supports none (code 6203 and others)."""
