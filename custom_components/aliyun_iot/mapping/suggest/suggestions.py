"""Suggest which property stands for which aspect of an entity.

The evidence is a standard identifier of the aspect, or a property whose name consists only of words for the entity and
the aspect. Data type and unit must fit, and the labels of a bool or an enum must cover the aspect: what is reported needs
an item for every option that the entity can remain in, and what is controlled needs items that the entity can be set to.
A merely possible match is not suggested, so that the list is short and reliable. What an entity may turn out not to have
is not suggested before its state is known. Private aspects (`Aspect.private`) are never suggested, and neither are commands
to risky entities.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import batched
from operator import attrgetter, itemgetter

from homeassistant.core import State

from ...alink.model.datatypes import EnumType
from ...alink.model.thing_model import Property, ThingModel
from ..aspect import Aspect, Kind
from ..binding import Access, Conversion
from ..convert import carries, clashing_units, unmatched_options
from ..domains import Risk, domain_of, own_risk
from ..model.infer import generate_identifier
from ..scaling import property_unit
from ..slices import LARGE_SLICE, SLICE, Slices, at_once
from ..units import same
from .coverage import can_be_controlled, can_be_reported, has_aspect, labels_fit
from .evidence import NAME_SCORE, Properties, candidates_for

SAME_UNIT_SCORE = 4
ALL_OPTIONS_SCORE = 4
MORE_ITEMS_SCORE = -5
"""Score for yes or no in an enum with more than two items, which another aspect may use better."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A binding to suggest; the higher the score, the better the evidence."""

    entity_id: str
    identifier: str
    aspect: str
    access: Access
    score: int


