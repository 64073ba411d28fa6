"""The names of integrations, which are also those of types of entities."""

from collections.abc import Collection

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.loader import Integration, async_get_integrations


async def integration_names(hass: HomeAssistant, domains: Collection[str], language: str) -> dict[str, str]:
    """Return the names by domain. One without a name in this language has that of its manifest, a missing one its domain."""
    found = await async_get_integrations(hass, domains)
    titles = await async_get_translations(hass, language, "title", found)
    return {
        domain: titles.get(f"component.{domain}.title")
        or (loaded.name if isinstance(loaded := found[domain], Integration) else domain)
        for domain in domains
    }
