"""What has become of all values and commands, in figures for those who look for the cause of a problem."""

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

PERIOD: Final = timedelta(seconds=30)
"""How often the figures are looked at: they change with every message, which nobody wants to have recorded."""


@dataclass(frozen=True, kw_only=True)
class FigureDescription(SensorEntityDescription):
    """A figure and where it comes from."""

    read: Callable[[Runtime], int]


def _figure(
    key: str, read: Callable[[Runtime], int], state_class: SensorStateClass = SensorStateClass.TOTAL_INCREASING
) -> FigureDescription:
    return FigureDescription(
        key=key,
        translation_key=key,
        state_class=state_class,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        read=read,
    )


FIGURES: Final = (
    _figure("messages_sent", lambda runtime: runtime.device.reporter.counters.posts),
    _figure("values_sent", lambda runtime: runtime.device.reporter.counters.sent),
    _figure("values_merged", lambda runtime: runtime.device.reporter.counters.merged),
    _figure("values_rejected", lambda runtime: runtime.device.reporter.counters.rejected),
    _figure("values_retried", lambda runtime: runtime.device.reporter.counters.retried),
    _figure("values_dropped", lambda runtime: runtime.device.reporter.counters.dropped),
    _figure("values_buffered", lambda runtime: runtime.device.reporter.buffered, SensorStateClass.MEASUREMENT),
    _figure("commands_received", lambda runtime: runtime.device.commander.journal.received),
    _figure("commands_refused", lambda runtime: runtime.device.commander.journal.refused),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AliyunConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors; those that are not enabled cost nothing."""
    async_add_entities(FigureSensor(entry, description) for description in FIGURES)


class FigureSensor(CloudEntity, SensorEntity):
    """A figure since the device was set up; always available, since it is known here."""

    entity_description: FigureDescription

    def __init__(self, entry: AliyunConfigEntry, description: FigureDescription) -> None:
        """Show the present figure."""
        super().__init__(entry, description.key)
        self.entity_description = description
        self._attr_native_value = self._read()

    @override
    async def async_added_to_hass(self) -> None:
        """Look at the figure from time to time."""
        self.async_on_remove(
            async_track_time_interval(self.hass, self._look, PERIOD, name=self.entity_id, cancel_on_shutdown=True)
        )

    @callback
    def _look(self, _now: object) -> None:
        figure = self._read()
        if figure != self._attr_native_value:
            self._attr_native_value = figure
            self.async_write_ha_state()

    def _read(self) -> int:
        return self.entity_description.read(self._entry.runtime_data)
