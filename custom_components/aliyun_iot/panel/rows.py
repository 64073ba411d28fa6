"""The rows of the table of bindings: what Home Assistant has, what the cloud has, and why they differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
import hashlib
import json
import time
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er

from ..alink.foreign import safe
from ..alink.link import LinkState
from ..alink.messages import JsonValue
from ..bound import BoundProperty
from ..cloud_device import CloudDevice
from ..commands.outcome import shortened
from ..const import CONF_BINDINGS, SUBENTRY_EXPOSURE
from ..exposures import bindings_of, resolve_entity
from ..mapping.binding import Binding
from ..mapping.generic import aspect_for
from ..reports.outbox import PropertyStatus
from ..runtime import Runtime
from ..words.labels import Labels
from ..words.refusal_texts import refusal_text

type Row = dict[str, JsonValue]


class RowState(StrEnum):
    """How the two sides of a property compare; the names are `common.panel_state_…` in the translations."""

    IN_STEP = "in_step"
    ON_ITS_WAY = "on_its_way"
    HELD_BACK = "held_back"
    REJECTED = "rejected"
    UNREPORTABLE = "unreportable"
    NO_VALUE = "no_value"
    CONTROL_ONLY = "control_only"
    BROKEN = "broken"


PROBLEMS: Final = frozenset({RowState.REJECTED, RowState.UNREPORTABLE, RowState.BROKEN})
"""The states in which somebody has to do something."""


def digest_of(binding: Binding) -> str:
    """Return a short digest, by which the page finds out that somebody else changed a binding."""
    return hashlib.sha256(json.dumps(binding.as_dict(), sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Rows:
    """Makes the rows of one entry; valid until its bindings change."""

    hass: HomeAssistant
    entry: ConfigEntry
    runtime: Runtime
    labels: Labels
    bindings: Mapping[str, tuple[str, Binding]]
    """The id of the subentry and the binding, by identifier. Of several bindings of one property the first works."""

    @classmethod
    def of(cls, hass: HomeAssistant, entry: ConfigEntry, runtime: Runtime, labels: Labels) -> Rows:
        """Return the rows for what is bound now."""
        bindings: dict[str, tuple[str, Binding]] = {}
        for subentry in entry.subentries.values():
            if subentry.subentry_type == SUBENTRY_EXPOSURE and CONF_BINDINGS in subentry.data:
                for binding in bindings_of(subentry):
                    bindings.setdefault(binding.identifier, (subentry.subentry_id, binding))
        return cls(hass, entry, runtime, labels, bindings)

    @property
    def device(self) -> CloudDevice:
        """The device whose properties are bound."""
        return self.runtime.device

    def signature(self, identifier: str) -> tuple[object, ...]:
        """Return what changes whenever a row does. Cheap, because it is asked for every row twice a second."""
        prop = self.device.bound.by_identifier.get(identifier)
        state = self.hass.states.get(prop.entity_id) if prop and prop.entity_id else None
        status = self.device.reporter.outbox.status.get(identifier) or _NO_STATUS
        return (
            prop,
            state and state.last_updated_timestamp,
            status.changed_at,
            status.sending is None,
            status.sent_at,
            status.accepted_at,
            status.refusal,
            status.rests,
            status.unreportable,
            identifier in self.device.reporter.outbox.waiting,
            self.runtime.link.state is LinkState.ONLINE,
        )

    @callback
    def row(self, identifier: str) -> Row:
        """Return one row: names, both sides, and why they differ."""
        subentry_id, binding = self.bindings[identifier]
        row = self._names(identifier, binding) | {
            "id": identifier,
            "subentry": subentry_id,
            "digest": digest_of(binding),
            "access": binding.access.value,
            "rule": binding.rule,
            "min_interval": binding.min_interval,
            "dead_band": binding.dead_band,
        }
        prop = self.device.bound.by_identifier.get(identifier)
        if prop is None or prop.binding != binding:
            why = self.device.bound.problems.get(identifier, "")
            return row | {"state": RowState.BROKEN, "why": why, "can_set": False}
        return row | self._sides(prop)

    def _names(self, identifier: str, binding: Binding) -> Row:
        entity_id = (resolve_entity(self.hass, binding.entity) if binding.entity else None) or ""
        aspect = aspect_for(binding, entity_id)
        model = self.device.model
        definition = model.properties.get(identifier) if model else None
        device, area = self._place(entity_id)
        return {
            "name": safe(definition.name) if definition else "",
            "type": self.labels.values(definition.data_type) if definition else "",
            "entity_id": entity_id,
            "entity": self.labels.entity(binding.entity) if binding.entity else "",
            "aspect": self.labels.aspect(aspect) if aspect else binding.aspect,
            "device": device,
            "area": area,
        }

    def _place(self, entity_id: str) -> tuple[str, str]:
        """Return the names of the device and the area of an entity."""
        registered = er.async_get(self.hass).async_get(entity_id)
        if registered is None:
            return "", ""
        device = dr.async_get(self.hass).async_get(registered.device_id) if registered.device_id else None
        area_id = registered.area_id or (device.area_id if device else None)
        area = ar.async_get(self.hass).async_get_area(area_id) if area_id else None
        return (device.name_by_user or device.name or "") if device else "", area.name if area else ""

    def _sides(self, prop: BoundProperty) -> Row:
        identifier = prop.identifier
        present, status = self.device.reporter.status(identifier)
        state, why = self._compared(prop, present.value if present else None, status)
        return {
            "ha": self._shown(identifier, present.value) if present else None,
            "sent": self._shown(identifier, status.sent.value) if status.sent else None,
            "sent_at": _moment(status.sent_at),
            "taken": self._shown(identifier, status.accepted.value) if status.accepted else None,
            "taken_at": _moment(status.accepted_at),
            "state": state,
            "why": why,
            "can_set": prop.writable and prop.binding.access.controls,
        }

    def _shown(self, identifier: str, value: JsonValue) -> JsonValue:
        """Return a value masked and shortened."""
        found: JsonValue = shortened(self.device.private.masked(identifier, value))
        return found

    def _compared(self, prop: BoundProperty, present: JsonValue, status: PropertyStatus) -> tuple[RowState, str]:
        """Return how the sides compare, and why they differ."""
        if not prop.reports:
            return RowState.CONTROL_ONLY, ""
        if status.unreportable:
            return RowState.UNREPORTABLE, status.unreportable.describe(self.labels.language)
        if status.refusal:
            return RowState.REJECTED, refusal_text(status.refusal.reason, self.labels.language)
        waits = prop.identifier in self.device.reporter.outbox.waiting
        if (waits or status.sending) and self.runtime.link.state is not LinkState.ONLINE:
            return RowState.HELD_BACK, self.labels.text("common.panel_held_offline")
        if waits and prop.binding.min_interval:
            return RowState.HELD_BACK, self._text("interval", seconds=f"{prop.binding.min_interval:g}")
        if waits or status.sending:
            return RowState.ON_ITS_WAY, ""
        if present is None:
            return RowState.NO_VALUE, self._absence(prop)
        if status.accepted is None:
            return RowState.ON_ITS_WAY, ""
        if status.accepted.value != present and prop.binding.dead_band:
            return RowState.HELD_BACK, self._text("dead_band", amount=f"{prop.binding.dead_band:g}")
        return RowState.IN_STEP, ""

    def _absence(self, prop: BoundProperty) -> str:
        state: State | None = self.hass.states.get(prop.entity_id) if prop.entity_id else None
        return self.labels.state(state) if state else self.labels.text("common.unavailable")

    def _text(self, key: str, **placeholders: str) -> str:
        return self.labels.text(f"common.panel_held_{key}", **placeholders)


_NO_STATUS: Final = PropertyStatus()


def _moment(monotonic: float | None) -> float | None:
    """Return a monotonic moment in seconds since the epoch."""
    return None if monotonic is None else round(time.time() - (time.monotonic() - monotonic), 1)


def changed_rows(rows: Rows, known: dict[str, tuple[object, ...]]) -> Iterator[str]:
    """Yield the identifiers of the rows that differ from what is `known`, and note their new signatures there."""
    for identifier in rows.bindings:
        signature = rows.signature(identifier)
        if known.get(identifier) != signature:
            known[identifier] = signature
            yield identifier
