"""What an open page is sent: everything at first, then changes, twice a second at most.

Nothing is collected while no page is open: a feed compares the present with what it sent last.
"""

import asyncio
from collections.abc import Callable
from itertools import batched
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant

from ..alink.codes import describe
from ..alink.link import LinkState
from ..alink.messages import JsonValue
from ..const import SUBENTRY_RULE
from ..runtime import Runtime
from ..words.labels import Labels
from .rows import HARMLESS, Row, Rows, changed_rows

INTERVAL = 0.5
"""Seconds between two updates."""

SLICE: Final = 200
"""Rows that are made before the event loop gets a turn, about five milliseconds' worth."""

type Send = Callable[[dict[str, Any]], None]


async def feed_bindings(hass: HomeAssistant, entry_id: str, labels: Labels, send: Send) -> None:
    """Send the rows of an entry for as long as it exists: all of them, then those that change or go.

    Each message has some of `entry`, `rows`, `gone` (identifiers) and `done`, which is true when the page has everything.
    """
    sent_entry: Row = {}
    runtime: Runtime | None = None
    known: dict[str, tuple[object, ...]] = {}
    states: dict[str, JsonValue] = {}
    while entry := hass.config_entries.async_get_entry(entry_id):
        present = runtime_of(entry)
        if present is not runtime:  # it was set up again: everything may be different
            runtime, known, states = present, {}, {}
            send({"reset": True})
        if runtime is not None:
            rows = Rows.of(hass, entry, runtime, labels)
            if gone := [identifier for identifier in known if identifier not in rows.bindings]:
                for identifier in gone:
                    del known[identifier]
                    states.pop(identifier, None)
                send({"gone": gone})
            for changed in batched(list(changed_rows(rows, known)), SLICE, strict=False):
                made = [rows.row(identifier) for identifier in changed]
                states |= {str(row["id"]): row["state"] for row in made}
                send({"rows": made})
                await asyncio.sleep(0)
                if runtime_of(entry) is not runtime:
                    break
        summary = summary_of(entry, runtime, labels) | {
            "bound": len(known),
            "problems": sum(state not in HARMLESS for state in states.values()),
        }
        if summary != sent_entry:
            send({"entry": summary, "done": True})
            sent_entry = summary
        await asyncio.sleep(INTERVAL)
    send({"removed": True})


def runtime_of(entry: ConfigEntry) -> Runtime | None:
    """Return what runs for an entry, None while it is not set up."""
    return entry.runtime_data if entry.state is ConfigEntryState.LOADED else None


def summary_of(entry: ConfigEntry, runtime: Runtime | None, labels: Labels) -> Row:
    """Return the state of the connection and of the thing model."""
    summary: Row = {"entry_id": entry.entry_id, "title": entry.title, "setup": entry.state.value, "online": False}
    if runtime is None:
        return summary | {"reason": entry.reason or ""}
    link, model = runtime.link, runtime.device.model
    return summary | {
        "online": link.state is LinkState.ONLINE,
        "link": link.state.value,
        "reason": "" if link.last_error is None else labels.text(f"exceptions.{link.last_error.key}.message"),
        "host": link.config.endpoint.host,
        "model": None if model is None else len(model.properties),
        "rules": {
            subentry_id: subentry.title
            for subentry_id, subentry in entry.subentries.items()
            if subentry.subentry_type == SUBENTRY_RULE
        },
    }


async def feed_journal(hass: HomeAssistant, entry_id: str, language: str, send: Send) -> None:
    """Send the journal at first, and the rows that are added to it."""
    runtime: Runtime | None = None
    sent: list[dict[str, object]] | None = None
    while entry := hass.config_entries.async_get_entry(entry_id):
        if (present := runtime_of(entry)) is not runtime:
            runtime, sent = present, None
        if runtime and (rows := runtime.device.commander.journal.rows()) != sent:
            send({"rows": [row | {"meaning": describe(int(str(row["code"])), language)} for row in rows]})
            sent = rows
        await asyncio.sleep(INTERVAL)
