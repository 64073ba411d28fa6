"""The field of a form that names the property of a binding."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.helpers.selector import SelectSelector, TextSelector
import voluptuous as vol

from ..alink.model.thing_model import Property, ThingModel
from ..exposures import exposed_bindings
from ..mapping.aspect import Aspect
from ..mapping.binding import NO_CONVERSION, Binding
from ..mapping.convert import carries
from ..words.labels import Labels
from .binding_fields import CONF_IDENTIFIER, InputRefused, choice


@dataclass(frozen=True, slots=True)
class PropertyField:
    """The properties that a binding can be for; `current` is the binding that is being changed, if any."""

    entry: ConfigEntry
    labels: Labels
    model: ThingModel | None
    current: Binding | None

    def taken(self) -> set[str]:
        """Return the identifiers that other bindings use."""
        taken = {binding.identifier for binding in exposed_bindings(self.entry)}
        return taken - {self.current.identifier} if self.current else taken

    def free(self) -> list[Property]:
        """Return the properties of the thing model that can be bound."""
        taken = self.taken()
        return [one for one in self.model.properties.values() if one.identifier not in taken] if self.model else []

    @property
    def exhausted(self) -> bool:
        """Whether there is no property left to bind."""
        return self.model is not None and not self.free()

    def marker(self, values: Mapping[str, Any]) -> vol.Marker:
        """Return the key of the field in a form that starts with these values.

        A browser fills what is required with the first choice, and nobody might notice which property that is. So where
        nothing is known the field may be left empty, and `read_binding` refuses that.
        """
        return (
            vol.Optional(CONF_IDENTIFIER)
            if self.model and not values.get(CONF_IDENTIFIER)
            else vol.Required(CONF_IDENTIFIER)
        )

    def selector(self, aspects: Iterable[Aspect], invented: Iterable[str]) -> SelectSelector | TextSelector:
        """Return the field: properties that can carry one of the aspects first, without a thing model some ideas."""
        if self.model:
            suiting = sorted(
                self.free(), key=lambda one: not any(carries(each, one.data_type, NO_CONVERSION) for each in aspects)
            )
            return choice(
                (one.identifier, f"{self.labels.property(one.identifier, one)}: {self.labels.values(one.data_type)}")
                for one in suiting
            )
        ideas = list(invented)
        return choice(zip(ideas, ideas, strict=True), custom_value=True) if ideas else TextSelector()

    def definition(self, binding: Binding) -> Property | None:
        """Return what the thing model says about the property of a binding."""
        return self.model.properties[binding.identifier] if self.model else None

    def refuse_taken(self, binding: Binding) -> None:
        """Raise InputRefused for a property that another binding is for."""
        if binding.identifier in self.taken():
            raise InputRefused({CONF_IDENTIFIER: "identifier_taken"}, {CONF_IDENTIFIER: binding.identifier})
