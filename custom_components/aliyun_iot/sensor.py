"""Sensors: the state of the bindings and of the connection, and numbers of messages, values and commands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
import time
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.typing import StateType
from homeassistant.util import dt as dt_util

from .entity import CloudEntity
from .reasons import all_reasons, reason_of
from .runtime import AliyunConfigEntry, Runtime, link_signal

PARALLEL_UPDATES = 0

UPDATE_INTERVAL: Final = timedelta(seconds=30)
"""The numbers change with every message, so they are polled to keep the recorder's database small."""

MAX_LISTED: Final = 10
"""Problems that the attributes name."""

MAX_REASON: Final = 200
"""Characters of a reason in the attributes."""


@dataclass(frozen=True, kw_only=True)
class DiagnosticSensorDescription(SensorEntityDescription):
    """Describes a sensor; `read` returns its state, `attributes` what else belongs to it, `last_reset` the start of a total."""

    read: Callable[[Runtime], StateType | datetime]
    attributes: Callable[[Runtime], dict[str, Any]] | None = None
    reset_at: Callable[[Runtime], datetime] | None = None


def _number(
    key: str, read: Callable[[Runtime], int], state_class: SensorStateClass = SensorStateClass.TOTAL_INCREASING
) -> DiagnosticSensorDescription:
    """Describe a number for those who look for it; it is disabled by default."""
    return DiagnosticSensorDescription(
        key=key,
        translation_key=key,
        state_class=state_class,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        read=read,
    )


def _last_problem(runtime: Runtime) -> str | None:
    return reason_of(runtime.last_problem[0]) if runtime.last_problem else None


def _last_problem_at(runtime: Runtime) -> dict[str, Any]:
    return {"at": runtime.last_problem[1].isoformat(timespec="seconds")} if runtime.last_problem else {}


def _problems(runtime: Runtime) -> dict[str, Any]:
    problems = sorted(runtime.device.problems().items())[:MAX_LISTED]
    return {"problems": {identifier: reason[:MAX_REASON] for identifier, reason in problems}}


def _last_accepted_post(runtime: Runtime) -> datetime | None:
    at = runtime.device.reporter.outbox.accepted_at
    return None if at is None else dt_util.utcnow() - timedelta(seconds=round(time.monotonic() - at))


def _projected(runtime: Runtime) -> dict[str, Any]:
    return {"projected": runtime.traffic_log.month().projected}


SENSORS: Final = (
    DiagnosticSensorDescription(
        key="last_problem",
        translation_key="last_problem",
        device_class=SensorDeviceClass.ENUM,
        options=all_reasons(),
        entity_category=EntityCategory.DIAGNOSTIC,
        read=_last_problem,
        attributes=_last_problem_at,
    ),
    DiagnosticSensorDescription(
        key="bound_properties",
        translation_key="bound_properties",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        read=lambda runtime: len(runtime.device.bound.by_identifier),
    ),
    DiagnosticSensorDescription(
        key="problems",
        translation_key="problems",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        read=lambda runtime: len(runtime.device.problems()),
        attributes=_problems,
    ),
    DiagnosticSensorDescription(
        key="last_accepted_post",
        translation_key="last_accepted_post",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        read=_last_accepted_post,
    ),
    DiagnosticSensorDescription(
        key="messages_this_month",
        translation_key="messages_this_month",
        state_class=SensorStateClass.TOTAL,
        entity_category=EntityCategory.DIAGNOSTIC,
        read=lambda runtime: runtime.traffic_log.month().messages,
        attributes=_projected,
        reset_at=lambda runtime: runtime.traffic_log.month().start,
    ),
    _number("messages_sent", lambda runtime: runtime.device.reporter.counters.posts),
    _number("values_sent", lambda runtime: runtime.device.reporter.counters.sent),
    _number("values_merged", lambda runtime: runtime.device.reporter.counters.merged),
    _number("values_rejected", lambda runtime: runtime.device.reporter.counters.rejected),
    _number("values_retried", lambda runtime: runtime.device.reporter.counters.retried),
    _number("values_dropped", lambda runtime: runtime.device.reporter.counters.dropped),
    _number("values_buffered", lambda runtime: runtime.device.reporter.buffered, SensorStateClass.MEASUREMENT),
    _number("commands_received", lambda runtime: runtime.device.commander.journal.received),
    _number("commands_refused", lambda runtime: runtime.device.commander.journal.refused),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: AliyunConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors; disabled ones start no timer."""
    async_add_entities(DiagnosticSensor(entry, description) for description in SENSORS)


class DiagnosticSensor(CloudEntity, SensorEntity):
    """What is known about the device since the entry was set up. It is available without a connection as well."""

    _unrecorded_attributes = frozenset({"problems", "projected"})

    entity_description: DiagnosticSensorDescription

    def __init__(self, entry: AliyunConfigEntry, description: DiagnosticSensorDescription) -> None:
        """Start with the present state."""
        super().__init__(entry, description.key)
        self.entity_description = description
        self._read()

    @override
    async def async_added_to_hass(self) -> None:
        """Poll; those that people see at once also follow the state of the link and changes of the entry."""
        self.async_on_remove(
            async_track_time_interval(
                self.hass, self._poll, UPDATE_INTERVAL, name=self.entity_id, cancel_on_shutdown=True
            )
        )
        if self.entity_description.entity_registry_enabled_default:
            self.async_on_remove(async_dispatcher_connect(self.hass, link_signal(self._entry.entry_id), self._poll))

    @callback
    def _poll(self, _now: object = None) -> None:
        before = self._attr_native_value, self._attr_extra_state_attributes
        self._read()
        if before != (self._attr_native_value, self._attr_extra_state_attributes):
            self.async_write_ha_state()

    def _read(self) -> None:
        description, runtime = self.entity_description, self._entry.runtime_data
        value = description.read(runtime)
        if not (isinstance(value, datetime) and self._is_same(value)):
            self._attr_native_value = value
        attributes: Mapping[str, Any] = description.attributes(runtime) if description.attributes else {}
        self._attr_extra_state_attributes = dict(attributes)
        if description.reset_at:
            self._attr_last_reset = description.reset_at(runtime)

    def _is_same(self, moment: datetime) -> bool:
        """Return whether a moment, which is known to the second, is the one that is shown."""
        shown = self._attr_native_value
        return isinstance(shown, datetime) and abs(moment - shown) <= timedelta(seconds=1)
