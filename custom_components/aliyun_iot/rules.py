"""Rules as they are stored, one subentry each, and what carrying them out changes.

A rule makes ordinary bindings that carry its id. All that is needed to know what the user decided is stored, so that
nothing is missed while the entry isn't loaded.
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
from .mapping.suggest.suggestions import suggest_all


@dataclass(frozen=True, slots=True)
class Changes:
    """What carrying out the rules changes.

    `passed_on` are bindings that another rule takes over from one that no longer means them. `rules` are all rules as
    they are to be stored.
    """

    rules: Mapping[str, Rule]
    added: tuple[Binding, ...]
    released: tuple[Binding, ...]
    passed_on: tuple[Binding, ...]


def rules_of(entry: ConfigEntry) -> dict[str, Rule]:
    """Return the rules of an entry by the ids of their subentries."""
    return {
        subentry_id: Rule.from_dict(subentry.data)
        for subentry_id, subentry in entry.subentries.items()
        if subentry.subentry_type == SUBENTRY_RULE
    }


def entity_aspect(binding: Binding) -> EntityAspect:
    """Return what of which entity a binding is about."""
    return EntityAspect(binding.entity, binding.aspect)


@callback
def carry_out_rules(hass: HomeAssistant, entry: ConfigEntry, model: ThingModel | None) -> None:
    """Bind what matches a rule now and release what no longer does."""
    carry_out(hass, entry, changes_by_rules(hass, entry, rules_of(entry), model))


@callback
def carry_out(hass: HomeAssistant, entry: ConfigEntry, changes: Changes) -> None:
    """Store changes; what is as it should be is not touched."""
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
    """Return what these rules would change, were they the rules of the entry; nothing is stored."""
    bindings = exposed_bindings(entry)
    meant = {rule_id: _Meant(hass, rule_id, rule, matching(hass, rule.selection)) for rule_id, rule in rules.items()}
    present = {entity_aspect(binding) for binding in bindings}
    meant = {rule_id: one.without_the_removed(present) for rule_id, one in meant.items()}

    owners = {binding.identifier: _owner(binding, meant) for binding in bindings if binding.rule}
    released = tuple(one for one in bindings if one.rule and owners[one.identifier] is None)
    passed_on = tuple(
        replace(one, rule=owner)
        for one in bindings
        if one.rule and (owner := owners[one.identifier]) and owner != one.rule
    )
    kept = [one for one in bindings if not one.rule or owners[one.identifier] is not None]
    added: list[Binding] = []
    for rule_id, one in meant.items():
        proposed = propose(hass, [*kept, *added], one.rule, model)
        added += [replace(new, rule=rule_id) for new in proposed]
    return Changes(
        {rule_id: one.remembering([*kept, *added]) for rule_id, one in meant.items()},
        tuple(added),
        released,
        passed_on,
    )


@callback
def propose(hass: HomeAssistant, bindings: Iterable[Binding], rule: Rule, model: ThingModel | None) -> list[Binding]:
    """Return what a rule can bind beside the given bindings, sorted by device and entity."""
    taken: set[str] = set()
    bound: set[tuple[str, str]] = set()
    for binding in bindings:
        taken.add(binding.identifier)
        if entity_id := resolve_entity(hass, binding.entity):
            bound.add((entity_id, binding.aspect))
    states = [state for entity_id in select(hass, rule.selection) if (state := hass.states.get(entity_id))]
    left_out = {(entity_id, each.aspect) for each in rule.left_out if (entity_id := resolve_entity(hass, each.entity))}
    found = suggest_all(states, model, taken, bound)
    wanted = [one for one in found if (one.entity_id, one.aspect) not in left_out]
    if len(wanted) < len(found):
        # What is left out leaves its property to others. It is left out afterwards, so that nobody else is affected.
        taken |= {one.identifier for one in wanted}
        bound |= {(one.entity_id, one.aspect) for one in wanted} | left_out
        wanted += suggest_all(states, model, taken, bound)
    proposed = [
        Binding(
            identifier=one.identifier,
            entity=entity_reference(hass, one.entity_id),
            aspect=one.aspect,
            access=one.access,
        )
        for one in wanted
    ]

    def place(binding: Binding) -> tuple[str, str, str]:
        key = exposure_key(hass, binding.entity)
        return key.title, key.unique_id, resolve_entity(hass, binding.entity) or ""

    return sorted(proposed, key=place)


def _owner(binding: Binding, meant: Mapping[str, _Meant]) -> str | None:
    """Return the rule that a followed binding belongs to from now on: its own as long as that means it."""
    own = meant.get(binding.rule)
    if own and own.means(binding):
        return binding.rule
    return next((rule_id for rule_id, one in meant.items() if one.means(binding)), None)


@dataclass(frozen=True, slots=True)
class _Meant:
    """A rule with the entities that it means now."""

    hass: HomeAssistant
    rule_id: str
    rule: Rule
    entity_ids: set[str]

    def means(self, binding: Binding) -> bool:
        """Tell whether the rule wants this binding to be.

        An entity that isn't registered may belong to something that hasn't started yet; until it has, nothing speaks
        against it.
        """
        if entity_aspect(binding) in self.rule.left_out:
            return False
        if self._covers(binding.entity):
            return True
        unregistered = "." in binding.entity
        return unregistered and binding.rule == self.rule_id and self.hass.states.get(binding.entity) is None

    def without_the_removed(self, present: set[EntityAspect]) -> _Meant:
        """Return the rule with what was bound, still matches and is bound no longer left out for good."""
        removed = {each for each in self.rule.bound - present if self._covers(each.entity)}
        return replace(self, rule=replace(self.rule, left_out=self.rule.left_out | removed)) if removed else self

    def remembering(self, bindings: Iterable[Binding]) -> Rule:
        """Return the rule with what is bound of its entities, by whomever."""
        return replace(self.rule, bound=frozenset(entity_aspect(one) for one in bindings if self._covers(one.entity)))

    def _covers(self, reference: str) -> bool:
        return resolve_entity(self.hass, reference) in self.entity_ids
