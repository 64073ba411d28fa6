"""Loops between a cloud rule and an automation: noticed and interrupted.

A cloud rule copies property A to B, an automation makes a new A of B: each turn causes the next one. A turn is a command of
the cloud, then a change that an automation made because of it (Home Assistant says so by the parent of the context), then
the next command for the same property.

People make commands as well, and an automation may react to each of them without closing any loop. What tells the two
apart: a rule sends the very value that the automation has just made, somebody at a slider does not. Rules that calculate
are only known by their endurance. A command to which no automation had reacted ends the count in either case.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
import logging
import time

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..alink.messages import JsonValue
from ..health.issues import Issue, Issues

_LOGGER = logging.getLogger(__name__)

TURNS = 12
PERIOD = 30.0
"""So many turns in so many seconds are a loop, if each command repeats what the automation made of the one before."""

ENDLESS_TURNS = 200
ENDLESS_PERIOD = 600.0
"""So many are one, whatever the values are."""

PAUSE = 600.0
"""Seconds for which a property that is part of a loop can't be set."""

REMEMBERED = 500
"""Contexts of commands that are remembered."""


@dataclass(frozen=True, slots=True)
class _Echo:
    """What an automation made of a command: a value of a property."""

    identifier: str
    value: JsonValue


@dataclass(slots=True)
class _Track:
    """The turns of a property, and what an automation has made of its last command."""

    echoes: dict[str, _Echo] = field(default_factory=dict)
    turns: deque[float] = field(default_factory=lambda: deque(maxlen=ENDLESS_TURNS))
    copies: deque[float] = field(default_factory=lambda: deque(maxlen=TURNS))

    def commanded(self, value: JsonValue, now: float) -> _Echo | None:
        """Take note of a command; return the echo that it goes round with, if that is a loop by now."""
        echoes, self.echoes = self.echoes, {}
        if not echoes:
            self.clear()
            return None
        copied = next((echo for echo in echoes.values() if echo.value == value), None)
        self.turns.append(now)
        if copied:
            self.copies.append(now)
        else:
            self.copies.clear()
        if _is_dense(self.copies, PERIOD) or _is_dense(self.turns, ENDLESS_PERIOD):
            self.clear()
            return copied or next(iter(echoes.values()))
        return None

    def clear(self) -> None:
        """Begin to count anew."""
        self.turns.clear()
        self.copies.clear()


def _is_dense(turns: deque[float], period: float) -> bool:
    """Tell whether there are as many turns as are counted, within a period."""
    return len(turns) == turns.maxlen and turns[-1] - turns[0] <= period


class LoopGuard:
    """Watches the commands of one device and what they cause."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Belong to the device of an entry."""
        self._hass = hass
        self._entry = entry
        self._issues = Issues(hass, entry)
        self._tracks: dict[str, _Track] = {}
        self._contexts: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._pauses: dict[str, CALLBACK_TYPE] = {}

    @callback
    def commanded(self, values: Mapping[str, JsonValue], context: Context) -> None:
        """Take note of a command that is about to be carried out."""
        self._remember(context.id, tuple(values))
        now = time.monotonic()
        for name, value in values.items():
            if echo := self._tracks.setdefault(name, _Track()).commanded(value, now):
                self._pause(name, echo.identifier)

    @callback
    def changed(self, identifier: str, value: JsonValue, context: Context) -> None:
        """Take note of a property that changed; only what an automation did because of a command counts."""
        names = self._contexts.get(context.parent_id or "", ())
        if not names:
            return
        self._remember(context.id, names)  # another automation may go on from here
        for name in names:
            if track := self._tracks.get(name):
                track.echoes[identifier] = _Echo(identifier, value)

    @callback
    def is_paused(self, identifier: str) -> bool:
        """Tell whether a property is not to be set for now."""
        return identifier in self._pauses

    @callback
    def paused(self) -> list[str]:
        """Return the properties that are not to be set for now."""
        return sorted(self._pauses)

    @callback
    def resume(self, identifier: str) -> None:
        """Let a property be set again."""
        if end := self._pauses.pop(identifier, None):
            end()
            self._issues.delete(Issue.LOOP, identifier)

    @callback
    def stop(self) -> None:
        """Forget all pauses."""
        for identifier in list(self._pauses):
            self.resume(identifier)

    def _remember(self, context_id: str, names: tuple[str, ...]) -> None:
        """Remember which properties a context goes back to."""
        self._contexts[context_id] = names
        while len(self._contexts) > REMEMBERED:
            self._contexts.popitem(last=False)

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
        self._issues.create(Issue.LOOP, identifier, echo=echo)
