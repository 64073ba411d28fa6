"""Changes that the page makes to bindings, and how the last one is undone.

Every change goes through the checks of the forms, so that the page and the forms accept the same and say the same.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey
import voluptuous as vol

from ..alink.model.thing_model import ThingModel
from ..const import DOMAIN, OWN
from ..exposures import change_bindings, entity_reference, exposed_bindings, resolve_entity
from ..flows.binding_fields import SELECTORS
from ..mapping.binding import BINDING_FIELDS, Binding
from ..mapping.check import check
from ..mapping.generic import NO_ENTITY_STATE, aspect_for
from ..mapping.rule import Rule
from ..mapping.selection import Selection, Target, matching
from ..mapping.suggest.suggestions import Suggestion
from ..matched_rule import entity_aspect
from ..risk import risk_in
from ..rules import propose, rules_of
from ..stored_device import StoredDevice, sub_devices_of, thing_model_of
from ..words.labels import Labels
from .rows import digest_of, row_id, split_id

UNDO: Final[HassKey[dict[str, Undo]]] = HassKey(f"{DOMAIN}_panel_undo")

BULK_FIELDS: Final = ("access", "min_interval", "dead_band")
"""The fields that can be changed for many bindings at once."""

type Bindings = Mapping[str, Binding]
"""Bindings by the ids of their rows (`rows.row_id`)."""


class ChangedMeanwhile(Exception):  # noqa: N818 - named after what happened
    """Somebody else has changed or removed a binding or a rule since the page was shown."""


class InvalidFields(Exception):  # noqa: N818 - named after what it carries
    """Values that cannot be used: the fields that they were entered in."""

    def __init__(self, fields: Collection[str]) -> None:
        """Keep the fields."""
        super().__init__(", ".join(fields))
        self.fields = tuple(fields)


@dataclass(frozen=True, slots=True)
class Undo:
    """The bindings that the last change of a page replaced or removed, and what it put in their place.

    A binding that is in one of them only was removed or added. `rules` are the rules that were changed, before and after.
    """

    before: Bindings
    after: Bindings
    rules: Mapping[str, tuple[Rule, Rule]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def count(self) -> int:
        """How many bindings are changed back; one whose property was changed is one."""
        return max(len(self.before), len(self.after))


def bindings_by_id(entry: ConfigEntry) -> dict[str, Binding]:
    """Return the bindings of all devices of an entry by the ids of their rows; of several of one property, the first."""
    found: dict[str, Binding] = {}
    for owner in (OWN, *(device.owner for device in sub_devices_of(entry))):
        for binding in exposed_bindings(entry, owner):
            found.setdefault(row_id(owner, binding.identifier), binding)
    return found


@callback
def current(entry: ConfigEntry, digests: Mapping[str, str]) -> dict[str, Binding]:
    """Return the bindings of rows; raises ChangedMeanwhile unless they are those that the page shows."""
    present = bindings_by_id(entry)
    found = {row: binding for row in digests if (binding := present.get(row))}
    if changed := [row for row, digest in digests.items() if row not in found or digest_of(found[row]) != digest]:
        raise ChangedMeanwhile(", ".join(changed))
    return found


@callback
def replace_binding(hass: HomeAssistant, entry: ConfigEntry, row: str, old: Binding, new: Binding) -> None:
    """Store an edited binding; no rule removes it any more, because a user edited it."""
    edited = row_id(split_id(row)[0], new.identifier)
    _store(hass, entry, Undo({row: old}, {edited: replace(new, rule="")}))


@callback
def change_many(
    labels: Labels, entry: ConfigEntry, digests: Mapping[str, str], changes: Mapping[str, Any]
) -> dict[str, str]:
    """Change the same fields of many bindings; raises ChangedMeanwhile and InvalidFields.

    Bindings that cannot have the value are left alone and returned, with the reason in words.
    """
    valid = _valid(changes)
    before: dict[str, Binding] = {}
    after: dict[str, Binding] = {}
    refused: dict[str, str] = {}
    for row, binding in current(entry, digests).items():
        changed = replace(binding, **valid)
        if changed == binding:
            continue
        if reason := _refusal(labels, changed, _model_of(entry, row)):
            refused[row] = reason
        else:
            before[row], after[row] = binding, replace(changed, rule="")
    _store(labels.hass, entry, Undo(before, after))
    return refused


@callback
def remove_many(hass: HomeAssistant, entry: ConfigEntry, digests: Mapping[str, str]) -> None:
    """Remove bindings; raises ChangedMeanwhile."""
    _store(hass, entry, Undo(current(entry, digests), {}))


@callback
def add_bindings(hass: HomeAssistant, device: StoredDevice, suggestions: Iterable[Suggestion]) -> None:
    """Bind what was suggested; raises ChangedMeanwhile if one of the properties is bound already."""
    added = {
        row_id(device.owner, each.identifier): Binding(
            each.identifier, entity_reference(hass, each.entity_id), each.aspect, each.access
        )
        for each in suggestions
    }
    if not added.keys().isdisjoint(bindings_by_id(device.entry)):
        raise ChangedMeanwhile
    _store(hass, device.entry, Undo({}, added))


@callback
def take_from_rules(hass: HomeAssistant, entry: ConfigEntry, digests: Mapping[str, str]) -> None:
    """Keep bindings whatever the rules that made them say from now on; raises ChangedMeanwhile."""
    before = {row: binding for row, binding in current(entry, digests).items() if binding.rule}
    _store(hass, entry, Undo(before, {row: replace(binding, rule="") for row, binding in before.items()}))


@callback
def add_to_rule(labels: Labels, entry: ConfigEntry, digests: Mapping[str, str], rule_id: str) -> dict[str, str]:
    """Let a rule own bindings; its selection gets the entities that it does not select yet. Raises ChangedMeanwhile.

    What else of these entities could be bound is left out, so that the rule binds nothing that was not asked for. Bindings that
    the rule cannot own are left alone and returned, with the reason in words.
    """
    hass, rule = labels.hass, rules_of(entry).get(rule_id)
    if rule is None:
        raise ChangedMeanwhile(rule_id)
    bindings = {row: binding for row, binding in current(entry, digests).items() if binding.rule != rule_id}
    refused: dict[str, str] = {
        row: labels.text("common.panel_rule_own_device") for row in bindings if split_id(row)[0] != OWN
    }
    if rule.product_key:
        refused = dict.fromkeys(bindings, labels.text("common.panel_rule_sub_devices"))
    refused |= {row: labels.text("common.panel_rule_entity") for row, each in bindings.items() if not each.entity}
    wanted = {each.entity for row, each in bindings.items() if row not in refused}
    selected = matching(hass, rule.selection)
    missing = sorted(reference for reference in wanted if resolve_entity(hass, reference) not in selected)
    extended = _including(rule.selection, missing)
    selected = matching(hass, extended)
    refused |= {
        row: labels.text("common.panel_rule_excludes")
        for row, each in bindings.items()
        if row not in refused and resolve_entity(hass, each.entity) not in selected
    }
    added = {row: replace(each, rule=rule_id) for row, each in bindings.items() if row not in refused}
    owned = {each.entity for each in added.values()}
    included = [reference for reference in missing if reference in owned]
    only = Rule(Selection(Target(entity_id=tuple(included))))
    more = propose(hass, exposed_bindings(entry), only, thing_model_of(entry)) if included else []
    changed = replace(
        rule,
        selection=_including(rule.selection, included),
        left_out=(rule.left_out | {*map(entity_aspect, more)}) - {*map(entity_aspect, added.values())},
    )
    before = {row: bindings[row] for row in added}
    _store(hass, entry, Undo(before, added, {rule_id: (rule, changed)} if changed != rule else {}))
    return refused


@callback
def undo(hass: HomeAssistant, entry: ConfigEntry) -> int:
    """Undo the last change and return the number of bindings; raises ChangedMeanwhile, also when there is nothing to undo."""
    last = hass.data.get(UNDO, {}).get(entry.entry_id)
    if last is None:
        raise ChangedMeanwhile
    present, rules = bindings_by_id(entry), rules_of(entry)
    if any(present.get(row) != last.after.get(row) for row in last.before.keys() | last.after.keys()):
        raise ChangedMeanwhile
    restored: dict[str, Rule] = {}
    for rule_id, (before, after) in last.rules.items():
        rule = rules.get(rule_id)
        if rule is None or _parts(rule.selection) != _parts(after.selection):
            raise ChangedMeanwhile(rule_id)
        left_out = rule.left_out - (after.left_out - before.left_out)
        restored[rule_id] = replace(rule, selection=before.selection, left_out=left_out)
    # A rule must not take the removal for a wish of the user.
    bound = {entity_aspect(binding) for binding in last.before.values() if binding.rule}
    for rule_id, rule in rules.items():
        if rule.left_out & bound:
            present_rule = restored.get(rule_id, rule)
            restored[rule_id] = replace(present_rule, left_out=present_rule.left_out - bound)
    _write_rules(hass, entry, restored)
    _write(hass, entry, last.after, last.before)
    del hass.data[UNDO][entry.entry_id]
    return last.count


@callback
def can_undo(hass: HomeAssistant, entry: ConfigEntry) -> int:
    """Return how many bindings `undo` would change."""
    last = hass.data.get(UNDO, {}).get(entry.entry_id)
    return last.count if last else 0


def _valid(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of fields as they are stored; raises InvalidFields."""
    valid: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in changes.items():
        try:
            valid[name] = BINDING_FIELDS[name].spec.validator(vol.Schema(SELECTORS[name])(value))
        except vol.Invalid, ValueError:
            wrong.append(name)
    if wrong:
        raise InvalidFields(wrong)
    return valid


