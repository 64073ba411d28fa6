"""The issue about values of Home Assistant that cannot be sent, and a line in the log.

A whole house may be bound to the wrong product, and a sensor may cross a limit every second. So the log has one line for
everything that was found, and names a property once.
"""

from collections.abc import Callable, Collection, Mapping
import time
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..alink.foreign import logger_of
from ..alink.model.thing_model import ThingModel
from ..bound import BoundProperties, BoundProperty
from ..log_text import some_of
from ..mapping.unreportable import Unreportable
from ..stored_device import StoredDevice
from ..words.labels import Labels
from .issues import Affected, Issue, Issues, listed
from .paced import Paced

_LOGGER = logger_of(__name__)

LOG_INTERVAL: Final = 600.0
"""Seconds between two lines of the log."""


class UnreportableWatch:
    """Watches the properties of one device."""

    def __init__(
        self, hass: HomeAssistant, device: StoredDevice, issues: Issues, misfits: Callable[[], Collection[str]]
    ) -> None:
        """Show nothing before `start`; another issue is about the properties that `misfits` returns."""
        self._hass = hass
        self._device = device
        self._issues = issues
        self._misfits = misfits
        self._read: Callable[[], Mapping[str, Unreportable]] = dict
        self._bound = BoundProperties()
        self._model: ThingModel | None = None
        self._logged: dict[str, BoundProperty | None] = {}
        self._logged_at: float | None = None
        self._started = False
        self._paced = Paced(hass, device.entry, self._update)
        self._end_log_timer: CALLBACK_TYPE | None = None

    @callback
    def start(self) -> None:
        """Show what there is now that Home Assistant has started; before, many entities have no state yet."""
        self._started = True
        self._paced.soon()

    @callback
    def stop(self) -> None:
        """End all timers."""
        self._started = False
        self._paced.stop()
        if self._end_log_timer:
            self._end_log_timer()
            self._end_log_timer = None

    @callback
    def follow(self, bound: BoundProperties, model: ThingModel | None) -> None:
        """Use the names of these bindings from now on."""
        self._bound, self._model = bound, model
        self._logged = {key: prop for key, prop in self._logged.items() if bound.by_identifier.get(key) == prop}

    @callback
    def changed(self, read: Callable[[], Mapping[str, Unreportable]]) -> None:
        """Handle values that cannot be sent any more, or that can be again; `read` returns all that cannot."""
        self._read = read
        if self._started:
            self._paced.soon()

    @property
    def affected(self) -> Affected:
        """What the issue is about; of events it is only about parameters."""
        return Affected(frozenset(self._read().keys() - set(self._misfits())))

    async def _update(self) -> None:
        labels = await Labels.load(self._hass)
        others = self._misfits()
        rows = [self._row(labels, key, why) for key, why in sorted(self._read().items()) if key not in others]
        if rows and self._started:
            self._issues.create(
                Issue.PROPERTY_UNREPORTABLE, count=str(len(rows)), properties=listed(rows, labels.language)
            )
        else:
            self._issues.delete(Issue.PROPERTY_UNREPORTABLE)
        self._log()

    def _row(self, labels: Labels, identifier: str, why: Unreportable) -> str:
        bound = self._bound.by_identifier.get(identifier)
        name = labels.binding(bound.binding, self._model) if bound else identifier
        return labels.text("common.misfit", identifier=name, reason=why.describe(labels.language))

    @callback
    def _log(self, _now: object = None) -> None:
        """Log what was not logged before, unless there was a line only just now."""
        if _now:
            self._end_log_timer = None
        news = {key: why for key, why in self._read().items() if key not in self._logged}
        if not news or not self._started or self._end_log_timer:
            return
        now = time.monotonic()
        if self._logged_at is not None and (wait := self._logged_at + LOG_INTERVAL - now) > 0:
            self._end_log_timer = async_call_later(self._hass, wait, self._log)
            return
        self._logged_at = now
        bound = self._bound.by_identifier
        self._logged |= {key: bound.get(key) for key in news}
        rows = [f"{_source(key, bound.get(key))} ({why.describe()})" for key, why in news.items()]
        _LOGGER.warning("%s cannot report %s", self._device.title, some_of(rows))


def _source(identifier: str, bound: BoundProperty | None) -> str:
    """Return a property with its entity; a parameter of an event may come from anywhere."""
    return f"{identifier} of {bound.entity_id}" if bound and bound.entity_id else identifier
