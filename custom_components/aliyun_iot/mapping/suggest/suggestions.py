"""Suggest which property stands for which aspect of an entity.

Evidence is a standard identifier of the aspect, or a property whose name says nothing but what the entity and the
aspect are. Type and unit must fit. What is merely possible is not suggested: the user sees a short list that can be
trusted. What nobody would want to publish by accident (`Aspect.private`) is never suggested, nor is a command to a risky
entity.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from homeassistant.core import State

from ...alink.model.thing_model import Property, ThingModel
from ..aspect import Aspect, Domain
from ..attributes import device_class
from ..binding import Access, Conversion
from ..convert import carries, unmatched_options
from ..domains import domain_of
from ..model.infer import generate_identifier
from ..scaling import property_unit
from ..units import canonical, contradict
from .meanings import meanings

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


class Obstacle(StrEnum):
    """Why an aspect is not suggested: by itself, or because no property of the thing model is left for it."""

    MISMATCH = "mismatch"
    NOTHING_FITS = "nothing_fits"
    PRIVATE = "private"
    RISKY = "risky"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An aspect without a suggestion; `identifier` is the property that it would have been, if there is one."""

    entity_id: str
    aspect: Aspect
    obstacle: Obstacle
    identifier: str = ""


def suggest(state: State, model: ThingModel | None, taken: Collection[str]) -> list[Suggestion]:
    """Return at most one suggestion for each aspect of an entity, the best first; `taken` identifiers are left alone.

    Without a thing model every supported aspect gets a new identifier.
    """
    return [
        suggestion
        for entity in _entities([state], ())
        for suggestion in (
            _each_once(_matches(entity, _Properties.of(model)), taken) if model else _inventions(entity, set(taken))
        )
    ]


def suggest_all(
    states: Iterable[State],
    model: ThingModel | None,
    taken: Collection[str],
    bound: Collection[tuple[str, str]] = (),
) -> list[Suggestion]:
    """Return suggestions for many entities, no property twice; `bound` are pairs of entity id and aspect to leave out.

    Of several entities that fit the same properties, the one with the most evidence gets all of them and the others
    nothing, but for a sensor, which goes before what another entity tells by the way. Without a thing model, an
    identifier that several entities could have goes to none: each gets one with its own name in it.
    """
    entities = _entities(states, bound)
    used = set(taken)
    if model is None:
        used |= _contested(entities)
        return [suggestion for entity in entities for suggestion in _inventions(entity, used)]
    properties = _Properties.of(model)
    suggestions: list[Suggestion] = []
    ranked = sorted((_matches(entity, properties) for entity in entities), key=_evidence, reverse=True)
    for candidates in ranked:
        suggestions += (fresh := _each_once(candidates, used))
        used |= {suggestion.identifier for suggestion in fresh}
    return _sensors_first(suggestions, ranked)


def unmatched(
    states: Iterable[State], model: ThingModel | None, settled: Collection[tuple[str, str]]
) -> list[Unmatched]:
    """Return the aspects that `suggest_all` has nothing for, and why.

    `settled` are pairs of entity id and aspect that are bound or suggested. An alternative of another aspect needs no
    property of its own, so it is not missed.
    """
    properties = _Properties.of(model) if model else None
    return [
        found
        for state in states
        if (domain := domain_of(state.entity_id))
        for aspect in domain.aspects
        if (state.entity_id, aspect.key) not in settled and aspect.supported(state)
        if (found := _unmatched(state, domain, aspect, properties))
    ]


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


@dataclass(frozen=True, slots=True)
class _Entity:
    """An entity with the aspects that may be suggested."""

    state: State
    domain: Domain
    aspects: tuple[Aspect, ...]


def _entities(states: Iterable[State], bound: Collection[tuple[str, str]]) -> list[_Entity]:
    return [
        _Entity(
            state,
            domain,
            tuple(
                aspect
                for aspect in domain.aspects
                if (state.entity_id, aspect.key) not in bound and _is_suggestible(state, domain, aspect)
            ),
        )
        for state in states
        if (domain := domain_of(state.entity_id))
    ]