def _parts(selection: Selection) -> list[object]:
    """Return what a selection consists of, in whatever order it is stored."""
    targets = (selection.include, selection.exclude)
    return [
        *(set(ids) for target in targets for ids in astuple(target)),
        selection.hidden_too,
        selection.diagnostic_too,
    ]


def _including(selection: Selection, references: Iterable[str]) -> Selection:
    """Return a selection with these entities."""
    include, exclude = selection.include, selection.exclude
    added = tuple(references)
    return replace(
        selection,
        include=replace(include, entity_id=(*include.entity_id, *added)),
        exclude=replace(exclude, entity_id=tuple(each for each in exclude.entity_id if each not in added)),
    )


def _model_of(entry: ConfigEntry, row: str) -> ThingModel | None:
    """Return the thing model of the device that a row belongs to."""
    return StoredDevice(entry, split_id(row)[0]).read_thing_model()[0]


def _refusal(labels: Labels, binding: Binding, model: ThingModel | None) -> str | None:
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


def _store(hass: HomeAssistant, entry: ConfigEntry, change: Undo) -> None:
    if change.count:
        _write_rules(hass, entry, {rule_id: after for rule_id, (_, after) in change.rules.items()})
        _write(hass, entry, change.before, change.after)
        hass.data.setdefault(UNDO, {})[entry.entry_id] = change


def _write_rules(hass: HomeAssistant, entry: ConfigEntry, rules: Mapping[str, Rule]) -> None:
    for rule_id, rule in rules.items():
        hass.config_entries.async_update_subentry(entry, entry.subentries[rule_id], data=rule.as_dict())


def _write(hass: HomeAssistant, entry: ConfigEntry, before: Bindings, after: Bindings) -> None:
    """Store bindings of each device in place of others."""
    rows: dict[str, set[str]] = defaultdict(set)
    for row in before.keys() | after.keys():
        rows[split_id(row)[0]].add(row)
    for owner, own in rows.items():
        change_bindings(
            hass,
            entry,
            owner,
            removed={split_id(row)[1] for row in own if row not in after},
            replaced={split_id(row)[1]: after[row] for row in own if row in before and row in after},
            added=[after[row] for row in after if row in own and row not in before],
        )
