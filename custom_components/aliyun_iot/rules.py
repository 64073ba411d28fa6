"""The rules of an entry, stored in one subentry each, and the changes that they make.

A rule makes ordinary bindings that have its id. Everything that is needed to see what the user has removed is stored, so
that nothing is missed while the entry isn't loaded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .alink.model.thing_model import ThingModel
from .const import SUBENTRY_RULE
from .exposures import change_bindings, entity_reference, exposed_bindings, exposure_key, resolve_entity
from .mapping.binding import Binding
from .mapping.rule import EntityAspect, Rule
from .mapping.selection import matching, select
from .mapping.stored import Unreadable
from .mapping.suggest.suggestions import is_incomplete, suggest_all
from .risk import risk_in


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes that rules make.

    `released` are bindings to remove, `passed_on` those that another rule takes over from one that no longer matches.
    `rules` are all rules as they are to be stored. `incomplete` are the entities that match a rule and of which not everything is
    known that could be bound.
    """

    rules: Mapping[str, Rule]
    added: tuple[Binding, ...]
    released: tuple[Binding, ...]
    passed_on: tuple[Binding, ...]
    incomplete: frozenset[str]


def rules_of(entry: ConfigEntry) -> dict[str, Rule]:
    """Return the rules of an entry by the ids of their subentries, those that can be read."""
    return {key: rule for key, rule in _all_rules(entry).items() if isinstance(rule, Rule)}


def _unreadable_rules(entry: ConfigEntry) -> set[str]:
    return {key for key, rule in _all_rules(entry).items() if isinstance(rule, Unreadable)}


def _all_rules(entry: ConfigEntry) -> dict[str, Rule | Unreadable]:
    return {
        subentry_id: Rule.from_stored(subentry.data)
        for subentry_id, subentry in entry.subentries.items()
        if subentry.subentry_type == SUBENTRY_RULE
    }


def entity_aspect(binding: Binding) -> EntityAspect:
    """Return the entity and the aspect of a binding."""
    return EntityAspect(binding.entity, binding.aspect)


@callback
def carry_out_rules(hass: HomeAssistant, entry: ConfigEntry, model: ThingModel | None) -> frozenset[str]:
    """Bind what matches a rule now, and remove the bindings of rules that no longer match.

    Return the entities that have to be looked at again when their state is known.
    """
    changes = changes_by_rules(hass, entry, rules_of(entry), model)
    carry_out(hass, entry, changes)
    return changes.incomplete


@callback
def carry_out(hass: HomeAssistant, entry: ConfigEntry, changes: Changes) -> None:
    """Store changes; subentries without a change are not written."""
    change_bindings(
        hass,
        entry,
        removed={binding.identifier for binding in changes.released},
        replaced={binding.identifier: binding for binding in changes.passed_on},
        added=changes.added,
    )
    for rule_id, rule in changes.rules.items():
        if subentry := entry.subentries.get(rule_id):
            hass.config_entries.async_update_subentry(entry, subentry, data=rule.as_dict())


@callback
def changes_by_rules(
    hass: HomeAssistant, entry: ConfigEntry, rules: Mapping[str, Rule], model: ThingModel | None
) -> Changes:
    """Return the changes that these rules would make as the rules of the entry; nothing is stored.

    The bindings of a rule that cannot be read stay as they are.
    """
    bindings = exposed_bindings(entry)
    unknown = _unreadable_rules(entry)
    present = {entity_aspect(binding) for binding in bindings}
    matched = {
        rule_id: _Matched(hass, rule_id, rule, matching(hass, rule.selection)).leaving_out_removed(present)
        for rule_id, rule in rules.items()
    }

    owners = {
        binding.identifier: binding.rule if binding.rule in unknown else _owner(binding, matched)
        for binding in bindings
        if binding.rule
    }
    released = tuple(binding for binding in bindings if binding.rule and owners[binding.identifier] is None)
    passed_on = tuple(
        replace(binding, rule=owner)
        for binding in bindings
        if binding.rule and (owner := owners[binding.identifier]) and owner != binding.rule
    )
    kept = [binding for binding in bindings if not binding.rule or owners[binding.identifier] is not None]
    added: list[Binding] = []
    for rule_id, each in matched.items():
        proposed = propose(hass, [*kept, *added], each.rule, model)
        added += [replace(binding, rule=rule_id) for binding in proposed]
    return Changes(
        {rule_id: each.with_bound([*kept, *added]) for rule_id, each in matched.items()},
        tuple(added),
        released,
        passed_on,
        frozenset(
            entity_id
            for entity_id in set().union(*(each.entity_ids for each in matched.values()))
            if (state := hass.states.get(entity_id)) and is_incomplete(state)
        ),
    )


