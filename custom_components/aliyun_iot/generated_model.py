"""The thing model for the bindings of an entry: the present one with definitions for what is bound."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.util import dt as dt_util

from .alink.errors import InvalidValue
from .alink.i18n import is_chinese
from .alink.messages import JsonValue
from .alink.model.datatypes import DataType, DoubleType, EnumType, IntType
from .alink.model.thing_model import Service, ThingModel, split_identifier
from .bound import BoundProperty, bind
from .const import CONF_PRODUCT_KEY
from .exposures import change_bindings, exposed_bindings, service_bindings
from .mapping.aspect import Aspect, Domain, Kind, Refused
from .mapping.binding import Binding
from .mapping.generic import NO_ENTITY_STATE
from .mapping.model.generate import define, feature_name, overflow, rename
from .mapping.model.infer import infer_data_type, infer_raw_type
from .mapping.model.modules import MODULE_LENGTH, module_document, modules_of
from .mapping.model.unite import united
from .stored_device import thing_model_of


@dataclass(frozen=True, slots=True)
class GeneratedModel:
    """A thing model to import in the console.

    `renamed` are the new identifiers, by the present ones, of bindings that don't fit into the default module; `model` has
    the new identifiers. `left_out` are bindings whose data type is unknown, because their entity was removed or their
    conversion fails, and those in a module that the console does not accept. `numbered` has, by new identifier, the item of
    each option of the enums that are new in the model.
    """

    model: ThingModel
    renamed: dict[str, str]
    left_out: list[Binding]
    numbered: dict[str, dict[str, int]]

    def relabelled(self) -> dict[str, str]:
        """Return what was changed in the labels of new enums, by identifier."""
        properties = self.model.properties
        return {
            identifier: properties[identifier].description
            for identifier in self.numbered
            if properties[identifier].description
        }

    def documents(self) -> dict[str, dict[str, JsonValue]]:
        """Return the document of each module, the default one, "", first."""
        return {module: module_document(self.model, module) for module in modules_of(self.model)}


type NamesOf = Callable[[BoundProperty, State, str], tuple[str, str]]
"""Returns the name of the entity and of the aspect in a language; the latter is empty if the entity has only this aspect."""


@callback
def generate(hass: HomeAssistant, entry: ConfigEntry) -> GeneratedModel:
    """Return the thing model for what is bound of the entry's own device; all definitions of the present one are kept.

    New names are in the language of the installation.
    """
    bindings, services = exposed_bindings(entry), service_bindings(entry)
    present = thing_model_of(entry) or ThingModel()
    return generate_for(hass, entry.data[CONF_PRODUCT_KEY], present, bindings, services)


@callback
def generate_for(
    hass: HomeAssistant,
    product_key: str,
    present: ThingModel,
    bindings: Iterable[Binding],
    services: Iterable[str] = (),
    names_of: NamesOf | None = None,
) -> GeneratedModel:
    """Return the thing model of a product for these bindings, which may be those of several devices.

    A property that several of them have gets a data type that holds the values of all. All definitions of `present` are kept.
    """
    properties = dict(present.properties)
    sections = (properties, present.events, present.services)
    names = {feature.name for features in sections for feature in features.values()}
    left_out: dict[str, Binding] = {}
    types: dict[str, DataType] = {}
    numbered: dict[str, dict[str, int]] = {}
    for binding in bindings:
        if binding.identifier in present.properties:
            continue
        bound = bind(hass, [binding], None).by_identifier.get(binding.identifier)
        state = _state(hass, bound) if bound else None
        data_type = _data_type(bound, state) if bound and state else None
        too_long = len(split_identifier(binding.identifier)[0]) > MODULE_LENGTH
        if bound is None or state is None or data_type is None or too_long:
            left_out.setdefault(binding.identifier, binding)
            continue
        if before := properties.get(binding.identifier):
            data_type = united(types[binding.identifier], data_type)
            definition = define(binding, data_type, before.name)
            definition = replace(definition, writable=definition.writable or before.writable)
        else:
            name = feature_name(*(names_of or _names)(bound, state, hass.config.language), binding.identifier, names)
            names.add(name)
            definition = define(binding, data_type, name)
        properties[binding.identifier], types[binding.identifier] = definition, data_type
        if isinstance(data_type, EnumType) and isinstance(definition.data_type, EnumType):
            numbered[binding.identifier] = {option: number for number, option in data_type.items.items()}
    defined = dict(present.services)
    for identifier in services:
        if identifier not in defined:
            name = feature_name("", "", identifier, names)
            names.add(name)
            defined[identifier] = Service(identifier, name, sync=False, input={}, output={})
    model = ThingModel(product_key, properties, present.events, defined)
    renamed = overflow(model, present.properties)
    numbered = {renamed.get(identifier, identifier): items for identifier, items in numbered.items()}
    unknown = [binding for identifier, binding in left_out.items() if identifier not in properties]
    return GeneratedModel(rename(model, renamed), renamed, unknown, numbered)


@callback
def rename_bindings(hass: HomeAssistant, entry: ConfigEntry, renamed: dict[str, str]) -> None:
    """Give bindings the identifiers of the generated thing model."""
    replaced = {
        binding.identifier: replace(binding, identifier=renamed[binding.identifier])
        for binding in exposed_bindings(entry)
        if binding.identifier in renamed
    }
    change_bindings(hass, entry, replaced=replaced)


@callback
def keep_numbers(hass: HomeAssistant, entry: ConfigEntry, numbered: Mapping[str, Mapping[str, int]]) -> None:
    """Store the item of each option in the bindings, so that neither labels nor the order of the options matter.

    A binding that maps its options already is left alone: the thing model was generated from this map.
    """
    replaced = {
        binding.identifier: replace(
            binding, conversion=replace(binding.conversion, options=numbered[binding.identifier])
        )
        for binding in exposed_bindings(entry)
        if binding.identifier in numbered and not binding.conversion.options
    }
    change_bindings(hass, entry, replaced=replaced)


def _state(hass: HomeAssistant, bound: BoundProperty) -> State | None:
    return hass.states.get(bound.entity_id) if bound.entity_id else NO_ENTITY_STATE


def _names(bound: BoundProperty, state: State, language: str) -> tuple[str, str]:
    """Return the names of the entity and the aspect; the latter is empty if the entity has only this aspect."""
    if state is NO_ENTITY_STATE:
        return "", ""
    alone = bound.domain is not None and [bound.aspect] == _offered(bound.domain, state)
    aspect = bound.aspect.name_zh if is_chinese(language) else bound.aspect.name_en
    return state.name, "" if alone else aspect


def _offered(domain: Domain, state: State) -> list[Aspect]:
    return [aspect for aspect in domain.aspects if aspect.supported(state) and not aspect.alternative]


def _data_type(bound: BoundProperty, state: State) -> DataType | None:
    """Return the data type of a property without definition, None if its conversion fails.

    For a raw aspect or a template it is inferred from the present value.
    """
    conversion = bound.binding.conversion
    try:
        if bound.aspect.kind is not Kind.RAW and not conversion.template:
            return infer_data_type(bound.aspect, state, conversion)
        sample = bound.sample(state, dt_util.utcnow())
    except Refused, InvalidValue:
        return None
    found = infer_raw_type(sample.value if sample else None, conversion)
    # The present value may be an integer by chance.
    return DoubleType(unit=found.unit) if isinstance(found, IntType) else found
