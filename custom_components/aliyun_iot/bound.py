"""Bindings with everything they refer to: the entity, the aspect and the definition in the thing model."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import batched
from typing import Final, Self

from homeassistant.core import HomeAssistant, State, callback

from .alink.i18n import Words, is_chinese, phrase
from .alink.messages import JsonValue
from .alink.model.datatypes import DataType, Value as PropertyValue
from .alink.model.thing_model import Property, ThingModel
from .alink.samples import Sample
from .exposures import resolve_entity
from .mapping.aspect import Aspect, Domain, Kind, Refused, Value
from .mapping.binding import Binding
from .mapping.convert import to_cloud, to_ha
from .mapping.domains import domain_of
from .mapping.generic import RENDERED, aspect_for
from .mapping.kinds.raw import kind_of_raw
from .mapping.model.infer import infer_data_type, infer_raw_type
from .mapping.slices import LARGE_SLICE, Slices, at_once
from .mapping.templates import Templates, render, templated

NO_TEMPLATES = Templates()


class Fault(StrEnum):
    """What keeps a binding from working."""

    ENTITY_GONE = "entity_gone"
    NO_ASPECT = "no_aspect"
    NOT_IN_MODEL = "not_in_model"
    TEMPLATE = "template"
    BOUND_TWICE = "bound_twice"
    UNREADABLE = "unreadable"


_FAULTS: Final[Mapping[Fault, Words]] = {
    Fault.ENTITY_GONE: ("its entity was removed from Home Assistant", "它的实体已从 Home Assistant 中移除"),
    Fault.NO_ASPECT: ("{entity_id} has no {aspect}", "{entity_id} 没有 {aspect}"),
    Fault.NOT_IN_MODEL: ("the thing model has no such property", "物模型中没有该属性"),
    Fault.BOUND_TWICE: ("bound more than once, only the first binding works", "重复绑定，只有第一个绑定有效"),
    Fault.UNREADABLE: ("its binding cannot be read", "无法读取它的绑定"),
}


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a binding does not work, as a text in both languages."""

    fault: Fault
    text: Words

    @classmethod
    def of(cls, fault: Fault, **details: str) -> Self:
        """Return the text about a fault with these details."""
        return cls(fault, (phrase(_FAULTS[fault], "en", **details), phrase(_FAULTS[fault], "zh", **details)))

    def __str__(self) -> str:
        """Return the text in English, for the log."""
        return self.describe()

    def describe(self, language: str = "en") -> str:
        """Return the text in simplified Chinese for `zh…`, otherwise in English."""
        return self.text[is_chinese(language)]


@dataclass(frozen=True, slots=True)
class BoundProperty:
    """One property and the aspect of the entity that it stands for.

    `entity_id` is empty for a binding without an entity; `domain` is None then, and for entities of a domain without
    aspects. `model` is the definition in the thing model; without a thing model the data type is inferred from the
    entity. The methods below take the state of the entity, or `NO_ENTITY_STATE`.

    `reports` says whether the present value goes to the cloud when the state changes or is asked for.
    """

    binding: Binding
    entity_id: str
    domain: Domain | None
    aspect: Aspect
    model: Property | None
    templates: Templates = NO_TEMPLATES
    identifier: str = field(init=False)
    reports: bool = field(init=False)

    def __post_init__(self) -> None:
        """Keep what every state change asks for."""
        object.__setattr__(self, "identifier", self.binding.identifier)
        object.__setattr__(self, "reports", self.binding.access.reports)

    @property
    def writable(self) -> bool:
        """Whether the property can be set."""
        conversion = self.binding.conversion
        one_way = bool(conversion.template and not conversion.template_back)
        settable = self.aspect.writable and self.domain is not None and not one_way
        return (bool(self.binding.actions) or settable) and (self.model is None or self.model.writable)

    def is_renamed(self, before: BoundProperty | None) -> bool:
        """Return whether nothing but the entity id is different from before."""
        return before is not None and replace(before, entity_id=self.entity_id) == self

    def sample(self, state: State, at: datetime) -> Sample | None:
        """Return the sample to post for a state, None if the state has no value; raises Refused or InvalidValue."""
        source = self.templates.source
        value = render(source, self.source_variables()) if source else self.aspect.read(state)
        if value is None and not source:
            self.aspect.require_readable(state)
        return self.sample_of(value, state, at)

    def sample_of(self, value: Value | None, state: State, at: datetime) -> Sample | None:
        """Return the sample to post for a value of the aspect; raises Refused or InvalidValue."""
        aspect = self.aspect
        if value is not None and (template := self.templates.to_cloud):
            value = render(template, {"value": value, "entity_id": self.entity_id, "state": state})
            aspect = RENDERED
        if value is None:
            return None
        data_type = self.model.data_type if self.model else self._inferred_type(aspect, value, state)
        property_value = to_cloud(value, aspect, data_type, self.binding.conversion, state)
        return Sample(data_type.encode(property_value, self.identifier), int(at.timestamp() * 1000))

    def source_variables(self) -> dict[str, object]:
        """Return the variables for the template of a template aspect."""
        return {"entity_id": self.entity_id}

    def decode(self, raw: JsonValue, state: State) -> PropertyValue:
        """Return the property value of a decoded JSON value; raises InvalidValue."""
        data_type = self.model.data_type if self.model else self._inferred_type(self._set_aspect(), raw, state)
        return data_type.decode(raw, self.identifier)

    def to_aspect(self, value: PropertyValue, state: State) -> Value:
        """Return the aspect's value for a property value; raises Refused."""
        aspect = self._set_aspect()
        data_type = self.model.data_type if self.model else self._inferred_type(aspect, value, state)
        result = to_ha(value, aspect, data_type, self.binding.conversion, state)
        if self.templates.to_ha is None:
            return result
        rendered = render(self.templates.to_ha, {"value": result})
        return kind_of_raw(rendered, self.aspect)

    def _set_aspect(self) -> Aspect:
        """Return the aspect that a property value is converted to: the template's, if there is one."""
        return RENDERED if self.templates.to_cloud or self.templates.to_ha else self.aspect

    def _inferred_type(self, aspect: Aspect, value: object, state: State) -> DataType:
        if aspect.kind is Kind.RAW:
            return infer_raw_type(value, self.binding.conversion)
        return infer_data_type(aspect, state, self.binding.conversion)


