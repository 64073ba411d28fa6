"""A house of 300 entities, from an empty entry to a thing model, everything bound and everything posted."""

from homeassistant.config_entries import ConfigEntry, ConfigFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    MockPlatform,
    mock_config_flow,
    mock_integration,
    mock_platform,
)

from .big_house import DOMAINS, INTEGRATION, things


@pytest.fixture
async def big_house(hass: HomeAssistant) -> ConfigEntry:
    """Build the house."""

    async def set_up(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, list(DOMAINS))
        return True

    mock_integration(hass, MockModule(INTEGRATION, async_setup_entry=set_up))
    mock_platform(hass, f"{INTEGRATION}.config_flow", None)
    for name, domain in DOMAINS.items():

        async def add(
            _: HomeAssistant,
            entry: ConfigEntry,
            add_entities: AddConfigEntryEntitiesCallback,
            domain: type[Entity] = domain,
        ) -> None:
            add_entities(things(entry, domain))

        mock_platform(hass, f"{INTEGRATION}.{name}", MockPlatform(async_setup_entry=add))
    entry = MockConfigEntry(domain=INTEGRATION)
    entry.add_to_hass(hass)
    with mock_config_flow(INTEGRATION, ConfigFlow):
        assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def test_the_house(hass: HomeAssistant, big_house: ConfigEntry) -> None:
    """It has 300 entities over 16 domains in 60 devices."""
    assert len(hass.states.async_all()) == 300
