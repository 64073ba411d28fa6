"""The websocket commands of the page. All of them are for administrators."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ERR_NOT_FOUND, ActiveConnection
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
import voluptuous as vol

from ..alink.traffic import MessageKind
from ..const import DOMAIN
from ..flows.binding_fields import InputRefused
from ..flows.binding_form import BindingForm, EntityUnsuitable
from ..mapping.binding import ACTIONS, TEMPLATE
from ..runtime import Runtime
from ..settings import read_settings
from ..words.labels import Labels
from .editing import (
    ChangedMeanwhile,
    bindings_by_identifier,
    can_undo,
    change_many,
    current,
    remove_many,
    replace_binding,
    undo,
)
from .feed import feed_bindings, feed_journal, runtime_of
from .forms import errors_of, fields_of, known_values
from .model_view import model_view
from .rows import digest_of
from .wire import feed_wire

BUSIEST: Final = 10
"""Properties that the page lists."""

ERR_CHANGED: Final = "changed_meanwhile"
ERR_NOT_LOADED: Final = "not_loaded"

ENTRY: Final = {vol.Required("entry_id"): str, vol.Optional("language"): str}

type Message = dict[str, Any]
type Handler = Callable[[HomeAssistant, ActiveConnection, Message], Any]


def _entry(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> ConfigEntry | None:
    """Return the entry that a message names; answer with an error if it is not ours."""
    entry = hass.config_entries.async_get_entry(msg["entry_id"])
    if entry is None or entry.domain != DOMAIN:
        connection.send_error(msg["id"], ERR_NOT_FOUND, "no such device")
        return None
    return entry


def _loaded(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> tuple[ConfigEntry, Runtime] | None:
    """Return the entry and what runs for it; answer with an error if nothing does."""
    entry = _entry(hass, connection, msg)
    if entry is None:
        return None
    runtime = runtime_of(entry)
    if runtime is None:
        connection.send_error(msg["id"], ERR_NOT_LOADED, "the device is not set up")
        return None
    return entry, runtime


def _stream(hass: HomeAssistant, connection: ActiveConnection, msg: Message, stream: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that sends messages until the page closes."""
    task = hass.async_create_background_task(stream, f"Aliyun panel {msg['type']}")
    connection.subscriptions[msg["id"]] = task.cancel
    connection.send_result(msg["id"])


