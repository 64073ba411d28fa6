"""System health: an overview of all devices without anything that identifies them."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .alink.errors import ConnectError, ConnectTimeout, TripleInvalid
from .alink.link import LinkState
from .alink.mqtt.endpoint import Endpoint
from .alink.mqtt.sockets import open_socket
from .const import DOMAIN
from .link_config import EndpointInvalid, link_config
from .runtime import AliyunConfigEntry

REACH_TIMEOUT: Final = 5.0
"""Seconds; Home Assistant's own check of URLs waits as long."""


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register the information of the integration."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the information, without names of devices and hosts, because users paste it into public reports."""
    entries: list[AliyunConfigEntry] = hass.config_entries.async_entries(DOMAIN, include_disabled=False)
    loaded = [entry.runtime_data for entry in entries if entry.state is ConfigEntryState.LOADED]
    return {
        "devices": len(entries),
        "connected_devices": sum(runtime.link.state is LinkState.ONLINE for runtime in loaded),
        "states": _counted(map(_state, entries)),
        "buffered_values": sum(runtime.device.reporter.buffered for runtime in loaded),
        "can_reach_server": _reach(_endpoints(hass, entries)),
    }


def _state(entry: AliyunConfigEntry) -> str:
    """Return the state of an entry or of its link, with the key of the link's last error."""
    if entry.state is not ConfigEntryState.LOADED:
        return str(entry.state.value)
    link = entry.runtime_data.link
    return f"{link.state} ({link.last_error.key})" if link.last_error else link.state.value


def _counted(states: Iterable[str]) -> str:
    return ", ".join(f"{state}: {count}" for state, count in sorted(Counter(states).items()))


def _endpoints(hass: HomeAssistant, entries: Iterable[AliyunConfigEntry]) -> Iterator[Endpoint]:
    """Yield every endpoint once."""
    known: set[Endpoint] = set()
    for entry in entries:
        with suppress(TripleInvalid, EndpointInvalid):  # reported when the entry is set up
            endpoint = link_config(hass, entry.data, entry.options).endpoint
            if endpoint not in known:
                known.add(endpoint)
                yield endpoint


async def _reach(endpoints: Iterable[Endpoint]) -> str | dict[str, str]:
    """Open a connection to every endpoint, and return the first failure.

    It does not log in: that would disconnect the device and use up one of its five connects per minute.
    """
    failures = filter(None, await asyncio.gather(*(_failure(endpoint) for endpoint in endpoints)))
    failure = next(failures, None)
    return {"type": "failed", "error": failure.key} if failure else "ok"


async def _failure(endpoint: Endpoint) -> ConnectError | None:
    try:
        async with asyncio.timeout(REACH_TIMEOUT):
            sock = await open_socket(endpoint, REACH_TIMEOUT)
    except ConnectError as err:
        return err
    except TimeoutError:
        return ConnectTimeout(f"{endpoint.host} did not answer within {REACH_TIMEOUT:g} s")
    sock.close()
    return None
