"""What of device management one device of the cloud uses, and the parts that do it.

A feature that neither the settings nor an automation uses costs nothing: no subscription, no message, no listener.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send

from ..alink.cloud_log import LogMode
from ..alink.device import Device
from ..alink.features import Feature, Notice
from ..alink.ota import Upgrade
from ..alink.remote_config import RemoteConfig
from ..alink.shadow import ShadowDocument
from ..const import DOMAIN, OWN
from ..listeners import TriggerKind, listeners_of
from ..settings import Settings
from ..stopping import stop_all
from ..stored_device import StoredDevice
from .cloud_log import CloudLog
from .offered_mapping import OfferedMapping
from .remote_config import ConfigDownloads, Content
from .tags import TagSync, tags_of
from .upgrades import Upgrades

_TRIGGERS = {TriggerKind.CONFIG_RECEIVED: Feature.REMOTE_CONFIG, TriggerKind.SHADOW_CHANGED: Feature.SHADOW}
"""The features that are in use while somebody listens."""


def upgrades_signal(entry_id: str) -> str:
    """Return the dispatcher signal that is sent with every change of what is offered or installed."""
    return f"{DOMAIN}_{entry_id}_upgrades"


class Management:
    """The device management of one device."""

    def __init__(
        self, hass: HomeAssistant, stored: StoredDevice, device: Device, lets_trigger: Callable[[], bool]
    ) -> None:
        """Use nothing before `follow`; `lets_trigger` returns whether automations may be notified now."""
        self._hass = hass
        self._stored = stored
        self._device = device
        self._lets_trigger = lets_trigger
        self._asked: frozenset[Feature] = frozenset()
        self._tags = TagSync(hass, device, partial(tags_of, hass, stored), self._use_soon)
        self._configs = ConfigDownloads(hass, device)
        self.offered = OfferedMapping(hass, stored)
        self._log = CloudLog(hass, stored, device)
        self._logs = False
        self.upgrades = Upgrades(hass, device, self._upgrades_changed)
        self._has_upgrades = False
        self._takes_mappings = False
        self._connected = False
        self._ends: list[CALLBACK_TYPE] = []

    async def follow(self, settings: Settings) -> None:
        """Do what the settings say from now on."""
        if not self._ends:
            listeners = listeners_of(self._hass)
            self._ends = [listeners.track(self._stored.key, kind, self._use_soon) for kind in _TRIGGERS]
        self._tags.follow(enabled=settings.sync_tags)
        asks = settings.config_mapping and not self._takes_mappings
        self._takes_mappings = settings.config_mapping and self._stored.owner == OWN
        if self._takes_mappings:
            self.offered.reconsider()
        else:
            self.offered.withdraw()
        self._logs = settings.cloud_log and self._stored.owner == OWN
        self._has_upgrades = settings.upgrades and self._stored.owner == OWN
        await self._use()
        self._log.follow(enabled=self._logs)
        self.upgrades.follow(enabled=self._has_upgrades, script=settings.upgrade_script)
        if asks and self._connected:
            self._ask_for_mapping()

    async def use(self, feature: Feature) -> None:
        """Subscribe to a feature until the device is stopped, because an action needs it."""
        self._asked |= {feature}
        await self._use()

    async def get_config(self) -> tuple[str, Content]:
        """Return the id and the content of the remote configuration; raises as `ConfigDownloads.get`."""
        await self.use(Feature.REMOTE_CONFIG)
        return await self._configs.get()

    @callback
    def connected(self) -> None:
        """Bring the cloud up to date."""
        self._connected = True
        self._tags.connected()
        self._log.connected()
        self.upgrades.connected()
        self._ask_for_mapping()

    @callback
    def disconnected(self) -> None:
        """Pause until the device is connected again."""
        self._connected = False
        self._tags.disconnected()
        self._log.disconnected()
        self.upgrades.disconnected()

    @callback
    def noticed(self, notice: Notice) -> None:
        """Handle what the cloud sends on its own."""
        match notice:
            case RemoteConfig() if self._takes_mappings or self._is_listened_to(TriggerKind.CONFIG_RECEIVED):
                self._configs.begin(notice, self._config_pushed)
            case Upgrade():
                self.upgrades.offered(notice)
            case LogMode():
                self._log.noticed(notice)
            case ShadowDocument():
                self._notify(
                    TriggerKind.SHADOW_CHANGED,
                    {
                        "reported": dict(notice.reported),
                        "desired": dict(notice.desired),
                        "version": notice.version,
                    },
                )

    async def stop(self) -> None:
        """Stop everything."""
        await stop_all(*self._ends, self._configs.stop, self._tags.stop, self._log.stop, self.upgrades.stop)

    @callback
    def _ask_for_mapping(self) -> None:
        """Get the configuration, which may be another one than before the device was offline."""
        if self._takes_mappings:
            self._configs.begin(None, self._offer_mapping)

    async def _config_pushed(self, config: RemoteConfig, content: Content) -> None:
        self._notify(TriggerKind.CONFIG_RECEIVED, {"config_id": config.id, "content": content})
        await self._offer_mapping(config, content)

    async def _offer_mapping(self, config: RemoteConfig, content: Content) -> None:
        if self._takes_mappings:
            await self.offered.offer(content, config.file.digest)

    @callback
    def _upgrades_changed(self) -> None:
        async_dispatcher_send(self._hass, upgrades_signal(self._stored.entry.entry_id))

    def _is_listened_to(self, kind: TriggerKind) -> bool:
        return listeners_of(self._hass).has_listener(self._stored.key, kind)

    @callback
    def _notify(self, kind: TriggerKind, details: Mapping[str, Any]) -> None:
        if self._is_listened_to(kind) and self._lets_trigger():
            common = {"config_entry_id": self._stored.entry.entry_id, "device": self._stored.title}
            listeners_of(self._hass).notify(self._stored.key, kind, {**common, **details})

    @callback
    def _use_soon(self) -> None:
        self._stored.entry.async_create_task(self._hass, self._use(), "Aliyun device management")

    async def _use(self) -> None:
        """Subscribe to what is in use."""
        wanted = {*self._asked, *(feature for kind, feature in _TRIGGERS.items() if self._is_listened_to(kind))}
        if self._tags.in_use:
            wanted.add(Feature.TAGS)
        if self._takes_mappings:
            wanted.add(Feature.REMOTE_CONFIG)
        if self._logs:
            wanted.add(Feature.CLOUD_LOG)
        if self._has_upgrades:
            wanted.add(Feature.UPGRADES)
        await self._device.use(wanted)
