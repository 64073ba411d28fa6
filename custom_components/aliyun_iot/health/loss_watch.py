"""The issue about samples and events that the cloud refused for good; it stays until the user confirms it."""

from collections.abc import Mapping
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.debounce import Debouncer
from homeassistant.util import dt as dt_util

from ..alink.foreign import logger_of
from ..alink.model.thing_model import ThingModel
from ..bound import BoundProperties
from ..reports.losses import Loss
from ..stored_device import StoredDevice
from ..words.labels import Labels
from ..words.refusal_texts import refusal_text
from .issues import Issue, Issues, listed

_LOGGER = logger_of(__name__)

INTERVAL: Final = 60.0
"""Seconds between two updates of the issue, as several samples may be refused in a second."""


class LossWatch:
    """Watches the losses of one device."""

    def __init__(self, hass: HomeAssistant, device: StoredDevice, issues: Issues) -> None:
        """Start without a loss."""
        self._hass = hass
        self._issues = issues
        self._losses: Mapping[str, Loss] = {}
        self._shown = 0
        self._bound = BoundProperties()
        self._model: ThingModel | None = None
        self._update = Debouncer(hass, _LOGGER, cooldown=INTERVAL, immediate=True, function=self._show)

    async def stop(self) -> None:
        """Show the last losses, and end the timer."""
        self._update.async_shutdown()
        await self._show()

    @callback
    def follow(self, bound: BoundProperties, model: ThingModel | None) -> None:
        """Use the names of these bindings from now on."""
        self._bound = bound
        self._model = model

    @callback
    def changed(self, losses: Mapping[str, Loss]) -> None:
        """Show that there are more losses; at once if that was not done lately."""
        self._losses = losses
        self._update.async_schedule_call()

    async def _show(self) -> None:
        count = sum(loss.count for loss in self._losses.values())
        if count == self._shown:
            return
        self._shown = count
        labels = await Labels.load(self._hass)
        rows = [self._row(labels, identifier, loss) for identifier, loss in sorted(self._losses.items())]
        self._issues.create(
            Issue.REFUSED_FOR_GOOD,
            count=f"{count:,}",
            since=f"{dt_util.now():%Y-%m-%d %H:%M}",
            losses=listed(rows, labels.language),
        )

    def _row(self, labels: Labels, identifier: str, loss: Loss) -> str:
        bound = self._bound.by_identifier.get(identifier)
        name = labels.binding(bound.binding, self._model) if bound else identifier
        reason = refusal_text(loss.reason, labels.language)
        return labels.text("common.lost", identifier=name, count=f"{loss.count:,}", reason=reason)