def _editing(handler: Callable[[HomeAssistant, ActiveConnection, Message], Awaitable[None]]) -> Handler:
    """Answer with an error of its own when somebody else has changed a binding meanwhile."""

    @wraps(handler)
    async def run(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
        try:
            await handler(hass, connection, msg)
        except ChangedMeanwhile:
            connection.send_error(msg["id"], ERR_CHANGED, "somebody else has changed it meanwhile")

    return run


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/entries"})
@callback
def entries(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Return the devices that are set up."""
    found = hass.config_entries.async_entries(DOMAIN)
    connection.send_result(msg["id"], [{"entry_id": each.entry_id, "title": each.title} for each in found])


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/bindings/subscribe", **ENTRY})
@websocket_api.async_response
async def subscribe_bindings(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Send the rows of all bindings, and their changes."""
    if (entry := _entry(hass, connection, msg)) is None:
        return
    labels = await Labels.load(hass, msg.get("language"))
    send = _sender(connection, msg["id"])
    _stream(hass, connection, msg, feed_bindings(hass, entry.entry_id, labels, send))


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/wire/subscribe", **ENTRY})
@callback
def subscribe_wire(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Send the messages of the connection from now on."""
    if (entry := _entry(hass, connection, msg)) is None:
        return
    _stream(hass, connection, msg, feed_wire(hass, entry.entry_id, _sender(connection, msg["id"])))


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/commands/subscribe", **ENTRY})
@callback
def subscribe_commands(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Send the journal of commands, and what is added to it."""
    if (entry := _entry(hass, connection, msg)) is None:
        return
    language = msg.get("language") or hass.config.language
    _stream(hass, connection, msg, feed_journal(hass, entry.entry_id, language, _sender(connection, msg["id"])))


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/traffic", **ENTRY})
@callback
def traffic(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Return the messages of each hour by kind, and the properties whose values were sent most often."""
    if (found := _loaded(hass, connection, msg)) is None:
        return
    entry, runtime = found
    result = {
        "kinds": list(MessageKind),
        "hours": sorted(runtime.link.traffic.hours.items())[-48:],
        "month": runtime.traffic_log.month().as_json() | {"quota": read_settings(entry.options)[0].monthly_quota},
        "busiest": [
            {"identifier": key, "sent": number} for key, number in runtime.device.reporter.outbox.busiest(BUSIEST)
        ],
    }
    connection.send_result(msg["id"], result)


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/model", **ENTRY})
@websocket_api.async_response
async def model(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Return what the thing model defines, and which of it is bound."""
    if (found := _loaded(hass, connection, msg)) is None:
        return
    entry, runtime = found
    labels = await Labels.load(hass, msg.get("language"))
    connection.send_result(msg["id"], model_view(entry, runtime, labels))


@websocket_api.require_admin
@websocket_api.websocket_command(
    {vol.Required("type"): f"{DOMAIN}/binding/form", **ENTRY, vol.Required("identifier"): str}
)
@websocket_api.async_response
@_editing
async def binding_form(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Return the form of a binding: its fields, values and digest; without fields if only a flow can edit it."""
    if (entry := _entry(hass, connection, msg)) is None:
        return
    binding = bindings_by_identifier(entry).get(msg["identifier"])
    if binding is None:
        raise ChangedMeanwhile
    labels = await Labels.load(hass, msg.get("language"))
    result: dict[str, Any] = {"digest": digest_of(binding), "fields": [], "values": {}}
    if binding.aspect not in (TEMPLATE, ACTIONS):
        try:
            form = await BindingForm.load(hass, entry, binding.entity, binding, labels)
        except EntityUnsuitable as err:
            result["problem"] = labels.text(f"options.error.{err.key}")
        else:
            values = form.values()
            result |= {"fields": fields_of(form, values), "values": values, "placeholders": form.placeholders()}
    connection.send_result(msg["id"], result)


@websocket_api.require_admin
@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/binding/save",
        **ENTRY,
        vol.Required("identifier"): str,
        vol.Required("digest"): str,
        vol.Required("values"): dict,
        vol.Optional("accept_warnings", default=False): bool,
    }
)
@websocket_api.async_response
@_editing
async def save_binding(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Store an edited binding, or return the errors by field; warnings are accepted the second time."""
    if (entry := _entry(hass, connection, msg)) is None:
        return
    old = current(entry, msg["identifier"], msg["digest"])
    labels = await Labels.load(hass, msg.get("language"))
    try:
        form = await BindingForm.load(hass, entry, old.entity, old, labels)
    except EntityUnsuitable as err:
        connection.send_result(msg["id"], {"errors": {"base": labels.text(f"options.error.{err.key}")}})
        return
    try:
        binding, warning = await form.read(form.schema(msg["values"], ())(known_values(form, msg["values"])))
    except vol.Invalid as err:
        field = str(err.path[-1]) if err.path else "base"
        connection.send_result(msg["id"], {"errors": {field: labels.text("common.panel_invalid_value")}})
        return
    except InputRefused as err:
        connection.send_result(msg["id"], {"errors": errors_of(err, labels, form.placeholders())})
        return
    if warning and not msg["accept_warnings"]:
        errors = errors_of(warning, labels, form.placeholders())
        connection.send_result(msg["id"], {"errors": errors, "warning": True})
        return
    current(entry, msg["identifier"], msg["digest"])  # it may have changed while the conditions were checked
    replace_binding(hass, entry, old, binding)
    connection.send_result(msg["id"], {"saved": binding.identifier, "can_undo": can_undo(hass, entry)})


@websocket_api.require_admin
@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/bindings/change",
        **ENTRY,
        vol.Required("digests"): {str: str},
        vol.Required("changes"): dict,
    }
)
@websocket_api.async_response
@_editing
async def change_bindings(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Change the same fields of many bindings."""
    if (found := _loaded(hass, connection, msg)) is None:
        return
    entry, runtime = found
    labels = await Labels.load(hass, msg.get("language"))
    try:
        refused = change_many(labels, entry, runtime.device.model, msg["digests"], msg["changes"])
    except vol.Invalid:
        errors = dict.fromkeys(msg["changes"], labels.text("options.error.invalid_number"))
        connection.send_result(msg["id"], {"errors": errors})
        return
    connection.send_result(msg["id"], {"refused": refused, "can_undo": can_undo(hass, entry)})


@websocket_api.require_admin
@websocket_api.websocket_command(
    {vol.Required("type"): f"{DOMAIN}/bindings/remove", **ENTRY, vol.Required("digests"): {str: str}}
)
@websocket_api.async_response
@_editing
async def remove_bindings(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Remove bindings."""
    if entry := _entry(hass, connection, msg):
        remove_many(hass, entry, msg["digests"])
        connection.send_result(msg["id"], {"can_undo": can_undo(hass, entry)})


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/bindings/undo", **ENTRY})
@websocket_api.async_response
@_editing
async def undo_bindings(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Undo the last change of a page."""
    if entry := _entry(hass, connection, msg):
        connection.send_result(msg["id"], {"undone": undo(hass, entry)})


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/post", **ENTRY})
@callback
def post_everything(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Post the present values of all properties."""
    if found := _loaded(hass, connection, msg):
        found[1].device.reporter.post_everything()
        connection.send_result(msg["id"])


COMMANDS: Final = (
    entries,
    subscribe_bindings,
    subscribe_wire,
    subscribe_commands,
    traffic,
    model,
    binding_form,
    save_binding,
    change_bindings,
    remove_bindings,
    undo_bindings,
    post_everything,
)


def _sender(connection: ActiveConnection, message_id: int) -> Callable[[Message], None]:
    return lambda event: connection.send_message(websocket_api.event_message(message_id, event))
