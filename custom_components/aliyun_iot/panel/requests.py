"""What all websocket commands of the page have in common."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import wraps
from typing import Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ERR_NOT_FOUND, ActiveConnection
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
import voluptuous as vol

from ..const import DOMAIN
from ..runtime import Runtime
from .editing import ChangedMeanwhile
from .feed import Send, runtime_of

ERR_CHANGED: Final = "changed_meanwhile"
ERR_NOT_LOADED: Final = "not_loaded"

ENTRY: Final[Mapping[Any, Any]] = {vol.Required("entry_id"): str, vol.Optional("language"): str}
"""The fields of a command about the devices of an entry; its texts are in the language, by default the installation's."""

type Message = dict[str, Any]
type Handler = Callable[[HomeAssistant, ActiveConnection, Message], Any]


def entry_of(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> ConfigEntry | None:
    """Return the entry that a message names; answer with an error if it is not ours."""
    entry = hass.config_entries.async_get_entry(msg["entry_id"])
    if entry is None or entry.domain != DOMAIN:
        connection.send_error(msg["id"], ERR_NOT_FOUND, "no such device")
        return None
    return entry


def loaded(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> tuple[ConfigEntry, Runtime] | None:
    """Return the entry and what runs for it; answer with an error if nothing does."""
    entry = entry_of(hass, connection, msg)
    if entry is None:
        return None
    runtime = runtime_of(entry)
    if runtime is None:
        connection.send_error(msg["id"], ERR_NOT_LOADED, "the device is not set up")
        return None
    return entry, runtime


def stream(hass: HomeAssistant, connection: ActiveConnection, msg: Message, feed: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that sends messages until the page closes."""
    task = hass.async_create_background_task(feed, f"Aliyun panel {msg['type']}")
    connection.subscriptions[msg["id"]] = task.cancel
    connection.send_result(msg["id"])


def sender(connection: ActiveConnection, msg: Message) -> Send:
    """Return a function that sends events to the page."""
    return lambda event: connection.send_message(websocket_api.event_message(msg["id"], event))


def editing(handler: Callable[[HomeAssistant, ActiveConnection, Message], Awaitable[None]]) -> Handler:
    """Answer with an error of its own when somebody else has changed a binding meanwhile."""

    @wraps(handler)
    async def run(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
        try:
            await handler(hass, connection, msg)
        except ChangedMeanwhile:
            connection.send_error(msg["id"], ERR_CHANGED, "somebody else has changed it meanwhile")

    return run
