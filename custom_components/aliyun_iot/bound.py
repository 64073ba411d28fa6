"""Bindings brought to life: each with its entity, its aspect and its place in the thing model."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from homeassistant.core import HomeAssistant, State, callback, split_entity_id

from .alink.datatypes import DataType, Value as PropertyValue
from .alink.link import Sample
from .alink.messages import JsonValue
from .alink.thing_model import Property, ThingModel
from .exposures import resolve_entity
from .mapping.aspect import Aspect, Domain, Value
from .mapping.binding import Binding
from .mapping.convert import to_cloud, to_ha
from .mapping.domains import DOMAINS
from .mapping.infer import infer_data_type


@dataclass(frozen=True, slots=True)
class BoundProperty:
    """One property and the aspect of the entity that it stands for.

    `model` is the property as the thing model defines it; without a thing model the data type follows the entity.
    """

    binding: Binding
    entity_id: str
    domain: Domain
    aspect: Aspect
    model: Property | None

    @property
    def identifier(self) -> str:
        """The identifier of the property."""
        return self.binding.identifier

    @property
    def writable(self) -> bool:
        """Whether the value can be set at all."""
        return self.aspect.writable and (self.model is None or self.model.writable)

    def sample(self, state: State, at: datetime) -> Sample | None:
        """Return what the state means for the cloud, or None when it says nothing.

        Raises ConversionError or InvalidValue.
        """
        value = self.aspect.read(state)
        if value is None:
            return None
        data_type = self._data_type(state)
        property_value = to_cloud(value, self.aspect, data_type, self.binding.conversion, state)
        return Sample(data_type.encode(property_value, self.identifier), int(at.timestamp() * 1000))

    def decode(self, raw: JsonValue, state: State) -> PropertyValue:
        """Return the property value of what came over the wire; raises InvalidValue."""
        return self._data_type(state).decode(raw, self.identifier)

    def to_aspect(self, value: PropertyValue, state: State) -> Value:
        """Return what the aspect must become for the property to have this value; raises ConversionError."""
        return to_ha(value, self.aspect, self._data_type(state), self.binding.conversion, state)

    def _data_type(self, state: State) -> DataType:
        return self.model.data_type if self.model else infer_data_type(self.aspect, state)


@dataclass(frozen=True, slots=True)
class BoundProperties:
    """All bound properties of one device, by entity and by identifier."""

    by_entity: Mapping[str, tuple[BoundProperty, ...]] = field(default_factory=dict)
    by_identifier: Mapping[str, BoundProperty] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    """Identifiers whose binding can't work, and why (English)."""


@callback
def bind(hass: HomeAssistant, bindings: Iterable[Binding], model: ThingModel | None) -> BoundProperties:
    """Bring bindings to life; one that can't work becomes a problem, the others are not affected."""
    by_entity: dict[str, list[BoundProperty]] = defaultdict(list)
    by_identifier: dict[str, BoundProperty] = {}
    problems: dict[str, str] = {}
    for binding in bindings:
        bound = _bind_one(hass, binding, model)
        if isinstance(bound, str):
            problems[binding.identifier] = bound
        elif binding.identifier in by_identifier:
            problems[binding.identifier] = "bound more than once, only the first binding works"
        else:
            by_entity[bound.entity_id].append(bound)
            by_identifier[binding.identifier] = bound
    return BoundProperties({key: tuple(rows) for key, rows in by_entity.items()}, by_identifier, problems)


def _bind_one(hass: HomeAssistant, binding: Binding, model: ThingModel | None) -> BoundProperty | str:
    entity_id = resolve_entity(hass, binding.entity)
    if entity_id is None:
        return "its entity was removed from Home Assistant"
    name, _ = split_entity_id(entity_id)
    domain = DOMAINS.get(name)
    aspect = domain.aspect(binding.aspect) if domain else None
    if domain is None or aspect is None:
        return f"{entity_id} has no {binding.aspect}"
    definition = model.properties.get(binding.identifier) if model else None
    if model and definition is None:
        return "the thing model has no such property"
    return BoundProperty(binding, entity_id, domain, aspect, definition)
