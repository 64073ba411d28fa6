"""Names and sentences for users: of entities, properties, bindings and problems, in the language of the installation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from homeassistant.const import ATTR_UNIT_OF_MEASUREMENT, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers.translation import async_get_translations

from ..alink.errors import InvalidValue
from ..alink.foreign import Safe, safe
from ..alink.i18n import is_chinese
from ..alink.model.datatypes import DataType, Field
from ..alink.model.thing_model import Event, Property, Service, ThingModel
from ..const import DOMAIN
from ..exposures import resolve_entity
from ..ha_internals import translated_state
from ..mapping.aspect import Aspect, Refused
from ..mapping.binding import Access, Binding
from ..mapping.check import Problem
from ..mapping.generic import aspect_for
from .markdown import Markdown, code, escaped, filled, joined


@dataclass(frozen=True, slots=True)
class Labels:
    """The translations of the integration, and functions that build names and sentences with them.

    A flow does not know the language of the browser, so its `language` is that of the installation.
    """

    hass: HomeAssistant
    language: str
    texts: Mapping[str, str]

    @classmethod
    async def load(cls, hass: HomeAssistant, language: str | None = None) -> Self:
        """Load the translations into a language, by default that of the installation."""
        language = language or hass.config.language
        texts: dict[str, str] = {}
        for category in ("common", "config", "config_subentries", "exceptions", "options", "selector"):
            texts |= await async_get_translations(hass, language, category, {DOMAIN})
        return cls(hass, language, texts)

    def text(self, key: str, **placeholders: str) -> Safe:
        """Return a translated text, such as `common.nothing_fits`."""
        return Safe(self._template(key).format(**{name: safe(text) for name, text in placeholders.items()}))

    def counted(self, key: str, count: int, **placeholders: str) -> Safe:
        """Return a text with the placeholder `count`; the text for 1 has the key `KEY_one`."""
        return self.text(f"{key}_one" if count == 1 else key, count=str(count), **placeholders)

    def markdown(self, key: str, **placeholders: str) -> Markdown:
        """Return a translated text that is Markdown, such as `common.import_added`."""
        return filled(self._template(key), placeholders)

    def _template(self, key: str) -> str:
        return self.texts[f"component.{DOMAIN}.{key}"]

    def has(self, key: str) -> bool:
        """Return whether there is a text with this key."""
        return f"component.{DOMAIN}.{key}" in self.texts

    def listed(self, names: Iterable[str]) -> Safe:
        """Return names joined as a list within a sentence."""
        return Safe(self.comma.join(safe(name) for name in names))

    @property
    def comma(self) -> str:
        """What separates the parts of a list within a sentence."""
        return "、" if is_chinese(self.language) else ", "

    @property
    def semicolon(self) -> str:
        """What separates the parts of a list whose parts have commas."""
        return "；" if is_chinese(self.language) else "; "

    @property
    def colon(self) -> str:
        """What stands between a name and what is said about it."""
        return "：" if is_chinese(self.language) else ": "

    def access(self, access: Access) -> str:
        """Return the name of a direction."""
        return self.text(f"selector.access.options.{access}")

    def aspect(self, aspect: Aspect) -> str:
        """Return the name of an aspect."""
        return aspect.name_zh if is_chinese(self.language) else aspect.name_en

    def values(self, data_type: DataType) -> Safe:
        """Return a description of the values that a data type allows."""
        return safe(data_type.describe(self.language))

    def reason(self, error: Refused | InvalidValue) -> str:
        """Return why a value can't be posted."""
        return error.describe(self.language)

    def property(self, identifier: str, definition: Property | None) -> str:
        """Return the name and identifier of a property, or only the identifier without a definition."""
        return _named(definition.name, identifier) if definition else safe(identifier)

    def event(self, definition: Event) -> str:
        """Return the name and identifier of an event."""
        return _named(definition.name, definition.identifier)

    def service(self, definition: Service) -> str:
        """Return the name and identifier of a service."""
        return _named(definition.name, definition.identifier)

    def parameter(self, field: Field) -> str:
        """Return the name and identifier of a parameter, and the values that it allows."""
        return Safe(f"{_named(field.name, field.identifier)}{self.colon}{self.values(field.data_type)}")

    def parameters(self, fields: Mapping[str, Field]) -> Markdown:
        """Return the identifiers of parameters, and the values that they allow."""
        return joined(
            (Markdown(f"{code(name)} ({escaped(self.values(field.data_type))})") for name, field in fields.items()),
            self.semicolon,
        )

    def problem(self, problem: Problem, aspect: Aspect, definition: Property | None) -> dict[str, str]:
        """Return the placeholders for the text of a problem, with names instead of keys and ids."""
        placeholders: dict[str, str] = {
            key: self.listed(value) if isinstance(value, tuple) else value
            for key, value in problem.placeholders.items()
        }
        placeholders["aspect"] = self.aspect(aspect)
        if entity_id := placeholders.pop("entity_id", None):
            placeholders["entity"] = self.entity(entity_id)
        if definition and "kind" in placeholders:
            placeholders["wanted"] = self.values(definition.data_type)
        return placeholders

    @callback
    def entity(self, reference: str) -> Safe:
        """Return the friendly name of an entity, or its entity id or reference if it does not exist."""
        entity_id = resolve_entity(self.hass, reference)
        state = self.hass.states.get(entity_id) if entity_id else None
        return safe(state.name if state else entity_id or reference)

    @callback
    def state(self, state: State) -> str:
        """Return a state as dashboards show it: translated, and with its unit."""
        if state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
            return self.text(f"common.{state.state}")
        words = translated_state(self.hass, state)
        unit = state.attributes.get(ATTR_UNIT_OF_MEASUREMENT)
        return f"{words} {unit}" if unit else words

    @callback
    def source(self, binding: Binding) -> Safe:
        """Return the entity, if there is one, and the aspect of a binding."""
        aspect = self._aspect_of(binding)
        return Safe(f"{self.entity(binding.entity)} · {safe(aspect)}") if binding.entity else safe(aspect)

    def _aspect_of(self, binding: Binding) -> str:
        aspect = aspect_for(binding, resolve_entity(self.hass, binding.entity) or "")
        return self.aspect(aspect) if aspect else binding.aspect

    @callback
    def binding(self, binding: Binding, model: ThingModel | None) -> str:
        """Return the entity, aspect, property and direction of a binding."""
        aspect_name = self._aspect_of(binding)
        target = self.property(binding.identifier, model.properties.get(binding.identifier) if model else None)
        access = self.access(binding.access)
        if not binding.entity:
            return self.text("common.custom_binding", aspect=aspect_name, property=target, access=access)
        entity = self.entity(binding.entity)
        return self.text("common.binding", entity=entity, aspect=aspect_name, property=target, access=access)


def _named(name: str, identifier: str) -> Safe:
    return safe(identifier) if name == identifier else Safe(f"{safe(name)} [{safe(identifier)}]")
