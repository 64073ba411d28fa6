"""The form field for the property of a binding."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.helpers.selector import SelectSelector, TextSelector
import voluptuous as vol

from ..alink.model.thing_model import Property, ThingModel
from ..mapping.aspect import Aspect
from ..mapping.binding import NO_CONVERSION, Binding
from ..mapping.convert import carries
from ..stored_device import StoredDevice
from ..words.labels import Labels
from .binding_fields import CONF_IDENTIFIER, InputRefused, choice


def no_model_warning(labels: Labels, model: ThingModel | None) -> str:
    """Return that identifiers are invented without a thing model; empty with one."""
    return "" if model else labels.markdown("common.no_model_warning")


@dataclass(frozen=True, slots=True)
class PropertyField:
    """The properties that a binding of a device can use; `current` is the binding that is being changed, if any."""

    device: StoredDevice
    labels: Labels
    current: Binding | None

    @property
    def model(self) -> ThingModel | None:
        """The thing model of the device."""
        return self.device.read_thing_model()[0]

    def taken(self) -> set[str]:
        """Return the identifiers that other bindings use."""
        taken = {binding.identifier for binding in self.device.bindings()}
        return taken - {self.current.identifier} if self.current else taken

    def free(self) -> list[Property]:
        """Return the properties of the thing model that can be bound."""
        taken = self.taken()
        return [prop for prop in self.model.properties.values() if prop.identifier not in taken] if self.model else []

    @property
    def exhausted(self) -> bool:
        """Whether all properties of the thing model are bound."""
        return self.model is not None and not self.free()

    @property
    def warning(self) -> str:
        """What to say before an identifier is entered that no thing model knows."""
        return no_model_warning(self.labels, self.model)

    @property
    def gone(self) -> InputRefused | None:
        """The error of a form whose property is no longer in the thing model."""
        if self.model and self.current and self.current.identifier not in self.model.properties:
            return self._gone(self.current.identifier)
        return None

    def marker(self, values: Mapping[str, Any]) -> vol.Marker:
        """Return the key of the field in a form with these initial values.

        The frontend fills a required field with the first option, which the user might not notice. Without an initial
        value the field is therefore optional, and `read_binding` refuses an empty one.
        """
        return (
            vol.Optional(CONF_IDENTIFIER)
            if self.model and not values.get(CONF_IDENTIFIER)
            else vol.Required(CONF_IDENTIFIER)
        )

    def selector(self, aspects: Iterable[Aspect], invented: Iterable[str]) -> SelectSelector | TextSelector:
        """Return the field: the properties, those that can carry one of the aspects first.

        Without a thing model it takes any identifier and offers the `invented` ones.
        """
        if self.model:
            # The frontend shows a value that is not among the options as if nothing was selected.
            missing = [(self.current.identifier, self.current.identifier)] if self.current and self.gone else []
            fitting_first = sorted(
                self.free(), key=lambda prop: not any(carries(each, prop.data_type, NO_CONVERSION) for each in aspects)
            )
            return choice(
                [
                    *missing,
                    *(
                        (
                            prop.identifier,
                            f"{self.labels.property(prop.identifier, prop)}{self.labels.colon}{self.labels.values(prop.data_type)}",
                        )
                        for prop in fitting_first
                    ),
                ]
            )
        identifiers = list(invented)
        return choice(zip(identifiers, identifiers, strict=True), custom_value=True) if identifiers else TextSelector()

    def definition(self, binding: Binding) -> Property | None:
        """Return the thing model's definition of the property of a binding, or None without a thing model.

        Raises InputRefused if the thing model has no such property.
        """
        if self.model is None:
            return None
        if binding.identifier not in self.model.properties:
            raise self._gone(binding.identifier)
        return self.model.properties[binding.identifier]

    def _gone(self, identifier: str) -> InputRefused:
        return InputRefused({CONF_IDENTIFIER: "property_gone"}, {CONF_IDENTIFIER: identifier})

    def refuse_taken(self, binding: Binding) -> None:
        """Raise InputRefused for a property that another binding uses."""
        if binding.identifier in self.taken():
            raise InputRefused({CONF_IDENTIFIER: "identifier_taken"}, {CONF_IDENTIFIER: binding.identifier})
