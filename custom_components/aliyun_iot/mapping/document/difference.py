"""What an import would do to a mapping: worked out and shown before anything is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..binding import Binding, ServiceBinding
from ..event_binding import EventBinding
from .document import Document
from .rules import DocumentedRule


class Mode(StrEnum):
    """What becomes of that which a document says nothing about: it stays, or it goes."""

    MERGE = "merge"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class ItemChange[Item]:
    """Something that comes (nothing before), goes (nothing after), or becomes something else."""

    name: str
    """The identifier of the property, the service or the event, or the name of the rule."""

    before: Item | None
    after: Item | None


type Events = tuple[EventBinding, ...]
"""All sources of one event."""

type AnyItemChange = ItemChange[Binding] | ItemChange[ServiceBinding] | ItemChange[Events] | ItemChange[DocumentedRule]


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes that make one mapping of another, sorted by name, and the number of parts that stay as they are."""

    bindings: tuple[ItemChange[Binding], ...]
    services: tuple[ItemChange[ServiceBinding], ...]
    events: tuple[ItemChange[Events], ...]
    rules: tuple[ItemChange[DocumentedRule], ...]
    unchanged: int

    @property
    def all(self) -> tuple[AnyItemChange, ...]:
        """All changes."""
        return (*self.bindings, *self.services, *self.events, *self.rules)

    @property
    def risky(self) -> tuple[ItemChange[Binding] | ItemChange[ServiceBinding], ...]:
        """What lets the cloud do more than it can now, and what nobody should get by merely opening a file.

        That is to operate an entity that needs a confirmation, to run actions that the document brings along, and to do
        something under another condition than now.
        """
        return (*(one for one in self.bindings if _allows_more(one)), *(one for one in self.services if one.after))


def difference(current: Document, wanted: Document, mode: Mode) -> Difference:
    """Return what an import changes; both documents name entities in the same way."""
    bindings = _changes(current.bindings, wanted.bindings, mode)
    services = _changes(current.services, wanted.services, mode)
    events = _changes(current.events, wanted.events, mode)
    rules = _changes(current.rules, wanted.rules, mode)
    touched = sum(one.before is not None for one in (*bindings, *services, *events, *rules))
    present = len(current.bindings) + len(current.services) + len(current.events) + len(current.rules)
    return Difference(bindings, services, events, rules, present - touched)


def _changes[Item](current: Mapping[str, Item], wanted: Mapping[str, Item], mode: Mode) -> tuple[ItemChange[Item], ...]:
    concerned: Iterable[str] = wanted if mode is Mode.MERGE else current.keys() | wanted.keys()
    pairs = (ItemChange(name, current.get(name), wanted.get(name)) for name in sorted(concerned))
    return tuple(one for one in pairs if one.before != one.after)


def _allows_more(change: ItemChange[Binding]) -> bool:
    before, after = change.before, change.after
    if after is None or not after.access.controls:
        return False
    allowed = before if before and before.access.controls and before.entity == after.entity else None
    if after.actions and not (allowed and allowed.actions == after.actions):
        return True
    if allowed and allowed.condition and allowed.condition != after.condition:
        return True
    return after.confirmed and not (allowed and allowed.confirmed and allowed.aspect == after.aspect)
