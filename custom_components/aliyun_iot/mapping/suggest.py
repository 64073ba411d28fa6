"""Suggest which property stands for which aspect of an entity.

Evidence is a standard identifier of the aspect, or a property whose name says nothing but what the entity and the
aspect are. Type and unit must fit. What is merely possible is not suggested: the user sees a short list that can be
trusted.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from homeassistant.core import State

from ..alink.thing_model import Property, ThingModel
from .aspect import Aspect, Domain
from .attributes import device_class
from .binding import Access, Conversion
from .convert import carries, unmatched_options
from .domains import domain_of
from .infer import generate_identifier
from .names import meanings
from .scaling import property_unit
from .units import canonical, contradict

STANDARD = 70
"""The identifier is a standard one of the aspect; each place further down the list costs one point."""

NAMED = 50
"""The name says what the entity is, with `NAMED_WORD` for each word of it."""

NAMED_WORD = 12
SAME_UNIT = 4
ALL_OPTIONS = 4
WHOLE_ASPECT = 5
"""The name holds the name of the aspect: "fan mode" is rather a fan mode than a mode."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A binding to propose; the higher the score, the better the evidence."""

    entity_id: str
    identifier: str
    aspect: str
    access: Access
    score: int


def suggest(state: State, model: ThingModel | None, taken: Collection[str]) -> list[Suggestion]:
    """Return at most one suggestion for each aspect of an entity, the best first; `taken` identifiers are left alone.

    Without a thing model every supported aspect gets a new identifier.
    """
    domain = domain_of(state.entity_id)
    if domain is None:
        return []
    candidates = _matches(state, domain, model) if model else _inventions(state, domain, taken)
    return _each_once(candidates, set(taken))


def suggest_all(states: Iterable[State], model: ThingModel | None, taken: Collection[str]) -> list[Suggestion]:
    """Return suggestions for many entities, no property twice.

    Of several entities that fit the same properties, the one with the most evidence gets all of them and the others
    nothing. Without a thing model, an identifier that several entities could have goes to none: each gets one with its
    own name in it.
    """
    known = [(state, domain) for state in states if (domain := domain_of(state.entity_id))]
    used = set(taken)
    suggestions: list[Suggestion] = []
    if model is None:
        used |= _contested(known)
        for state, _ in known:
            suggestions += (fresh := suggest(state, None, used))
            used |= {suggestion.identifier for suggestion in fresh}
        return suggestions
    ranked = sorted((_matches(state, domain, model) for state, domain in known), key=_evidence, reverse=True)
    for candidates in ranked:
        suggestions += (fresh := _each_once(candidates, used))
        used |= {suggestion.identifier for suggestion in fresh}
    return suggestions


def allowed_access(state: State, domain: Domain, aspect: Aspect, definition: Property | None) -> Access:
    """Return what a new binding may do: both ways if both sides can, but a risky entity is only reported.

    What leaves nothing to report can only be controlled.
    """
    if aspect.momentary:
        return Access.CONTROL
    writable = aspect.controllable(state) and not domain.risky(state) and (definition is None or definition.writable)
    if not writable:
        return Access.REPORT
    return Access.BOTH if definition is None or definition.readable else Access.CONTROL


def _matches(state: State, domain: Domain, model: ThingModel) -> list[Suggestion]:
    return [
        Suggestion(state.entity_id, identifier, aspect.key, access, score)
        for aspect in domain.aspects
        if aspect.supported(state)
        for identifier, definition in model.properties.items()
        if (score := _score(state, aspect, definition))
        and ((access := allowed_access(state, domain, aspect, definition)).controls or definition.readable)
    ]


def _score(state: State, aspect: Aspect, definition: Property) -> int:
    """Return how well a property suits an aspect of an entity, 0 for not at all."""
    conversion = Conversion()
    if not carries(aspect, definition.data_type, conversion):
        return 0
    unit, wanted_unit = aspect.unit(state), property_unit(definition.data_type)
    if unit and wanted_unit and contradict(unit, wanted_unit):
        return 0
    score = max(_standard_score(state, aspect, definition), _name_score(state, aspect, definition))
    if not score:
        return 0
    lost = unmatched_options(aspect, definition.data_type, conversion, state)
    if lost and len(lost) == len(aspect.options(state)):
        return 0
    same_unit = unit and wanted_unit and canonical(unit) == canonical(wanted_unit)
    return score + (SAME_UNIT if same_unit else 0) + (0 if lost else ALL_OPTIONS)


def _standard_score(state: State, aspect: Aspect, definition: Property) -> int:
    plain = _plain_identifier(definition).casefold()
    standard = [identifier.casefold() for identifier in aspect.identifiers_for(state)]
    return STANDARD - standard.index(plain) if plain in standard else 0


def _name_score(state: State, aspect: Aspect, definition: Property) -> int:
    """Return points if either name of the property is about this entity and this aspect and about nothing else.

    An aspect without standard identifiers has no name worth looking for; there the property must be called what the
    entity is called.
    """
    entity_names = [meanings(state.object_id), meanings(state.name)]
    facet_names = [meanings(name) for name in (aspect.name_en, aspect.name_zh, *aspect.identifiers_for(state))]
    about_facet = frozenset[str]().union(*facet_names, meanings(device_class(state) or ""))
    about_both = about_facet.union(*entity_names, meanings(state.domain))
    standard = bool(aspect.identifiers_for(state))
    best = 0
    for name in (_plain_identifier(definition), definition.name):
        said = meanings(name)
        fits = said & about_facet and said <= about_both if standard else said in entity_names
        if said and fits:
            whole = any(words and words <= said for words in facet_names)
            best = max(best, NAMED + NAMED_WORD * min(len(said), 3) + (WHOLE_ASPECT if whole else 0))
    return best


def _plain_identifier(definition: Property) -> str:
    return definition.identifier.rpartition(":")[2]


def _inventions(state: State, domain: Domain, taken: Collection[str]) -> list[Suggestion]:
    used = set(taken)
    suggestions = []
    for aspect in domain.aspects:
        if aspect.supported(state):
            identifier = generate_identifier(aspect, state, used)
            used.add(identifier)
            suggestions.append(
                Suggestion(state.entity_id, identifier, aspect.key, allowed_access(state, domain, aspect, None), NAMED)
            )
    return suggestions


def _contested(known: Iterable[tuple[State, Domain]]) -> set[str]:
    """Return the identifiers that more than one entity would get."""
    wishes = Counter(suggestion.identifier for state, domain in known for suggestion in _inventions(state, domain, ()))
    return {identifier for identifier, count in wishes.items() if count > 1}


def _each_once(candidates: Iterable[Suggestion], used: Collection[str]) -> list[Suggestion]:
    """Return the best candidates such that no aspect and no identifier comes twice."""
    chosen: list[Suggestion] = []
    for candidate in sorted(candidates, key=lambda one: one.score, reverse=True):
        if candidate.identifier not in used and all(
            candidate.identifier != one.identifier and candidate.aspect != one.aspect for one in chosen
        ):
            chosen.append(candidate)
    return chosen


def _evidence(candidates: list[Suggestion]) -> int:
    return sum(suggestion.score for suggestion in _each_once(candidates, ()))
