"""Following templates: whatever in Home Assistant they depend on, their new results are told."""

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
"""Takes a property, the result of its template or the error it ended with, and time and context of the change."""


class TemplateTracking:
    """Follows the templates of properties, each by itself: one that fails or is busy never stops the others.

    Home Assistant limits how often a template is rendered that looks at all of its states.
    """

    def __init__(self, hass: HomeAssistant, on_result: ResultListener) -> None:
        """Follow nothing yet."""
        self._hass = hass
        self._on_result = on_result
        self._tracked: dict[str, tuple[BoundProperty, TrackTemplateResultInfo]] = {}

    @callback
    def follow(self, properties: Iterable[BoundProperty]) -> None:
        """Follow the templates of these properties from now on, and no others."""
        wanted = {one.identifier: one for one in properties if one.templates.source and one.binding.access.reports}
        for identifier, (one, tracker) in list(self._tracked.items()):
            if wanted.get(identifier) != one:
                tracker.async_remove()
                del self._tracked[identifier]
        for identifier, one in wanted.items():
            if identifier not in self._tracked:
                self._tracked[identifier] = (one, self._track(one))

    @callback
    def stop(self) -> None:
        """Follow no template any more."""
        self.follow(())

    def _track(self, one: BoundProperty) -> TrackTemplateResultInfo:
        @callback
        def tell(event: Event[EventStateChangedData] | None, updates: list[TrackTemplateResult]) -> None:
            state = event.data["new_state"] if event else None
            at = state.last_updated if state else event.time_fired if event else dt_util.utcnow()
            for update in updates:
                self._on_result(one, update.result, at, event.context if event else None)

        assert one.templates.source  # noqa: S101 - `follow` takes no others
        template = TrackTemplate(one.templates.source, one.source_variables())
        return async_track_template_result(self._hass, [template], tell)
