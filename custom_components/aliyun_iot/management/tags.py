"""Tags of a device in the cloud, kept in step with what Home Assistant knows of the device that it stands for."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import __version__
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
)
from homeassistant.helpers.debounce import Debouncer
from homeassistant.loader import async_get_loaded_integration
from homeassistant.util.event_type import EventType
from homeassistant.util.hass_dict import HassKey

from ..alink.device import Device
from ..alink.errors import MessageError, NotConnected, Rejected, RequestTimeout
from ..alink.foreign import logger_of
from ..alink.tags import delete_tags, legal_value, update_tags
from ..const import DOMAIN
from ..exposures import resolve_entity, stands_for
from ..stored_device import StoredDevice

_LOGGER = logger_of(__name__)

PREFIX: Final = "ha_"
"""With which the keys of our tags begin; tags with other keys are never touched."""

COOLDOWN = 5.0
"""Seconds to wait for further changes."""

OWN_KEYS: Final = frozenset(
    PREFIX + name for name in ("area", "floor", "manufacturer", "model", "sw_version", "version", "integration_version")
)
"""All keys that this integration sets."""

_EVENTS: Final[tuple[EventType[Any], ...]] = (
    dr.EVENT_DEVICE_REGISTRY_UPDATED,
    ar.EVENT_AREA_REGISTRY_UPDATED,
    fr.EVENT_FLOOR_REGISTRY_UPDATED,
)

_SENT: HassKey[dict[tuple[str, str], dict[str, str]]] = HassKey(f"{DOMAIN}_tags")
"""What the cloud has accepted since Home Assistant started, by device; so a reload sends nothing."""


@callback
def tags_of_device(hass: HomeAssistant, device: dr.DeviceEntry) -> dict[str, str]:
    """Return the tags of a device that stands for this device of Home Assistant."""
    about = {"manufacturer": device.manufacturer, "model": device.model, "sw_version": device.sw_version}
    return _tags({**about, **_place(hass, device)})


@callback
def tags_of(hass: HomeAssistant, stored: StoredDevice) -> dict[str, str]:
    """Return the tags of a device of an entry: a sub-device stands for a device, the own one for Home Assistant."""
    if stored.owner:
        device = _device_behind(hass, stored.entry.subentries.get(stored.owner))
        return tags_of_device(hass, device) if device else {}
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, stored.key), stored.entry.entry_id)
    integration = async_get_loaded_integration(hass, DOMAIN)
    about = {"version": __version__, "integration_version": str(integration.version or "")}
    return _tags({**about, **(_place(hass, device) if device else {})})


def _device_behind(hass: HomeAssistant, subentry: ConfigSubentry | None) -> dr.DeviceEntry | None:
    """Return the device of Home Assistant that a sub-device stands for, or that has the entity it stands for."""
    kind, _, reference = (stands_for(subentry) if subentry else "").partition(":")
    if kind == "entity":
        entity_id = resolve_entity(hass, reference)
        registered = er.async_get(hass).async_get(entity_id) if entity_id else None
        reference = registered.device_id or "" if registered else ""
    devices = dr.async_get(hass)
    device = devices.async_get(reference) if reference else None
    if device and not isinstance(device, dr.DeviceEntry):  # a part of another device, which has the facts
        device = devices.async_get(device.parent_device_id)
    return device if isinstance(device, dr.DeviceEntry) else None


def _place(hass: HomeAssistant, device: dr.DeviceEntry) -> dict[str, str | None]:
    area = ar.async_get(hass).async_get_area(device.area_id) if device.area_id else None
    floor = fr.async_get(hass).async_get_floor(area.floor_id) if area and area.floor_id else None
    return {"area": area.name if area else None, "floor": floor.name if floor else None}


def _tags(facts: Mapping[str, str | None]) -> dict[str, str]:
    """Return the tags for facts, without those of which the platform takes no character."""
    legal = {PREFIX + name: legal_value(fact) for name, fact in facts.items() if fact}
    return {key: value for key, value in legal.items() if value}


class TagSync:
    """Keeps the tags of one device in step while that is enabled, and deletes them when it is disabled."""

    def __init__(
        self,
        hass: HomeAssistant,
        device: Device,
        describe: Callable[[], Mapping[str, str]],
        on_idle: CALLBACK_TYPE,
    ) -> None:
        """`describe` returns the tags as they should be; `on_idle` is called once all were deleted."""
        self._hass = hass
        self._device = device
        self._describe = describe
        self._on_idle = on_idle
        self._enabled = False
        self._connected = False
        self._ends: list[CALLBACK_TYPE] = []
        self._sync_soon = Debouncer(hass, _LOGGER, cooldown=COOLDOWN, immediate=False, function=self._sync)

    @property
    def in_use(self) -> bool:
        """Whether there are tags to send or to delete."""
        return self._enabled or bool(self._sent)

    @callback
    def follow(self, *, enabled: bool) -> None:
        """Start or stop to keep the tags in step."""
        if enabled is self._enabled:
            return
        self._enabled = enabled
        if enabled:
            self._ends = [self._hass.bus.async_listen(name, self._changed) for name in _EVENTS]
        else:
            self._unfollow()
        self._schedule()

    @callback
    def connected(self) -> None:
        """Send what has changed meanwhile."""
        self._connected = True
        self._schedule()

    @callback
    def disconnected(self) -> None:
        """Send nothing until the device is connected again."""
        self._connected = False
        self._sync_soon.async_cancel()

    @callback
    def stop(self) -> None:
        """Stop everything; the tags stay, as the device does."""
        self._unfollow()
        self._sync_soon.async_shutdown()

    @property
    def _sent(self) -> dict[str, str] | None:
        """What the cloud has, None if that is not known."""
        return self._hass.data.setdefault(_SENT, {}).get(self._device.identity)

    @callback
    def _unfollow(self) -> None:
        for end in self._ends:
            end()
        self._ends = []

    @callback
    def _changed(self, _event: Event[Any]) -> None:
        self._schedule()

    @callback
    def _schedule(self) -> None:
        if self._connected and self.in_use:
            self._sync_soon.async_schedule_call()

    async def _sync(self) -> None:
        """Send the difference between what the cloud has and what it should have."""
        wanted = self._describe() if self._enabled else {}
        sent = self._sent
        surplus = (OWN_KEYS if sent is None else sent.keys()) - wanted.keys()
        try:
            await update_tags(
                self._device, {key: value for key, value in wanted.items() if (sent or {}).get(key) != value}
            )
            await delete_tags(self._device, sorted(surplus))
        except Rejected as err:
            _LOGGER.warning("The cloud refuses the tags of %s: %s", self._device.topics.device_name, err)
        except (MessageError, NotConnected, RequestTimeout) as err:  # tried again with the next change or connection
            _LOGGER.debug("The tags of %s are not sent: %s", self._device.topics.device_name, err)
        else:
            self._hass.data[_SENT][self._device.identity] = dict(wanted)
            if not self.in_use:
                self._on_idle()
