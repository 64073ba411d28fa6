"""Selections as data: which entities are meant, by name or by where they belong, and which of them are left out.

The user interface, stored rules and files share `SELECTION_SCHEMA`. The words are those of Home Assistant's own targets,
with integrations and, to leave out, whole domains beside them. Nothing named means nothing, never everything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
import re
from typing import Any, Self

from homeassistant.core import HomeAssistant, State, callback, split_entity_id, valid_entity_id
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import entity_sources
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
import voluptuous as vol

from ..const import DOMAIN
from .domains import domain_of

_REGISTRY_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Target:
    """Entities by what they are called or by what they belong to.

    `entity_id` holds ids of the entity registry, which survive renames, or entity ids of what isn't registered; the
    others are ids of the registries of the same name. `integration` names integrations by their domain, `domain`
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
        """Tell whether anything is named."""
        return any(getattr(self, one.name) for one in fields(self))


@dataclass(frozen=True, slots=True)
class Selection:
    """What is included without what is excluded.

    Hidden entities, and those for diagnosis and configuration, are meant only with `hidden_too` and `diagnostic_too`,
    or when they are named one by one; for the latter a label on the entity itself is enough, as it is for actions.
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


@dataclass(frozen=True, slots=True)
class Survey:
    """What a selection comes to, each part sorted: the entities to bind, and by reason those that are passed over."""

    selected: tuple[str, ...]
    hidden: tuple[str, ...]
    diagnostic: tuple[str, ...]
    excluded: tuple[str, ...]
    unsupported: tuple[str, ...]
    stateless: tuple[str, ...]


@callback
def select(hass: HomeAssistant, selection: Selection) -> list[str]:
    """Return the entity ids that a selection comes to now, sorted: those that exist and have something to bind."""
    return list(survey(hass, selection).selected)


@callback
def matching(hass: HomeAssistant, selection: Selection) -> set[str]:
    """Return the entity ids that a selection means, whether they are there now or not."""
    return _Resolved.of(hass, selection).wanted


@callback
def survey(hass: HomeAssistant, selection: Selection) -> Survey:
    """Return what a selection comes to now, and what of the included it passes over."""
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
    """Tell whether an entity has anything that could be bound without being asked for by name."""
    domain = domain_of(state.entity_id)
    return domain is not None and any(not aspect.private and aspect.supported(state) for aspect in domain.aspects)


@dataclass(frozen=True, slots=True)
class _Resolved:
    """The included entities, sorted by what becomes of them."""

    wanted: set[str]
    hidden: set[str]
    diagnostic: set[str]
    excluded: set[str]

    @classmethod
    def of(cls, hass: HomeAssistant, selection: Selection) -> Self:
        registry = er.async_get(hass)
        included = _covered(hass, selection.include)
        named = _named(hass, selection.include.entity_id)
        # What this integration tells about itself is no part of the house that an area or a label stands for.
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
    """Return every entity of a target; which of them count is for the selection to say."""
    found = async_extract_referenced_entity_ids(
        hass,
        TargetSelection(
            {
                "entity_id": sorted(_named(hass, target.entity_id)),
                "device_id": list(target.device_id),
                "area_id": list(target.area_id),
                "floor_id": list(target.floor_id),
                "label_id": list(target.label_id),
            }
        ),
        expand_group=False,
        primary_entities_only=False,
    )
    covered = found.referenced | found.indirectly_referenced
    covered |= _covered_unseen(hass, target, found.referenced_areas, found.referenced_devices)
    if target.integration or target.domain:
        registry = er.async_get(hass)
        platforms = {entity_id: source["domain"] for entity_id, source in entity_sources(hass).items()}
        platforms |= {entity_id: registered.platform for entity_id, registered in registry.entities.items()}
        covered |= {entity_id for entity_id, platform in platforms.items() if platform in target.integration}
        known = platforms.keys() | set(hass.states.async_entity_ids(target.domain))
        covered |= {entity_id for entity_id in known if split_entity_id(entity_id)[0] in target.domain}
    return covered


def _covered_unseen(hass: HomeAssistant, target: Target, areas: set[str], devices: set[str]) -> set[str]:
    """Return the hidden and disabled entities of a target, by the rules that Home Assistant's helper has for the others.

    `areas` and `devices` are what the helper found, `devices` including those that are there only for their area: such
    a device does not speak for an entity with an area of its own.
    """
    labels = set(target.label_id)
    labelled = (device.id for label in labels for device in dr.async_entries_for_label(dr.async_get(hass), label))
    direct = async_extract_referenced_entity_ids(
        hass, TargetSelection({"device_id": [*target.device_id, *labelled]}), expand_group=False
    ).referenced_devices
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
    """Validate one text or a list of them; what is named twice counts once."""
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
