"""Bindings that do not fit the thing model: the one that is stored here, or the one that the cloud goes by.

The first is known as soon as something is bound. The second shows in what the cloud refuses: nothing is sent that the
stored thing model does not allow, so a value that breaks the cloud's tells that the two differ.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import re
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .alink.thing_model import ThingModel
from .bound import BoundProperties, BoundProperty
from .issues import Issue, Issues
from .labels import Labels
from .mapping.check import Problem, model_problems
from .rejections import Rejections

NAMED: Final = 10
"""Lines of the issue."""

_MODEL_CODES: Final = frozenset({6304, 6305, *range(6306, 6313), 6320, 6321, 6322, 6324, 6325, 6328})
"""Codes that say that a value breaks the thing model (docs/protocol.md §7.2)."""

_REASON: Final = re.compile(r"tsl parse\b|(?P<code>\d+)\b")
"""How the reasons of such refusals begin: of one property, and of a whole message (docs/protocol.md §4.1)."""


@dataclass(frozen=True, slots=True)
class _Misfit:
    """A property that is bound, and what of it does not fit."""

    bound: BoundProperty
    problem: Problem


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything that does not fit: properties and services that the stored thing model has or has not, then the cloud's."""

    unknown_properties: tuple[str, ...] = ()
    unknown_services: tuple[str, ...] = ()
    misfits: tuple[_Misfit, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.unknown_properties) + len(self.unknown_services) + len(self.misfits) + len(self.refused)


class Mismatch:
    """Compares what is bound for one device with its thing model."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, issues: Issues, rejections: Rejections) -> None:
        """Compare nothing before `examine`."""
        self._hass = hass
        self._entry = entry
        self._issues = issues
        self._rejections = rejections
        self._found = _Found()
        self._bound = BoundProperties()
        self._services: tuple[str, ...] = ()
        self._model: ThingModel | None = None
        rejections.on_change = self._compare

    @callback
    def examine(self, bound: BoundProperties, services: Iterable[str], model: ThingModel | None) -> None:
        """Compare what is bound from now on."""
        self._bound, self._services, self._model = bound, tuple(services), model
        self._compare()

    @callback
    def _compare(self) -> None:
        found = self._compared_with(self._model) if self._model else _Found()
        if found == self._found:
            return
        self._found = found
        if found.count:
            self._entry.async_create_task(self._hass, self._tell(), "Aliyun thing model mismatch")
        else:
            self._issues.solved(Issue.THING_MODEL_MISMATCH)

    def _compared_with(self, model: ThingModel) -> _Found:
        working = self._bound.by_identifier
        return _Found(
            tuple(key for key in self._bound.problems if key not in model.properties),
            tuple(key for key in self._services if key not in model.services),
            tuple(
                _Misfit(one, problem)
                for one in working.values()
                if one.model
                for problem in model_problems(one.binding, one.aspect, one.model)
            ),
            tuple(key for key, one in self._rejections.known.items() if key in working and _breaks_model(one.reason)),
        )

    async def _tell(self) -> None:
        labels = await Labels.load(self._hass)
        found = self._found
        if not found.count:  # solved meanwhile
            return
        lines = [*_lines(labels, found)]
        more = [labels.text("common.and_more", count=str(len(lines) - NAMED))] if len(lines) > NAMED else []
        self._issues.tell(
            Issue.THING_MODEL_MISMATCH,
            count=str(found.count),
            problems="\n".join(f"- {line}" for line in [*lines[:NAMED], *more]),
        )


def _lines(labels: Labels, found: _Found) -> Iterable[str]:
    for key in found.unknown_properties:
        yield labels.text("common.unknown_property", identifier=key)
    for key in found.unknown_services:
        yield labels.text("common.unknown_service", identifier=key)
    for one in found.misfits:
        placeholders: Mapping[str, str] = labels.problem(one.problem, one.bound.aspect, one.bound.model)
        reason = labels.text(f"options.error.{one.problem.key}", **placeholders)
        yield labels.text("common.misfit", identifier=one.bound.identifier, reason=reason)
    for key in found.refused:
        yield labels.text("common.models_differ", identifier=key)


def _breaks_model(reason: str) -> bool:
    match = _REASON.match(reason)
    return match is not None and (match["code"] is None or int(match["code"]) in _MODEL_CODES)
