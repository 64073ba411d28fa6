"""Tracking templates: their new results are reported, whatever they depend on in Home Assistant."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from homeassistant.core import Context, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import (
    TrackTemplate,
    TrackTemplateResult,
    TrackTemplateResultInfo,
    async_track_template_result,
)
from homeassistant.util import dt as dt_util

from ..bound import BoundProperty

type ResultListener = Callable[[BoundProperty, Any, datetime, Context | None], None]
"""Called with a property, the result or the error of its template, and the time and context of the change."""


class TemplateTracking:
    """Tracks the templates of properties, each by itself, so that one that fails or is busy does not stop the others.

    Home Assistant limits how often it renders a template that uses all states.
    """

    def __init__(self, hass: HomeAssistant, on_result: ResultListener) -> None:
        """Nothing is tracked before `follow`."""
        self._hass = hass
        self._on_result = on_result
        self._tracked: dict[str, tuple[BoundProperty, TrackTemplateResultInfo]] = {}

    @callback
    def follow(self, properties: Iterable[BoundProperty]) -> None:
        """Track the templates of these properties from now on, and no others."""
        wanted = {prop.identifier: prop for prop in properties if prop.templates.source and prop.reports}
        for identifier, (prop, tracker) in list(self._tracked.items()):
            if wanted.get(identifier) != prop:
                tracker.async_remove()
                del self._tracked[identifier]
        for identifier, prop in wanted.items():
            if identifier not in self._tracked:
                self._tracked[identifier] = (prop, self._track(prop))

    @callback
    def stop(self) -> None:
        """Stop tracking."""
        self.follow(())

    def _track(self, prop: BoundProperty) -> TrackTemplateResultInfo:
        @callback
        def rendered(event: Event[EventStateChangedData] | None, updates: list[TrackTemplateResult]) -> None:
            state = event.data["new_state"] if event else None
            at = state.last_updated if state else event.time_fired if event else dt_util.utcnow()
            for update in updates:
                self._on_result(prop, update.result, at, event.context if event else None)

        assert prop.templates.source  # noqa: S101 - `follow` takes no others
        template = TrackTemplate(prop.templates.source, prop.source_variables())
        return async_track_template_result(self._hass, [template], rendered)
