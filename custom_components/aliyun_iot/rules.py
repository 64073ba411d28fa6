"""The rules of an entry, stored in one subentry each, and the changes that they make.

A rule makes ordinary bindings that have its id, of the entry's own device or of sub-devices that it makes
(`rule_sub_devices.py`). Everything that is needed to see what the user has removed is stored, so that nothing is missed while
the entry isn't loaded.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import batched, chain
from operator import itemgetter

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .alink.model.thing_model import ThingModel
from .const import OWN, SUBENTRY_RULE
from .exposures import change_bindings, entity_reference, exposed_bindings, exposure_key, resolve_entity
from .mapping.binding import Binding
from .mapping.rule import EntityAspect, Rule
from .mapping.selection import matching
from .mapping.slices import LARGE_SLICE, SLICE, Slices, at_once
from .mapping.stored import Unchanged, Unreadable
from .mapping.suggest.coverage import is_incomplete
from .mapping.suggest.suggestions import suggest_in_slices
from .matched_rule import MatchedRule, entity_aspect, owning_rule
from .risk import risk_in
from .rule_sub_devices import SubDeviceChanges, sub_device_changes
from .stored_device import sub_devices_of
from .sub_device_row import remove_sub_device


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes that rules make.

    `released` are bindings to remove, `passed_on` those that another rule takes over from one that no longer matches. `rules`
    are all rules as they are to be stored. `matching` are the entities that match a rule, whether they have a state or not,
    and `incomplete` those of which not everything is known that could be bound. `sub_devices` are the changes of sub-devices;
    the others are of the entry's own device.
    """

    rules: Mapping[str, Rule]
    added: tuple[Binding, ...]
    released: tuple[Binding, ...]
    passed_on: tuple[Binding, ...]
    matching: frozenset[str] = frozenset()
    incomplete: frozenset[str] = frozenset()
    sub_devices: SubDeviceChanges = field(default_factory=SubDeviceChanges)


def rules_of(entry: ConfigEntry) -> dict[str, Rule]:
    """Return the rules of an entry by the ids of their subentries, those that can be read."""
    return {key: rule for key, rule in _all_rules(entry).items() if isinstance(rule, Rule)}


def followed_bindings(entry: ConfigEntry) -> Iterator[tuple[str, Binding]]:
    """Yield the bindings that rules have made, each with the owner that it is bound of."""
    for owner in (OWN, *(device.owner for device in sub_devices_of(entry))):
        for binding in exposed_bindings(entry, owner):
            if binding.rule:
                yield owner, binding


def _unreadable_rules(entry: ConfigEntry) -> set[str]:
    return {key for key, rule in _all_rules(entry).items() if isinstance(rule, Unreadable)}


def _all_rules(entry: ConfigEntry) -> dict[str, Rule | Unreadable]:
    return {
        subentry_id: _rule(Unchanged(subentry.data))
        for subentry_id, subentry in entry.subentries.items()
        if subentry.subentry_type == SUBENTRY_RULE
    }


@lru_cache(maxsize=256)
def _rule(stored: Unchanged) -> Rule | Unreadable:
    """Read a rule once, because one that has bound thousands of entities is long."""
    return Rule.from_stored(stored.data)


@callback
def carry_out(hass: HomeAssistant, entry: ConfigEntry, changes: Changes) -> None:
    """Store changes, except for new sub-devices; subentries without a change are not written."""
    stored = rules_of(entry)
    change_bindings(
        hass,
        entry,
        removed={binding.identifier for binding in changes.released},
        replaced={binding.identifier: binding for binding in changes.passed_on},
        added=changes.added,
    )
    for owner, change in changes.sub_devices.bindings.items():
        change_bindings(
            hass,
            entry,
            owner,
            removed={binding.identifier for binding in change.released},
            replaced={binding.identifier: binding for binding in change.passed_on},
            added=change.added,
        )
    for owner in changes.sub_devices.removed:
        if subentry := entry.subentries.get(owner):
            remove_sub_device(hass, entry, subentry)
    for rule_id, rule in changes.rules.items():
        if rule != stored.get(rule_id) and (subentry := entry.subentries.get(rule_id)):
            hass.config_entries.async_update_subentry(entry, subentry, data=rule.as_dict())


@callback
def changes_by_rules(
    hass: HomeAssistant, entry: ConfigEntry, rules: Mapping[str, Rule], model: ThingModel | None
) -> Changes:
    """Return the changes that these rules would make as the rules of the entry; nothing is stored.

    The bindings of a rule that cannot be read stay as they are.
    """
    return at_once(changes_in_slices(hass, entry, rules, model))


