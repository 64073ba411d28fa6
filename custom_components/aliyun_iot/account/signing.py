"""The signature V3 of the OpenAPI, ACS3-HMAC-SHA256 (docs/protocol.md §20.2).

Alibaba's own library for it, `alibabacloud_tea_openapi` 0.4.6, is synchronous with threads of its own, has no types, and
needs twelve more packages, one of which holds `aiofiles` below 25 and another `cryptography` below 51, which Home Assistant
pins itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import hashlib
import hmac
from typing import Final
from urllib.parse import quote

METHOD: Final = "ACS3-HMAC-SHA256"
VERSION: Final = "2018-01-20"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """What an account, or a RAM user of it, signs its requests with."""

    id: str = field(repr=False)
    secret: str = field(repr=False)


def encoded_query(parameters: Mapping[str, str]) -> str:
    """Return parameters as a query, in the order of their names, as it is signed."""
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(parameters.items()))


def signed_headers(key: AccessKey, host: str, action: str, query: str, date: str, nonce: str) -> dict[str, str]:
    """Return the headers of a `POST /` without a body.

    `host` is the header of this name, `query` is from `encoded_query`, `date` is UTC as `2026-01-31T12:00:00Z`, and `nonce`
    is a text that was never used before.
    """
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-version": VERSION,
        "x-acs-date": date,
        "x-acs-signature-nonce": nonce,
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
    }
    return headers | {"authorization": authorization(key, query, headers, b"")}


def authorization(key: AccessKey, query: str, headers: Mapping[str, str], body: bytes) -> str:
    """Return the header `Authorization`; all `headers`, whose names are in lower case, are signed."""
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    canonical = "\n".join(["POST", "/", query, lines, names, hashlib.sha256(body).hexdigest()])
    signed = f"{METHOD}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(key.secret.encode(), signed.encode(), "sha256").hex()
    return f"{METHOD} Credential={key.id},SignedHeaders={names},Signature={signature}"


def _encoded(text: str) -> str:
    return quote(text, safe="~")
