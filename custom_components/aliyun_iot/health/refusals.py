"""The issue about values that the cloud refuses: the bindings they come from, and the reasons in the user's language."""

from collections.abc import Mapping

from homeassistant.core import HomeAssistant, callback

from ..alink.model.thing_model import ThingModel
from ..bound import BoundProperties
from ..reports.outbox import Refusal
from ..stored_device import StoredDevice
from ..words.labels import Labels
from ..words.refusal_texts import refusal_text
from .issues import Affected, Issue, Issues, listed
from .paced import Paced


class Refusals:
    """Creates and deletes the issue of one device."""

    def __init__(self, hass: HomeAssistant, device: StoredDevice, issues: Issues) -> None:
        """Start without bindings."""
        self._hass = hass
        self._issues = issues
        self._refusals: Mapping[str, Refusal] = {}
        self._bound = BoundProperties()
        self._model: ThingModel | None = None
        self._paced = Paced(hass, device.entry, self._update)

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

    @property
    def affected(self) -> Affected:
        """What the issue is about."""
        return Affected(frozenset(self._refusals))

    async def _update(self) -> None:
        labels = await Labels.load(self._hass)
        rows = [self._row(labels, key, refusal.reason) for key, refusal in sorted(self._refusals.items())]
        if rows:
            self._issues.create(Issue.PROPERTY_REJECTED, count=str(len(rows)), properties=listed(rows, labels.language))
        else:
            self._issues.delete(Issue.PROPERTY_REJECTED)

    def _row(self, labels: Labels, identifier: str, reason: str) -> str:
        bound = self._bound.by_identifier.get(identifier)
        name = labels.binding(bound.binding, self._model) if bound else identifier
        return labels.text("common.misfit", identifier=name, reason=refusal_text(reason, labels.language))