def changes_in_slices(
    hass: HomeAssistant, entry: ConfigEntry, rules: Mapping[str, Rule], model: ThingModel | None
) -> Slices[Changes]:
    """Do what `changes_by_rules` does, in slices: the result is right if nothing it depends on has changed meanwhile."""
    bindings = exposed_bindings(entry)
    unknown = _unreadable_rules(entry)
    own, of_sub_devices = _Present(), _Present()
    for present, all_bindings in ((own, bindings), (of_sub_devices, _sub_device_bindings(entry))):
        for piece in batched(all_bindings, LARGE_SLICE, strict=False):
            present.add(piece)
            yield
    matched: dict[str, MatchedRule] = {}
    making: dict[str, MatchedRule] = {}
    for rule_id, rule in rules.items():
        covering = MatchedRule(hass, rule_id, rule, matching(hass, rule.selection))
        yield
        # A rule may have bound to the other ones before its product was changed.
        present, others = (of_sub_devices, own) if rule.product_key else (own, of_sub_devices)
        covering = covering.leaving_out_removed(present.bound, others.by_rule.get(rule_id, ()))
        (making if rule.product_key else matched)[rule_id] = covering
        yield
    released: list[Binding] = []
    passed_on: list[Binding] = []
    occupied = _Occupied(hass)
    for piece in batched(bindings, LARGE_SLICE, strict=False):
        for binding in piece:
            owner = owning_rule(binding, matched) if binding.rule and binding.rule not in unknown else binding.rule
            if owner is None:
                released.append(binding)
                continue
            if owner != binding.rule:
                passed_on.append(replace(binding, rule=owner))
            occupied.add(binding)
        yield
    added: list[Binding] = []
    for rule_id, each in matched.items():
        proposed = yield from _propose(hass, occupied, each, model)
        for piece in batched(proposed, LARGE_SLICE, strict=False):
            for binding in piece:
                added.append(replace(binding, rule=rule_id))
                occupied.add(binding)
            yield
    updated: dict[str, Rule] = {}
    for rule_id, each in matched.items():
        updated[rule_id] = replace(each.rule, bound=occupied.bound_in(each.entity_ids), made=frozenset())
        yield
    sub_devices, updated_too = yield from sub_device_changes(hass, entry, making, unknown)
    updated = {rule_id: (updated | updated_too)[rule_id] for rule_id in rules}
    matching_any = frozenset[str]().union(*(each.entity_ids for each in (*matched.values(), *making.values())))
    incomplete: set[str] = set()
    for some in batched(matching_any, SLICE, strict=False):
        incomplete.update(
            entity_id for entity_id in some if (state := hass.states.get(entity_id)) and is_incomplete(state)
        )
        yield
    return Changes(
        updated, tuple(added), tuple(released), tuple(passed_on), matching_any, frozenset(incomplete), sub_devices
    )


@callback
def propose(hass: HomeAssistant, bindings: Iterable[Binding], rule: Rule, model: ThingModel | None) -> list[Binding]:
    """Return the bindings that a rule can add to the given ones, sorted by device and entity."""
    occupied = _Occupied(hass)
    for binding in bindings:
        occupied.add(binding)
    return at_once(_propose(hass, occupied, MatchedRule(hass, "", rule, matching(hass, rule.selection)), model))


def _propose(
    hass: HomeAssistant, occupied: _Occupied, matched: MatchedRule, model: ThingModel | None
) -> Slices[list[Binding]]:
    states = [state for entity_id in sorted(matched.entity_ids) if (state := hass.states.get(entity_id))]
    yield
    left_out = {
        (entity_id, each.aspect) for each in matched.rule.left_out if (entity_id := resolve_entity(hass, each.entity))
    }
    risk = risk_in(hass)
    found = yield from suggest_in_slices(states, model, occupied.identifiers, occupied.aspects, risk)
    wanted = [suggestion for suggestion in found if (suggestion.entity_id, suggestion.aspect) not in left_out]
    if len(wanted) < len(found):
        # The properties of what is left out are suggested again, so that the other suggestions stay the same.
        taken = occupied.identifiers | {suggestion.identifier for suggestion in wanted}
        bound = occupied.aspects | {(suggestion.entity_id, suggestion.aspect) for suggestion in wanted} | left_out
        wanted += yield from suggest_in_slices(states, model, taken, bound, risk)
    proposed: list[tuple[tuple[str, str, str], Binding]] = []
    for piece in batched(wanted, LARGE_SLICE, strict=False):
        for suggestion in piece:
            binding = Binding(
                identifier=suggestion.identifier,
                entity=entity_reference(hass, suggestion.entity_id),
                aspect=suggestion.aspect,
                access=suggestion.access,
            )
            key = exposure_key(hass, binding.entity)
            proposed.append(((key.title, key.unique_id, suggestion.entity_id), binding))
        yield
    return [binding for _, binding in sorted(proposed, key=itemgetter(0))]


def _sub_device_bindings(entry: ConfigEntry) -> Iterator[Binding]:
    return chain.from_iterable(exposed_bindings(entry, device.owner) for device in sub_devices_of(entry))


class _Present:
    """What is bound, of all and by each rule."""

    def __init__(self) -> None:
        self.bound: set[EntityAspect] = set()
        self.by_rule: dict[str, set[EntityAspect]] = {}

    def add(self, bindings: Iterable[Binding]) -> None:
        """Add bindings."""
        for binding in bindings:
            self.bound.add(entity_aspect(binding))
            if binding.rule:
                self.by_rule.setdefault(binding.rule, set()).add(entity_aspect(binding))


class _Occupied:
    """What is bound already, or is going to be."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.identifiers: set[str] = set()
        self.aspects: set[tuple[str, str]] = set()
        """Entity ids and aspects."""
        self._hass = hass
        self._entities: list[tuple[str, EntityAspect]] = []

    def add(self, binding: Binding) -> None:
        """Add a binding."""
        self.identifiers.add(binding.identifier)
        if entity_id := resolve_entity(self._hass, binding.entity):
            self.aspects.add((entity_id, binding.aspect))
            self._entities.append((entity_id, entity_aspect(binding)))

    def bound_in(self, entity_ids: Collection[str]) -> frozenset[EntityAspect]:
        """Return what is bound of these entities."""
        return frozenset([found for entity_id, found in self._entities if entity_id in entity_ids])
