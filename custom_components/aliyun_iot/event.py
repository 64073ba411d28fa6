"""Commands of the cloud as event entities: one for property sets, one for each bound service."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Final, override

from homeassistant.components.event import EventEntity
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .alink.codes import Code
from .alink.command import CommandKind
from .commands.outcome import cut_text, shortened
from .const import SUBENTRY_SERVICE
from .entity import CloudEntity, device_info, sub_device_info
from .listeners import Listener, TriggerKind, listeners_of
from .mapping.binding import ServiceBinding
from .runtime import AliyunConfigEntry
from .stored_device import StoredDevice

PARALLEL_UPDATES = 0


class CommandEventType(StrEnum):
    """The result of a command: carried out, refused before anything was done, or failed."""

    EXECUTED = "executed"
    REFUSED = "refused"
    FAILED = "failed"


_FAILURES: Final = frozenset({Code.ACTION_FAILED, Code.INTERNAL_ERROR, Code.TIMED_OUT, Code.UNAVAILABLE})


async def async_setup_entry(
    hass: HomeAssistant, entry: AliyunConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the entities, also those of services that are bound later."""
    async_add_entities([PropertySetEvent(entry, "property_set")])
    known: set[str] = set()

    @callback
    def add_services() -> None:
        services = {
            subentry_id: binding
            for subentry_id, subentry in entry.subentries.items()
            if subentry.subentry_type == SUBENTRY_SERVICE
            and isinstance(binding := ServiceBinding.from_stored(subentry.data), ServiceBinding)
            and (not binding.owner or binding.owner in entry.subentries)
        }
        for subentry_id in services.keys() - known:
            event = ServiceEvent(hass, entry, subentry_id, services[subentry_id])
            async_add_entities([event], config_subentry_id=subentry_id)
        known.clear()
        known.update(services)

    async def updated(_hass: HomeAssistant, _entry: AliyunConfigEntry) -> None:
        add_services()

    add_services()
    entry.async_on_unload(entry.add_update_listener(updated))


class CommandEvent(CloudEntity, EventEntity):
    """Fires when a command was answered.

    It is a command of this `kind` with this `listener_name`. `input_attribute` is the attribute with what the cloud sent.
    """

    _unrecorded_attributes = frozenset({"input", "message", "message_id", "properties"})
    """Values are kept out of the database, and so is what is different each time."""

    kind: ClassVar[CommandKind]
    input_attribute: ClassVar[str]
    listener_name: str

    def __init__(self, entry: AliyunConfigEntry, key: str) -> None:
        """Start without an event."""
        super().__init__(entry, key)
        self.listener_key = entry.entry_id
        """The key of the device whose commands are meant."""
        self._attr_event_types = [*CommandEventType]

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to answered commands."""
        listener = Listener(self.listener_key, TriggerKind.COMMAND_ANSWERED, self.listener_name, self._command_answered)
        self.async_on_remove(listeners_of(self.hass).add(listener))

    @callback
    def _command_answered(self, details: Mapping[str, Any], context: Context | None) -> None:
        if details["kind"] != self.kind:  # a service may have the name of a kind of command
            return
        attributes = {
            self.input_attribute: shortened(details["input"]),
            "code": details["code"],
            "message": shortened(details["message"]),
            "message_id": cut_text(details["message_id"]),
        }
        self._trigger_event(_event_type(details["code"]), attributes)
        if context:
            self.async_set_context(context)
        self.async_write_ha_state()


class PropertySetEvent(CommandEvent):
    """Fires when a property set was answered."""

    _attr_translation_key = "property_set"
    kind = CommandKind.PROPERTY_SET
    input_attribute = "properties"
    listener_name = CommandKind.PROPERTY_SET


class ServiceEvent(CommandEvent):
    """Fires when a call of a bound service was answered."""

    _attr_translation_key = "service"
    kind = CommandKind.SERVICE
    input_attribute = "input"

    def __init__(
        self, hass: HomeAssistant, entry: AliyunConfigEntry, subentry_id: str, service: ServiceBinding
    ) -> None:
        """Belong to the subentry of the service, with which the entity is removed.

        The device does not belong to this subentry, so it is attached directly: as device info it would be moved there.
        """
        super().__init__(entry, f"service_{subentry_id}")
        self.listener_key = StoredDevice(entry, service.owner).key
        self.device_entry = dr.async_get(hass).async_get_or_create(
            config_entry_id=entry.entry_id,
            config_subentry_id=service.owner or None,
            **(sub_device_info(hass, entry, service.owner) if service.owner else device_info(entry)),
        )
        self.listener_name = service.identifier
        self._attr_translation_placeholders = {"service": self.listener_name}

    @property
    @override
    def device_info(self) -> None:
        """Return nothing, as the device is attached already."""


def _event_type(code: int) -> CommandEventType:
    if code == Code.SUCCESS:
        return CommandEventType.EXECUTED
    return CommandEventType.FAILED if code in _FAILURES else CommandEventType.REFUSED
