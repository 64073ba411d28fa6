"""The issue about bindings that do not fit the thing model: the stored one, or the cloud's.

Misfits with the stored one are known as soon as something is bound. Those with the cloud's show in what it refuses: nothing is
sent that the stored thing model does not allow, so a value that breaks the cloud's means that the two differ.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import re
from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..alink.model.thing_model import ThingModel
from ..bound import BoundProperties, BoundProperty
from ..mapping.check import Problem, model_problems
from ..reports.outbox import Refusal
from ..stored_device import StoredDevice
from ..words.labels import Labels
from .issues import Affected, Issue, Issues, listed

_MODEL_CODES: Final = frozenset({6304, 6305, *range(6306, 6313), 6320, 6321, 6322, 6324, 6325, 6328})
"""Codes for a value that breaks the thing model (docs/protocol.md §7.2)."""

_REASON: Final = re.compile(r"tsl parse\b|(?P<code>[0-9]+)\b")
"""How the reasons of such refusals begin: of one property, and of a whole message (docs/protocol.md §4.1)."""


@dataclass(frozen=True, slots=True)
class _Misfit:
    """A bound property, and what does not fit."""

    bound: BoundProperty
    problem: Problem


@dataclass(frozen=True, slots=True)
class _Found:
    """What does not fit the stored thing model."""

    unknown_properties: tuple[str, ...] = ()
    unknown_services: tuple[str, ...] = ()
    misfits: tuple[_Misfit, ...] = ()


class Mismatch:
    """Compares the bindings of one device with the thing model."""

    def __init__(self, hass: HomeAssistant, device: StoredDevice, issues: Issues) -> None:
        """Nothing is compared before `examine`."""
        self._hass = hass
        self._device = device
        self._issues = issues
        self._refusals: Mapping[str, Refusal] = {}
        self._found = _Found()
        self._refused: tuple[str, ...] = ()
        self._with_model: Mapping[str, BoundProperty] = {}

    @property
    def misfits(self) -> frozenset[str]:
        """The properties whose type or direction does not fit, whatever their values."""
        return frozenset(misfit.bound.identifier for misfit in self._found.misfits)

    @property
    def affected(self) -> Affected:
        """What the issue is about."""
        properties = self.misfits.union(self._found.unknown_properties, self._refused)
        return Affected(properties, frozenset(self._found.unknown_services))

    @callback
    def examine(self, bound: BoundProperties, services: Iterable[str], model: ThingModel | None) -> None:
        """Compare these bindings from now on."""
        self._with_model = bound.by_identifier if model else {}
        found = _compared(bound, services, model) if model else _Found()
        self._show(found, self._refused_for_the_model())

    @callback
    def refusals_changed(self, refusals: Mapping[str, Refusal]) -> None:
        """Handle other refused properties than before, or other reasons."""
        self._refusals = refusals
        self._show(self._found, self._refused_for_the_model())

    def _refused_for_the_model(self) -> tuple[str, ...]:
        return tuple(
            key for key, refusal in self._refusals.items() if key in self._with_model and _breaks_model(refusal.reason)
        )

    def _show(self, found: _Found, refused: tuple[str, ...]) -> None:
        if (found, refused) == (self._found, self._refused):
            return
        self._found, self._refused = found, refused
        if found == _Found() and not refused:
            self._issues.delete(Issue.THING_MODEL_MISMATCH)
        else:
            self._device.entry.async_create_task(self._hass, self._create_issue(), "Aliyun thing model mismatch")

    async def _create_issue(self) -> None:
        labels = await Labels.load(self._hass)
        lines = [*_lines(labels, self._found), *_refusals(labels, self._refused)]
        if not lines:  # it was solved meanwhile
            return
        self._issues.create(Issue.THING_MODEL_MISMATCH, count=str(len(lines)), problems=listed(lines, labels.language))


def _compared(bound: BoundProperties, services: Iterable[str], model: ThingModel) -> _Found:
    return _Found(
        tuple(key for key in bound.problems if key not in model.properties),
        tuple(key for key in services if key not in model.services),
        tuple(
            _Misfit(prop, problem)
            for prop in bound.by_identifier.values()
            if prop.model
            for problem in model_problems(prop.binding, prop.aspect, prop.model)
        ),
    )


def _lines(labels: Labels, found: _Found) -> Iterable[str]:
    for key in found.unknown_properties:
        yield labels.text("common.unknown_property", identifier=key)
    for key in found.unknown_services:
        yield labels.text("common.unknown_service", identifier=key)
    for misfit in found.misfits:
        placeholders = labels.problem(misfit.problem, misfit.bound.aspect, misfit.bound.model)
        reason = labels.text(f"options.error.{misfit.problem.key}", **placeholders)
        yield labels.text("common.misfit", identifier=misfit.bound.identifier, reason=reason)


def _refusals(labels: Labels, refused: Iterable[str]) -> Iterable[str]:
    return (labels.text("common.models_differ", identifier=key) for key in refused)


def _breaks_model(reason: str) -> bool:
    match = _REASON.match(reason)
    return match is not None and (match["code"] is None or int(match["code"]) in _MODEL_CODES)
