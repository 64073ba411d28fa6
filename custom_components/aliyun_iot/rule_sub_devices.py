"""The sub-devices that rules make: each matching device of Home Assistant becomes one of the rule's product.

What a rule has made is known by the bindings that have its id, and by the keys in `Rule.made`. What a user has changed is
kept: a sub-device is removed only when nothing is left that the rules have not made.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import batched

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .alink.sub_device import MAX_SUB_DEVICES
from .const import CONF_DEVICE_NAME, SUBENTRY_SUB_DEVICE
from .device_names import propose_names
from .exposures import (
    CUSTOM_EXPOSURE,
    ExposureKey,
    bindings_of,
    entity_reference,
    exposure_key,
    resolve_entity,
    rows_of,
    stands_for,
)
from .mapping.binding import Binding
from .mapping.rule import EntityAspect, Rule
from .mapping.selection import Selection
from .mapping.slices import LARGE_SLICE, Slices
from .mapping.stored import Unreadable
from .matched_rule import MatchedRule, entity_aspect, owning_rule
from .stored_device import StoredDevice, sub_devices_of, thing_model_of
from .sub_device_plan import candidate_of, suggested_bindings
from .sub_device_row import NewSubDevice, SubDeviceRow


@dataclass(frozen=True, slots=True)
class BindingChanges:
    """The changes of the bindings of one sub-device, with the meanings that they have in `rules.Changes`."""

    added: tuple[Binding, ...] = ()
    released: tuple[Binding, ...] = ()
    passed_on: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True)
class SubDeviceChanges:
    """The changes that rules make to sub-devices.

    `bindings` are by owner. `removed` are the owners of sub-devices of which nothing is left. `made` are to be added; the rules
    have them in `bound` and `made` only once they are stored. `beyond` counts devices that a gateway has no room for.
    """

    bindings: Mapping[str, BindingChanges] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    made: tuple[NewSubDevice, ...] = ()
    beyond: int = 0


type Groups = Mapping[ExposureKey, list[str]]
"""Entities by what they belong to."""


def sub_device_changes(
    hass: HomeAssistant, entry: ConfigEntry, matched: Mapping[str, MatchedRule], unknown: set[str]
) -> Slices[tuple[SubDeviceChanges, dict[str, Rule]]]:
    """Return the changes by rules that make sub-devices, and these rules as they are to be stored.

    The bindings of the rules `unknown`, which cannot be read, stay as they are.
    """
    devices = {device.owner: entry.subentries[device.owner] for device in sub_devices_of(entry)}
    keys = {owner: _present_key(hass, stands_for(subentry)) for owner, subentry in devices.items()}
    occupied = set(keys.values())
    followed: dict[str, tuple[MatchedRule, dict[str, tuple[ExposureKey, list[str]]]]] = {}
    for rule_id, each in matched.items():
        groups = yield from _grouped(hass, each.entity_ids)
        followed[rule_id] = _without_removed(
            hass, each, {key.unique_id: (key, of) for key, of in groups.items()}, occupied
        )
    rules = {rule_id: each for rule_id, (each, _) in followed.items()}
    changes: dict[str, BindingChanges] = {}
    removed: list[str] = []
    kept: dict[str, set[EntityAspect]] = {}
    made: dict[str, set[str]] = {rule_id: set() for rule_id in rules}
    with_rows = {str(subentry.data.get("owner", "")) for subentry in entry.subentries.values()}
    for owner, subentry in devices.items():
        change = _followed_bindings(subentry, rules, unknown)
        makers = {
            rule_id
            for rule_id, (each, groups_of) in followed.items()
            if keys[owner] in groups_of
            and (keys[owner] in each.rule.made or any(row.rule == rule_id for row in _after(subentry, change)))
        }
        for rule_id in makers:
            made[rule_id].add(keys[owner])
        if maker := next(iter(sorted(makers)), None):
            each, groups_of = followed[maker]
            more = _missing(hass, StoredDevice(entry, owner), each, groups_of[keys[owner]], _after(subentry, change))
            change = replace(change, added=tuple(more))
        was_made = change.released or any(keys[owner] in each.rule.made for each in rules.values())
        if was_made and not makers and owner not in with_rows and not _rows_after(subentry, change):
            removed.append(owner)
        elif change != BindingChanges():
            changes[owner] = change
        kept[owner] = {entity_aspect(row) for row in (*_after(subentry, change), *change.added)}
        yield
    present = set[EntityAspect]().union(*kept.values())
    updated = {
        rule_id: replace(
            each.rule,
            bound=frozenset(one for one in present if resolve_entity(hass, one.entity) in each.entity_ids),
            made=frozenset(made[rule_id]),
        )
        for rule_id, each in rules.items()
    }
    yield
    new, beyond = yield from _new(hass, entry, followed, occupied, MAX_SUB_DEVICES - len(devices) + len(removed))
    return SubDeviceChanges(changes, tuple(removed), new, beyond), updated


def _new(
    hass: HomeAssistant,
    entry: ConfigEntry,
    followed: Mapping[str, tuple[MatchedRule, dict[str, tuple[ExposureKey, list[str]]]]],
    occupied: set[str],
    room: int,
) -> Slices[tuple[tuple[NewSubDevice, ...], int]]:
    """Return the sub-devices to add, at most as many as there is room for, and the number of the others."""
    found: dict[ExposureKey, tuple[str, tuple[Binding, ...]]] = {}
    occupied = set(occupied)
    for rule_id, (each, groups) in followed.items():
        model = thing_model_of(entry, each.rule.product_key)
        for unique_id, (key, entity_ids) in sorted(groups.items()):
            if unique_id in occupied:
                continue
            bindings = [
                replace(binding, rule=rule_id)
                for binding in suggested_bindings(hass, candidate_of(hass, key, entity_ids), model)
                if entity_aspect(binding) not in each.rule.left_out
            ]
            if bindings:
                occupied.add(unique_id)
                found[key] = each.rule.product_key, tuple(bindings)
            yield
    stored = [*(subentry.data for subentry in _sub_devices(entry)), entry.data]
    taken = {str(data.get(CONF_DEVICE_NAME, "")) for data in stored}
    names = propose_names({key.unique_id: key.title for key in found}, taken)
    yield
    new = [
        NewSubDevice(SubDeviceRow(product_key, names[key.unique_id], stands_for=key.unique_id), key.title, bindings)
        for key, (product_key, bindings) in found.items()
    ]
    return tuple(new[: max(0, room)]), max(0, len(new) - max(0, room))


def _sub_devices(entry: ConfigEntry) -> Iterator[ConfigSubentry]:
    return (one for one in entry.subentries.values() if one.subentry_type == SUBENTRY_SUB_DEVICE)


def _grouped(hass: HomeAssistant, entity_ids: Iterable[str]) -> Slices[Groups]:
    groups: dict[ExposureKey, list[str]] = {}
    for some in batched(sorted(entity_ids), LARGE_SLICE, strict=False):
        for entity_id in some:
            key = exposure_key(hass, entity_reference(hass, entity_id))
            if key != CUSTOM_EXPOSURE:
                groups.setdefault(key, []).append(entity_id)
        yield
    return groups


@callback
def _present_key(hass: HomeAssistant, key: str) -> str:
    """Return the key that an entity without a device has now: it may have been registered since."""
    kind, _, reference = key.partition(":")
    if kind != "entity":
        return key
    return exposure_key(hass, entity_reference(hass, reference) if "." in reference else reference).unique_id


def _without_removed(
    hass: HomeAssistant,
    matched: MatchedRule,
    groups: dict[str, tuple[ExposureKey, list[str]]],
    occupied: set[str],
) -> tuple[MatchedRule, dict[str, tuple[ExposureKey, list[str]]]]:
    """Return the rule, with what the user has removed excluded from its selection, and its groups by key."""
    made = {_present_key(hass, key) for key in matched.rule.made}
    gone = sorted(key for key in made & groups.keys() if key not in occupied)
    entity_ids = matched.entity_ids.difference(*(groups[key][1] for key in gone))
    # The bindings went with the sub-device, so they are not left out by themselves.
    went = {each for each in matched.rule.bound if resolve_entity(hass, each.entity) in matched.entity_ids - entity_ids}
    rule = replace(
        matched.rule,
        made=frozenset(made),
        selection=_excluding(matched.rule.selection, gone),
        left_out=matched.rule.left_out - went,
    )
    return (
        replace(matched, rule=rule, entity_ids=entity_ids),
        {key: group for key, group in groups.items() if key not in gone},
    )


def _excluding(selection: Selection, keys: Iterable[str]) -> Selection:
    exclude = selection.exclude
    for key in keys:
        kind, _, reference = key.partition(":")
        if kind == "device":
            exclude = replace(exclude, device_id=(*exclude.device_id, reference))
        else:
            exclude = replace(exclude, entity_id=(*exclude.entity_id, reference))
    return replace(selection, exclude=exclude)


def _followed_bindings(subentry: ConfigSubentry, rules: Mapping[str, MatchedRule], unknown: set[str]) -> BindingChanges:
    """Return which bindings of a sub-device the rules no longer want, or another rule of its product wants."""
    released: list[Binding] = []
    passed_on: list[Binding] = []
    product_key = subentry.data.get("product_key")
    able = {rule_id: each for rule_id, each in rules.items() if each.rule.product_key == product_key}
    for binding in bindings_of(subentry):
        if not binding.rule or binding.rule in unknown:
            continue
        # A rule keeps what it has made, also when it makes sub-devices of another product now.
        own = {binding.rule: rules[binding.rule]} if binding.rule in rules else {}
        owner = owning_rule(binding, {**own, **able})
        if owner is None:
            released.append(binding)
        elif owner != binding.rule:
            passed_on.append(replace(binding, rule=owner))
    return BindingChanges((), tuple(released), tuple(passed_on))


def _rows_after(subentry: ConfigSubentry, change: BindingChanges) -> list[Binding | Unreadable]:
    passed_on = {binding.identifier: binding for binding in change.passed_on}
    return [
        passed_on.get(row.identifier, row) if isinstance(row, Binding) else row
        for row in rows_of(subentry)
        if row not in change.released
    ]


def _after(subentry: ConfigSubentry, change: BindingChanges) -> list[Binding]:
    return [row for row in _rows_after(subentry, change) if isinstance(row, Binding)]


def _missing(
    hass: HomeAssistant,
    device: StoredDevice,
    matched: MatchedRule,
    group: tuple[ExposureKey, list[str]],
    present: Iterable[Binding],
) -> list[Binding]:
    """Return the bindings that a rule adds to a sub-device that it has made."""
    rows = rows_of(device.entry.subentries[device.owner])
    identifiers = {row.name if isinstance(row, Unreadable) else row.identifier for row in rows}
    bound = {entity_aspect(binding) for binding in present} | matched.rule.left_out
    found = suggested_bindings(hass, candidate_of(hass, *group), thing_model_of(device.entry, device.product_key))
    return [
        replace(binding, rule=matched.rule_id)
        for binding in found
        if binding.identifier not in identifiers and entity_aspect(binding) not in bound
    ]
