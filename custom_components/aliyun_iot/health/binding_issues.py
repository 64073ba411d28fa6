"""The issues about what is bound and cannot work: rows that cannot be read, missing entities, unusable conditions."""

from collections.abc import Mapping, Sequence
from typing import Final

from homeassistant.core import CALLBACK_TYPE, CoreState, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.event import async_track_state_change_event

from ..alink.foreign import Safe, logger_of, safe
from ..exposures import Absence, absence, resolve_entity
from ..stored_device import StoredDevice
from ..stored_faults import StoredFault
from ..words.fault_texts import fault_text
from ..words.labels import Labels
from .issues import Issue, Issues, listed

_LOGGER = logger_of(__name__)

COOLDOWN: Final = 1.0
"""Seconds to wait for further entities: a reload takes all entities of an integration away and brings them back."""


class BindingIssues:
    """Creates and deletes the issues of one device."""

    def __init__(self, hass: HomeAssistant, device: StoredDevice, issues: Issues) -> None:
        """Start without bindings."""
        self._hass = hass
        self._device = device
        self._issues = issues
        self._faults: Sequence[StoredFault] = ()
        self._conditions: Mapping[str, str] = {}
        self._untrack: CALLBACK_TYPE | None = None
        self._debouncer = Debouncer(hass, _LOGGER, cooldown=COOLDOWN, immediate=False, function=self._report)

    @callback
    def start(self) -> None:
        """Report what should be there now that Home Assistant has started."""
        self._report()

    @callback
    def stop(self) -> None:
        """Stop listening."""
        self._unlisten()
        self._debouncer.async_shutdown()

    @callback
    def follow(self, faults: Sequence[StoredFault], conditions: Mapping[str, str]) -> None:
        """Report the problems of what is stored now.

        `faults` are what cannot be read, `conditions` why a condition cannot be used, by the identifier of what it guards, or
        "" for all commands.
        """
        self._unlisten()
        unregistered = {reference for _, reference in self._device.references() if "." in reference}
        self._untrack = async_track_state_change_event(self._hass, unregistered, self._came_or_went)
        self._faults, self._conditions = faults, conditions
        self._report()

    @callback
    def conditions_changed(self, conditions: Mapping[str, str]) -> None:
        """Report why conditions cannot be used."""
        self._conditions = conditions
        self._report()

    @callback
    def _came_or_went(self, event: Event[EventStateChangedData]) -> None:
        """Handle an entity that came or went; one that is not registered is known by its state only."""
        came_or_went = event.data["old_state"] is None or event.data["new_state"] is None
        if came_or_went and self._hass.state is CoreState.running:
            self._debouncer.async_schedule_call()

    def _unlisten(self) -> None:
        if self._untrack:
            self._untrack()
            self._untrack = None

    @callback
    def _report(self) -> None:
        absent: dict[Absence, list[str]] = {Absence.REMOVED: [], Absence.DISABLED: []}
        for identifier, reference in sorted(set(self._device.references())):
            if (why := absence(self._hass, reference)) is Absence.DISABLED:
                absent[why].append(f"{identifier}: {resolve_entity(self._hass, reference)}")
            elif why:
                absent[why].append(identifier)
        if self._device.has_lost_its_device(self._hass):  # there is an issue about that
            absent[Absence.REMOVED].clear()
        self._show(Issue.ENTITY_GONE, "bindings", absent[Absence.REMOVED])
        self._show(Issue.ENTITY_DISABLED, "bindings", absent[Absence.DISABLED])
        if self._faults or self._conditions:
            self._device.entry.async_create_task(self._hass, self._report_texts(), "Aliyun bindings that cannot work")
        else:
            self._issues.delete(Issue.ROWS_UNREADABLE)
            self._issues.delete(Issue.CONDITION_UNUSABLE)

    async def _report_texts(self) -> None:
        labels = await Labels.load(self._hass)
        self._show(Issue.ROWS_UNREADABLE, "rows", [fault_text(labels, fault) for fault in self._faults])
        # While Home Assistant starts, what a condition needs may not be there yet.
        conditions = sorted(self._conditions.items()) if self._hass.state is CoreState.running else ()
        rows = [
            Safe(f"{safe(identifier) or labels.text('common.all_commands')}: {safe(problem)}")
            for identifier, problem in conditions
        ]
        self._show(Issue.CONDITION_UNUSABLE, "conditions", rows)

    def _show(self, issue: Issue, fact: str, rows: Sequence[str]) -> None:
        if rows:
            self._issues.create(issue, count=str(len(rows)), **{fact: listed(rows, self._hass.config.language)})
        else:
            self._issues.delete(issue)