@dataclass(frozen=True, slots=True)
class BoundProperties:
    """All bound properties of one device, by entity and by identifier; those without an entity only by identifier."""

    by_entity: Mapping[str, tuple[BoundProperty, ...]] = field(default_factory=dict)
    by_identifier: Mapping[str, BoundProperty] = field(default_factory=dict)
    problems: Mapping[str, Broken] = field(default_factory=dict)
    """The reason by identifier for each binding that can't work."""


@callback
def bind(hass: HomeAssistant, bindings: Iterable[Binding], model: ThingModel | None) -> BoundProperties:
    """Resolve bindings; one that can't work becomes a problem and doesn't affect the others."""
    return at_once(bind_in_slices(hass, bindings, model))


def bind_in_slices(
    hass: HomeAssistant, bindings: Iterable[Binding], model: ThingModel | None
) -> Slices[BoundProperties]:
    """Do what `bind` does, in slices."""
    by_entity: dict[str, list[BoundProperty]] = defaultdict(list)
    by_identifier: dict[str, BoundProperty] = {}
    problems: dict[str, Broken] = {}
    for piece in batched(bindings, LARGE_SLICE, strict=False):
        for binding in piece:
            entity_id = resolve_entity(hass, binding.entity) if binding.entity else ""
            if entity_id is None:
                problems[binding.identifier] = Broken.of(Fault.ENTITY_GONE)
                continue
            bound = _bind_one(hass, binding, entity_id, model)
            if isinstance(bound, Broken):
                problems[binding.identifier] = bound
            elif binding.identifier in by_identifier:
                problems[binding.identifier] = Broken.of(Fault.BOUND_TWICE)
            else:
                if bound.entity_id:
                    by_entity[bound.entity_id].append(bound)
                by_identifier[binding.identifier] = bound
        yield
    rows_by_entity = {key: tuple(rows) for key, rows in by_entity.items()}
    return BoundProperties(rows_by_entity, by_identifier, problems)


@callback
def with_present_entities(hass: HomeAssistant, bound: BoundProperties) -> BoundProperties:
    """Return what is bound with the present entity ids; a property whose entity was removed becomes a problem."""
    by_entity: dict[str, list[BoundProperty]] = defaultdict(list)
    by_identifier: dict[str, BoundProperty] = {}
    problems = dict(bound.problems)
    for identifier, before in bound.by_identifier.items():
        entity_id = resolve_entity(hass, before.binding.entity) if before.binding.entity else ""
        if entity_id is None:
            problems[identifier] = Broken.of(Fault.ENTITY_GONE)
            continue
        prop = before if entity_id == before.entity_id else replace(before, entity_id=entity_id)
        by_identifier[identifier] = prop
        if entity_id:
            by_entity[entity_id].append(prop)
    return BoundProperties({key: tuple(rows) for key, rows in by_entity.items()}, by_identifier, problems)


def _bind_one(
    hass: HomeAssistant, binding: Binding, entity_id: str, model: ThingModel | None
) -> BoundProperty | Broken:
    aspect = aspect_for(binding, entity_id)
    if aspect is None:
        return Broken.of(Fault.NO_ASPECT, entity_id=entity_id, aspect=binding.aspect)
    definition = model.properties.get(binding.identifier) if model else None
    if model and definition is None:
        return Broken.of(Fault.NOT_IN_MODEL)
    try:
        templates = Templates.of(hass, binding) if templated(binding) else NO_TEMPLATES
    except Refused as err:
        return Broken(Fault.TEMPLATE, (err.describe(), err.describe("zh")))
    return BoundProperty(binding, entity_id, domain_of(entity_id), aspect, definition, templates)
