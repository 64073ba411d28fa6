"""What is wrong with a device that the user has to know, beside what keeps it from connecting."""

from collections.abc import Iterable
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..alink.errors import ConnectError
from ..alink.link import LinkState
from ..alink.model.thing_model import ThingModel
from ..bound import BoundProperties
from ..exposures import event_bindings, resolve_entity
from ..reports.reporter import Reporter
from .issues import Issue, Issues, listed
from .mismatch import Mismatch
from .refusals import Refusals
from .throttling import Throttling
from .tls_watch import TlsWatch

NAMED: Final = 10
"""Properties and events whose entity is gone that the issue names."""


class Health:
    """Looks after one device on behalf of the user."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, reporter: Reporter) -> None:
        """Notice what the reporter notices."""
        self._hass = hass
        self._entry = entry
        self._issues = Issues(hass, entry)
        self._tls = TlsWatch(hass, entry, self._issues)
        self._throttling = Throttling(hass, entry, self._issues)
        self._mismatch = Mismatch(hass, entry, self._issues, reporter.rejections)
        self._refusals = Refusals(hass, entry, self._issues, reporter.rejections)
        self._reporter = reporter
        reporter.rejections.on_change = self._refusals_changed
        reporter.history.on_overflow = self._overflowed

    @callback
    def follow(self, bound: BoundProperties, services: Iterable[str], model: ThingModel | None) -> None:
        """Look at what is bound from now on."""
        self._mismatch.examine(bound, services, model)
        self._refusals.follow(bound, model)
        if gone := sorted({*bound.gone, *self._events_without_entity()}):
            self._issues.tell(Issue.ENTITY_GONE, count=str(len(gone)), bindings=listed(gone, NAMED))
        else:
            self._issues.solved(Issue.ENTITY_GONE)

    @callback
    def link_changed(self, state: LinkState, error: ConnectError | None) -> None:
        """Take note of a change of the link."""
        self._tls.link_changed(state, error)

    @callback
    def code_came(self, code: int) -> None:
        """Take note of the code of a reply."""
        self._throttling.code_came(code)

    @callback
    def stop(self) -> None:
        """Wait for nothing any more; what is told is withdrawn when the entry is unloaded."""
        self._throttling.stop()

    @callback
    def _refusals_changed(self) -> None:
        self._mismatch.look_at_refusals()
        self._refusals.show()

    def _events_without_entity(self) -> Iterable[str]:
        for binding in event_bindings(self._entry).values():
            if binding.entity and resolve_entity(self._hass, binding.entity) is None:
                yield binding.identifier

    def _overflowed(self) -> None:
        """Tell of samples that are lost for good, which nothing can solve: it is withdrawn when it was read."""
        self._issues.tell(
            Issue.BUFFER_OVERFLOW,
            capacity=f"{self._reporter.history.capacity:,}",
            since=f"{dt_util.now():%Y-%m-%d %H:%M}",
        )
