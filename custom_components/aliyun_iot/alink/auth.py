"""The identity of a device, and the signature that proves it (`docs/protocol.md` §2 and §10)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import hashlib
import hmac
import re
from typing import Final, NamedTuple, Self

from .errors import TripleInvalid

CLIENT_ID_LENGTH: Final = 64
_RESERVED: Final = frozenset("|,=")

_PRODUCT_KEY = re.compile(r"[A-Za-z0-9]{1,20}")
_DEVICE_NAME = re.compile(r"[A-Za-z0-9_@.:-]{4,32}")
_DEVICE_SECRET = re.compile(r"[!-~]{1,64}")


class SignMethod(StrEnum):
    """HMAC variants that the platform accepts, with the values of the `signmethod` parameter."""

    HMACMD5 = "hmacmd5"
    HMACSHA1 = "hmacsha1"
    HMACSHA256 = "hmacsha256"


_DIGESTS: Final = {
    SignMethod.HMACMD5: hashlib.md5,
    SignMethod.HMACSHA1: hashlib.sha1,
    SignMethod.HMACSHA256: hashlib.sha256,
}


_SPELLING: Final = {
    SignMethod.HMACMD5: "hmacMd5",
    SignMethod.HMACSHA1: "hmacSha1",
    SignMethod.HMACSHA256: "hmacSha256",
}
"""As the documentation of gateways writes them (docs/protocol.md §10)."""


class Identity(NamedTuple):
    """The name of one device: ProductKey and DeviceName."""

    product_key: str
    device_name: str


@dataclass(frozen=True, slots=True)
class DeviceTriple:
    """The identity of one device: ProductKey, DeviceName and DeviceSecret, as the console shows them."""

    product_key: str
    device_name: str
    device_secret: str = field(repr=False)

    @property
    def identity(self) -> Identity:
        """The triple without its secret."""
        return Identity(self.product_key, self.device_name)

    @classmethod
    def parse(cls, product_key: str, device_name: str, device_secret: str) -> Self:
        """Return a triple from user input: blanks around the parts are removed, the rest is checked.

        Raises `TripleInvalid`, which names the field. Lengths and characters: `docs/protocol.md` §2.3.
        """
        triple = cls(product_key.strip(), device_name.strip(), device_secret.strip())
        if not _PRODUCT_KEY.fullmatch(triple.product_key):
            raise TripleInvalid("product_key", "must be 1 to 20 letters and digits")
        if not _DEVICE_NAME.fullmatch(triple.device_name):
            raise TripleInvalid("device_name", "must be 4 to 32 letters, digits or any of - _ @ . :")
        if not _DEVICE_SECRET.fullmatch(triple.device_secret):
            raise TripleInvalid("device_secret", "must be 1 to 64 letters, digits or punctuation marks without blanks")
        return triple


@dataclass(frozen=True, slots=True)
class Credentials:
    """The client id, user name and password of the MQTT CONNECT packet."""

    client_id: str
    username: str
    password: str = field(repr=False)


def sign(secret: str, method: SignMethod, fields: Mapping[str, str]) -> str:
    """Return the HMAC of `fields` as lower-case hex.

    The signed text is every key followed by its value, in alphabetical order of the keys, without separators, in UTF-8.
    CONNECT, the registration of a device and the login of a sub-device follow the same rule with other fields.
    """
    content = "".join(f"{key}{fields[key]}" for key in sorted(fields))
    return hmac.new(secret.encode(), content.encode(), _DIGESTS[method]).hexdigest()


def connect_credentials(triple: DeviceTriple, client_id: str, parameters: Mapping[str, str]) -> Credentials:
    """Return the credentials of a direct connection.

    `parameters` become the extension of the client id (`clientId|key=value,…|`), in the given order. They decide the
    signature: its method is their `signmethod` (`hmacmd5` when absent), and a `timestamp` is signed too. The client id is
    signed without its extension.

    Raises `ValueError` for a client id that is empty or longer than 64 characters, for a `|`, `,` or `=` that would be read
    as a separator (the wire format has no escapes), and for an unknown `signmethod`.
    """
    if not 1 <= len(client_id) <= CLIENT_ID_LENGTH or "|" in client_id:
        raise ValueError(f"the client id must be 1 to {CLIENT_ID_LENGTH} characters without '|'")
    for key, value in parameters.items():
        if not key or _RESERVED & {*key, *value}:
            raise ValueError(f"the parameter {key!r} must not be empty nor contain '|', ',' or '='")

    method = SignMethod(parameters.get("signmethod", SignMethod.HMACMD5).lower())
    signed = {"clientId": client_id, "deviceName": triple.device_name, "productKey": triple.product_key}
    if "timestamp" in parameters:
        signed["timestamp"] = parameters["timestamp"]

    extension = ",".join(f"{key}={value}" for key, value in parameters.items())
    return Credentials(
        client_id=f"{client_id}|{extension}|",
        username=f"{triple.device_name}&{triple.product_key}",
        password=sign(triple.device_secret, method, signed),
    )


def sub_device_entry(
    triple: DeviceTriple, client_id: str, timestamp: str, method: SignMethod, method_field: str
) -> dict[str, str]:
    """Return the signed entry of a sub-device for a login or the topology (docs/protocol.md §10.1, §10.3).

    Unlike in CONNECT the whole client id is signed, with what stands between its bars. The name of the field for the method
    differs: `signMethod` at login, `signmethod` in the topology.
    """
    signed = {
        "productKey": triple.product_key,
        "deviceName": triple.device_name,
        "clientId": client_id,
        "timestamp": timestamp,
    }
    return {**signed, method_field: _SPELLING[method], "sign": sign(triple.device_secret, method, signed)}


def registration_entry(identity: Identity, product_secret: str, random: str, method: SignMethod) -> dict[str, str]:
    """Return the entry of a sub-device that is registered with the secret of its product (docs/protocol.md §10.2)."""
    signed = {"productKey": identity.product_key, "deviceName": identity.device_name, "random": random}
    return {**signed, "signMethod": _SPELLING[method], "sign": sign(product_secret, method, signed)}
