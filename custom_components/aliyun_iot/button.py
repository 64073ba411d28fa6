"""Button: post the present values of all bound properties."""

from typing import override

from homeassistant.components.button import ButtonEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .alink.link import LinkState
from .const import DOMAIN
from .entity import CloudEntity
from .runtime import AliyunConfigEntry

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: AliyunConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the button."""
    async_add_entities([PostEverythingButton(entry, "post_everything")])


class PostEverythingButton(CloudEntity, ButtonEntity):
    """Posts everything. It is always available, since pressing it says why nothing can be posted."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "post_everything"

    @override
    async def async_press(self) -> None:
        """Post; raises HomeAssistantError without a connection."""
        runtime = self._entry.runtime_data
        if runtime.link.state is not LinkState.ONLINE:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="not_connected")
        runtime.device.reporter.post_everything()
