"""Loops between a cloud rule and an automation: noticed and interrupted.

A cloud rule copies property A to B, an automation copies B back to A: each turn causes the next one. A turn is a command
of the cloud, then a change that an automation made because of it (Home Assistant says so by the parent of the context),
then the next command for the same property. A person at a slider makes commands as well, but not that many in which an
automation had its hand.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
import logging
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_call_later

from .const import DOMAIN

_LOGGER = logging.getLogger(__name__)

TURNS = 12
PERIOD = 30.0
"""So many turns in so many seconds are a loop."""

PAUSE = 600.0
"""Seconds for which a property that is part of a loop can't be set."""

REMEMBERED = 500
"""Contexts of commands that are remembered."""


@dataclass(slots=True)
class _Track:
    """When a property turned, and with which property an automation has reacted since the last command."""

    turns: deque[float] = field(default_factory=lambda: deque(maxlen=TURNS))
    echoed_by: str | None = None


class LoopGuard:
    """Watches the commands of one device and what they cause."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Belong to the device of an entry."""
        self._hass = hass
        self._entry = entry
        self._tracks: dict[str, _Track] = {}
        self._contexts: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._pauses: dict[str, CALLBACK_TYPE] = {}

    @callback
    def commanded(self, identifiers: Iterable[str], context: Context) -> None:
        """Take note of a command that is carried out."""
        names = tuple(identifiers)
        self._contexts[context.id] = names
        while len(self._contexts) > REMEMBERED:
            self._contexts.popitem(last=False)
        now = time.monotonic()
        for name in names:
            track = self._tracks.setdefault(name, _Track())
            echo, track.echoed_by = track.echoed_by, None
            if echo is None:
                continue
            track.turns.append(now)
            if len(track.turns) == TURNS and now - track.turns[0] <= PERIOD:
                track.turns.clear()
                self._pause(name, echo)

    @callback
    def changed(self, identifier: str, context: Context) -> None:
        """Take note of a property that changed; only what an automation did because of a command counts."""
        for name in self._contexts.get(context.parent_id or "", ()):
            if track := self._tracks.get(name):
                track.echoed_by = identifier

    @callback
    def is_paused(self, identifier: str) -> bool:
        """Tell whether a property is not to be set for now."""
        return identifier in self._pauses

    @callback
    def resume(self, identifier: str) -> None:
        """Let a property be set again."""
        if end := self._pauses.pop(identifier, None):
            end()
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(identifier))

    @callback
    def stop(self) -> None:
        """Forget all pauses."""
        for identifier in list(self._pauses):
            self.resume(identifier)

    def _pause(self, identifier: str, echo: str) -> None:
        """Interrupt a loop for a while, and tell the user what to look at."""
        _LOGGER.warning(
            "%s: the cloud keeps setting %s while an automation answers with %s; it is paused for %d minutes",
            self._entry.title,
            identifier,
            echo,
            PAUSE // 60,
        )

        @callback
        def over(_: object) -> None:
            self.resume(identifier)

        self._pauses[identifier] = async_call_later(self._hass, PAUSE, over)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id(identifier),
            data={"entry_id": self._entry.entry_id, "identifier": identifier},
            is_fixable=True,
            severity=ir.IssueSeverity.WARNING,
            translation_key="loop",
            translation_placeholders={"device": self._entry.title, "identifier": identifier, "echo": echo},
        )

    def _issue_id(self, identifier: str) -> str:
        return f"loop_{self._entry.entry_id}_{identifier}"