class Obstacle(StrEnum):
    """Why an aspect is not suggested: because of the aspect itself, or because it gets no property of the thing model."""

    MISMATCH = "mismatch"
    NOT_KNOWN_YET = "not_known_yet"
    NOTHING_FITS = "nothing_fits"
    PRIVATE = "private"
    RISKY = "risky"
    TAKEN = "taken"
    UNITS = "units"


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An aspect without a suggestion; `identifier` is the property that it matches best, if any.

    `units` are those of both sides, if they are the obstacle.
    """

    entity_id: str
    aspect: Aspect
    obstacle: Obstacle
    identifier: str = ""
    units: tuple[str, str] | None = None


def suggest(state: State, model: ThingModel | None, taken: Collection[str], risk: Risk = own_risk) -> list[Suggestion]:
    """Return at most one suggestion for each aspect of an entity, the best first; `taken` identifiers are not suggested.

    Without a thing model every supported aspect gets a new identifier.
    """
    return [
        suggestion
        for entity in _entities([state], (), risk)
        for suggestion in (
            _each_once(_matches(entity, Properties.of(model)), taken) if model else _new_properties(entity, set(taken))
        )
    ]


def suggest_all(
    states: Iterable[State],
    model: ThingModel | None,
    taken: Collection[str],
    bound: Collection[tuple[str, str]] = (),
    risk: Risk = own_risk,
) -> list[Suggestion]:
    """Return suggestions for many entities, no property twice; `bound` are pairs of entity id and aspect to leave out.

    If several entities match the same properties, the one with the most evidence gets all of them and the others none,
    except that a sensor is preferred to a secondary aspect of another entity. Without a thing model, an identifier that
    several entities could have is given to none of them: each gets an identifier with its own name.
    """
    return at_once(suggest_in_slices(states, model, taken, bound, risk))


def suggest_in_slices(
    states: Iterable[State],
    model: ThingModel | None,
    taken: Collection[str],
    bound: Collection[tuple[str, str]] = (),
    risk: Risk = own_risk,
) -> Slices[list[Suggestion]]:
    """Do what `suggest_all` does, in slices."""
    entities: list[_Entity] = []
    for piece in batched(states, SLICE, strict=False):
        entities += [entity for entity in _entities(piece, bound, risk) if entity.aspects]
        yield
    used = set(taken)
    suggestions: list[Suggestion] = []
    if not entities:  # the usual case of a rule that is carried out again
        return suggestions
    if model is None:
        used |= yield from _contested(entities)
        for some in batched(entities, SLICE, strict=False):
            suggestions += [suggestion for entity in some for suggestion in _new_properties(entity, used)]
            yield
        return suggestions
    properties = yield from Properties.in_slices(model)
    matches: list[tuple[int, list[Suggestion]]] = []
    for some in batched(entities, SLICE, strict=False):
        matches += [
            (_evidence(candidates), candidates) for entity in some if (candidates := _matches(entity, properties))
        ]
        yield
    ranked = [candidates for _, candidates in sorted(matches, key=itemgetter(0), reverse=True)]
    for piece_of_ranked in batched(ranked, LARGE_SLICE, strict=False):
        for candidates in piece_of_ranked:
            suggestions += (fresh := _each_once(candidates, used))
            used |= {suggestion.identifier for suggestion in fresh}
        yield
    return (yield from _sensors_first(suggestions, ranked))


def unmatched(
    states: Iterable[State],
    model: ThingModel | None,
    settled: Collection[tuple[str, str]],
    risk: Risk = own_risk,
) -> list[Unmatched]:
    """Return the aspects without a suggestion of `suggest_all`, and why.

    `settled` are pairs of entity id and aspect that are bound or suggested. An aspect that is an alternative of another
    one needs no property of its own, so it is left out.
    """
    properties = Properties.of(model) if model else None
    return [
        found
        for state in states
        if (domain := domain_of(state.entity_id))
        for aspect in domain.aspects
        if (state.entity_id, aspect.key) not in settled and aspect.supported(state)
        if (found := _unmatched(state, aspect, properties, risky=risk(state, aspect)))
    ]


def allowed_access(state: State, aspect: Aspect, definition: Property | None, *, risky: bool) -> Access:
    """Return the direction of a new binding: both if both sides allow it, but a risky entity is only reported.

    A momentary aspect can only be controlled.
    """
    if aspect.momentary:
        return Access.CONTROL
    writable = aspect.controllable(state) and not risky and (definition is None or definition.writable)
    if not writable:
        return Access.REPORT
    return Access.BOTH if definition is None or definition.readable else Access.CONTROL


@dataclass(frozen=True, slots=True)
class _Entity:
    """An entity with the aspects that may be suggested."""

    state: State
    aspects: tuple[Aspect, ...]
    risk: Risk

    def access(self, aspect: Aspect, definition: Property | None) -> Access:
        """Return the direction of a new binding of an aspect."""
        return allowed_access(self.state, aspect, definition, risky=self.risk(self.state, aspect))


def _entities(states: Iterable[State], bound: Collection[tuple[str, str]], risk: Risk) -> list[_Entity]:
    return [
        _Entity(
            state,
            tuple(
                aspect
                for aspect in domain.aspects
                if (state.entity_id, aspect.key) not in bound
                and _is_suggestible(state, aspect, risky=aspect.momentary and risk(state, aspect))
            ),
            risk,
        )
        for state in states
        if (domain := domain_of(state.entity_id))
    ]


def _is_suggestible(state: State, aspect: Aspect, *, risky: bool) -> bool:
    if aspect.private or not has_aspect(state, aspect):
        return False
    return not aspect.momentary or (aspect.controllable(state) and not risky)


def _matches(entity: _Entity, properties: Properties) -> list[Suggestion]:
    return [
        Suggestion(entity.state.entity_id, prop.definition.identifier, aspect.key, access, score)
        for aspect in entity.aspects
        for prop, evidence in candidates_for(entity.state, aspect, properties)
        if (score := _score(entity.state, aspect, prop.definition, evidence))
        and (access := _usable(entity.access(aspect, prop.definition), entity.state, aspect, prop.definition))
    ]


def _usable(access: Access, state: State, aspect: Aspect, definition: Property) -> Access | None:
    """Return the direction of a new binding, None if the property does not allow it or does not cover the aspect."""
    if access.controls and not can_be_controlled(state, aspect, definition.data_type):
        access = Access.REPORT
    if access is not Access.CONTROL and aspect.momentary:
        return None
    if access.reports and not can_be_reported(state, aspect, definition.data_type):
        return None
    usable = definition.writable if access is Access.CONTROL else definition.readable
    return access if usable else None


def _unmatched(state: State, aspect: Aspect, properties: Properties | None, *, risky: bool) -> Unmatched | None:
    """Return why an aspect has no suggestion, with the property that it matches best; None for no reason to report."""

    def because(obstacle: Obstacle, identifier: str = "", units: tuple[str, str] | None = None) -> Unmatched:
        return Unmatched(state.entity_id, aspect, obstacle, identifier, units)

    if aspect.private:
        return because(Obstacle.PRIVATE)
    if has_aspect(state, aspect) is None:
        return because(Obstacle.NOT_KNOWN_YET)
    if not _is_suggestible(state, aspect, risky=risky):
        return because(Obstacle.RISKY) if risky else None
    if properties is None:
        return None
    candidates = sorted(candidates_for(state, aspect, properties), key=itemgetter(1), reverse=True)
    for prop, evidence in candidates:
        definition = prop.definition
        access = allowed_access(state, aspect, definition, risky=risky)
        if _score(state, aspect, definition, evidence) and _usable(access, state, aspect, definition):
            return because(Obstacle.TAKEN, definition.identifier)
    if candidates:
        best = candidates[0][0].definition
        if carries(aspect, best.data_type, Conversion()) and (units := _clash(state, aspect, best)):
            return because(Obstacle.UNITS, best.identifier, units)
        return because(Obstacle.MISMATCH, best.identifier)
    return None if aspect.alternative else because(Obstacle.NOTHING_FITS)


def _score(state: State, aspect: Aspect, definition: Property, evidence: int) -> int:
    """Return the score of a property that is about an aspect, 0 if its data type or unit doesn't fit."""
    conversion = Conversion()
    if not carries(aspect, definition.data_type, conversion):
        return 0
    if _clash(state, aspect, definition):
        return 0
    if aspect.kind is Kind.BOOL and not labels_fit(aspect, definition.data_type):
        return 0
    unit, wanted_unit = aspect.unit(state), property_unit(definition.data_type)
    lost = unmatched_options(aspect, definition.data_type, conversion, state)
    more_items = (
        aspect.kind is Kind.BOOL and isinstance(definition.data_type, EnumType) and len(definition.data_type.items) > 2
    )
    same_unit = unit and wanted_unit and same(unit, wanted_unit)
    return (
        evidence
        + (MORE_ITEMS_SCORE if more_items else 0)
        + (SAME_UNIT_SCORE if same_unit else 0)
        + (0 if lost else ALL_OPTIONS_SCORE)
    )


