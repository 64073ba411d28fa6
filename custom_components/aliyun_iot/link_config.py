"""Turn what the user entered into the configuration of the link."""

from collections.abc import Mapping
from dataclasses import replace
import re
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .alink.auth import DeviceTriple
from .alink.downlink import DownlinkMemory
from .alink.host import HostKind, host_of
from .alink.mqtt.connecting import LinkConfig
from .alink.mqtt.endpoint import Endpoint, Transport, region_of
from .alink.mqtt.pacing import ConnectPacer
from .const import (
    CONF_CA,
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_ENDPOINT,
    CONF_HOST_KIND,
    CONF_PORT,
    CONF_PRODUCT_KEY,
    CONF_TEXT_EVENTS,
    CONF_TRANSPORT,
    DOMAIN,
)
from .settings import read_settings

_INSTANCE_ID = re.compile(r"iot-(?:[0-9a-z]{15}|cn-[0-9a-z]{11})")
_SCHEME = re.compile(r"^(mqtts?|ssl|tcp)://", re.IGNORECASE)
_HOST = re.compile(r"(?P<host>[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")

# Pacers are kept when an entry is unloaded: the limit of five connects per minute applies across reloads.
_PACERS: HassKey[dict[tuple[str, str], ConnectPacer]] = HassKey(f"{DOMAIN}_pacers")

# Memories are kept as well: a command that is repeated after a reload must not be carried out again.
_DOWNLINK_MEMORIES: HassKey[dict[tuple[str, str], DownlinkMemory]] = HassKey(f"{DOMAIN}_downlink_memories")


class EndpointInvalid(ValueError):  # noqa: N818 - named like TripleInvalid
    """The endpoint is neither a region, an instance id, nor a host with an optional port."""

    key = "invalid_endpoint"
    """Translation key of the error."""


class PortTwice(EndpointInvalid):
    """The port after the host differs from the port in its own field."""

    key = "port_twice"


def parse_endpoint(
    product_key: str,
    entered: str,
    transport: Transport,
    port: int | None,
    ca: str | None,
    tls_port: int | None = None,
) -> Endpoint:
    """Return the endpoint for a region id or its name in the console, an instance id, or a host with an optional `:port`.

    The platform's host is derived from a region id or instance id, in any case (docs/protocol.md §1.1). A scheme such as
    `mqtt://` is ignored, because the transport has its own field. `tls_port` is the port for TLS of a host that is given
    without one. `ca` is PEM text of an additional certificate authority, for a private host or for a proxy that inspects TLS.

    Raises EndpointInvalid.
    """
    name = _SCHEME.sub("", entered.strip())
    if region := region_of(name):
        endpoint = Endpoint.for_region(product_key, region, transport, port)
    elif _is_instance_id(name):
        endpoint = Endpoint.for_instance(name.lower(), transport, port)
    else:
        endpoint = _host_endpoint(name, transport, port, tls_port if transport is Transport.TLS else None)
    return replace(endpoint, ca=ca)


def link_config(hass: HomeAssistant, data: Mapping[str, Any], options: Mapping[str, Any]) -> LinkConfig:
    """Return the link configuration for an entry's data and options.

    Raises TripleInvalid or EndpointInvalid, also for data that no form has stored.
    """
    triple = DeviceTriple.parse(
        *(_text(data, field) for field in (CONF_PRODUCT_KEY, CONF_DEVICE_NAME, CONF_DEVICE_SECRET))
    )
    transport, port = _text(data, CONF_TRANSPORT), data.get(CONF_PORT)
    if transport not in Transport or not isinstance(port, int | None):
        raise EndpointInvalid(f"{transport} {port}")
    kind = _text(data, CONF_HOST_KIND)
    host = host_of(
        HostKind(kind) if kind in HostKind else HostKind.ALIYUN, text_events=bool(data.get(CONF_TEXT_EVENTS))
    )
    endpoint = parse_endpoint(
        triple.product_key,
        _text(data, CONF_ENDPOINT),
        Transport(transport),
        port,
        _text(data, CONF_CA) or None,
        host.tls_port,
    )
    pacers = hass.data.setdefault(_PACERS, {})
    pacer = pacers.setdefault((triple.product_key, triple.device_name), ConnectPacer())
    return LinkConfig(triple, endpoint, read_settings(options)[0].keep_alive, host=host, pacer=pacer)


def _text(data: Mapping[str, Any], field: str) -> str:
    value = data.get(field)
    return value if isinstance(value, str) else ""


@callback
def downlink_memory(hass: HomeAssistant, triple: DeviceTriple) -> DownlinkMemory:
    """Return the memory of a device's recent commands, which its links share."""
    memories = hass.data.setdefault(_DOWNLINK_MEMORIES, {})
    return memories.setdefault((triple.product_key, triple.device_name), DownlinkMemory())


def _host_endpoint(name: str, transport: Transport, port: int | None, default: int | None) -> Endpoint:
    """Return the endpoint for `host` or `host:port`; raises EndpointInvalid."""
    match = _HOST.fullmatch(name)
    # A region or an instance takes its port from the field for ports; "iot-" is the beginning of an instance id.
    if match is None or region_of(match["host"]) or _is_instance_id(match["host"]) or match["host"].lower() == "iot-":
        raise EndpointInvalid(name)
    used = int(match["port"] or port or default or Endpoint.for_instance(name, transport).port)
    if port not in (None, used):
        raise PortTwice(name)
    if not 0 < used < 65536:
        raise EndpointInvalid(name)
    return Endpoint(match["host"].strip("[]"), used, transport)


def _is_instance_id(name: str) -> bool:
    return bool(_INSTANCE_ID.fullmatch(name.lower()))
