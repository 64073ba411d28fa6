"""The evidence that a property stands for an aspect of an entity: its identifier, or the words of its identifier and name."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import Self

from homeassistant.core import State

from ...alink.model.thing_model import Property, ThingModel
from ..aspect import Aspect
from ..attributes import device_class
from ..slices import LARGE_SLICE, Slices, at_once
from .meanings import meanings

STANDARD_SCORE = 70
"""Score for a standard identifier of the aspect; each place further down the list costs one point."""

NAME_SCORE = 50
"""Score for a name that is about the entity and the aspect, with `WORD_SCORE` for each of up to three words."""

WORD_SCORE = 12

ASPECT_NAME_SCORE = 5
"""Score for a name that contains the whole name of the aspect: "fan mode" is a fan mode rather than a mode."""

COMMAND_WORDS = frozenset({"command", "operation"})
"""The meanings of which the name of a property for commands has one, unless its identifier is a standard one."""


@dataclass(frozen=True, slots=True)
class NamedProperty:
    """A property and the meanings of its identifier and name; `position` is its position in the thing model."""

    position: int
    definition: Property
    plain_identifier: str
    meanings: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Properties:
    """The properties of a thing model, indexed by identifier and by word, because trying all for each aspect is slow."""

    by_identifier: Mapping[str, list[NamedProperty]]
    by_word: Mapping[str, list[NamedProperty]]

    @classmethod
    def of(cls, model: ThingModel) -> Self:
        """Return the index for a thing model."""
        return at_once(cls.in_slices(model))

    @classmethod
    def in_slices(cls, model: ThingModel) -> Slices[Self]:
        """Do what `of` does, in slices."""
        by_identifier: dict[str, list[NamedProperty]] = defaultdict(list)
        by_word: dict[str, list[NamedProperty]] = defaultdict(list)
        for piece in batched(enumerate(model.properties.values()), LARGE_SLICE, strict=False):
            for position, definition in piece:
                plain = definition.identifier.rpartition(":")[2]
                both = tuple(words for name in (plain, definition.name) if (words := meanings(name)))
                prop = NamedProperty(position, definition, plain.casefold(), both)
                by_identifier[prop.plain_identifier].append(prop)
                for word in frozenset[str]().union(*both):
                    by_word[word].append(prop)
            yield
        return cls(by_identifier, by_word)

    def about(self, identifiers: Iterable[str], words: Iterable[str]) -> list[NamedProperty]:
        """Return the properties with one of these identifiers or words, in the order of the thing model."""
        found = {
            prop.position: prop
            for index, keys in ((self.by_identifier, identifiers), (self.by_word, words))
            for key in keys
            for prop in index.get(key, ())
        }
        return [found[position] for position in sorted(found)]


def candidates_for(state: State, aspect: Aspect, properties: Properties) -> Iterator[tuple[NamedProperty, int]]:
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
