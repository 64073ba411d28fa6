"""HTTPS requests to services of the platform beside MQTT, with the errors of connections."""

import asyncio
from collections.abc import Mapping
from ipaddress import ip_address
import re
import ssl
from typing import Final

import aiohttp
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from yarl import URL

from .alink.errors import (
    CertificateInvalid,
    ConnectError,
    ConnectionLost,
    ConnectionRefused,
    ConnectTimeout,
    HostNotFound,
    HostUnreachable,
    TlsFailed,
)
from .alink.mqtt.sockets import tls_context
from .link_config import EndpointInvalid

TIMEOUT: Final = 30.0
"""Seconds for a request and its answer."""

MAX_ANSWER: Final = 4 * 1024 * 1024
"""Bytes; the largest thing model has half a megabyte, and is JSON text in JSON."""

_ADDRESS: Final = re.compile(r"(?:https?://)?(?:[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?")


def web_address(entered: str) -> URL:
    """Return the address for a host with an optional port; `http://` is accepted for this machine only.

    Raises EndpointInvalid.
    """
    entered = entered.strip()
    if not _ADDRESS.fullmatch(entered):
        raise EndpointInvalid(entered)
    try:
        url = URL(entered if "://" in entered else f"https://{entered}").with_path("/")
    except ValueError as err:
        raise EndpointInvalid(entered) from err
    if not url.host or (url.scheme != "https" and not _is_local(url.host)):
        raise EndpointInvalid(entered)
    return url


async def request(
    hass: HomeAssistant,
    method: str,
    url: URL,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    ca: str | None = None,
) -> bytes:
    """Send a request and return the body of the answer, whatever its status.

    `ca` is PEM text of an additional certificate authority. Raises a ConnectError, whose text has no part of the query.
    """
    where = f"{url.host}:{url.port}"
    context = await hass.async_add_executor_job(tls_context, ca)
    try:
        async with (
            asyncio.timeout(TIMEOUT),
            async_get_clientsession(hass).request(
                method, url, headers=headers, data=form, ssl=context, allow_redirects=False
            ) as response,
        ):
            return await _body(response, where)
    except TimeoutError:
        raise ConnectTimeout(f"{where} did not answer within {TIMEOUT:g} s") from None
    except aiohttp.ClientError as err:
        raise _connect_error(err, where) from None


async def _body(response: aiohttp.ClientResponse, where: str) -> bytes:
    body = b""
    async for part in response.content.iter_any():
        body += part
        if len(body) > MAX_ANSWER:
            response.close()
            raise ConnectionLost(f"the answer of {where} is too large")
    return body


def _connect_error(err: aiohttp.ClientError, where: str) -> ConnectError:
    """Return the error that names the cause. The text of the original could contain the query."""
    match err:
        case aiohttp.ClientConnectorDNSError():
            return HostNotFound(f"no such host: {where}")
        case aiohttp.ClientConnectorCertificateError():
            reason = getattr(err.certificate_error, "verify_message", "")
            return CertificateInvalid(f"{where}: {reason}")
        case aiohttp.ClientConnectorSSLError():
            return TlsFailed(f"{where} does not speak TLS")
        case aiohttp.ClientConnectorError() if isinstance(err.os_error, ssl.SSLError):
            return TlsFailed(f"{where} does not speak TLS")
        case aiohttp.ClientConnectorError() if isinstance(err.os_error, ConnectionRefusedError):
            return ConnectionRefused(f"nothing listens on {where}")
        case aiohttp.ClientConnectorError():
            return HostUnreachable(f"{where}: {err.os_error.strerror}")
        case _:
            return ConnectionLost(f"the connection to {where} was lost: {type(err).__name__}")


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
