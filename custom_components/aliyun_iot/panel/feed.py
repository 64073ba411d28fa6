"""What an open page is sent: everything at first, then changes, twice a second at most.

Nothing is collected while no page is open: a feed compares the present with what it sent last.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from itertools import batched
import time
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant

from ..alink.codes import describe
from ..alink.link import LinkState
from ..alink.messages import JsonValue
from ..cloud_device import CloudDevice
from ..commands.journal import JournalRow
from ..commands.outcome import is_spoken
from ..const import SUBENTRY_RULE
from ..exposures import resolve_entity
from ..mapping.stored import same_objects
from ..runtime import Runtime
from ..stored_device import StoredDevice, sub_devices_of
from ..words.labels import Labels
from ..words.status import setup_reason
from .devices import devices_view
from .editing import can_undo
from .rows import HARMLESS, Row, Rows

INTERVAL = 0.5
"""Seconds between two updates."""

SHARE: Final = 4
"""The next update comes no earlier than so many times the time that the last one took: thousands of rows take a while."""

SLICE: Final = 200
"""Rows that are made before the event loop gets a turn, about five milliseconds' worth."""

LARGE_SLICE: Final = 1000
"""Rows of which is asked whether they have changed before the event loop gets a turn, about as much."""

MAX_COMMANDS: Final = 200
"""Commands of all devices together; each device keeps a hundred."""

type Send = Callable[[dict[str, Any]], None]


async def feed_bindings(hass: HomeAssistant, entry_id: str, labels: Labels, send: Send) -> None:
    """Send the rows of an entry for as long as it exists: all of them, then those that change or go.

    Each message has some of `entry`, `rows`, `gone` (ids) and `done`, which is true when the page has everything.
    """
    sent_entry: Row = {}
    runtime: Runtime | None = None
    rows: Rows | None = None
    known: dict[str, tuple[object, ...]] = {}
    states: dict[str, JsonValue] = {}
    while entry := hass.config_entries.async_get_entry(entry_id):
        began = time.monotonic()
        present = runtime_of(entry)
        if present is not runtime:  # it was set up again: everything may be different
            runtime, rows, known, states = present, None, {}, {}
            send({"reset": True})
        if runtime is not None:
            if rows is None or not rows.is_current:
                rows = Rows.of(hass, entry, runtime, labels)
                if not known:  # there may be thousands of rows
                    counts: Row = {"bound": len(rows.bindings), "problems": 0}
                    send({"entry": summary_of(hass, entry, runtime, labels) | counts})
                if gone := [row for row in known if row not in rows.bindings]:
                    for row in gone:
                        del known[row]
                        states.pop(row, None)
                    send({"gone": gone})
            async for made in _changed(rows, known):
                states |= {str(row["id"]): row["state"] for row in made}
                send({"rows": made})
        if runtime_of(entry) is runtime:
            summary = summary_of(hass, entry, runtime, labels) | {
                "bound": len(known),
                "problems": sum(state not in HARMLESS for state in states.values()),
            }
            if summary != sent_entry:
                send({"entry": summary, "done": True})
                sent_entry = summary
        await asyncio.sleep(max(INTERVAL, SHARE * (time.monotonic() - began)))
    send({"removed": True})


async def _changed(rows: Rows, known: dict[str, tuple[object, ...]]) -> AsyncIterator[list[Row]]:
    """Yield the rows that differ from what is `known`, and note their new signatures there.

    It ends early when the entry or its subentries change meanwhile.
    """
    for piece in batched(rows.bindings, LARGE_SLICE, strict=False):
        changed: list[str] = []
        for row in piece:
            signature = rows.signature(row)
            if known.get(row) != signature:
                known[row] = signature
                changed.append(row)
        for some in batched(changed, SLICE, strict=False):
            yield [rows.row(row) for row in some]
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        if not rows.is_current:
            return


def runtime_of(entry: ConfigEntry) -> Runtime | None:
    """Return what runs for an entry, None while it is not set up."""
    return entry.runtime_data if entry.state is ConfigEntryState.LOADED else None


def summary_of(hass: HomeAssistant, entry: ConfigEntry, runtime: Runtime | None, labels: Labels) -> Row:
    """Return the state of the connection and of the thing model."""
    summary: Row = {
        "entry_id": entry.entry_id,
        "title": entry.title,
        "setup": entry.state.value,
        "online": False,
        "can_undo": can_undo(hass, entry),
    }
    if runtime is None:
        return summary | {"reason": setup_reason(labels, entry)}
    link, model = runtime.link, runtime.device.model
    return summary | {
        "online": link.state is LinkState.ONLINE,
        "link": link.state.value,
        "reason": "" if link.last_error is None else labels.text(f"exceptions.{link.last_error.key}.message"),
        "host": link.config.endpoint.host,
        "model": None if model is None else len(model.properties),
        "devices": {device.owner: device.title for device in (StoredDevice(entry), *sub_devices_of(entry))},
        "rules": {
            subentry_id: subentry.title
            for subentry_id, subentry in entry.subentries.items()
            if subentry.subentry_type == SUBENTRY_RULE
        },
    }


async def feed_devices(hass: HomeAssistant, entry_id: str, labels: Labels, send: Send) -> None:
    """Send the devices of an entry at first, and again when one has changed."""
    sent: dict[str, JsonValue] | None = None
    while entry := hass.config_entries.async_get_entry(entry_id):
        began = time.monotonic()
        if (runtime := runtime_of(entry)) and (devices := devices_view(entry, runtime, labels)) != sent:
            send({"devices": devices})
            sent = devices
        await asyncio.sleep(max(INTERVAL, SHARE * (time.monotonic() - began)))
    send({"removed": True})


async def feed_journal(hass: HomeAssistant, entry_id: str, labels: Labels, send: Send) -> None:
    """Send the journals of the devices at first, and again when something is added to one."""
    runtime: Runtime | None = None
    sent: list[JournalRow] | None = None
    while entry := hass.config_entries.async_get_entry(entry_id):
        if (present := runtime_of(entry)) is not runtime:
            runtime, sent = present, None
        if runtime:
            owned = [(device, row) for device in runtime.devices for row in device.commander.journal.rows()]
            owned = sorted(owned, key=lambda each: each[1].at)[-MAX_COMMANDS:]
            rows = [row for _, row in owned]
            if sent is None or not same_objects(rows, sent):
                send({"rows": [_command(labels, device, row) for device, row in owned]})
                sent = rows
        await asyncio.sleep(INTERVAL)
    send({"removed": True})


def _command(labels: Labels, device: CloudDevice, row: JournalRow) -> dict[str, Any]:
    """Return a command for the page: what its code means, and the names of its entities."""
    meaning = describe(row.code, labels.language)
    stored = device.stored
    shown = row.as_json() | {
        "owner": stored.owner,
        "device": stored.title if stored.owner else "",
        "meaning": row.message if is_spoken(row.code) else meaning,
    }
    details = row.details
    if details is None:
        return shown
    entities = [
        {"id": entity_id, "name": labels.entity(entity_id)}
        for reference in details.entities
        if (entity_id := resolve_entity(labels.hass, reference))
    ]
    return shown | asdict(details) | {"kind": "desired_set" if details.desired else row.kind, "entities": entities}
