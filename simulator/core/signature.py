"""The signatures of devices (docs/protocol.md §2.1, §10, §11)."""

from collections.abc import Mapping
import hmac

DIGESTS = {"hmacmd5": "md5", "hmacsha1": "sha1", "hmacsha256": "sha256"}
DEFAULT_METHOD = "hmacmd5"


def is_known_method(method: str) -> bool:
    """Return whether the platform knows a signature method; upper and lower case do not matter."""
    return method.lower() in DIGESTS


def sign(method: str, secret: str, signed: Mapping[str, str]) -> str:
    """Return the signature of keys and values in alphabetical order; raise KeyError for an unknown method."""
    content = "".join(key + signed[key] for key in sorted(signed))
    return hmac.new(secret.encode(), content.encode(), DIGESTS[method.lower()]).hexdigest()


def is_signed(given: str, method: str, secret: str, signed: Mapping[str, str]) -> bool:
    """Return whether a signature is right; its digits may be upper or lower case. Raise KeyError for an unknown method."""
    return hmac.compare_digest(given.lower().encode(), sign(method, secret, signed).encode())
