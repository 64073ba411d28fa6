"""The changes that an import makes to a mapping, computed before anything is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ..binding import Binding, ServiceBinding
from ..event_binding import EventBinding
from .document import Document
from .rules import DocumentedRule
from .sub_device import DocumentedSubDevice


class Mode(StrEnum):
    """Whether items that are not in the document are kept or removed."""

    MERGE = "merge"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class ItemChange[Item]:
    """An item that is added (`before` is None), removed (`after` is None) or changed."""

    name: str
    """The identifier of the property, the service or the event, or the name of the rule or the sub-device."""

    before: Item | None
    after: Item | None


type Events = tuple[EventBinding, ...]
"""All sources of one event."""

type AnyItemChange = (
    ItemChange[Binding]
    | ItemChange[ServiceBinding]
    | ItemChange[Events]
    | ItemChange[DocumentedRule]
    | ItemChange[DocumentedSubDevice]
)
type RiskyChange = ItemChange[Binding] | ItemChange[ServiceBinding]


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes from one mapping to another, sorted by name, and the number of unchanged items.

    `sub_devices` are the sub-devices that are added, removed or named otherwise, `within` the changes in the mappings of those
    that are there afterwards. The mapping of one that is removed goes with it.
    """

    bindings: tuple[ItemChange[Binding], ...]
    services: tuple[ItemChange[ServiceBinding], ...]
    events: tuple[ItemChange[Events], ...]
    rules: tuple[ItemChange[DocumentedRule], ...]
    unchanged: int
    sub_devices: tuple[ItemChange[DocumentedSubDevice], ...] = ()
    within: tuple[tuple[DocumentedSubDevice, Difference], ...] = ()

    @property
    def devices(self) -> tuple[tuple[DocumentedSubDevice | None, Difference], ...]:
        """The changes by device: those of the entry's own device, which is None, and of each sub-device."""
        return ((None, self), *self.within)

    @property
    def own(self) -> tuple[AnyItemChange, ...]:
        """All changes but those within sub-devices."""
        return (*self.bindings, *self.services, *self.events, *self.rules, *self.sub_devices)

    @property
    def all(self) -> tuple[AnyItemChange, ...]:
        """All changes."""
        return tuple(change for _, part in self.devices for change in part.own)

    @property
    def risky(self) -> tuple[RiskyChange, ...]:
        """All changes that need the user's consent."""
        return tuple(change for _, part in self.devices for change in part.own_risky)

    @property
    def own_risky(self) -> tuple[RiskyChange, ...]:
        """The changes in `own` that let the cloud do more than now, which needs the user's consent.

        They control an entity that needs a confirmation, run actions from the document, or change a condition.
        """
        services = (change for change in self.services if change.after)
        return (*(change for change in self.bindings if _allows_more(change)), *services)


def difference(current: Document, wanted: Document, mode: Mode) -> Difference:
    """Return what an import changes; both documents refer to entities in the same way."""
    bindings = _changes(current.bindings, wanted.bindings, mode)
    services = _changes(current.services, wanted.services, mode)
    events = _changes(current.events, wanted.events, mode)
    rules = _changes(current.rules, wanted.rules, mode)
    there, named = current.sub_devices or {}, wanted.sub_devices or {}
    sub_devices = _changes(there, named, Mode.MERGE if wanted.sub_devices is None else mode)
    removed = {change.name for change in sub_devices if change.after is None}
    within = {
        name: difference(
            current.mappings.get(name, Document()),
            wanted.mappings.get(name, Document()),
            mode if name in named else Mode.MERGE,
        )
        for name in sorted(there.keys() | named.keys())
        if name not in removed
    }
    touched = sum(change.before is not None for change in (*bindings, *services, *events, *rules, *sub_devices))
    present = len(current.bindings) + len(current.services) + len(current.events) + len(current.rules) + len(there)
    return Difference(
        bindings,
        services,
        events,
        rules,
        present - touched + sum(part.unchanged for part in within.values()),
        sub_devices,
        tuple((named.get(name) or there[name], part) for name, part in within.items() if part.own),
    )


def _changes[Item](current: Mapping[str, Item], wanted: Mapping[str, Item], mode: Mode) -> tuple[ItemChange[Item], ...]:
    concerned: Iterable[str] = wanted if mode is Mode.MERGE else current.keys() | wanted.keys()
    pairs = (ItemChange(name, current.get(name), wanted.get(name)) for name in sorted(concerned))
    return tuple(change for change in pairs if change.before != change.after)


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
