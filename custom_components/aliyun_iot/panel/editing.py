"""Changes that the page makes to bindings, and how the last one is undone.

Every change goes through the checks of the forms, so that the page and the forms accept the same and say the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..alink.model.thing_model import ThingModel
from ..const import DOMAIN
from ..exposures import change_bindings, exposed_bindings, resolve_entity
from ..mapping.binding import BINDING_FIELDS, Binding
from ..mapping.check import check
from ..mapping.generic import NO_ENTITY_STATE, aspect_for
from ..risk import risk_in
from ..rules import entity_aspect, rules_of
from ..words.labels import Labels
from .rows import digest_of

UNDO: Final[HassKey[dict[str, Undo]]] = HassKey(f"{DOMAIN}_panel_undo")

BULK_FIELDS: Final = ("access", "min_interval", "dead_band")
"""The fields that can be changed for many bindings at once."""


class ChangedMeanwhile(Exception):  # noqa: N818 - named after what happened
    """Somebody else has changed or removed a binding since the page was shown."""


@dataclass(frozen=True, slots=True)
class Undo:
    """The bindings that the last change of a page replaced or removed, and what it put in their place.

    Both are by identifier; a binding that is in one of them only was removed or added.
    """

    before: Mapping[str, Binding]
    after: Mapping[str, Binding]


def bindings_by_identifier(entry: ConfigEntry) -> dict[str, Binding]:
    """Return the bindings of an entry; of several of one property, the first."""
    found: dict[str, Binding] = {}
    for binding in exposed_bindings(entry):
        found.setdefault(binding.identifier, binding)
    return found


@callback
def current(entry: ConfigEntry, identifier: str, digest: str) -> Binding:
    """Return the binding of a property; raises ChangedMeanwhile unless it is the one that the page shows."""
    binding = bindings_by_identifier(entry).get(identifier)
    if binding is None or digest_of(binding) != digest:
        raise ChangedMeanwhile(identifier)
    return binding


@callback
def replace_binding(hass: HomeAssistant, entry: ConfigEntry, old: Binding, new: Binding) -> None:
    """Store an edited binding; no rule removes it any more, because a user edited it."""
    _store(hass, entry, {old.identifier: old}, {new.identifier: replace(new, rule="")})


@callback
def change_many(
    labels: Labels,
    entry: ConfigEntry,
    model: ThingModel | None,
    digests: Mapping[str, str],
    changes: Mapping[str, Any],
) -> dict[str, str]:
    """Change the same fields of many bindings; raises ChangedMeanwhile, and `vol.Invalid` for an invalid value.

    Bindings that cannot have the value are left alone and returned, with the reason in words.
    """
    valid = {name: BINDING_FIELDS[name].spec.validator(value) for name, value in changes.items() if name in BULK_FIELDS}
    before: dict[str, Binding] = {}
    after: dict[str, Binding] = {}
    refused: dict[str, str] = {}
    for identifier, digest in digests.items():
        binding = current(entry, identifier, digest)
        changed = replace(binding, **valid)
        if changed == binding:
            continue
        if reason := _refusal(labels, entry, changed, model):
            refused[identifier] = reason
        else:
            before[identifier], after[identifier] = binding, replace(changed, rule="")
    _store(labels.hass, entry, before, after)
    return refused


@callback
def remove_many(hass: HomeAssistant, entry: ConfigEntry, digests: Mapping[str, str]) -> None:
    """Remove bindings; raises ChangedMeanwhile."""
    _store(hass, entry, {key: current(entry, key, digest) for key, digest in digests.items()}, {})


@callback
def undo(hass: HomeAssistant, entry: ConfigEntry) -> int:
    """Undo the last change and return the number of bindings; raises ChangedMeanwhile, also when there is nothing to undo."""
    last = hass.data.get(UNDO, {}).get(entry.entry_id)
    if last is None:
        raise ChangedMeanwhile
    present = bindings_by_identifier(entry)
    if any(present.get(key) != last.after.get(key) for key in last.before.keys() | last.after.keys()):
        raise ChangedMeanwhile
    # A rule must not take the removal for a wish of the user.
    _let_rules_bind(hass, entry, last.before.values())
    _write(hass, entry, last.after, last.before)
    del hass.data[UNDO][entry.entry_id]
    return len(last.before.keys() | last.after.keys())


@callback
def can_undo(hass: HomeAssistant, entry: ConfigEntry) -> int:
    """Return how many bindings `undo` would change."""
    last = hass.data.get(UNDO, {}).get(entry.entry_id)
    return len(last.before.keys() | last.after.keys()) if last else 0


def _refusal(labels: Labels, entry: ConfigEntry, binding: Binding, model: ThingModel | None) -> str | None:
    """Return why a binding cannot work, in words, or None."""
    entity_id = (resolve_entity(labels.hass, binding.entity) if binding.entity else None) or ""
    state = labels.hass.states.get(entity_id) or NO_ENTITY_STATE
    aspect = aspect_for(binding, entity_id)
    definition = model.properties.get(binding.identifier) if model else None
    if aspect is None or (binding.entity and state is NO_ENTITY_STATE):
        return labels.text("options.error.entity_not_found")
    for problem in check(binding, aspect, definition, state, risk_in(labels.hass)):
        if problem.blocking:
            words = labels.problem(problem, aspect, definition)
            return labels.text(f"options.error.{problem.key}", **words)
    return None


def _store(
    hass: HomeAssistant, entry: ConfigEntry, before: Mapping[str, Binding], after: Mapping[str, Binding]
) -> None:
    if before or after:
        _write(hass, entry, before, after)
        hass.data.setdefault(UNDO, {})[entry.entry_id] = Undo(before, after)


def _write(
    hass: HomeAssistant, entry: ConfigEntry, before: Mapping[str, Binding], after: Mapping[str, Binding]
) -> None:
    change_bindings(
        hass,
        entry,
        removed=before.keys() - after.keys(),
        replaced={key: binding for key, binding in after.items() if key in before},
        added=[binding for key, binding in after.items() if key not in before],
    )


def _let_rules_bind(hass: HomeAssistant, entry: ConfigEntry, bindings: Iterable[Binding]) -> None:
    restored = {entity_aspect(binding) for binding in bindings if binding.rule}
    for rule_id, rule in rules_of(entry).items():
        if rule.left_out & restored:
            kept = replace(rule, left_out=rule.left_out - restored)
            hass.config_entries.async_update_subentry(entry, entry.subentries[rule_id], data=kept.as_dict())
