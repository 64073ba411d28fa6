"""What Home Assistant shows under Settings, System, Repairs, System information: enough to help, nothing that identifies."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

from homeassistant.components.system_health import SystemHealthRegistration
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .alink.errors import ConnectError, TripleInvalid
from .alink.link import LinkState
from .alink.mqtt.endpoint import Endpoint
from .alink.mqtt.sockets import open_socket
from .const import DOMAIN
from .link_config import EndpointInvalid, link_config
from .runtime import AliyunConfigEntry

PATIENCE: Final = 5.0
"""Seconds, as for the web addresses that other integrations check."""


@callback
def async_register(hass: HomeAssistant, register: SystemHealthRegistration) -> None:
    """Register what is shown."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    """Return what is shown; names of devices and hosts are not, since people paste this into public reports."""
    entries: list[AliyunConfigEntry] = hass.config_entries.async_entries(DOMAIN, include_disabled=False)
    loaded = [entry.runtime_data for entry in entries if entry.state is ConfigEntryState.LOADED]
    return {
        "devices": len(entries),
        "connected_devices": sum(runtime.link.state is LinkState.ONLINE for runtime in loaded),
        "states": _counted(map(_state, entries)),
        "buffered_values": sum(runtime.device.reporter.buffered for runtime in loaded),
        "can_reach_server": _reach(hass, _endpoints(hass, entries)),
    }


def _state(entry: AliyunConfigEntry) -> str:
    """Return where an entry stands, with the kind of the last failure where there is one."""
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
        with suppress(TripleInvalid, EndpointInvalid):  # which its set-up says
            endpoint = link_config(hass, entry.data, entry.options).endpoint
            if endpoint not in known:
                known.add(endpoint)
                yield endpoint


async def _reach(hass: HomeAssistant, endpoints: Iterable[Endpoint]) -> str | dict[str, str]:
    """Try to open a connection to every endpoint, and return the first failure.

    Nobody logs in, so that no device is kicked out, and none of its five connects a minute is used up.
    """
    failures = filter(None, await asyncio.gather(*(_failure(hass, endpoint) for endpoint in endpoints)))
    failure = next(failures, None)
    return {"type": "failed", "error": failure.key} if failure else "ok"


async def _failure(hass: HomeAssistant, endpoint: Endpoint) -> ConnectError | None:
    try:
        sock = await hass.async_add_executor_job(open_socket, endpoint, PATIENCE)
    except ConnectError as err:
        return err
    sock.close()
    return None
