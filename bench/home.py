"""A real Home Assistant core in this process, without anything that is not measured."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from homeassistant import loader
from homeassistant.auth import auth_manager_from_config
from homeassistant.bootstrap import async_load_base_functionality
from homeassistant.config_entries import SOURCE_USER, ConfigEntries, ConfigEntry, ConfigEntryState, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from custom_components.aliyun_iot.const import (
    CONF_BINDINGS,
    CONF_COMMANDS_PER_MINUTE,
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_ENDPOINT,
    CONF_PRODUCT_KEY,
    CONF_THING_MODELS,
    CONF_TRANSPORT,
    DOMAIN,
    SUBENTRY_EXPOSURE,
    SUBENTRY_SERVICE,
)
from demo.house import serve_on_loopback
from simulator import reserved_port

from .device import PRODUCT_KEY, SWITCH, THING_MODEL, Device

UNLIMITED = 1e9


class NotSetUp(Exception):  # noqa: N818 - named after what happened
    """Home Assistant has failed to set something up; its log says why."""


@asynccontextmanager
async def home(switches: Sequence[str]) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant with an input_boolean for each of these names; raises NotSetUp."""
    with home_folder() as folder:
        hass = await start_home(folder, switches)
        try:
            yield hass
        finally:
            await hass.async_stop()


@contextmanager
def home_folder() -> Iterator[Path]:
    """Yield a configuration folder for Home Assistant whose web server listens on a free port of loopback only."""
    # The integration depends on `http`, whose server listens even though nobody uses it here.
    with TemporaryDirectory() as name, reserved_port() as web_port:
        folder = Path(name)
        serve_on_loopback(folder, web_port)
        yield folder


async def start_home(
    folder: Path, switches: Sequence[str], prepare: Callable[[HomeAssistant], Awaitable[None]] | None = None
) -> HomeAssistant:
    """Start Home Assistant on a folder, with an input_boolean for each of these names; raises NotSetUp.

    `prepare` sets up the rest before it has started. The caller stops it.
    """
    # It would print a warning about the custom integration among the figures.
    logging.getLogger(loader.__name__).setLevel(logging.ERROR)
    hass = HomeAssistant(str(folder))
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = ConfigEntries(hass, {})
    await async_load_base_functionality(hass)
    hass.auth = await auth_manager_from_config(hass, [], [])
    await set_up(hass, "homeassistant", {})
    await set_up(hass, "input_boolean", {"input_boolean": {name: {} for name in switches}})
    if prepare:
        await prepare(hass)
    await hass.async_start()
    return hass


async def add_device(hass: HomeAssistant, device: Device, port: int, switch: str) -> ConfigEntry:
    """Connect a device with its switch bound to `input_boolean.<switch>`; raises NotSetUp."""
    binding = {"identifier": SWITCH, "entity": f"input_boolean.{switch}", "aspect": "power", "access": "both"}
    return await connect_device(hass, device, port, [binding], THING_MODEL)


async def connect_device(
    hass: HomeAssistant,
    device: Device,
    port: int,
    bindings: Sequence[Mapping[str, Any]],
    thing_model: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    services: Sequence[Mapping[str, Any]] = (),
    sub_devices: Sequence[ConfigSubentryData] = (),
) -> ConfigEntry:
    """Connect a device with these bindings, bound services, sub-devices and options; `data` is added to that of the entry.

    Commands are not limited, unless the options say so. Raises NotSetUp.
    """
    entry = ConfigEntry(
        version=1,
        minor_version=1,
        domain=DOMAIN,
        title=device.device_name,
        source=SOURCE_USER,
        unique_id=f"{PRODUCT_KEY}.{device.device_name}",
        data={
            CONF_PRODUCT_KEY: PRODUCT_KEY,
            CONF_DEVICE_NAME: device.device_name,
            CONF_DEVICE_SECRET: device.secret,
            CONF_ENDPOINT: f"127.0.0.1:{port}",
            CONF_TRANSPORT: "tcp",
            **(data or {}),
        },
        options={CONF_THING_MODELS: {PRODUCT_KEY: thing_model}, CONF_COMMANDS_PER_MINUTE: 0, **(options or {})},
        discovery_keys=MappingProxyType({}),
        subentries_data=[
            ConfigSubentryData(
                data={CONF_BINDINGS: [dict(binding) for binding in bindings]},
                subentry_type=SUBENTRY_EXPOSURE,
                title="bench",
                unique_id="bench",
            ),
            *(
                ConfigSubentryData(
                    data=dict(service), subentry_type=SUBENTRY_SERVICE, title=service["identifier"], unique_id=None
                )
                for service in services
            ),
            *sub_devices,
        ],
    )
    await hass.config_entries.async_add(entry)
    await hass.async_block_till_done()
    if entry.state is not ConfigEntryState.LOADED:
        raise NotSetUp(f"{device.device_name}: {entry.state.value}, {entry.reason}")
    return entry


def lift_limits(entry: ConfigEntry) -> None:
    """Lift the limit on messages a second, to measure the integration instead of the platform's limit."""
    entry.runtime_data.link.limit_to(UNLIMITED)


async def set_up(hass: HomeAssistant, domain: str, config: dict[str, object]) -> None:
    """Set an integration up; raises NotSetUp."""
    if not await async_setup_component(hass, domain, config):
        raise NotSetUp(domain)
