"""Values that the cloud refuses: told by the bindings that they come from, and why in words, until it is solved."""

import re
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..alink.codes import CODES, describe
from ..alink.i18n import labelled
from ..alink.model.thing_model import ThingModel
from ..bound import BoundProperties
from ..reports.rejections import NAMED, Rejections
from ..words.labels import Labels
from .issues import Issue, Issues, listed

_PROPERTY_MISSING: Final = 6320

_REASON: Final = re.compile(r"(?P<missing>tsl parse: params not exist)|(?:tsl parse: )?(?P<code>\d+)\b")
"""How the reasons begin that there are words for (docs/protocol.md §4.1 and §7.2)."""


class Refusals:
    """Shows what is refused of one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, issues: Issues, rejections: Rejections) -> None:
        """Know no bindings before `follow`."""
        self._hass = hass
        self._entry = entry
        self._issues = issues
        self._rejections = rejections
        self._bound = BoundProperties()
        self._model: ThingModel | None = None

    @callback
    def follow(self, bound: BoundProperties, model: ThingModel | None) -> None:
        """Name these bindings from now on."""
        self._bound = bound
        self._model = model

    @callback
    def show(self) -> None:
        """Bring the issue up to date, since other properties are refused than before, or for other reasons."""
        if self._rejections.known:
            self._entry.async_create_task(self._hass, self._tell(), "Aliyun refused values")
        else:
            self._issues.solved(Issue.PROPERTY_REJECTED)

    async def _tell(self) -> None:
        labels = await Labels.load(self._hass)
        rows = [self._row(labels, key, one.reason) for key, one in sorted(self._rejections.known.items())]
        if rows:  # otherwise solved meanwhile
            self._issues.tell(Issue.PROPERTY_REJECTED, count=str(len(rows)), properties=listed(rows, NAMED))

    def _row(self, labels: Labels, identifier: str, reason: str) -> str:
        bound = self._bound.by_identifier.get(identifier)
        name = labels.binding(bound.binding, self._model) if bound else identifier
        return labels.text("common.misfit", identifier=name, reason=_in_words(reason, labels.language))


def _in_words(reason: str, language: str) -> str:
    """Return what a reason means, and the reason itself, which is what the console and the log show."""
    match = _REASON.match(reason)
    code = int(match["code"] or _PROPERTY_MISSING) if match else 0
    return labelled(describe(code, language).rstrip(".。"), reason, language) if code in CODES else reason
