"""The websocket commands by which the page reads. All of them are for administrators."""

from heapq import nlargest
from operator import itemgetter
from typing import Final

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.config_entries import SIGNAL_CONFIG_ENTRY_CHANGED, ConfigEntry, ConfigEntryChange
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
import voluptuous as vol

from ..alink.messages import JsonValue
from ..alink.traffic import MessageKind
from ..const import DOMAIN
from ..runtime import Runtime
from ..settings import read_settings
from ..stored_device import sub_devices_of
from ..words.labels import Labels
from .edit_commands import EDIT_COMMANDS
from .feed import feed_bindings, feed_devices, feed_journal
from .model_commands import MODEL_COMMANDS
from .requests import ENTRY, Message, entry_of, loaded, sender, stream
from .wire import feed_wire

BUSIEST: Final = 10
"""Properties that the page lists."""


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/entries/subscribe"})
@callback
def subscribe_entries(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Send the entries, and again when one is added, removed or renamed."""
    send = sender(connection, msg)
    sent: list[dict[str, object]] | None = None

    @callback
    def changed(_change: ConfigEntryChange | None = None, entry: ConfigEntry | None = None) -> None:
        nonlocal sent
        if entry and entry.domain != DOMAIN:
            return
        found: list[dict[str, object]] = [
            {"entry_id": each.entry_id, "title": each.title, "gateway": bool(sub_devices_of(each))}
            for each in hass.config_entries.async_entries(DOMAIN)
        ]
        if found != sent:
            sent = found
            send({"entries": found})

    connection.subscriptions[msg["id"]] = async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)
    connection.send_result(msg["id"])
    changed()


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/bindings/subscribe", **ENTRY})
@websocket_api.async_response
async def subscribe_bindings(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Send the rows of all bindings, and their changes."""
    if entry := entry_of(hass, connection, msg):
        labels = await Labels.load(hass, msg.get("language"))
        stream(hass, connection, msg, feed_bindings(hass, entry.entry_id, labels, sender(connection, msg)))


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/devices/subscribe", **ENTRY})
@websocket_api.async_response
async def subscribe_devices(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Send the devices of an entry, and again when one has changed."""
    if entry := entry_of(hass, connection, msg):
        labels = await Labels.load(hass, msg.get("language"))
        stream(hass, connection, msg, feed_devices(hass, entry.entry_id, labels, sender(connection, msg)))


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/wire/subscribe", **ENTRY})
@callback
def subscribe_wire(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Send the messages of the connection from now on."""
    if entry := entry_of(hass, connection, msg):
        stream(hass, connection, msg, feed_wire(hass, entry.entry_id, sender(connection, msg)))


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/commands/subscribe", **ENTRY})
@websocket_api.async_response
async def subscribe_commands(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Send the journal of commands, and what is added to it."""
    if entry := entry_of(hass, connection, msg):
        labels = await Labels.load(hass, msg.get("language"))
        stream(hass, connection, msg, feed_journal(hass, entry.entry_id, labels, sender(connection, msg)))


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/traffic", **ENTRY})
@callback
def traffic(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Return the messages of each hour by kind, and the properties whose values were sent most often."""
    if (found := loaded(hass, connection, msg)) is None:
        return
    entry, runtime = found
    result = {
        "kinds": list(MessageKind),
        "hours": sorted(runtime.link.traffic.hours.items())[-48:],
        "month": runtime.traffic_log.month().as_json() | {"quota": read_settings(entry.options)[0].monthly_quota},
        "busiest": _busiest(runtime),
    }
    connection.send_result(msg["id"], result)


def _busiest(runtime: Runtime) -> list[dict[str, JsonValue]]:
    """Return the properties of all devices of which most values were sent."""
    rows = [(sent, key, device) for device in runtime.devices for key, sent in device.reporter.outbox.busiest(BUSIEST)]
    return [
        {
            "identifier": key,
            "name": device.model.properties[key].name if device.model and key in device.model.properties else "",
            "device": device.stored.title if device.stored.owner else "",
            "sent": sent,
        }
        for sent, key, device in nlargest(BUSIEST, rows, key=itemgetter(0))
    ]


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/post", **ENTRY})
@callback
def post_everything(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Post the present values of all properties of all devices."""
    if found := loaded(hass, connection, msg):
        for device in found[1].devices:
            device.reporter.post_everything()
        connection.send_result(msg["id"])


COMMANDS: Final = (
    subscribe_entries,
    subscribe_bindings,
    subscribe_devices,
    subscribe_wire,
    subscribe_commands,
    traffic,
    post_everything,
    *EDIT_COMMANDS,
    *MODEL_COMMANDS,
)
