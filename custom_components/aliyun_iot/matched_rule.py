"""A rule with the entities that match it now: what it wants, and what the user has removed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from homeassistant.core import HomeAssistant

from .exposures import resolve_entity
from .mapping.binding import Binding
from .mapping.rule import EntityAspect, Rule


def entity_aspect(binding: Binding) -> EntityAspect:
    """Return the entity and the aspect of a binding."""
    return EntityAspect(binding.entity, binding.aspect)


@dataclass(frozen=True, slots=True)
class MatchedRule:
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

    def leaving_out_removed(self, *present: Collection[EntityAspect]) -> MatchedRule:
        """Return the rule with `left_out` extended by what was bound, still matches and was removed by the user."""
        removed = {each for each in self.rule.bound.difference(*present) if self._covers(each.entity)}
        return replace(self, rule=replace(self.rule, left_out=self.rule.left_out | removed)) if removed else self

    def _covers(self, reference: str) -> bool:
        return resolve_entity(self.hass, reference) in self.entity_ids


def owning_rule(binding: Binding, matched: Mapping[str, MatchedRule]) -> str | None:
    """Return the rule that a binding of a rule belongs to now: its own if that still wants it, else another one."""
    own = matched.get(binding.rule)
    if own and own.wants(binding):
        return binding.rule
    return next((rule_id for rule_id, each in matched.items() if each.wants(binding)), None)
