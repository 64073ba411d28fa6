"""Diagnostic sensors: numbers of messages, values and commands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_time_interval

from .entity import CloudEntity
from .runtime import AliyunConfigEntry, Runtime

PARALLEL_UPDATES = 0

UPDATE_INTERVAL: Final = timedelta(seconds=30)
"""The numbers change with every message, so they are polled to keep the recorder's database small."""


@dataclass(frozen=True, kw_only=True)
class DiagnosticSensorDescription(SensorEntityDescription):
    """Describes a sensor; `read` returns its number."""

    read: Callable[[Runtime], int]


def _sensor(
    key: str, read: Callable[[Runtime], int], state_class: SensorStateClass = SensorStateClass.TOTAL_INCREASING
) -> DiagnosticSensorDescription:
    return DiagnosticSensorDescription(
        key=key,
        translation_key=key,
        state_class=state_class,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        read=read,
    )


SENSORS: Final = (
    _sensor("messages_sent", lambda runtime: runtime.device.reporter.counters.posts),
    _sensor("values_sent", lambda runtime: runtime.device.reporter.counters.sent),
    _sensor("values_merged", lambda runtime: runtime.device.reporter.counters.merged),
    _sensor("values_rejected", lambda runtime: runtime.device.reporter.counters.rejected),
    _sensor("values_retried", lambda runtime: runtime.device.reporter.counters.retried),
    _sensor("values_dropped", lambda runtime: runtime.device.reporter.counters.dropped),
    _sensor("values_buffered", lambda runtime: runtime.device.reporter.buffered, SensorStateClass.MEASUREMENT),
    _sensor("commands_received", lambda runtime: runtime.device.commander.journal.received),
    _sensor("commands_refused", lambda runtime: runtime.device.commander.journal.refused),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AliyunConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors; disabled ones start no timer."""
    async_add_entities(DiagnosticSensor(entry, description) for description in SENSORS)


class DiagnosticSensor(CloudEntity, SensorEntity):
    """A number counted since the entry was set up. It is available without a connection as well."""

    entity_description: DiagnosticSensorDescription

    def __init__(self, entry: AliyunConfigEntry, description: DiagnosticSensorDescription) -> None:
        """Start with the present number."""
        super().__init__(entry, description.key)
        self.entity_description = description
        self._attr_native_value = self._read()

    @override
    async def async_added_to_hass(self) -> None:
        """Poll the number."""
        self.async_on_remove(
            async_track_time_interval(
                self.hass, self._poll, UPDATE_INTERVAL, name=self.entity_id, cancel_on_shutdown=True
            )
        )

    @callback
    def _poll(self, _now: object) -> None:
        number = self._read()
        if number != self._attr_native_value:
            self._attr_native_value = number
            self.async_write_ha_state()

    def _read(self) -> int:
        return self.entity_description.read(self._entry.runtime_data)
