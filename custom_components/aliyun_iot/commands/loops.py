"""Detection and interruption of loops between a cloud rule and an automation.

A cloud rule copies property A to B, an automation sets A whenever B changes: each turn causes the next one. A turn is a command
of the cloud, then a change by an automation that the command triggered (known by the parent of the context), then the next
command for the same property.

People send commands as well, and an automation may react to each of them without a loop. The values tell the two apart: a rule
sends the value that the automation has just set, a person with a slider does not. A rule that calculates can only be recognised
by the number of turns. In both cases a command to which no automation reacted restarts the count.
"""

from collections import OrderedDict, deque
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
import time

from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..alink.foreign import logger_of
from ..alink.messages import JsonValue
from ..health.issues import Issue, Issues
from ..stored_device import StoredDevice

_LOGGER = logger_of(__name__)

TURNS = 12
PERIOD = 30.0
"""This many turns in this many seconds are a loop if each command has a value that the automation set before."""

ENDLESS_TURNS = 200
ENDLESS_PERIOD = 600.0
"""This many turns in this many seconds are a loop, whatever the values are."""

PAUSE = 600.0
"""Seconds for which a property that is part of a loop can't be set."""

MAX_CONTEXTS = 500
"""Contexts of commands, and of changes that they triggered, that are kept."""


@dataclass(slots=True)
class _Track:
    """The turns of one property.

    `echoes` are the values, by property, that automations set because of its last command. `turns` and `copies` are in
    monotonic seconds; a copy is a turn whose command had one of those values.
    """

    echoes: dict[str, JsonValue] = field(default_factory=dict)
    turns: deque[float] = field(default_factory=lambda: deque(maxlen=ENDLESS_TURNS))
    copies: deque[float] = field(default_factory=lambda: deque(maxlen=TURNS))

    def record_command(self, value: JsonValue, now: float) -> str | None:
        """Record a command; return the other property of the loop if it is one."""
        echoes, self.echoes = self.echoes, {}
        if not echoes:
            self.clear()
            return None
        copied = next((identifier for identifier, echo in echoes.items() if echo == value), None)
        self.turns.append(now)
        if copied is None:
            self.copies.clear()
        else:
            self.copies.append(now)
        if _is_dense(self.copies, PERIOD) or _is_dense(self.turns, ENDLESS_PERIOD):
            self.clear()
            return copied or next(iter(echoes))
        return None

    def clear(self) -> None:
        """Restart the count."""
        self.turns.clear()
        self.copies.clear()


def _is_dense(turns: deque[float], period: float) -> bool:
    """Return whether the number of turns has reached its maximum within a period."""
    return len(turns) == turns.maxlen and turns[-1] - turns[0] <= period


class LoopGuard:
    """Watches the commands of one device and the changes that they cause."""

    def __init__(self, hass: HomeAssistant, device: StoredDevice) -> None:
        """Belong to a device of an entry."""
        self._hass = hass
        self._device = device
        self._issues = Issues(hass, device)
        self._tracks: dict[str, _Track] = {}
        self._contexts: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._pauses: dict[str, CALLBACK_TYPE] = {}

    @callback
    def keep_only(self, identifiers: Container[str]) -> None:
        """Drop the turns of all other properties."""
        self._tracks = {identifier: track for identifier, track in self._tracks.items() if identifier in identifiers}

    @callback
    def record_command(self, values: Mapping[str, JsonValue], context: Context) -> bool:
        """Record a command that is about to be carried out; return whether a property of it was paused because of that."""
        self._keep_context(context.id, tuple(values))
        now = time.monotonic()
        paused = False
        for identifier, value in values.items():
            track = self._tracks.get(identifier) or self._tracks.setdefault(identifier, _Track())
            if echo := track.record_command(value, now):
                self._pause(identifier, echo)
                paused = True
        return paused

    @callback
    def record_change(self, identifier: str, value: JsonValue, context: Context) -> None:
        """Record a property that changed; only changes by an automation that a command triggered count."""
        commanded = self._contexts.get(context.parent_id or "", ())
        if not commanded:
            return
        self._keep_context(context.id, commanded)  # it may trigger another automation
        for name in commanded:
            if track := self._tracks.get(name):
                track.echoes[identifier] = value

    @callback
    def is_paused(self, identifier: str) -> bool:
        """Return whether a property must not be set for now."""
        return identifier in self._pauses

    @callback
    def paused(self) -> list[str]:
        """Return the properties that must not be set for now."""
        return sorted(self._pauses)

    @callback
    def resume(self, identifier: str) -> None:
        """End the pause of a property."""
        if end := self._pauses.pop(identifier, None):
            end()
            self._issues.delete(Issue.LOOP, identifier)

    @callback
    def stop(self) -> None:
        """End all pauses."""
        for identifier in list(self._pauses):
            self.resume(identifier)

    def _keep_context(self, context_id: str, identifiers: tuple[str, ...]) -> None:
        """Keep the properties whose command is the cause of a context."""
        self._contexts[context_id] = identifiers
        while len(self._contexts) > MAX_CONTEXTS:
            self._contexts.popitem(last=False)

    def _pause(self, identifier: str, echo: str) -> None:
        """Interrupt a loop for a while, and name its two properties in a repair issue."""
        _LOGGER.warning(
            "%s: a cloud rule and an automation keep setting %s and %s; the first is paused for %d minutes",
            self._device.title,
            identifier,
            echo,
            PAUSE // 60,
        )

        @callback
        def over(_: object) -> None:
            self.resume(identifier)

        self._pauses[identifier] = async_call_later(self._hass, PAUSE, over)
        self._issues.create(Issue.LOOP, identifier, echo=echo)
