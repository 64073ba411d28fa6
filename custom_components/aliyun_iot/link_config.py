"""From what the user entered to what the link needs."""

from collections.abc import Mapping
import re
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .alink.auth import DeviceTriple
from .alink.downlink import DownlinkMemory
from .alink.mqtt.connecting import LinkConfig
from .alink.mqtt.endpoint import REGIONS, Endpoint, Transport
from .alink.mqtt.pacing import ConnectPacer
from .const import (
    CONF_CA,
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_ENDPOINT,
    CONF_KEEP_ALIVE,
    CONF_PORT,
    CONF_PRODUCT_KEY,
    CONF_TRANSPORT,
    DEFAULT_KEEP_ALIVE,
    DOMAIN,
)

_INSTANCE = re.compile(r"iot-[0-9a-z]+")
_SCHEME = re.compile(r"^(mqtts?|ssl|tcp)://", re.IGNORECASE)
_HOST = re.compile(r"(?P<host>[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")

# A pacer outlives its entry: reloading must not buy another five connects.
_PACERS: HassKey[dict[tuple[str, str], ConnectPacer]] = HassKey(f"{DOMAIN}_pacers")

# So does this: a command that comes again after a reload must not be carried out again.
_DOWNLINK_MEMORIES: HassKey[dict[tuple[str, str], DownlinkMemory]] = HassKey(f"{DOMAIN}_downlink_memories")


class EndpointInvalid(ValueError):  # noqa: N818 - beside TripleInvalid
    """What was entered is neither a region, an instance id, nor a host with an optional port."""

    key = "invalid_endpoint"
    """Of the text that tells it."""


class PortTwice(EndpointInvalid):
    """There is a port behind the host, and another one in the field for ports."""

    key = "port_twice"


def parse_endpoint(product_key: str, entered: str, transport: Transport, port: int | None, ca: str | None) -> Endpoint:
    """Return the endpoint that a region id, an instance id or a host (with an optional `:port`) stands for.

    A region id or instance id is turned into the host that the platform documents (docs/protocol.md §1.1). A prefix such
    as `mqtt://` says nothing that the transport does not say.

    Raises EndpointInvalid.
    """
    entered = _SCHEME.sub("", entered.strip())
    if entered in REGIONS:
        return Endpoint.for_region(product_key, entered, transport, port)
    if _INSTANCE.fullmatch(entered.lower()):
        return Endpoint.for_instance(entered.lower(), transport, port)
    match = _HOST.fullmatch(entered)
    if match is None or match["host"] in REGIONS or match["host"] == "iot-":
        raise EndpointInvalid(entered)
    used = int(match["port"] or port or Endpoint.for_instance(entered, transport).port)
    if port not in (None, used):
        raise PortTwice(entered)
    if not 0 < used < 65536:
        raise EndpointInvalid(entered)
    return Endpoint(match["host"].strip("[]"), used, transport, ca)


def link_config(hass: HomeAssistant, data: Mapping[str, Any], options: Mapping[str, Any]) -> LinkConfig:
    """Return the configuration of the link for an entry's data and options.

    Raises TripleInvalid or EndpointInvalid.
    """
    triple = DeviceTriple.parse(data[CONF_PRODUCT_KEY], data[CONF_DEVICE_NAME], data[CONF_DEVICE_SECRET])
    endpoint = parse_endpoint(
        triple.product_key,
        data[CONF_ENDPOINT],
        Transport(data[CONF_TRANSPORT]),
        data.get(CONF_PORT),
        data.get(CONF_CA),
    )
    pacers = hass.data.setdefault(_PACERS, {})
    pacer = pacers.setdefault((triple.product_key, triple.device_name), ConnectPacer())
    return LinkConfig(triple, endpoint, options.get(CONF_KEEP_ALIVE, DEFAULT_KEEP_ALIVE), pacer=pacer)


@callback
def downlink_memory(hass: HomeAssistant, triple: DeviceTriple) -> DownlinkMemory:
    """Return what the links of a device remember of its commands, from one to the next."""
    memories = hass.data.setdefault(_DOWNLINK_MEMORIES, {})
    return memories.setdefault((triple.product_key, triple.device_name), DownlinkMemory())
