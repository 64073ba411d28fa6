"""The identity of a device that connects: the MQTT client id, the user name and the signature.

This is the cloud's side of docs/protocol.md §2. It is written from the documentation and shares no code with the
integration, so that each reveals errors of the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import hmac

from ..core.topics import IMPLICIT, IMPLICIT_LONG_RRPC

CLIENT_ID_LENGTH = 64
LONG_RRPC = 1
"""Bit 0 of `ext`: the device accepts RRPC on /ext/rrpc/… (§2.2)."""
DIGESTS = {"hmacmd5": "md5", "hmacsha1": "sha1", "hmacsha256": "sha256"}


class RefusedError(Exception):
    """The CONNECT is refused with this CONNACK code; the reason is for the transcript."""

    def __init__(self, code: int, reason: str) -> None:
        """`code` is a CONNACK code (§1.4)."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


UNACCEPTABLE_PROTOCOL = 1
MALFORMED_CLIENT_ID = 2
UNAVAILABLE = 3
BAD_CREDENTIALS = 4
NOT_AUTHORIZED = 5


@dataclass(frozen=True, slots=True)
class ClientId:
    """The two halves of `clientId|key=value,…|`."""

    client_id: str
    parameters: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> ClientId:
        """Parse an MQTT client id; raise RefusedError (2)."""
        client_id, bar, rest = text.partition("|")
        if not bar or not rest.endswith("|") or "|" in rest[:-1] or not client_id:
            raise RefusedError(MALFORMED_CLIENT_ID, "client id is not of the form clientId|key=value,…|")
        if len(client_id) > CLIENT_ID_LENGTH:
            raise RefusedError(MALFORMED_CLIENT_ID, f"client id is longer than {CLIENT_ID_LENGTH} characters")
        parameters: dict[str, str] = {}
        for pair in rest[:-1].split(",") if rest != "|" else ():
            key, equals, value = pair.partition("=")
            if not equals or not key:
                raise RefusedError(MALFORMED_CLIENT_ID, "a parameter in the client id is not key=value")
            parameters[key] = value
        return cls(client_id, parameters)

    @property
    def implicit_filters(self) -> tuple[str, ...]:
        """The topics to which the platform subscribes the device by itself (§0.5)."""
        if self.parameters.get("_ss") != "1":
            return ()
        return IMPLICIT + IMPLICIT_LONG_RRPC if self.takes_long_rrpc else IMPLICIT

    @property
    def takes_long_rrpc(self) -> bool:
        """Whether synchronous services are sent on /ext/rrpc/… (§6.4)."""
        flags = self.parameters.get("ext", "0")
        return flags.isascii() and flags.isdigit() and bool(int(flags) & LONG_RRPC)


def parse_user_name(user_name: str | None) -> tuple[str, str]:
    """Return (product key, device name) of `deviceName&productKey`; raise RefusedError (4)."""
    device_name, ampersand, product_key = (user_name or "").partition("&")
    if not ampersand or not device_name or not product_key or "&" in product_key:
        raise RefusedError(BAD_CREDENTIALS, "user name is not deviceName&productKey")
    return product_key, device_name


def check_signature(client: ClientId, product_key: str, device_name: str, secret: str, password: str | None) -> None:
    """Raise RefusedError unless the password is the signature by the method in the client id (§2.1, §2.5)."""
    if "authType" in client.parameters:
        raise RefusedError(MALFORMED_CLIENT_ID, "dynamic registration is not offered by this simulator")
    method = client.parameters.get("signmethod", "hmacmd5")
    if (digest := DIGESTS.get(method.lower())) is None:
        raise RefusedError(MALFORMED_CLIENT_ID, "unknown signmethod")
    signed = {"clientId": client.client_id, "deviceName": device_name, "productKey": product_key}
    if "timestamp" in client.parameters:
        signed["timestamp"] = client.parameters["timestamp"]
    content = "".join(key + signed[key] for key in sorted(signed))
    expected = hmac.new(secret.encode(), content.encode(), digest).hexdigest()
    if not hmac.compare_digest((password or "").lower().encode(), expected.encode()):
        raise RefusedError(BAD_CREDENTIALS, "signature does not match")
