"""Selections as data: entities by id or by what they belong to, without those that are excluded.

The user interface, stored rules and documents share `SELECTION_SCHEMA`. The keys are those of Home Assistant's targets,
with integrations and, to exclude, whole domains in addition. An empty selection selects nothing, never everything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
import re
from typing import Any, Final, Self

from homeassistant.core import HomeAssistant, State, callback, split_entity_id, valid_entity_id
from homeassistant.helpers import device_registry as dr, entity_registry as er
import voluptuous as vol

from ..const import DOMAIN
from ..ha_internals import entity_integrations, target_members
from .domains import domain_of
from .fields import Expected
from .stored import Expectations

_REGISTRY_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Target:
    """Entities by id or by what they belong to.

    `entity_id` holds ids of the entity registry, which survive renames, or entity ids of unregistered entities; device,
    area, floor and label ids are those of their registries. `integration` holds domains of integrations, `domain`
    domains of entities.
    """

    entity_id: tuple[str, ...] = ()
    device_id: tuple[str, ...] = ()
    area_id: tuple[str, ...] = ()
    floor_id: tuple[str, ...] = ()
    label_id: tuple[str, ...] = ()
    integration: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is anything in it."""
        return any(getattr(self, part.name) for part in fields(self))


@dataclass(frozen=True, slots=True)
class Selection:
    """The included entities without the excluded ones.

    Hidden entities, and diagnostic and configuration entities, are selected only with `hidden_too` and
    `diagnostic_too`, or by their own id; for diagnostic and configuration entities a label on the entity itself is
    enough, as in actions.
    """

    include: Target = field(default_factory=Target)
    exclude: Target = field(default_factory=Target)
    hidden_too: bool = False
    diagnostic_too: bool = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the selection that the data describe; raises `vol.Invalid` with the path of the fault."""
        valid = SELECTION_SCHEMA(dict(data))
        return cls(**{**valid, "include": Target(**valid["include"]), "exclude": Target(**valid["exclude"])})

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold and `from_dict` takes, without defaults."""
        data: dict[str, Any] = {
            side: {kind: list(ids) for kind, ids in asdict(target).items() if ids}
            for side, target in (("include", self.include), ("exclude", self.exclude))
            if target
        }
        flags = {"hidden_too": self.hidden_too, "diagnostic_too": self.diagnostic_too}
        return data | {flag: True for flag, raised in flags.items() if raised}


TARGET_EXPECTATIONS: Final = dict.fromkeys((part.name for part in fields(Target)), Expected.NAMES) | {
    "entity_id": Expected.ENTITIES
}
SELECTION_EXPECTATIONS: Final[Mapping[str, Expectations]] = {
    "include": TARGET_EXPECTATIONS,
    "exclude": TARGET_EXPECTATIONS,
    "hidden_too": Expected.FLAG,
    "diagnostic_too": Expected.FLAG,
}


@dataclass(frozen=True, slots=True)
class Survey:
    """The result of a selection, each part sorted: the entities to bind, and those left out, by reason."""

    selected: tuple[str, ...]
    hidden: tuple[str, ...]
    diagnostic: tuple[str, ...]
    excluded: tuple[str, ...]
    unsupported: tuple[str, ...]
    stateless: tuple[str, ...]


@callback
def select(hass: HomeAssistant, selection: Selection) -> list[str]:
    """Return the entity ids that a selection selects now, sorted: those that exist and have something to bind."""
    return list(survey(hass, selection).selected)


@callback
def matching(hass: HomeAssistant, selection: Selection) -> set[str]:
    """Return the entity ids that match a selection, also of entities that have no state now."""
    return _Resolved.of(hass, selection).wanted


@callback
def survey(hass: HomeAssistant, selection: Selection) -> Survey:
    """Return what a selection selects now, and which included entities it leaves out."""
    resolved = _Resolved.of(hass, selection)
    states = {entity_id: hass.states.get(entity_id) for entity_id in resolved.wanted}
    stateless = {entity_id for entity_id, state in states.items() if state is None}
    selected = {entity_id for entity_id, state in states.items() if state and is_supported(state)}
    return Survey(
        selected=tuple(sorted(selected)),
        hidden=tuple(sorted(resolved.hidden)),
        diagnostic=tuple(sorted(resolved.diagnostic)),
        excluded=tuple(sorted(resolved.excluded)),
        unsupported=tuple(sorted(resolved.wanted - selected - stateless)),
        stateless=tuple(sorted(stateless)),
    )


def is_supported(state: State) -> bool:
    """Return whether an entity has an aspect that may be suggested."""
    domain = domain_of(state.entity_id)
    return domain is not None and any(not aspect.private and aspect.supported(state) for aspect in domain.aspects)


