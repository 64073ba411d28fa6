"""What is stored of one device of an entry: its identity, what is bound of it, and the thing model of its product.

An entry holds its own device and, if that is a gateway, sub-devices. The same code runs for each of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .alink.errors import ThingModelError
from .alink.model.thing_model import ThingModel
from .const import CONF_PRODUCT_KEY, CONF_THING_MODELS, OWN, SUBENTRY_SUB_DEVICE
from .exposures import Absence, absence, event_bindings, exposed_bindings, references, service_bindings
from .mapping.binding import Binding, ServiceBinding
from .mapping.event_binding import EventBinding
from .mapping.stored import Unchanged


@dataclass(frozen=True, slots=True)
class StoredDevice:
    """One device of an entry; `owner` is the id of a sub-device's subentry, `OWN` for the entry's own device."""

    entry: ConfigEntry
    owner: str = OWN

    @property
    def key(self) -> str:
        """What the device is known by among all devices of all entries; that of the own device is the entry's id."""
        return f"{self.prefix(self.entry.entry_id)}{self.owner}" if self.owner else self.entry.entry_id

    @staticmethod
    def prefix(entry_id: str) -> str:
        """Return what the keys of all sub-devices of an entry begin with."""
        return f"{entry_id}_"

    @property
    def title(self) -> str:
        """The name that people know the device by."""
        if not self.owner:
            return self.entry.title
        subentry = self.entry.subentries.get(self.owner)
        return subentry.title if subentry else self.owner

    @property
    def data(self) -> Mapping[str, Any]:
        """What is stored of the identity; nothing for a sub-device that was removed."""
        if not self.owner:
            return self.entry.data
        subentry = self.entry.subentries.get(self.owner)
        return subentry.data if subentry else {}

    @property
    def product_key(self) -> str:
        """The product; empty for a sub-device that was removed."""
        return str(self.data.get(CONF_PRODUCT_KEY, ""))

    @property
    def model_document(self) -> object:
        """The stored thing model of the product, None without one."""
        return model_document(self.entry, self.data.get(CONF_PRODUCT_KEY))

    def read_thing_model(self) -> tuple[ThingModel | None, Sequence[ThingModelError]]:
        """Return the thing model of the product as `read_thing_model` does."""
        return read_thing_model(self.entry, self.data.get(CONF_PRODUCT_KEY))

    @callback
    def has_lost_its_device(self, hass: HomeAssistant) -> bool:
        """Return whether it is a sub-device that stands for a device or an entity which was removed from Home Assistant."""
        kind, _, reference = str(self.data.get("stands_for", "")).partition(":") if self.owner else ("", "", "")
        if kind == "device":
            return dr.async_get(hass).async_get(reference) is None
        return kind == "entity" and absence(hass, reference) is Absence.REMOVED

    def bindings(self) -> list[Binding]:
        """Return every binding that can be read."""
        return exposed_bindings(self.entry, self.owner)

    def services(self) -> Mapping[str, ServiceBinding]:
        """Return the bound services by identifier, those that can be read."""
        return service_bindings(self.entry, self.owner)

    def events(self) -> dict[str, EventBinding]:
        """Return the bound events by the id of their subentry, those that can be read."""
        return event_bindings(self.entry, self.owner)

    def references(self) -> Iterator[tuple[str, str]]:
        """Yield the identifier of everything that is bound to an entity, and the reference to the entity."""
        return references(self.entry, self.owner)


def sub_devices_of(entry: ConfigEntry) -> list[StoredDevice]:
    """Return the sub-devices of an entry."""
    return [
        StoredDevice(entry, subentry_id)
        for subentry_id, subentry in entry.subentries.items()
        if subentry.subentry_type == SUBENTRY_SUB_DEVICE
    ]


def model_document(entry: ConfigEntry, product_key: str | None = None) -> object:
    """Return the stored thing model of a product, None without one; the product is as for `thing_model_of`."""
    models = entry.options.get(CONF_THING_MODELS)
    return models.get(product_key or entry.data.get(CONF_PRODUCT_KEY)) if isinstance(models, Mapping) else None


def products_with_models(entry: ConfigEntry) -> set[str]:
    """Return the ProductKeys of all stored thing models."""
    models = entry.options.get(CONF_THING_MODELS)
    return {str(product_key) for product_key in models} if isinstance(models, Mapping) else set()


def options_with_model(entry: ConfigEntry, document: object, product_key: str | None = None) -> dict[str, Any]:
    """Return the options of an entry with this thing model of a product, or without one if it is None."""
    product_key = product_key or entry.data[CONF_PRODUCT_KEY]
    models = entry.options.get(CONF_THING_MODELS)
    others = {key: one for key, one in models.items() if key != product_key} if isinstance(models, Mapping) else {}
    return {**entry.options, CONF_THING_MODELS: {**others, product_key: document} if document else others}


def thing_model_of(entry: ConfigEntry, product_key: str | None = None) -> ThingModel | None:
    """Return the stored thing model of a product, if there is one, without what cannot be read of it.

    Without a ProductKey it is that of the entry's own device.
    """
    return read_thing_model(entry, product_key)[0]


def read_thing_model(
    entry: ConfigEntry, product_key: str | None = None
) -> tuple[ThingModel | None, Sequence[ThingModelError]]:
    """Return the stored thing model as `thing_model_of` does, and what cannot be read of it.

    Without one data types are inferred, so an unreadable one is empty: nothing is posted that it might not allow.
    """
    document = model_document(entry, product_key)
    if not document:
        return None, ()
    return _read(Unchanged(document)) if isinstance(document, Mapping) else ThingModel.read(document)


@lru_cache(maxsize=64)
def _read(unchanged: Unchanged) -> tuple[ThingModel, Sequence[ThingModelError]]:
    """Read a document once: all devices of a product share its thing model."""
    return ThingModel.read(unchanged.data)
