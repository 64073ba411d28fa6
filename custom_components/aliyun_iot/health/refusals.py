"""The issue about values that the cloud refuses: the bindings they come from, and the reasons in the user's language."""

from collections.abc import Mapping
import re
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..alink.codes import CODES, describe
from ..alink.i18n import labelled
from ..alink.model.thing_model import ThingModel
from ..bound import BoundProperties
from ..reports.outbox import Refusal
from ..words.labels import Labels
from .issues import Issue, Issues, listed
from .paced import Paced

MAX_LISTED: Final = 5
"""Refused properties that the issue lists."""

_PROPERTY_MISSING: Final = 6320

_REASON: Final = re.compile(r"(?P<missing>tsl parse: params not exist)|(?:tsl parse: )?(?P<code>[0-9]+)\b")
"""The beginning of reasons for which there is a text (docs/protocol.md §4.1 and §7.2)."""


class Refusals:
    """Creates and deletes the issue of one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, issues: Issues) -> None:
        """Start without bindings."""
        self._hass = hass
        self._issues = issues
        self._refusals: Mapping[str, Refusal] = {}
        self._bound = BoundProperties()
        self._model: ThingModel | None = None
        self._paced = Paced(hass, entry, self._update)

    @callback
    def stop(self) -> None:
        """End the timer."""
        self._paced.stop()

    @callback
    def follow(self, bound: BoundProperties, model: ThingModel | None) -> None:
        """Use the names of these bindings from now on."""
        self._bound = bound
        self._model = model

    @callback
    def changed(self, refusals: Mapping[str, Refusal]) -> None:
        """Update the issue."""
        self._refusals = refusals
        self._paced.soon()

    async def _update(self) -> None:
        labels = await Labels.load(self._hass)
        rows = [self._row(labels, key, refusal.reason) for key, refusal in sorted(self._refusals.items())]
        if rows:
            self._issues.create(Issue.PROPERTY_REJECTED, count=str(len(rows)), properties=listed(rows, MAX_LISTED))
        else:
            self._issues.delete(Issue.PROPERTY_REJECTED)

    def _row(self, labels: Labels, identifier: str, reason: str) -> str:
        bound = self._bound.by_identifier.get(identifier)
        name = labels.binding(bound.binding, self._model) if bound else identifier
        return labels.text("common.misfit", identifier=name, reason=readable(reason, labels.language))


def readable(reason: str, language: str) -> str:
    """Return the meaning of a reason, followed by the reason itself, which the console and the log show."""
    match = _REASON.match(reason)
    code = int(match["code"] or _PROPERTY_MISSING) if match else 0
    return labelled(describe(code, language).rstrip(".。"), reason, language) if code in CODES else reason
