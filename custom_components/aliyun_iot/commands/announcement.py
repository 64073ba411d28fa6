"""What is told of a command before anything is done: to the event bus for the logbook, and to automations."""

import base64
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.util.json import json_loads

from ..alink.codes import Code
from ..alink.command import Answer, Command, CommandKind
from ..const import EVENT_COMMAND, EVENT_COMMAND_FAILED, EVENT_RAW
from ..listeners import TriggerKind, listeners_of
from .outcome import Failure


@dataclass(frozen=True, slots=True)
class Change:
    """What a property set would do to one property, for people to read.

    `entity_id` is empty where no entity is meant, `aspect` (its key) where nothing is bound. `value` is Home Assistant's
    where it could be understood. `refused` is why it will not happen, if that is clear from the beginning.
    """

    identifier: str
    entity_id: str
    aspect: str
    value: Any
    refused: Failure | None


class Announcer:
    """Tells of the commands of one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Belong to the device of an entry."""
        self._hass = hass
        self._entry = entry
        self._foretold: dict[str, Mapping[str, str]] = {}
        """What will not be done of the commands that are under way, and why: by context and property."""

    @callback
    def announce(self, command: Command, context: Context, changes: Sequence[Change] = ()) -> None:
        """Fire the event that everything the command causes can be traced back to."""
        entities = {change.entity_id for change in changes} - {""}
        if command.kind is CommandKind.RAW:
            data = {"entry_id": self._entry.entry_id, "data": base64.b64encode(command.payload).decode()}
            self._hass.bus.async_fire(EVENT_RAW, data, context=context)
            return
        if refused := {change.identifier: change.refused.message for change in changes if change.refused}:
            self._foretold[context.id] = refused
        self._hass.bus.async_fire(
            EVENT_COMMAND,
            {
                "entry_id": self._entry.entry_id,
                "device": self._entry.title,
                "kind": command.kind.value,
                "id": command.id,
                "identifier": command.identifier,
                "params": command.params,
                "sync": command.sync,
                "changes": [
                    {
                        "identifier": change.identifier,
                        "entity_id": change.entity_id,
                        "aspect": change.aspect,
                        "value": change.value,
                        "refused": change.refused.message if change.refused else "",
                        "code": int(change.refused.code) if change.refused else None,
                    }
                    for change in changes
                ],
                **_subject(entities.pop() if len(entities) == 1 else ""),
            },
            context=context,
        )

    @callback
    def answered(self, command: Command, context: Context, answer: Answer, entity_id: str = "") -> None:
        """Tell what became of a command; the event bus hears of it when it was not, or not completely, carried out.

        `entity_id` is the entity that it was about, if that is one alone.
        """
        outcome = {"code": int(answer.code), "message": answer.message}
        foretold = self._foretold.pop(context.id, None)
        if answer.code != Code.SUCCESS:
            about = {"kind": command.kind.value, "id": command.id, "identifier": command.identifier}
            self._hass.bus.async_fire(
                EVENT_COMMAND_FAILED,
                {
                    "entry_id": self._entry.entry_id,
                    "device": self._entry.title,
                    **about,
                    **outcome,
                    "foretold": answer.data == foretold,
                    **_subject(entity_id),
                },
                context=context,
            )
        names = [command.identifier] if command.identifier else []
        listeners_of(self._hass).notify(
            self._entry.entry_id,
            TriggerKind.COMMAND_ANSWERED,
            {"kind": command.kind, "input": command.params, "message_id": command.id, **outcome},
            names=[command.kind.value, *names],
            context=context,
        )

    @callback
    def is_heard(self, service: Command) -> bool:
        """Tell whether an automation listens to this call of a service."""
        return listeners_of(self._hass).has_listener(
            self._entry.entry_id, TriggerKind.SERVICE_CALLED, [service.identifier or ""]
        )

    @callback
    def tell(self, command: Command, context: Context, details: Mapping[str, Any] | None = None) -> bool:
        """Tell the automations that listen to a command of this kind, and return whether there was any.

        `details` are the values that are going to be set, or the input data of a service.
        """
        match command.kind:
            case CommandKind.PROPERTY_SET:
                happening, names = TriggerKind.PROPERTY_SET_RECEIVED, list(details or ())
                details = {"values": details}
            case CommandKind.SERVICE:
                happening, names = TriggerKind.SERVICE_CALLED, [command.identifier or ""]
                details = {"identifier": command.identifier, "input": details}
            case CommandKind.RAW:
                happening, names, details = TriggerKind.RAW_RECEIVED, [], _bytes(command.payload)
            case CommandKind.MESSAGE:
                happening, names = TriggerKind.MESSAGE_RECEIVED, [command.identifier or ""]
                details = {"topic": command.identifier, **_text(command.payload)}
            case _:
                return False
        common = {
            "config_entry_id": self._entry.entry_id,
            "device": self._entry.title,
            "command_id": context.id,
            "message_id": command.id,
            "sync": command.sync,
        }
        return listeners_of(self._hass).notify(
            self._entry.entry_id, happening, {**common, **details}, names=names, context=context
        )


def _subject(entity_id: str) -> dict[str, str]:
    """Return what makes Home Assistant show an event in the logbook of an entity."""
    return {ATTR_ENTITY_ID: entity_id} if entity_id else {}


def _bytes(payload: bytes) -> dict[str, Any]:
    return {"data": payload.hex(), "data_base64": base64.b64encode(payload).decode()}


def _text(payload: bytes) -> dict[str, Any]:
    """Return a payload as text and as JSON where it is that, as Home Assistant's own MQTT trigger does."""
    details: dict[str, Any] = {"payload": payload.decode(errors="backslashreplace"), "data": payload.hex()}
    with suppress(ValueError):
        details["payload_json"] = json_loads(payload)  # stricter than Python's: no NaN, no half of a character
    return details
