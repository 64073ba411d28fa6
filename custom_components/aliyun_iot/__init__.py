"""Connect Home Assistant to Alibaba Cloud IoT Platform (阿里云物联网平台) as one of its devices."""

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryError, ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv, device_registry as dr
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .alink.errors import ConnectError, CredentialsRefused, TripleInvalid
from .const import DOMAIN, ENTRY_VERSION
from .downloads import async_register_downloads
from .entity import device_info
from .health.issues import async_delete_issues_when_unloaded, async_remove_issues
from .link_config import EndpointInvalid, link_config
from .panel.register import async_register_panel
from .reports.store import async_remove_unsent
from .runtime import AliyunConfigEntry, Runtime
from .services import async_register_actions
from .setup_retry import async_end, async_keep, async_take_over
from .traffic_log import async_remove_traffic
from .transfer_services import async_register_transfer_actions
from .trigger_choices import async_offer_choices, async_register_choices

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS = [Platform.BINARY_SENSOR, Platform.BUTTON, Platform.EVENT, Platform.SENSOR, Platform.UPDATE]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, so that automations that use them are valid before anything is connected."""
    async_register_actions(hass)
    async_register_transfer_actions(hass)
    async_register_downloads(hass)
    async_delete_issues_when_unloaded(hass)
    async_register_panel(hass)
    async_register_choices(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: AliyunConfigEntry) -> bool:
    """Connect one device and start to report what is bound."""
    try:
        config = link_config(hass, entry.data, entry.options)
        runtime = await async_take_over(hass, entry, config) or Runtime(hass, entry, config)
        await runtime.connect()
    except TripleInvalid as err:
        raise ConfigEntryError(translation_domain=DOMAIN, translation_key=f"invalid_{err.field}") from err
    except EndpointInvalid as err:
        raise ConfigEntryError(translation_domain=DOMAIN, translation_key="invalid_endpoint") from err
    except CredentialsRefused as err:
        raise ConfigEntryAuthFailed(translation_domain=DOMAIN, translation_key="invalid_auth") from err
    except ConnectError as err:
        async_keep(hass, entry, runtime)
        # The log names the host; the text that the user sees says what to do.
        raise ConfigEntryNotReady(str(err), translation_domain=DOMAIN, translation_key=err.key) from err

    entry.runtime_data = runtime
    await async_offer_choices(hass)

    @callback
    def started(_hass: HomeAssistant) -> None:
        runtime.start()

    entry.async_on_unload(async_at_started(hass, started))
    entry.async_on_unload(entry.add_update_listener(_async_updated))
    try:
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    except BaseException:  # nothing else would end the connection
        await runtime.stop()
        raise
    return True


async def async_migrate_entry(hass: HomeAssistant, entry: AliyunConfigEntry) -> bool:
    """Return whether an entry of another version can be set up.

    One with a later minor version can: its rows are read one by one, and what this version does not know is kept. One with a
    later major version cannot, which Home Assistant knows itself.
    """
    return entry.version == ENTRY_VERSION


async def async_unload_entry(hass: HomeAssistant, entry: AliyunConfigEntry) -> bool:
    """Disconnect and stop everything."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        await entry.runtime_data.stop()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: AliyunConfigEntry) -> None:
    """Remove the issues of the device and what was kept for the cloud, and close the open pages of its options."""
    for page in hass.config_entries.options.async_progress_by_handler(entry.entry_id, include_uninitialized=True):
        hass.config_entries.options.async_abort(page["flow_id"])
    await async_end(hass, entry)
    async_remove_issues(hass, entry.entry_id)
    await async_remove_unsent(hass, entry.entry_id)
    await async_remove_traffic(hass, entry.entry_id)


async def _async_updated(hass: HomeAssistant, entry: AliyunConfigEntry) -> None:
    """Apply a change; only a changed identity, secret or connection setting requires a reconnect."""
    dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, **device_info(entry))  # the title may be new
    await async_offer_choices(hass)
    runtime = entry.runtime_data
    if link_config(hass, entry.data, entry.options) == runtime.link.config:
        await runtime.entry_updated()
    else:
        hass.config_entries.async_schedule_reload(entry.entry_id)
