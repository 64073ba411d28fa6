"""Registration of the page and of its websocket commands."""

from pathlib import Path
from typing import Final

from homeassistant.components import panel_custom, websocket_api
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant, callback
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_when_setup

from ..const import DOMAIN, NAME
from ..ha_internals import has_page
from .commands import COMMANDS
from .path import URL_PATH

FILES: Final = Path(__file__).parent / "frontend"
FILES_URL: Final = f"/{DOMAIN}_panel"
ELEMENT: Final = "aliyun-iot-panel"
ICON: Final = "mdi:cloud-sync-outline"


@callback
def async_register_panel(hass: HomeAssistant) -> None:
    """Register the websocket commands, and the page once the frontend is there; a headless installation has none."""
    for command in COMMANDS:
        websocket_api.async_register_command(hass, command)
    async_when_setup(hass, "frontend", _add_page)


async def _add_page(hass: HomeAssistant, _component: str) -> None:
    if has_page(hass, URL_PATH):
        return
    version = (await async_get_integration(hass, DOMAIN)).version
    # The version is part of the path, so that a browser never mixes the files of two versions.
    base = f"{FILES_URL}/{version}"
    await hass.http.async_register_static_paths([StaticPathConfig(base, str(FILES), cache_headers=True)])
    await panel_custom.async_register_panel(
        hass,
        frontend_url_path=URL_PATH,
        webcomponent_name=ELEMENT,
        module_url=f"{base}/{ELEMENT}.js",
        sidebar_title=NAME,
        sidebar_icon=ICON,
        require_admin=True,
    )