@callback
def propose(hass: HomeAssistant, bindings: Iterable[Binding], rule: Rule, model: ThingModel | None) -> list[Binding]:
    """Return the bindings that a rule can add to the given ones, sorted by device and entity."""
    taken: set[str] = set()
    bound: set[tuple[str, str]] = set()
    for binding in bindings:
        taken.add(binding.identifier)
        if entity_id := resolve_entity(hass, binding.entity):
            bound.add((entity_id, binding.aspect))
    states = [state for entity_id in select(hass, rule.selection) if (state := hass.states.get(entity_id))]
    left_out = {(entity_id, each.aspect) for each in rule.left_out if (entity_id := resolve_entity(hass, each.entity))}
    risk = risk_in(hass)
    found = suggest_all(states, model, taken, bound, risk)
    wanted = [suggestion for suggestion in found if (suggestion.entity_id, suggestion.aspect) not in left_out]
    if len(wanted) < len(found):
        # The properties of what is left out are suggested again, so that the other suggestions stay the same.
        taken |= {suggestion.identifier for suggestion in wanted}
        bound |= {(suggestion.entity_id, suggestion.aspect) for suggestion in wanted} | left_out
        wanted += suggest_all(states, model, taken, bound, risk)
    proposed = [
        Binding(
            identifier=suggestion.identifier,
            entity=entity_reference(hass, suggestion.entity_id),
            aspect=suggestion.aspect,
            access=suggestion.access,
        )
        for suggestion in wanted
    ]

    def order(binding: Binding) -> tuple[str, str, str]:
        key = exposure_key(hass, binding.entity)
        return key.title, key.unique_id, resolve_entity(hass, binding.entity) or ""

    return sorted(proposed, key=order)


def _owner(binding: Binding, matched: Mapping[str, _Matched]) -> str | None:
    """Return the rule that a binding of a rule belongs to now: its own if that still wants it, else another one."""
    own = matched.get(binding.rule)
    if own and own.wants(binding):
        return binding.rule
    return next((rule_id for rule_id, each in matched.items() if each.wants(binding)), None)


@dataclass(frozen=True, slots=True)
class _Matched:
    """A rule with the entities that match it now."""

    hass: HomeAssistant
    rule_id: str
    rule: Rule
    entity_ids: set[str]

    def wants(self, binding: Binding) -> bool:
        """Return whether the binding should exist according to the rule.

        An entity that isn't registered may belong to an integration that hasn't started yet; its binding is kept until
        the entity has a state.
        """
        if entity_aspect(binding) in self.rule.left_out:
            return False
        if self._covers(binding.entity):
            return True
        unregistered = "." in binding.entity
        return unregistered and binding.rule == self.rule_id and self.hass.states.get(binding.entity) is None

    def leaving_out_removed(self, present: set[EntityAspect]) -> _Matched:
        """Return the rule with `left_out` extended by what was bound, still matches and was removed by the user."""
        removed = {each for each in self.rule.bound - present if self._covers(each.entity)}
        return replace(self, rule=replace(self.rule, left_out=self.rule.left_out | removed)) if removed else self

    def with_bound(self, bindings: Iterable[Binding]) -> Rule:
        """Return the rule with everything that is bound of its entities as `bound`."""
        covered = (binding for binding in bindings if self._covers(binding.entity))
        return replace(self.rule, bound=frozenset(map(entity_aspect, covered)))

    def _covers(self, reference: str) -> bool:
        return resolve_entity(self.hass, reference) in self.entity_ids
