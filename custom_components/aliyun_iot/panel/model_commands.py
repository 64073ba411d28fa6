"""The websocket commands about the thing model. All of them are for administrators."""

from typing import Final

from homeassistant.components import websocket_api
from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant
import voluptuous as vol

from ..cloud_device import CloudDevice
from ..const import DOMAIN, OWN
from ..downloads import LINK_LIFETIME, THING_MODEL_DOWNLOAD, download_path
from ..generated_model import generate, keep_numbers
from ..words.labels import Labels
from .editing import add_bindings, can_undo
from .model_view import fitting, model_view
from .requests import ENTRY, ERR_NOT_LOADED, Message, editing, entry_of, loaded

DEVICE: Final = {**ENTRY, vol.Optional("owner", default=OWN): str}
"""The fields of a command about one device of an entry."""


def _device(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> CloudDevice | None:
    """Return the device that a message names; answer with an error if it does not run."""
    if (found := loaded(hass, connection, msg)) is None:
        return None
    device = found[1].cloud_device(msg["owner"])
    if device is None or not device.stored.data:  # one that was just removed runs for a moment
        connection.send_error(msg["id"], ERR_NOT_LOADED, "the sub-device does not run")
        return None
    return device


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/model", **DEVICE})
@websocket_api.async_response
async def model(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Return what the thing model defines, which of it is bound, and what would fit the rest."""
    if device := _device(hass, connection, msg):
        labels = await Labels.load(hass, msg.get("language"))
        connection.send_result(msg["id"], await model_view(hass, device, labels))


@websocket_api.require_admin
@websocket_api.websocket_command(
    {vol.Required("type"): f"{DOMAIN}/model/bind", **DEVICE, vol.Required("wanted"): {str: str}}
)
@websocket_api.async_response
@editing
async def bind_fitting(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Bind what would fit: `wanted` are entity ids by identifier. What does not fit any more is left alone."""
    if (device := _device(hass, connection, msg)) is None:
        return
    entry = device.stored.entry
    fits = await fitting(hass, device)
    bound = [fits[key] for key, entity_id in msg["wanted"].items() if key in fits and fits[key].entity_id == entity_id]
    add_bindings(hass, device.stored, bound)
    connection.send_result(msg["id"], {"bound": len(bound), "can_undo": can_undo(hass, entry)})


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/model/generate", **ENTRY})
@websocket_api.async_response
async def generate_model(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Return where the thing model for the bindings can be downloaded, and what it holds.

    Where bindings have to be renamed for it, only the pages of the options can make it: they show the new identifiers first.
    """
    if (entry := entry_of(hass, connection, msg)) is None:
        return
    generated = generate(hass, entry)
    result = {
        "properties": len(generated.model.properties),
        "left_out": [binding.identifier for binding in generated.left_out],
        "renamed": len(generated.renamed),
    }
    if not generated.renamed:
        # The document is not stored here, so the bindings have to know which item each option is.
        keep_numbers(hass, entry, generated.numbered)
        result["path"] = async_sign_path(hass, download_path(entry, THING_MODEL_DOWNLOAD), LINK_LIFETIME)
    connection.send_result(msg["id"], result)


MODEL_COMMANDS: Final = (model, bind_fitting, generate_model)