def _is_suggestible(state: State, domain: Domain, aspect: Aspect) -> bool:
    if aspect.private or not aspect.supported(state):
        return False
    return not aspect.momentary or (aspect.controllable(state) and not domain.risky(state))


@dataclass(frozen=True, slots=True)
class _NamedProperty:
    """A property and what its two names say; `place` is its place in the thing model."""

    place: int
    definition: Property
    plain_identifier: str
    says: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class _Properties:
    """The properties of a thing model by what there could be evidence in: going through all for each aspect is slow."""

    by_identifier: Mapping[str, list[_NamedProperty]]
    by_word: Mapping[str, list[_NamedProperty]]

    @classmethod
    def of(cls, model: ThingModel) -> Self:
        """Return the properties of a model."""
        by_identifier: dict[str, list[_NamedProperty]] = defaultdict(list)
        by_word: dict[str, list[_NamedProperty]] = defaultdict(list)
        for place, definition in enumerate(model.properties.values()):
            plain = definition.identifier.rpartition(":")[2]
            says = tuple(said for name in (plain, definition.name) if (said := meanings(name)))
            named = _NamedProperty(place, definition, plain.casefold(), says)
            by_identifier[named.plain_identifier].append(named)
            for word in frozenset[str]().union(*says):
                by_word[word].append(named)
        return cls(by_identifier, by_word)

    def about(self, identifiers: Iterable[str], words: Iterable[str]) -> list[_NamedProperty]:
        """Return the properties with one of these identifiers or words, in the order of the thing model."""
        found = {
            named.place: named
            for index, keys in ((self.by_identifier, identifiers), (self.by_word, words))
            for key in keys
            for named in index.get(key, ())
        }
        return [found[place] for place in sorted(found)]


def _matches(entity: _Entity, properties: _Properties) -> list[Suggestion]:
    return [
        Suggestion(entity.state.entity_id, named.definition.identifier, aspect.key, access, score)
        for aspect in entity.aspects
        for named, evidence in _evident(entity.state, aspect, properties)
        if (score := _score(entity.state, aspect, named.definition, evidence))
        and (access := _usable_access(entity.state, entity.domain, aspect, named.definition))
    ]


def _usable_access(state: State, domain: Domain, aspect: Aspect, definition: Property) -> Access | None:
    """Return what a binding may do, None if that is nothing."""
    access = allowed_access(state, domain, aspect, definition)
    usable = definition.writable if access is Access.CONTROL else definition.readable
    return access if usable else None


def _unmatched(state: State, domain: Domain, aspect: Aspect, properties: _Properties | None) -> Unmatched | None:
    """Return why an aspect got nothing, by the property for which there is the most evidence."""

    def because(obstacle: Obstacle, identifier: str = "") -> Unmatched:
        return Unmatched(state.entity_id, aspect, obstacle, identifier)

    if aspect.private:
        return because(Obstacle.PRIVATE)
    if not _is_suggestible(state, domain, aspect):
        return because(Obstacle.RISKY) if domain.risky(state) else None
    if properties is None:
        return None
    evident = sorted(_evident(state, aspect, properties), key=lambda one: one[1], reverse=True)
    for named, evidence in evident:
        definition = named.definition
        if _score(state, aspect, definition, evidence) and _usable_access(state, domain, aspect, definition):
            return because(Obstacle.TAKEN, definition.identifier)
    if evident:
        return because(Obstacle.MISMATCH, evident[0][0].definition.identifier)
    return None if aspect.alternative else because(Obstacle.NOTHING_FITS)


