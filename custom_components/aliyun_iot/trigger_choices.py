"""The forms of the triggers offer the properties and services that the thing models know.

Home Assistant reads the fields of triggers from `triggers.yaml`, which cannot know them. All devices share one form, so it
offers what any of their thing models has, and takes any other identifier as well.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .alink.model.thing_model import ThingModel
from .const import CONF_THING_MODELS, DOMAIN
from .ha_internals import on_triggers_registered, set_trigger_choices
from .listeners import TriggerKind
from .mapping.stored import same_objects
from .stored_device import thing_model_of
from .words.labels import Labels

IDENTIFIER: Final = "identifier"

_PROPERTY_TRIGGERS: Final = (TriggerKind.PROPERTY_SET_RECEIVED, TriggerKind.PROPERTY_REJECTED)

_OFFERED: HassKey[Sequence[object]] = HassKey(f"{DOMAIN}_trigger_choices")
"""The thing models whose properties and services are offered now."""


@callback
def async_register_choices(hass: HomeAssistant) -> None:
    """Offer what is known as soon as Home Assistant knows the triggers."""

    async def registered(triggers: set[str]) -> None:
        if any(trigger.partition(".")[0] == DOMAIN for trigger in triggers):
            hass.data.pop(_OFFERED, None)
            await async_offer_choices(hass)

    on_triggers_registered(hass, registered)


async def async_offer_choices(hass: HomeAssistant) -> None:
    """Offer what the present thing models know."""
    entries = hass.config_entries.async_entries(DOMAIN)
    stored = [
        (entry, models) for entry in entries if isinstance(models := entry.options.get(CONF_THING_MODELS), Mapping)
    ]
    documents: list[object] = [document for _, models in stored for document in models.values()]
    if same_objects(documents, hass.data.get(_OFFERED, [])):
        return
    hass.data[_OFFERED] = documents
    models = [thing_model_of(entry, product_key) for entry, models in stored for product_key in models]
    labels = await Labels.load(hass)
    await set_trigger_choices(hass, _choices(labels, [model for model in models if model]))


def _choices(labels: Labels, models: list[ThingModel]) -> dict[str, dict[str, dict[str, str]]]:
    """Return the labels of identifiers by trigger and field."""
    properties = {key: labels.property(key, prop) for model in models for key, prop in model.properties.items()}
    services = {key: labels.service(service) for model in models for key, service in model.services.items()}
    return {
        **{f"{DOMAIN}.{kind}": {IDENTIFIER: properties} for kind in _PROPERTY_TRIGGERS},
        f"{DOMAIN}.{TriggerKind.SERVICE_CALLED}": {IDENTIFIER: services},
    }
