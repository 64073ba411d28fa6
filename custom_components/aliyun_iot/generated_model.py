"""The thing model that fits the bindings of an entry: the present one, completed by what is bound."""

from dataclasses import dataclass, replace

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.util import dt as dt_util

from .alink.errors import InvalidValue
from .alink.i18n import is_chinese
from .alink.messages import JsonValue
from .alink.model.datatypes import DataType, DoubleType, IntType
from .alink.model.thing_model import Service, ThingModel
from .bound import BoundProperty, bind
from .const import CONF_PRODUCT_KEY
from .exposures import change_bindings, exposed_bindings, service_bindings
from .mapping.aspect import Aspect, Domain, Kind, Refused
from .mapping.binding import Binding
from .mapping.generic import NO_ENTITY_STATE
from .mapping.model.generate import define, feature_name, overflow, rename
from .mapping.model.infer import infer_data_type, infer_raw_type
from .mapping.model.modules import module_document, modules_of
from .runtime import thing_model_of


@dataclass(frozen=True, slots=True)
class GeneratedModel:
    """A thing model to import in the console.

    `renamed` are the new identifiers, by the present ones, of bindings that do not fit into the default module any
    more; `model` has the new ones. `left_out` are bindings of which nobody knows the data type: their entity
    is gone, or their conversion leads nowhere.
    """

    model: ThingModel
    renamed: dict[str, str]
    left_out: list[Binding]

    def documents(self) -> dict[str, dict[str, JsonValue]]:
        """Return a document for each module, the default one, called "", first."""
        return {module: module_document(self.model, module) for module in modules_of(self.model)}


@callback
def generate(hass: HomeAssistant, entry: ConfigEntry) -> GeneratedModel:
    """Return the thing model of what is bound; what the present one defines stays as it is, bound or not.

    Properties are named in the language of the installation. Raises ThingModelError if the present one can't be read.
    """
    present = thing_model_of(entry) or ThingModel()
    properties = dict(present.properties)
    names = {one.name for features in (properties, present.events, present.services) for one in features.values()}
    left_out = []
    for binding in exposed_bindings(entry):
        if binding.identifier in properties:
            continue
        bound = bind(hass, [binding], None).by_identifier.get(binding.identifier)
        state = _state(hass, bound) if bound else None
        data_type = _data_type(bound, state) if bound and state else None
        if bound is None or state is None or data_type is None:
            left_out.append(binding)
            continue
        name = feature_name(*_names(bound, state, hass.config.language), binding.identifier, names)
        names.add(name)
        properties[binding.identifier] = define(binding, data_type, name)
    services = dict(present.services)
    for identifier in service_bindings(entry):
        services.setdefault(identifier, Service(identifier, identifier, sync=False, input={}, output={}))
    model = ThingModel(entry.data[CONF_PRODUCT_KEY], properties, present.events, services)
    renamed = overflow(model, present.properties)
    return GeneratedModel(rename(model, renamed), renamed, left_out)


@callback
def rename_bindings(hass: HomeAssistant, entry: ConfigEntry, renamed: dict[str, str]) -> None:
    """Give bindings the identifiers that the generated thing model has for them."""
    replaced = {
        binding.identifier: replace(binding, identifier=renamed[binding.identifier])
        for binding in exposed_bindings(entry)
        if binding.identifier in renamed
    }
    change_bindings(hass, entry, replaced=replaced)


def _state(hass: HomeAssistant, bound: BoundProperty) -> State | None:
    return hass.states.get(bound.entity_id) if bound.entity_id else NO_ENTITY_STATE


def _names(bound: BoundProperty, state: State, language: str) -> tuple[str, str]:
    """Return what the entity and the aspect are called; an entity with a single aspect needs no second name."""
    if state is NO_ENTITY_STATE:
        return "", ""
    alone = bound.domain is not None and [bound.aspect] == _offered(bound.domain, state)
    facet = bound.aspect.name_zh if is_chinese(language) else bound.aspect.name_en
    return state.name, "" if alone else facet


def _offered(domain: Domain, state: State) -> list[Aspect]:
    return [aspect for aspect in domain.aspects if aspect.supported(state) and not aspect.alternative]


def _data_type(bound: BoundProperty, state: State) -> DataType | None:
    """Return the data type of a property that has no definition; that of anything follows what it is now.

    There is none if the conversion leads nowhere.
    """
    conversion = bound.binding.conversion
    try:
        if bound.aspect.kind is not Kind.RAW and not conversion.template:
            return infer_data_type(bound.aspect, state, conversion)
        sample = bound.sample(state, dt_util.utcnow())
    except Refused, InvalidValue:
        return None
    found = infer_raw_type(sample.value if sample else None, conversion)
    # A number that is whole by chance may have decimals the next time.
    return DoubleType(unit=found.unit) if isinstance(found, IntType) else found