@dataclass(frozen=True, slots=True)
class _Resolved:
    """The included entities, grouped by whether they are wanted or why not."""

    wanted: set[str]
    hidden: set[str]
    diagnostic: set[str]
    excluded: set[str]

    @classmethod
    def of(cls, hass: HomeAssistant, selection: Selection) -> Self:
        registry = er.async_get(hass)
        included = _covered(hass, selection.include)
        named = _named(hass, selection.include.entity_id)
        # The entities of this integration are selected only by their own id, not by area or label.
        included = {entity_id for entity_id in included if entity_id in named or not _own(registry, entity_id)}
        excluded = included & _covered(hass, selection.exclude)
        hidden, diagnostic = set[str](), set[str]()
        for entity_id in included - excluded - named:
            registered = registry.async_get(entity_id)
            if registered is None:
                continue
            if registered.hidden_by and not selection.hidden_too:
                hidden.add(entity_id)
            elif (
                registered.entity_category
                and not selection.diagnostic_too
                and registered.labels.isdisjoint(selection.include.label_id)
            ):
                diagnostic.add(entity_id)
        return cls(included - excluded - hidden - diagnostic, hidden, diagnostic, excluded)


def _own(registry: er.EntityRegistry, entity_id: str) -> bool:
    registered = registry.async_get(entity_id)
    return registered is not None and registered.platform == DOMAIN


def _named(hass: HomeAssistant, references: Iterable[str]) -> set[str]:
    registry = er.async_get(hass)
    return {entity_id for reference in references if (entity_id := er.async_resolve_entity_id(registry, reference))}


def _covered(hass: HomeAssistant, target: Target) -> set[str]:
    """Return every entity of a target, also hidden and disabled ones."""
    found = target_members(
        hass,
        entity_id=sorted(_named(hass, target.entity_id)),
        device_id=target.device_id,
        area_id=target.area_id,
        floor_id=target.floor_id,
        label_id=target.label_id,
    )
    covered = found.entity_ids | _covered_hidden(hass, target, found.area_ids, found.device_ids)
    if target.integration or target.domain:
        registry = er.async_get(hass)
        platforms = entity_integrations(hass)
        platforms |= {entity_id: registered.platform for entity_id, registered in registry.entities.items()}
        covered |= {entity_id for entity_id, platform in platforms.items() if platform in target.integration}
        known = platforms.keys() | set(hass.states.async_entity_ids(target.domain))
        covered |= {entity_id for entity_id in known if split_entity_id(entity_id)[0] in target.domain}
    return covered


def _covered_hidden(hass: HomeAssistant, target: Target, areas: set[str], devices: set[str]) -> set[str]:
    """Return the hidden and disabled entities of a target, by the rules of Home Assistant's helper for the others.

    `areas` and `devices` are what the helper found. `devices` includes devices found by their area; an entity of such a
    device that has an area of its own is not part of the target.
    """
    labels = set(target.label_id)
    labelled = (device.id for label in labels for device in dr.async_entries_for_label(dr.async_get(hass), label))
    direct = target_members(hass, device_id=[*target.device_id, *labelled]).device_ids
    return {
        registered.entity_id
        for registered in er.async_get(hass).entities.values()
        if (registered.hidden_by or registered.disabled_by)
        and (
            not labels.isdisjoint(registered.labels)
            or registered.area_id in areas
            or registered.device_id in direct
            or (registered.area_id is None and registered.device_id in devices)
        )
    }


def _texts(value: object) -> tuple[str, ...]:
    """Validate one text or a list of texts; duplicates are removed."""
    listed = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(text, str) and text for text in listed):
        raise vol.Invalid("expected a list of texts")
    return tuple(dict.fromkeys(listed))


def _entities(value: object) -> tuple[str, ...]:
    named = _texts(value)
    for text in named:
        if not (valid_entity_id(text) or _REGISTRY_ID.fullmatch(text)):
            raise vol.Invalid(f"{text} is not the id of an entity")
    return named


_INCLUDE = {
    vol.Optional("entity_id", default=()): _entities,
    vol.Optional("device_id", default=()): _texts,
    vol.Optional("area_id", default=()): _texts,
    vol.Optional("floor_id", default=()): _texts,
    vol.Optional("label_id", default=()): _texts,
    vol.Optional("integration", default=()): _texts,
}

SELECTION_SCHEMA = vol.Schema(
    {
        vol.Optional("include", default=dict): _INCLUDE,
        vol.Optional("exclude", default=dict): {**_INCLUDE, vol.Optional("domain", default=()): _texts},
        vol.Optional("hidden_too", default=False): bool,
        vol.Optional("diagnostic_too", default=False): bool,
    }
)
