"""The websocket commands by which the page changes bindings. All of them are for administrators."""

from typing import Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant
import voluptuous as vol

from ..const import DOMAIN
from ..flows.binding_fields import InputRefused
from ..flows.binding_form import BindingForm, EntityUnsuitable
from ..mapping.binding import ACTIONS, TEMPLATE
from ..rules import rules_of
from ..words.labels import Labels
from ..words.rule_title import rule_title
from .editing import (
    BULK_FIELDS,
    ChangedMeanwhile,
    InvalidFields,
    add_to_rule,
    bindings_by_id,
    can_undo,
    change_many,
    current,
    remove_many,
    replace_binding,
    take_from_rules,
    undo,
)
from .forms import errors_of, fields_of, invalid_value, known_values
from .requests import ENTRY, Message, editing, entry_of
from .rows import digest_of, split_id

ROW: Final = {**ENTRY, vol.Required("row"): str}
DIGESTS: Final = {**ENTRY, vol.Required("digests"): {str: str}}


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/binding/form", **ROW})
@websocket_api.async_response
@editing
async def binding_form(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Return the form of a binding: its fields, values and digest; without fields if only a flow can edit it."""
    if (entry := entry_of(hass, connection, msg)) is None:
        return
    binding = bindings_by_id(entry).get(msg["row"])
    if binding is None:
        raise ChangedMeanwhile
    labels = await Labels.load(hass, msg.get("language"))
    result: dict[str, Any] = {"digest": digest_of(binding), "fields": [], "values": {}}
    if binding.aspect not in (TEMPLATE, ACTIONS):
        try:
            form = await BindingForm.load(hass, entry, binding.entity, binding, labels, split_id(msg["row"])[0])
        except EntityUnsuitable as err:
            result["problem"] = labels.text(f"options.error.{err.key}")
        else:
            values = form.values()
            result |= {"fields": fields_of(form, values), "values": values}
    connection.send_result(msg["id"], result)


@websocket_api.require_admin
@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/binding/save",
        **ROW,
        vol.Required("digest"): str,
        vol.Required("values"): dict,
        vol.Optional("accept_warnings", default=False): bool,
    }
)
@websocket_api.async_response
@editing
async def save_binding(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Store an edited binding, or return the errors by field; warnings are accepted the second time."""
    if (entry := entry_of(hass, connection, msg)) is None:
        return
    row, digests = msg["row"], {msg["row"]: msg["digest"]}
    old = current(entry, digests)[row]
    labels = await Labels.load(hass, msg.get("language"))
    try:
        form = await BindingForm.load(hass, entry, old.entity, old, labels, split_id(row)[0])
    except EntityUnsuitable as err:
        connection.send_result(msg["id"], {"errors": {"base": labels.text(f"options.error.{err.key}")}})
        return
    try:
        binding, warning = await form.read(form.schema(msg["values"], ())(known_values(form, msg["values"])))
    except vol.Invalid as err:
        wrong = [str(each.path[-1]) if each.path else "base" for each in getattr(err, "errors", [err])]
        connection.send_result(msg["id"], {"errors": {name: invalid_value(labels, name) for name in wrong}})
        return
    except InputRefused as err:
        connection.send_result(msg["id"], {"errors": errors_of(err, labels, form.placeholders())})
        return
    if warning and not msg["accept_warnings"]:
        errors = errors_of(warning, labels, form.placeholders())
        connection.send_result(msg["id"], {"errors": errors, "warning": True})
        return
    current(entry, digests)  # it may have changed while the conditions were checked
    replace_binding(hass, entry, row, old, binding)
    connection.send_result(msg["id"], {"saved": binding.identifier, "can_undo": can_undo(hass, entry)})


@websocket_api.require_admin
@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/bindings/change",
        **DIGESTS,
        vol.Required("changes"): {vol.Optional(name): object for name in BULK_FIELDS},
    }
)
@websocket_api.async_response
@editing
async def change_bindings(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Change the same fields of many bindings, or return the errors by field."""
    if (entry := entry_of(hass, connection, msg)) is None:
        return
    labels = await Labels.load(hass, msg.get("language"))
    try:
        refused = change_many(labels, entry, msg["digests"], msg["changes"])
    except InvalidFields as err:
        errors = {name: invalid_value(labels, name) for name in err.fields}
        connection.send_result(msg["id"], {"errors": errors})
        return
    connection.send_result(msg["id"], {"refused": refused, "can_undo": can_undo(hass, entry)})


@websocket_api.require_admin
@websocket_api.websocket_command(
    {vol.Required("type"): f"{DOMAIN}/bindings/rule", **DIGESTS, vol.Required("rule"): str}
)
@websocket_api.async_response
@editing
async def assign_rule(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Add bindings to a rule, given by the id of its subentry, or take them from theirs if it is empty."""
    if (entry := entry_of(hass, connection, msg)) is None:
        return
    refused: dict[str, str] = {}
    if rule_id := msg["rule"]:
        refused = add_to_rule(await Labels.load(hass, msg.get("language")), entry, msg["digests"], rule_id)
        # A title is stored, in the language of the installation.
        title = await rule_title(await Labels.load(hass), rules_of(entry)[rule_id].selection.include)
        if subentry := entry.subentries.get(rule_id):
            hass.config_entries.async_update_subentry(entry, subentry, title=title)
    else:
        take_from_rules(hass, entry, msg["digests"])
    connection.send_result(msg["id"], {"refused": refused, "can_undo": can_undo(hass, entry)})


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/bindings/remove", **DIGESTS})
@websocket_api.async_response
@editing
async def remove_bindings(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Remove bindings."""
    if entry := entry_of(hass, connection, msg):
        remove_many(hass, entry, msg["digests"])
        connection.send_result(msg["id"], {"can_undo": can_undo(hass, entry)})


@websocket_api.require_admin
@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/bindings/undo", **ENTRY})
@websocket_api.async_response
@editing
async def undo_bindings(hass: HomeAssistant, connection: ActiveConnection, msg: Message) -> None:
    """Undo the last change of a page."""
    if entry := entry_of(hass, connection, msg):
        connection.send_result(msg["id"], {"undone": undo(hass, entry)})


EDIT_COMMANDS: Final = (
    binding_form,
    save_binding,
    change_bindings,
    assign_rule,
    remove_bindings,
    undo_bindings,
)