def _clash(state: State, aspect: Aspect, definition: Property) -> tuple[str, str] | None:
    """Return the units of both sides if values can't be converted between them."""
    return clashing_units(aspect, definition.data_type, Conversion(), state)


def _new_properties(entity: _Entity, used: set[str]) -> list[Suggestion]:
    """Return a suggestion with a new identifier for each aspect, and add the identifiers to `used`."""
    suggestions = []
    for aspect in entity.aspects:
        if aspect.alternative:
            continue
        identifier = generate_identifier(aspect, entity.state, used)
        used.add(identifier)
        access = entity.access(aspect, None)
        suggestions.append(Suggestion(entity.state.entity_id, identifier, aspect.key, access, NAME_SCORE))
    return suggestions


def _contested(entities: Iterable[_Entity]) -> Slices[set[str]]:
    """Return the identifiers that more than one entity would get."""
    counts: Counter[str] = Counter()
    for some in batched(entities, SLICE, strict=False):
        counts.update(suggestion.identifier for entity in some for suggestion in _new_properties(entity, set()))
        yield
    return {identifier for identifier, count in counts.items() if count > 1}


def _each_once(candidates: Iterable[Suggestion], used: Collection[str]) -> list[Suggestion]:
    """Return the best candidates, without repeating an aspect or an identifier."""
    chosen: list[Suggestion] = []
    for candidate in sorted(candidates, key=attrgetter("score"), reverse=True):
        if candidate.identifier not in used and all(
            candidate.identifier != other.identifier and candidate.aspect != other.aspect for other in chosen
        ):
            chosen.append(candidate)
    return chosen


def _sensors_first(suggestions: Iterable[Suggestion], ranked: Iterable[list[Suggestion]]) -> Slices[list[Suggestion]]:
    """Return the suggestions, with sensors that have none in place of secondary aspects of other entities.

    A thermometer measures the room better than an air conditioner does, unless the air conditioner matches the property
    better.
    """
    chosen = {suggestion.identifier: suggestion for suggestion in suggestions}
    served = {suggestion.entity_id for suggestion in chosen.values()}
    for piece in batched(ranked, LARGE_SLICE, strict=False):
        for candidates in piece:
            for sensor in sorted(filter(_is_sensor, candidates), key=attrgetter("score"), reverse=True):
                holder = chosen.get(sensor.identifier)
                if sensor.entity_id not in served and holder and _yields(holder, sensor):
                    chosen[sensor.identifier] = sensor
                    served.add(sensor.entity_id)
        yield
    return list(chosen.values())


def _is_sensor(suggestion: Suggestion) -> bool:
    return suggestion.entity_id.startswith("sensor.")


def _yields(holder: Suggestion, sensor: Suggestion) -> bool:
    """Return whether the present holder of a property only reports a secondary aspect and doesn't match it better."""
    domain = domain_of(holder.entity_id)
    secondary = domain is not None and holder.aspect != domain.aspects[0].key and holder.access is Access.REPORT
    return secondary and not _is_sensor(holder) and sensor.score >= holder.score


def _evidence(candidates: list[Suggestion]) -> int:
    return sum(suggestion.score for suggestion in _each_once(candidates, ()))
