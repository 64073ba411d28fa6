"""Suggest which property stands for which aspect of an entity.

The evidence is a standard identifier of the aspect, or a property whose name consists only of words for the entity and
the aspect. Data type and unit must fit, and the labels of a bool or an enum must cover the aspect: what is reported needs
an item for every option that the entity can remain in, and what is controlled needs items that the entity can be set to.
A merely possible match is not suggested, so that the list is short and reliable.
What an entity may turn out not to have is not suggested before its state is known. Private aspects (`Aspect.private`) are never suggested, and neither are commands to risky entities.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import batched
from operator import attrgetter, itemgetter
from typing import Self

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import State

from ...alink.model.datatypes import INT_MAX, INT_MIN, BoolType, DataType, EnumType, IntType
from ...alink.model.thing_model import Property, ThingModel
from ..aspect import Aspect, Kind
from ..attributes import device_class
from ..binding import Access, Conversion
from ..convert import carries, clashing_units, refused_items, unmatched_options
from ..domains import Risk, domain_of, own_risk
from ..kinds.items import labels_tell
from ..model.infer import generate_identifier
from ..scaling import property_unit
from ..slices import LARGE_SLICE, SLICE, Slices, at_once
from ..units import same
from .meanings import meanings

STANDARD_SCORE = 70
"""Score for a standard identifier of the aspect; each place further down the list costs one point."""

NAME_SCORE = 50
"""Score for a name that is about the entity and the aspect, with `WORD_SCORE` for each of up to three words."""

WORD_SCORE = 12
SAME_UNIT_SCORE = 4
ALL_OPTIONS_SCORE = 4
MORE_ITEMS_SCORE = -5
"""Score for yes or no in an enum with more than two items, which another aspect may use better."""

ASPECT_NAME_SCORE = 5
"""Score for a name that contains the whole name of the aspect: "fan mode" is a fan mode rather than a mode."""


_PROBES = ("0", "x")
"""States of which one is a number and one is text."""

COMMAND_WORDS = frozenset({"command", "operation"})
"""The meanings of which the name of a property for commands has one, unless its identifier is a standard one."""


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
            _each_once(_matches(entity, _Properties.of(model)), taken) if model else _new_properties(entity, set(taken))
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
    properties = yield from _Properties.in_slices(model)
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
    properties = _Properties.of(model) if model else None
    return [
        found
        for state in states
        if (domain := domain_of(state.entity_id))
        for aspect in domain.aspects
        if (state.entity_id, aspect.key) not in settled and aspect.supported(state)
        if (found := _unmatched(state, aspect, properties, risky=risk(state, aspect)))
    ]


def has_aspect(state: State, aspect: Aspect) -> bool | None:
    """Return whether an entity has an aspect, None while that is not known.

    The state of a sensor without a unit shows whether it is a number or text, and an unavailable entity has lost the
    attributes that show what it measures. So what depends on them is not known while the state is unknown or unavailable.
    """
    if state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return aspect.supported(state)
    possible = (state, *(State(state.entity_id, probe, state.attributes) for probe in _PROBES))
    answers = {aspect.supported(one) for one in possible}
    return answers.pop() if len(answers) == 1 else None


def is_incomplete(state: State) -> bool:
    """Return whether an entity has aspects that may be suggested as soon as its state is known."""
    domain = domain_of(state.entity_id)
    return domain is not None and any(
        has_aspect(state, aspect) is None for aspect in domain.aspects if not aspect.private
    )


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


@dataclass(frozen=True, slots=True)
class _NamedProperty:
    """A property and the meanings of its identifier and name; `position` is its position in the thing model."""

    position: int
    definition: Property
    plain_identifier: str
    meanings: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class _Properties:
    """The properties of a thing model, indexed by identifier and by word, because trying all for each aspect is slow."""

    by_identifier: Mapping[str, list[_NamedProperty]]
    by_word: Mapping[str, list[_NamedProperty]]

    @classmethod
    def of(cls, model: ThingModel) -> Self:
        """Return the index for a thing model."""
        return at_once(cls.in_slices(model))

    @classmethod
    def in_slices(cls, model: ThingModel) -> Slices[Self]:
        """Do what `of` does, in slices."""
        by_identifier: dict[str, list[_NamedProperty]] = defaultdict(list)
        by_word: dict[str, list[_NamedProperty]] = defaultdict(list)
        for piece in batched(enumerate(model.properties.values()), LARGE_SLICE, strict=False):
            for position, definition in piece:
                plain = definition.identifier.rpartition(":")[2]
                both = tuple(words for name in (plain, definition.name) if (words := meanings(name)))
                prop = _NamedProperty(position, definition, plain.casefold(), both)
                by_identifier[prop.plain_identifier].append(prop)
                for word in frozenset[str]().union(*both):
                    by_word[word].append(prop)
            yield
        return cls(by_identifier, by_word)

    def about(self, identifiers: Iterable[str], words: Iterable[str]) -> list[_NamedProperty]:
        """Return the properties with one of these identifiers or words, in the order of the thing model."""
        found = {
            prop.position: prop
            for index, keys in ((self.by_identifier, identifiers), (self.by_word, words))
            for key in keys
            for prop in index.get(key, ())
        }
        return [found[position] for position in sorted(found)]


def _matches(entity: _Entity, properties: _Properties) -> list[Suggestion]:
    return [
        Suggestion(entity.state.entity_id, prop.definition.identifier, aspect.key, access, score)
        for aspect in entity.aspects
        for prop, evidence in _candidates(entity.state, aspect, properties)
        if (score := _score(entity.state, aspect, prop.definition, evidence))
        and (access := _usable(entity.access(aspect, prop.definition), entity.state, aspect, prop.definition))
    ]


def _usable(access: Access, state: State, aspect: Aspect, definition: Property) -> Access | None:
    """Return the direction of a new binding, None if the property does not allow it or does not cover the aspect."""
    if access.controls and not _can_be_controlled(state, aspect, definition.data_type):
        access = Access.REPORT
    if access is not Access.CONTROL and aspect.momentary:
        return None
    if access.reports and not _can_be_reported(state, aspect, definition.data_type):
        return None
    usable = definition.writable if access is Access.CONTROL else definition.readable
    return access if usable else None


def _can_be_reported(state: State, aspect: Aspect, data_type: DataType) -> bool:
    """Return whether the property has a value for every option that the entity can remain in.

    Otherwise the cloud would keep the last value that it has an item for, and nobody would see that it is wrong.
    """
    if aspect.kind is not Kind.ENUM:
        return True
    options = aspect.options(state)
    lost = unmatched_options(aspect, data_type, Conversion(), state)
    known = bool(options) or not isinstance(data_type, EnumType)
    return known and lost != options and set(lost) <= set(aspect.dispensable(state))


def _can_be_controlled(state: State, aspect: Aspect, data_type: DataType) -> bool:
    """Return whether the entity can be set to at least two items, or to all."""
    if not isinstance(data_type, EnumType):
        return True
    count = len(data_type.items)
    return count - len(refused_items(aspect, data_type, Conversion(), state)) >= min(count, 2)


def _labels_fit(aspect: Aspect, data_type: DataType) -> bool:
    """Return whether no and yes are what the property calls its two values; an integer must have room for just them."""
    match data_type:
        case BoolType() | EnumType():
            return labels_tell(aspect, data_type)
        case IntType(low, high):
            return (low, high) in ((0, 1), (INT_MIN, INT_MAX))
        case _:
            return True


def _unmatched(state: State, aspect: Aspect, properties: _Properties | None, *, risky: bool) -> Unmatched | None:
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
    candidates = sorted(_candidates(state, aspect, properties), key=itemgetter(1), reverse=True)
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


def _candidates(state: State, aspect: Aspect, properties: _Properties) -> Iterator[tuple[_NamedProperty, int]]:
    """Yield the properties that are about an aspect of an entity, with a score for the evidence.

    Either the identifier is a standard one of the aspect, or the identifier or name has words for this entity and this
    aspect and no others. The name of an aspect without standard identifiers is too general; for such an aspect the
    property must have the name of the entity.
    """
    standard = [identifier.casefold() for identifier in aspect.identifiers_for(state)]
    entity_names = [meanings(state.object_id), meanings(state.name)]
    aspect_names = [meanings(name) for name in (aspect.name_en, aspect.name_zh, *aspect.identifiers_for(state))]
    about_entity = frozenset[str]().union(*entity_names)
    about_aspect = frozenset[str]().union(*aspect_names, meanings(device_class(state) or ""))
    about_both = about_aspect | about_entity | meanings(state.domain)
    for prop in properties.about(standard, about_aspect if standard else about_entity):
        evidence = STANDARD_SCORE - standard.index(prop.plain_identifier) if prop.plain_identifier in standard else 0
        for words in prop.meanings:
            if aspect.momentary and words.isdisjoint(COMMAND_WORDS):
                continue  # a state that can be set is not a command
            if (words & about_aspect and words <= about_both) if standard else words in entity_names:
                whole = any(name and name <= words for name in aspect_names)
                score = NAME_SCORE + WORD_SCORE * min(len(words), 3) + (ASPECT_NAME_SCORE if whole else 0)
                evidence = max(evidence, score)
        if evidence:
            yield prop, evidence


def _score(state: State, aspect: Aspect, definition: Property, evidence: int) -> int:
    """Return the score of a property that is about an aspect, 0 if its data type or unit doesn't fit."""
    conversion = Conversion()
    if not carries(aspect, definition.data_type, conversion):
        return 0
    if _clash(state, aspect, definition):
        return 0
    if aspect.kind is Kind.BOOL and not _labels_fit(aspect, definition.data_type):
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
