"""The rows of the table of bindings: what Home Assistant has, what the cloud has, and why they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
import hashlib
import json
import time
from typing import Final, NamedTuple

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er

from ..alink.foreign import safe
from ..alink.messages import JsonValue
from ..alink.model.thing_model import ThingModel
from ..bound import BoundProperty, Fault
from ..cloud_device import CloudDevice
from ..commands.outcome import shortened
from ..const import OWN
from ..exposures import Absence, absence, exposures_of, keyed_rows, resolve_entity
from ..mapping.binding import Binding
from ..mapping.check import Problem, control_problems, model_problems
from ..mapping.generic import NO_ENTITY_STATE, aspect_for
from ..mapping.stored import Unreadable, same_objects
from ..reports.outbox import PropertyStatus
from ..risk import risk_in
from ..runtime import Runtime
from ..stored_device import sub_devices_of
from ..words.fault_texts import row_reason
from ..words.labels import Labels
from ..words.refusal_texts import refusal_text

type Row = dict[str, JsonValue]


class RowState(StrEnum):
    """How the two sides of a property compare; the names are `common.panel_state_…` in the translations."""

    IN_STEP = "in_step"
    ON_ITS_WAY = "on_its_way"
    HELD_BACK = "held_back"
    NO_VALUE = "no_value"
    CONTROL_ONLY = "control_only"
    REJECTED = "rejected"
    UNREPORTABLE = "unreportable"
    NOT_SETTABLE = "not_settable"
    MISFIT = "misfit"
    NOT_IN_MODEL = "not_in_model"
    ENTITY_GONE = "entity_gone"
    ENTITY_DISABLED = "entity_disabled"
    BROKEN = "broken"


HARMLESS: Final = frozenset(
    {RowState.IN_STEP, RowState.ON_ITS_WAY, RowState.HELD_BACK, RowState.NO_VALUE, RowState.CONTROL_ONLY}
)
"""The states in which nobody has to do anything."""

_ABSENT: Final = {Absence.REMOVED: RowState.ENTITY_GONE, Absence.DISABLED: RowState.ENTITY_DISABLED}
_BROKEN: Final = {Fault.ENTITY_GONE: RowState.ENTITY_GONE, Fault.NOT_IN_MODEL: RowState.NOT_IN_MODEL}
"""The states for what keeps a binding from working; all others are broken."""


def row_id(owner: str, key: str) -> str:
    """Return the id of the row of a binding of a device: its key, behind the id of the sub-device if it belongs to one."""
    return f"{owner}/{key}" if owner else key


def split_id(row: str) -> tuple[str, str]:
    """Return the owner and the key of a row; no identifier has a slash."""
    owner, _, key = row.rpartition("/")
    return owner, key


def digest_of(binding: Binding) -> str:
    """Return a short digest, by which the page finds out that somebody else changed a binding."""
    return hashlib.sha256(json.dumps(binding.as_dict(), sort_keys=True).encode()).hexdigest()[:16]


class Bound(NamedTuple):
    """A stored binding: the device that it belongs to, and its key there."""

    owner: str
    key: str
    binding: Binding | Unreadable


@dataclass(frozen=True, slots=True)
class Rows:
    """Makes the rows of one entry; valid until its subentries change."""

    hass: HomeAssistant
    entry: ConfigEntry
    runtime: Runtime
    labels: Labels
    stored: Sequence[object]
    """What the bindings were read from, which Home Assistant replaces when it changes."""
    bindings: Mapping[str, Bound]
    """By the ids of the rows. Of several bindings of one property the first works."""

    @classmethod
    def of(cls, hass: HomeAssistant, entry: ConfigEntry, runtime: Runtime, labels: Labels) -> Rows:
        """Return the rows for what is bound now."""
        bindings: dict[str, Bound] = {}
        for owner in (OWN, *(device.owner for device in sub_devices_of(entry))):
            for subentry in exposures_of(entry, owner):
                for key, binding in keyed_rows(subentry):
                    bindings.setdefault(row_id(owner, key), Bound(owner, key, binding))
        return cls(hass, entry, runtime, labels, _stored(entry), bindings)

    @property
    def is_current(self) -> bool:
        """Whether nothing else is stored, and the same devices run."""
        same = self.entry.state is ConfigEntryState.LOADED and self.entry.runtime_data is self.runtime
        return same and same_objects(self.stored, _stored(self.entry))

    def signature(self, row: str) -> tuple[object, ...]:
        """Return what changes whenever a row does. Cheap, because it is asked for every row twice a second.

        What is replaced when it changes is compared by identity first.
        """
        bound = self.bindings[row]
        device = self.runtime.cloud_device(bound.owner)
        if device is None:
            return bound
        prop = device.bound.by_identifier.get(bound.key)
        entity_id = (prop and prop.entity_id) or ""
        state = self.hass.states.get(entity_id) if entity_id else None
        outbox = device.reporter.outbox
        status = outbox.status.get(bound.key) or _NO_STATUS
        return (
            bound,
            prop,
            device.bound.problems.get(bound.key),
            state and state.last_updated_timestamp,
            er.async_get(self.hass).async_get(entity_id) if entity_id else None,
            status.changed_at,
            status.sending is None,
            status.sent_at,
            status.accepted_at,
            status.refusal,
            status.rests,
            status.unreportable,
            bound.key in outbox.waiting,
            device.loops.is_paused(bound.key),
            device.online,
        )

    @callback
    def row(self, row: str) -> Row:
        """Return one row: names, both sides, and why they differ."""
        owner, key, binding = self.bindings[row]
        about: Row = _EMPTY | {"id": row, "owner": owner, "identifier": key}
        if isinstance(binding, Unreadable):
            why = row_reason(self.labels, binding)
            return about | {"identifier": binding.name or key, "state": RowState.BROKEN, "why": why}
        device = self.runtime.cloud_device(owner)
        model = device.model if device else None
        about |= self._names(binding, model) | {
            "digest": digest_of(binding),
            "access": binding.access.value,
            "rule": binding.rule,
        }
        if binding.entity and (missing := absence(self.hass, binding.entity)):
            return about | {"state": _ABSENT[missing]}
        if device is None:
            return about | {"state": RowState.HELD_BACK, "why": self.labels.text("common.panel_not_running")}
        prop = device.bound.by_identifier.get(key)
        if prop is None and (broken := device.bound.problems.get(key)):
            state = _BROKEN.get(broken.fault, RowState.BROKEN)
            why = broken.describe(self.labels.language)
            return about | {"state": state, "why": why if state is RowState.BROKEN else ""}
        if prop is None or prop.binding != binding:  # it has just been changed
            return about | {"state": RowState.ON_ITS_WAY}
        return about | _Sides(self.hass, self.labels, device).of(prop)

    def _names(self, binding: Binding, model: ThingModel | None) -> Row:
        entity_id = (resolve_entity(self.hass, binding.entity) if binding.entity else None) or ""
        aspect = aspect_for(binding, entity_id)
        definition = model.properties.get(binding.identifier) if model else None
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


@dataclass(frozen=True, slots=True)
class _Sides:
    """Compares both sides of the properties of one device."""

    hass: HomeAssistant
    labels: Labels
    device: CloudDevice

    def of(self, prop: BoundProperty) -> Row:
        """Return what Home Assistant has, what was sent and what the cloud took, and why they differ."""
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
        }

    def _shown(self, identifier: str, value: JsonValue) -> JsonValue:
        """Return a value masked and shortened."""
        found: JsonValue = shortened(self.device.private.masked(identifier, value))
        return found

    def _compared(self, prop: BoundProperty, present: JsonValue, status: PropertyStatus) -> tuple[RowState, str]:
        """Return how the sides compare, and why they differ."""
        if prop.model and (problems := model_problems(prop.binding, prop.aspect, prop.model)):
            read_only = problems[0].key == "read_only_property"
            return RowState.NOT_SETTABLE if read_only else RowState.MISFIT, self._problem(prop, problems[0])
        if status.unreportable:
            return RowState.UNREPORTABLE, status.unreportable.describe(self.labels.language)
        if status.refusal:
            return RowState.REJECTED, refusal_text(status.refusal.reason, self.labels.language)
        if prop.binding.access.controls and (reason := self._not_settable(prop)):
            return RowState.NOT_SETTABLE, reason
        if not prop.reports:
            return RowState.CONTROL_ONLY, ""
        waits = prop.identifier in self.device.reporter.outbox.waiting
        if (waits or status.sending) and not self.device.online:
            return RowState.HELD_BACK, self.labels.text("common.panel_held_offline")
        if waits and prop.binding.min_interval:
            return RowState.HELD_BACK, self._text("interval", seconds=f"{prop.binding.min_interval:g}")
        if waits or status.sending:
            return RowState.ON_ITS_WAY, ""
        if present is None:
            return RowState.NO_VALUE, self._absence(prop)
        if status.accepted is not None and status.accepted.value == present:
            return RowState.IN_STEP, ""
        if status.accepted is not None and prop.binding.dead_band:
            return RowState.HELD_BACK, self._text("dead_band", amount=f"{prop.binding.dead_band:g}")
        return RowState.ON_ITS_WAY, ""

    def _not_settable(self, prop: BoundProperty) -> str:
        """Return why the cloud cannot set a property that is bound for control; empty if it can."""
        if self.device.loops.is_paused(prop.identifier):
            return self.labels.text("common.panel_paused_loop")
        state = self.hass.states.get(prop.entity_id) if prop.entity_id else NO_ENTITY_STATE
        if state is None or state.state == STATE_UNAVAILABLE:  # what it can do is not known at the moment
            return ""
        problems = control_problems(prop.binding, prop.aspect, state, risk_in(self.hass))
        return self._problem(prop, problems[0]) if problems else ""

    def _problem(self, prop: BoundProperty, problem: Problem) -> str:
        words = self.labels.problem(problem, prop.aspect, prop.model)
        return self.labels.text(f"options.error.{problem.key}", **words)

    def _absence(self, prop: BoundProperty) -> str:
        state: State | None = self.hass.states.get(prop.entity_id) if prop.entity_id else None
        shown = self.labels.state(state) if state else self.labels.text("common.unavailable")
        return self.labels.text("common.panel_no_value_now", state=shown)

    def _text(self, key: str, **placeholders: str) -> str:
        return self.labels.text(f"common.panel_held_{key}", **placeholders)


_NO_STATUS: Final = PropertyStatus()


def _stored(entry: ConfigEntry) -> list[object]:
    return [subentry.data for subentry in entry.subentries.values()]


_EMPTY: Final[Row] = {
    "name": "",
    "digest": "",
    "type": "",
    "entity_id": "",
    "entity": "",
    "aspect": "",
    "device": "",
    "area": "",
    "access": "",
    "rule": "",
    "why": "",
}


def _moment(monotonic: float | None) -> float | None:
    """Return a monotonic moment in seconds since the epoch."""
    return None if monotonic is None else round(time.time() - (time.monotonic() - monotonic), 1)
