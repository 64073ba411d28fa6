"""What the cloud commands, as events: one entity for property sets, one for each bound service."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Final, override

from homeassistant.components.event import EventEntity
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .alink.codes import Code
from .alink.command import CommandKind
from .commands.discretion import shown
from .const import SUBENTRY_SERVICE
from .entity import CloudEntity, device_info
from .listeners import Listener, TriggerKind, listeners_of
from .mapping.binding import ServiceBinding
from .runtime import AliyunConfigEntry

PARALLEL_UPDATES = 0


class Ending(StrEnum):
    """How a command can end: carried out, not even tried, or tried in vain."""

    EXECUTED = "executed"
    REFUSED = "refused"
    FAILED = "failed"


_FAILURES: Final = frozenset({Code.ACTION_FAILED, Code.INTERNAL_ERROR, Code.TIMED_OUT, Code.UNAVAILABLE})


async def async_setup_entry(
    hass: HomeAssistant, entry: AliyunConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entities, and those of services that are bound later."""
    async_add_entities([PropertySetEvent(entry, "property_set")])
    device = dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, **device_info(entry))
    known: set[str] = set()

    @callback
    def add_services() -> None:
        services = {key: one for key, one in entry.subentries.items() if one.subentry_type == SUBENTRY_SERVICE}
        for key in services.keys() - known:
            async_add_entities([ServiceEvent(entry, services[key], device)], config_subentry_id=key)
        known.clear()
        known.update(services)

    async def updated(_hass: HomeAssistant, _entry: AliyunConfigEntry) -> None:
        add_services()

    add_services()
    entry.async_on_unload(entry.add_update_listener(updated))


class CommandEvent(CloudEntity, EventEntity):
    """Fires when a command of one kind was answered; `wanted` is the name to listen for."""

    kind: ClassVar[CommandKind]
    input_name: ClassVar[str]
    wanted: str

    def __init__(self, entry: AliyunConfigEntry, key: str) -> None:
        """Nothing has happened yet."""
        super().__init__(entry, key)
        self._attr_event_types = [*Ending]

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the answers."""
        listener = Listener(self._entry.entry_id, TriggerKind.COMMAND_ANSWERED, self.wanted, self._hear)
        self.async_on_remove(listeners_of(self.hass).add(listener))

    @callback
    def _hear(self, details: Mapping[str, Any], context: Context | None) -> None:
        if details["kind"] != self.kind:  # a service may be called like a kind of command
            return
        attributes = {
            self.input_name: shown("", details["input"]),
            "code": details["code"],
            "message": shown("", details["message"]),
            "message_id": details["message_id"],
        }
        self._trigger_event(_ending(details["code"]), attributes)
        if context:
            self.async_set_context(context)
        self.async_write_ha_state()


class PropertySetEvent(CommandEvent):
    """Fires when the cloud has set properties, or tried to."""

    _attr_translation_key = "property_set"
    kind = CommandKind.PROPERTY_SET
    input_name = "properties"
    wanted = CommandKind.PROPERTY_SET


class ServiceEvent(CommandEvent):
    """Fires when the cloud has called a bound service."""

    _attr_translation_key = "service"
    kind = CommandKind.SERVICE
    input_name = "input"

    def __init__(self, entry: AliyunConfigEntry, subentry: ConfigSubentry, device: dr.DeviceEntry) -> None:
        """Belong to the subentry of the service, which takes the entity along when it goes.

        The device belongs to no subentry, so it is attached as it is: told of as device info, it would move there.
        """
        super().__init__(entry, f"service_{subentry.subentry_id}")
        self._attr_device_info = None
        self.device_entry = device
        self.wanted = ServiceBinding.from_dict(subentry.data).identifier
        self._attr_translation_placeholders = {"service": self.wanted}


def _ending(code: int) -> Ending:
    if code == Code.SUCCESS:
        return Ending.EXECUTED
    return Ending.FAILED if code in _FAILURES else Ending.REFUSED
