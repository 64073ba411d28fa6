"""Who in this installation listens to what happens between a device and its cloud.

Automations attach their triggers before the entry is loaded and keep them over a reload, so the list is not the entry's:
it belongs to Home Assistant, by entry id.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN


class Happening(StrEnum):
    """What can be listened to."""

    COMMAND_ANSWERED = "command_answered"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    MESSAGE_RECEIVED = "message_received"
    PROPERTY_REJECTED = "property_rejected"
    PROPERTY_SET_RECEIVED = "property_set_received"
    RAW_RECEIVED = "raw_received"
    SERVICE_CALLED = "service_called"


type Hear = Callable[[Mapping[str, Any], Context | None], None]
"""Takes the details of what happened, and the context of the command if it was one."""


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """One listener. `wanted` is the property, the service or the topic it is about, None for any."""

    entry_id: str
    happening: Happening
    wanted: str | None
    hear: Hear


class Listeners:
    """All listeners of an installation."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._listeners: dict[tuple[str, Happening], list[Listener]] = defaultdict(list)
        self._topics_changed: dict[str, CALLBACK_TYPE] = {}

    @callback
    def add(self, listener: Listener) -> CALLBACK_TYPE:
        """Add a listener and return what removes it."""
        row = self._listeners[listener.entry_id, listener.happening]
        row.append(listener)
        self._tell_topics(listener)

        @callback
        def remove() -> None:
            row.remove(listener)
            if not row:
                self._listeners.pop((listener.entry_id, listener.happening), None)
            self._tell_topics(listener)

        return remove

    @callback
    def tell(
        self,
        entry_id: str,
        happening: Happening,
        details: Mapping[str, Any],
        *,
        names: Collection[str] = (),
        context: Context | None = None,
    ) -> int:
        """Tell whoever listens to one of `names`, or to all, and return how many there were."""
        told = self._listening(entry_id, happening, names)
        for listener in told:
            listener.hear(details, context)
        return len(told)

    @callback
    def anybody(self, entry_id: str, happening: Happening, names: Collection[str]) -> bool:
        """Tell whether somebody listens to one of `names`, or to all."""
        return bool(self._listening(entry_id, happening, names))

    @callback
    def topics(self, entry_id: str) -> set[str]:
        """Return the user topics that somebody listens to."""
        listeners = self._listeners.get((entry_id, Happening.MESSAGE_RECEIVED), ())
        return {listener.wanted for listener in listeners if listener.wanted is not None}

    @callback
    def follow_topics(self, entry_id: str, changed: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `changed` whenever `topics` of an entry may have changed; return what ends that."""
        self._topics_changed[entry_id] = changed

        @callback
        def end() -> None:
            self._topics_changed.pop(entry_id, None)

        return end

    def _listening(self, entry_id: str, happening: Happening, names: Collection[str]) -> list[Listener]:
        listeners = self._listeners.get((entry_id, happening), ())
        return [listener for listener in listeners if listener.wanted is None or listener.wanted in names]

    def _tell_topics(self, listener: Listener) -> None:
        if listener.happening is Happening.MESSAGE_RECEIVED and (
            changed := self._topics_changed.get(listener.entry_id)
        ):
            changed()


_LISTENERS: HassKey[Listeners] = HassKey(f"{DOMAIN}_listeners")


@callback
def listeners_of(hass: HomeAssistant) -> Listeners:
    """Return the listeners of this installation."""
    return hass.data.setdefault(_LISTENERS, Listeners())
