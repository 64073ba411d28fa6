"""Downloads of the files that the cloud offers.

The cloud names the address, so it is checked first: a file comes by HTTPS, from a server with a valid certificate, without a
redirect. Within the house only the host that the device itself is connected to may serve one. No more than the announced size
is read, and the digest is compared at the end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Final

from aiohttp import ClientError, ClientTimeout
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from yarl import URL

from ..alink.errors import AlinkError
from ..alink.mqtt.endpoint import Endpoint
from ..alink.mqtt.sockets import tls_context
from ..alink.remote_file import RemoteFile

CHUNK: Final = 64 * 1024

SILENCE: Final = 30.0
"""Seconds without any data after which a download is given up."""

type Take = Callable[[bytes], Awaitable[None]]


class FetchFailed(AlinkError):  # noqa: N818 - named after what happened
    """A file could not be downloaded."""


class WrongContent(FetchFailed):
    """A file was downloaded, and is not the one that was announced."""


async def fetch(hass: HomeAssistant, file: RemoteFile, endpoint: Endpoint, take: Take, timeout: float) -> None:
    """Download a file, passing each part to `take`; `timeout` is in seconds, `endpoint` that of the device.

    Raises FetchFailed. What was taken before is worthless then.
    """
    url = _checked(file.url, endpoint.host)
    context = await hass.async_add_executor_job(tls_context, endpoint.ca)
    hasher, received = file.hasher(), 0
    try:
        async with async_get_clientsession(hass).get(
            url,
            allow_redirects=False,
            headers={"Accept-Encoding": "identity"},
            ssl=context,
            timeout=ClientTimeout(total=timeout, sock_connect=SILENCE, sock_read=SILENCE),
        ) as response:
            if response.status != 200:
                raise FetchFailed(f"the server of the file answered with status {response.status}")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise FetchFailed("the server of the file has compressed it")
            async for part in response.content.iter_chunked(CHUNK):
                received += len(part)
                if received > file.size:
                    raise WrongContent(f"the file is larger than the {file.size} bytes announced")
                hasher.update(part)
                await take(part)
    except TimeoutError as err:
        raise FetchFailed("the file was not downloaded in time") from err
    except ClientError as err:  # its text contains the address, and with it the key for the download
        raise FetchFailed(f"the file cannot be downloaded ({type(err).__name__})") from err
    if received != file.size:
        raise WrongContent(f"the file has {received} bytes, not the {file.size} announced")
    if not file.is_matched(hasher):
        raise WrongContent(f"the {file.method.upper()} of the file is not the one announced")


async def fetch_bytes(hass: HomeAssistant, file: RemoteFile, endpoint: Endpoint, timeout: float) -> bytes:
    """Return the content of a small file; raises FetchFailed."""
    content = bytearray()

    async def take(part: bytes) -> None:
        content.extend(part)
        await asyncio.sleep(0)

    await fetch(hass, file, endpoint, take, timeout)
    return bytes(content)


def _checked(address: str, own_host: str) -> URL:
    """Return the URL of a file; raises FetchFailed for one that must not be asked."""
    try:
        url = URL(address)
        host = url.host or ""
    except ValueError as err:
        raise FetchFailed("the address of the file is invalid") from err
    if not host or url.user or url.password:
        raise FetchFailed("the address of the file is invalid")
    if _is_inside(host) and host != own_host:
        raise FetchFailed("the address of the file is within the own network")
    if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(host)):
        raise FetchFailed("the address of the file is not one of HTTPS")
    return url


def _is_inside(host: str) -> bool:
    """Return whether a host is named as one within the house; the certificate protects from names that pretend not to be."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host.rstrip(".") or host.rstrip(".").endswith(
            (".local", ".localhost", ".home.arpa", ".internal")
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
