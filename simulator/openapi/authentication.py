"""Signatures of requests with an AccessKey, as the official SDKs make them (docs/protocol.md §20.2).

V1 signs the parameters with HMAC-SHA1 and is one of them. V3 (ACS3-HMAC-SHA256) signs headers, query and body and stands in a
header.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
import hashlib
import hmac
import re
import time
from urllib.parse import quote

from .errors import (
    EXPIRED,
    INCOMPLETE_SIGNATURE,
    MALFORMED_TIME,
    NO_SUCH_ACCESS_KEY,
    NONCE_USED,
    WRONG_SIGNATURE,
    ApiError,
    missing,
)
from .request import ApiRequest

VALID_SECONDS = 15 * 60
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
V1_METHOD, V3_METHOD = "HMAC-SHA1", "ACS3-HMAC-SHA256"
AUTHORIZATION = re.compile(
    r"(?P<method>\S+) Credential=(?P<key>[^,]+), ?SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<sign>\w+)"
)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """What an account signs its requests with."""

    id: str
    secret: str = field(repr=False)


class Verifier:
    """Verifies the signatures of requests."""

    def __init__(self, key: AccessKey, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns Unix time."""
        self._key = key
        self._clock = clock
        self._nonces: dict[str, float] = {}
        """Those of the last requests, oldest first, and when they may be used again."""

    def check(self, request: ApiRequest) -> None:
        """Raise ApiError unless the request is signed with the key, new, and not older than 15 minutes."""
        if "authorization" in request.headers:
            self._check_v3(request, request.headers["authorization"])
        else:
            self._check_v1(request)

    def _check_v1(self, request: ApiRequest) -> None:
        if (parameters := request.parameters) is None:
            raise ApiError(INCOMPLETE_SIGNATURE, "Only the parameters of a query and of a form can be signed.")
        self._check_key(_mandatory(parameters, "AccessKeyId"))
        given, method = _mandatory(parameters, "Signature"), _mandatory(parameters, "SignatureMethod")
        if method.upper() != V1_METHOD:
            raise ApiError(INCOMPLETE_SIGNATURE, f"{method} is not supported.")
        moment, nonce = _mandatory(parameters, "Timestamp"), _mandatory(parameters, "SignatureNonce")
        signed = string_to_sign_v1(request.method, parameters)
        _compare(given, sign_v1(signed, self._key.secret), f"server string to sign is:{signed}")
        self._check_new(moment, nonce)

    def _check_v3(self, request: ApiRequest, authorization: str) -> None:
        if (parts := AUTHORIZATION.fullmatch(authorization)) is None:
            raise ApiError(INCOMPLETE_SIGNATURE)
        self._check_key(parts["key"])
        if parts["method"] != V3_METHOD:
            raise ApiError(INCOMPLETE_SIGNATURE, f"{parts['method']} is not supported.")
        headers = parts["headers"].lower().split(";")
        must = {name for name in request.headers if name == "host" or name.startswith("x-acs-")}
        if unsigned := sorted(must - set(headers)):
            raise ApiError(INCOMPLETE_SIGNATURE, f"{', '.join(unsigned)} must be signed.")
        moment, nonce = _mandatory(request.headers, "x-acs-date"), _mandatory(request.headers, "x-acs-signature-nonce")
        if _mandatory(request.headers, "x-acs-content-sha256") != hashlib.sha256(request.body).hexdigest():
            raise ApiError(WRONG_SIGNATURE, "x-acs-content-sha256 is not that of the body.")
        canonical = canonical_request_v3(request, headers)
        signed = string_to_sign_v3(canonical)
        shown = f"server StringToSign is [{signed}] server CanonicalRequest is [{canonical}]"
        _compare(parts["sign"].lower(), sign_v3(signed, self._key.secret), shown)
        self._check_new(moment, nonce)

    def _check_key(self, key_id: str) -> None:
        if not hmac.compare_digest(key_id.encode(), self._key.id.encode()):
            raise ApiError(NO_SUCH_ACCESS_KEY)

    def _check_new(self, moment: str, nonce: str) -> None:
        """Refuse a request that is too old, or whose nonce was used while it would have been valid."""
        try:
            sent = datetime.strptime(moment, TIME_FORMAT).replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise ApiError(MALFORMED_TIME) from None
        now = self._clock()
        if abs(now - sent) > VALID_SECONDS:
            raise ApiError(EXPIRED)
        while self._nonces and self._nonces[oldest := next(iter(self._nonces))] <= now:
            del self._nonces[oldest]
        if nonce in self._nonces:
            raise ApiError(NONCE_USED)
        self._nonces[nonce] = now + 2 * VALID_SECONDS


def string_to_sign_v1(method: str, parameters: Mapping[str, str]) -> str:
    """Return what V1 signs: the method, and all parameters besides the signature in the order of their names."""
    query = "&".join(
        f"{_encode(name)}={_encode(value)}" for name, value in sorted(parameters.items()) if name != "Signature"
    )
    return f"{method}&%2F&{_encode(query)}"


def sign_v1(signed: str, secret: str) -> str:
    """Return the signature V1 of a text."""
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), signed.encode(), "sha1")).decode()


def canonical_request_v3(request: ApiRequest, headers: list[str]) -> str:
    """Return what V3 hashes: method, path, query, headers, their names, and the hash of the body, a line each."""
    query = "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(request.query.items()))
    names = sorted(headers)
    lines = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in names)
    body = hashlib.sha256(request.body).hexdigest()
    return "\n".join([request.method, request.path, query, lines, ";".join(names), body])


def string_to_sign_v3(canonical: str) -> str:
    """Return what V3 signs."""
    return f"{V3_METHOD}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def sign_v3(signed: str, secret: str) -> str:
    """Return the signature V3 of a text."""
    return hmac.digest(secret.encode(), signed.encode(), "sha256").hex()


def _encode(text: str) -> str:
    return quote(text, safe="~")


def _mandatory(values: Mapping[str, str], name: str) -> str:
    if not (value := values.get(name)):
        raise missing(name)
    return value


def _compare(given: str, right: str, shown: str) -> None:
    """Raise ApiError with what was signed, from which a developer sees the difference, unless a signature is right."""
    if not hmac.compare_digest(given.encode(), right.encode()):
        raise ApiError(WRONG_SIGNATURE, shown)
