"""Everything that Home Assistant learns of a command: bus events for the logbook, automations and event entities.

A bus event comes before the actions and has their context, so that the logbook can attribute to the command what they change.
"""

import base64
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
import json
from typing import Any, Final

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.json import json_loads

from ..alink.codes import Code
from ..alink.command import Answer, Command, CommandKind
from ..alink.messages import JsonValue
from ..const import EVENT_COMMAND, EVENT_COMMAND_FAILED, EVENT_DRY_RUN, EVENT_RAW
from ..listeners import TriggerKind, listeners_of
from ..stored_device import StoredDevice
from .outcome import Failure, cut_text, shortened
from .property_set import Examined, RequestedProperty
from .running import Run

_NOTHING = Examined()


MAX_PARAMS: Final = 8 * 1024
MAX_CHANGES: Final = 16 * 1024
MAX_MESSAGE: Final = 1000
"""Bytes of the parts of a bus event, and characters of its message. Home Assistant's recorder drops events beyond 32 KB."""


@dataclass(slots=True)
class CommandRun(Run):
    """A command that is being carried out; it began at `started`, in monotonic seconds.

    `params` are those of the command, masked. `examined` is what a property set means, once that is known. `refusal` is the
    answer to another command, if that is known before anything is done. `dry_run` is whether it began as one, and `script` is
    the reference to the script that a service is bound to, if it is.
    """

    command: Command
    started: float
    params: JsonValue = None
    examined: Examined = _NOTHING
    refusal: Answer | None = None
    dry_run: bool = False
    script: str = ""

    @property
    def entities(self) -> list[str]:
        """The references to the entities that it is about, each once."""
        bound = (each.bound.entity_id for each in self.examined.properties if each.bound)
        return list(dict.fromkeys(filter(None, (*bound, self.script))))


class Announcer:
    """Announces the commands of one device, and their answers."""

    def __init__(self, hass: HomeAssistant, device: StoredDevice) -> None:
        """Belong to a device of an entry."""
        self._hass = hass
        self._device = device
        self._listeners = listeners_of(hass)

    @callback
    def announce(self, run: CommandRun) -> None:
        """Fire the bus event of a command, before anything is done; that of a dry run has another name.

        Automations listen to commands, and nothing must be done in a dry run.
        """
        command = run.command
        if command.kind is CommandKind.RAW:
            # Nobody knows whether there is something private in a frame; automations get it from their triggers.
            data = {"entry_id": self._device.entry.entry_id, "device": self._device.title, "size": len(command.payload)}
            self._hass.bus.async_fire(EVENT_RAW, data, context=run.context)
            return
        refusals = run.examined.refusals
        changes = [_change(requested, refusals.get(requested.identifier)) for requested in run.examined.properties]
        details = {
            "params": _bounded(run.params, MAX_PARAMS),
            "sync": command.sync,
            "changes": (listed := _whole_rows(run.secrets.removed(changes), MAX_CHANGES)),
            "more_changes": len(changes) - len(listed),
            "refused": cut_text(run.secrets.removed(run.refusal.message), MAX_MESSAGE) if run.refusal else "",
            "code": int(run.refusal.code) if run.refusal else None,
        }
        self._fire(EVENT_DRY_RUN if run.dry_run else EVENT_COMMAND, run, details)

    @callback
    def answered(self, run: CommandRun, answer: Answer) -> None:
        """Notify the event entities, and fire the bus event of a failure.

        There is none if the event before the command already said everything that failed, and why.
        """
        command = run.command
        outcome = {"code": int(answer.code), "message": cut_text(answer.message, MAX_MESSAGE)}
        refusals = {identifier: refusal.message for identifier, refusal in run.examined.refusals.items()}
        foretold = run.refusal or (refusals and answer.data == run.secrets.removed(refusals))
        if answer.code != Code.SUCCESS and not foretold:
            self._fire(EVENT_COMMAND_FAILED, run, outcome)
        details = {"kind": command.kind, "input": run.params, "message_id": command.id, **outcome}
        names = [command.kind.value, *([command.identifier] if command.identifier else [])]
        self._listeners.notify(
            self._device.key, TriggerKind.COMMAND_ANSWERED, details, names=names, context=run.context
        )

    @callback
    def has_listener(self, service: str) -> bool:
        """Return whether an automation listens to calls of a service."""
        return self._listeners.has_listener(self._device.key, TriggerKind.SERVICE_CALLED, [service])

    @callback
    def notify(self, run: CommandRun, values: Mapping[str, Any] | None = None) -> bool:
        """Notify the automations that listen to such a command, which is no property get; return whether there were any.

        `values` are the values that are about to be set, or the input data of a service. Private ones are not masked: an
        automation needs them to act.
        """
        command = run.command
        names = [command.identifier or ""]
        details: dict[str, Any]
        match command.kind:
            case CommandKind.PROPERTY_SET:
                kind, names, details = TriggerKind.PROPERTY_SET_RECEIVED, list(values or ()), {"values": values}
            case CommandKind.SERVICE:
                kind, details = TriggerKind.SERVICE_CALLED, {"identifier": command.identifier, "input": values}
            case CommandKind.RAW:
                kind, details = TriggerKind.RAW_RECEIVED, _bytes(command.payload)
            case _:
                kind, details = TriggerKind.MESSAGE_RECEIVED, {"topic": command.identifier, **_text(command.payload)}
        common = {
            "config_entry_id": self._device.entry.entry_id,
            "device": self._device.title,
            "command_id": run.context.id,
            "message_id": command.id,
            "sync": command.sync,
        }
        return self._listeners.notify(self._device.key, kind, {**common, **details}, names=names, context=run.context)

    def _fire(self, event: str, run: CommandRun, details: Mapping[str, Any]) -> None:
        command = run.command
        data = {
            "entry_id": self._device.entry.entry_id,
            "device": self._device.title,
            "kind": command.kind.value,
            "id": cut_text(command.id),
            "identifier": command.identifier and cut_text(command.identifier),
            **details,
        }
        if entity_id := run.examined.entity_id:
            data[ATTR_ENTITY_ID] = entity_id
        self._hass.bus.async_fire(event, data, context=run.context)


def _bounded(value: JsonValue, budget: int) -> Any:
    return shortened(value, budget, parts=budget, text=budget)


def _whole_rows(rows: list[dict[str, Any]], budget: int) -> list[dict[str, Any]]:
    """Return the first rows, as many as fit into so many bytes."""
    sizes = accumulate(len(json.dumps(row, ensure_ascii=False).encode(errors="replace")) + 2 for row in rows)
    return rows[: sum(size <= budget for size in sizes)]


def _change(requested: RequestedProperty, refusal: Failure | None) -> dict[str, Any]:
    bound = requested.bound
    return {
        "identifier": cut_text(requested.identifier),
        "entity_id": bound.entity_id if bound else "",
        "aspect": bound.aspect.key if bound else "",
        "value": shortened(requested.legible),
        "refused": cut_text(refusal.message, MAX_MESSAGE) if refusal else "",
        "code": int(refusal.code) if refusal else None,
    }


def _bytes(payload: bytes) -> dict[str, Any]:
    return {"data": payload.hex(), "data_base64": base64.b64encode(payload).decode()}


def _text(payload: bytes) -> dict[str, Any]:
    """Return a payload as text and, if it is JSON, also decoded, as Home Assistant's own MQTT trigger does."""
    details: dict[str, Any] = {"payload": payload.decode(errors="backslashreplace"), "data": payload.hex()}
    with suppress(ValueError):
        details["payload_json"] = json_loads(payload)  # stricter than Python's: no NaN, no lone surrogates
    return details
