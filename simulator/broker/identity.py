"""The identity of a device that connects: the MQTT client id, the user name and the signature.

This is the cloud's side of docs/protocol.md §2. It is written from the documentation and shares no code with the
integration, so that each reveals errors of the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
import hmac

from ..core.client_id import implicit_filters, parse_parameters, takes_long_rrpc
from ..core.device import CloudDevice
from ..core.signature import DEFAULT_METHOD, is_known_method, is_signed

CLIENT_ID_LENGTH = 64


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
        """Parse an MQTT client id; raise RefusedError (2). Values may have bars, such as `sii` of the Python SDK (§2.2)."""
        client_id, bar, rest = text.strip().partition("|")
        if not bar or not rest.endswith("|") or not client_id:
            raise RefusedError(MALFORMED_CLIENT_ID, "client id is not of the form clientId|key=value,…|")
        if len(client_id) > CLIENT_ID_LENGTH:
            raise RefusedError(MALFORMED_CLIENT_ID, f"client id is longer than {CLIENT_ID_LENGTH} characters")
        try:
            return cls(client_id, parse_parameters(rest[:-1]))
        except ValueError as error:
            raise RefusedError(MALFORMED_CLIENT_ID, str(error)) from None

    @property
    def takes_long_rrpc(self) -> bool:
        """Whether synchronous services are sent on /ext/rrpc/… (§6.4)."""
        return takes_long_rrpc(self.parameters)

    @property
    def implicit_filters(self) -> tuple[str, ...]:
        """The topics to which the platform subscribes the device by itself (§0.5)."""
        return implicit_filters(self.parameters, long_rrpc=self.takes_long_rrpc)


def parse_user_name(user_name: str | None) -> tuple[str, str]:
    """Return (product key, device name) of `deviceName&productKey`; raise RefusedError (4)."""
    device_name, ampersand, product_key = (user_name or "").partition("&")
    if not ampersand or not device_name or not product_key or "&" in product_key:
        raise RefusedError(BAD_CREDENTIALS, "user name is not deviceName&productKey")
    return product_key, device_name


def check_signature(client: ClientId, device: CloudDevice, password: str | None) -> None:
    """Raise RefusedError unless the password is the signature by the method in the client id (§2.1, §2.5)."""
    method = client.parameters.get("signmethod", DEFAULT_METHOD)
    if not is_known_method(method):
        raise RefusedError(MALFORMED_CLIENT_ID, "unknown signmethod")
    signed = {"clientId": client.client_id, "deviceName": device.device_name, "productKey": device.product_key}
    if "timestamp" in client.parameters:
        signed["timestamp"] = client.parameters["timestamp"]
    if not is_signed(password or "", method, device.device_secret, signed):
        raise RefusedError(BAD_CREDENTIALS, "signature does not match")


def check_token(client: ClientId, device: CloudDevice, password: str | None) -> None:
    """Raise RefusedError unless client id and password are those of dynamic registration (§11.1)."""
    token = device.tokens.get(client.client_id)
    if token is None or not hmac.compare_digest((password or "").encode(), token.encode()):
        raise RefusedError(BAD_CREDENTIALS, "token does not match")