def _evident(state: State, aspect: Aspect, properties: _Properties) -> Iterator[tuple[_NamedProperty, int]]:
    """Yield the properties that are about an aspect of an entity, with points for how evident that is.

    Either the identifier is a standard one of the aspect, or one of the names is about this entity and this aspect and
    about nothing else. An aspect without standard identifiers has no name worth looking for; there the property must be
    called what the entity is called.
    """
    standard = [identifier.casefold() for identifier in aspect.identifiers_for(state)]
    entity_names = [meanings(state.object_id), meanings(state.name)]
    facet_names = [meanings(name) for name in (aspect.name_en, aspect.name_zh, *aspect.identifiers_for(state))]
    about_entity = frozenset[str]().union(*entity_names)
    about_facet = frozenset[str]().union(*facet_names, meanings(device_class(state) or ""))
    about_both = about_facet | about_entity | meanings(state.domain)
    for named in properties.about(standard, about_facet if standard else about_entity):
        evidence = STANDARD - standard.index(named.plain_identifier) if named.plain_identifier in standard else 0
        for said in named.says:
            if (said & about_facet and said <= about_both) if standard else said in entity_names:
                whole = any(words and words <= said for words in facet_names)
                evidence = max(evidence, NAMED + NAMED_WORD * min(len(said), 3) + (WHOLE_ASPECT if whole else 0))
        if evidence:
            yield named, evidence


def _score(state: State, aspect: Aspect, definition: Property, evidence: int) -> int:
    """Return how well a property suits an aspect that it is about, 0 for not at all: type and unit must fit."""
    conversion = Conversion()
    if not carries(aspect, definition.data_type, conversion):
        return 0
    unit, wanted_unit = aspect.unit(state), property_unit(definition.data_type)
    if unit and wanted_unit and contradict(unit, wanted_unit):
        return 0
    lost = unmatched_options(aspect, definition.data_type, conversion, state)
    if lost and len(lost) == len(aspect.options(state)):
        return 0
    same_unit = unit and wanted_unit and canonical(unit) == canonical(wanted_unit)
    return evidence + (SAME_UNIT if same_unit else 0) + (0 if lost else ALL_OPTIONS)


def _inventions(entity: _Entity, used: set[str]) -> list[Suggestion]:
    """Return a new identifier for each aspect; they count as used from then on."""
    suggestions = []
    for aspect in entity.aspects:
        if aspect.alternative:
            continue
        identifier = generate_identifier(aspect, entity.state, used)
        used.add(identifier)
        access = allowed_access(entity.state, entity.domain, aspect, None)
        suggestions.append(Suggestion(entity.state.entity_id, identifier, aspect.key, access, NAMED))
    return suggestions


def _contested(entities: Iterable[_Entity]) -> set[str]:
    """Return the identifiers that more than one entity would get."""
    wishes = Counter(suggestion.identifier for entity in entities for suggestion in _inventions(entity, set()))
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


def _sensors_first(suggestions: Iterable[Suggestion], ranked: Iterable[list[Suggestion]]) -> list[Suggestion]:
    """Return the suggestions with sensors that got nothing in place of what other entities tell by the way.

    A thermometer measures the room better than an air conditioner does, unless the property is rather about the latter.
    """
    chosen = {one.identifier: one for one in suggestions}
    served = {one.entity_id for one in chosen.values()}
    for candidates in ranked:
        for one in sorted(filter(_is_sensor, candidates), key=lambda one: one.score, reverse=True):
            if one.entity_id not in served and (holder := chosen.get(one.identifier)) and _yields(holder, one):
                chosen[one.identifier] = one
                served.add(one.entity_id)
    return list(chosen.values())


def _is_sensor(suggestion: Suggestion) -> bool:
    return suggestion.entity_id.startswith("sensor.")


def _yields(holder: Suggestion, sensor: Suggestion) -> bool:
    """Tell whether somebody who has a property only reports there what is not the main thing about it."""
    domain = domain_of(holder.entity_id)
    by_the_way = domain is not None and holder.aspect != domain.aspects[0].key and holder.access is Access.REPORT
    return by_the_way and not _is_sensor(holder) and sensor.score >= holder.score


def _evidence(candidates: list[Suggestion]) -> int:
    return sum(suggestion.score for suggestion in _each_once(candidates, ()))
