"""The listeners of this installation to what happens between a device and its cloud.

Automations attach their triggers before the entry is loaded and keep them when it is reloaded. So the listeners do not
belong to the entry: they are kept in `hass.data`, by entry id.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .alink.foreign import logger_of
from .const import DOMAIN

_LOGGER = logger_of(__name__)


class TriggerKind(StrEnum):
    """What can be listened to: one for each trigger of this integration, and answered commands for its event entities."""

    COMMAND_ANSWERED = "command_answered"
    CONFIG_RECEIVED = "config_received"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    MESSAGE_RECEIVED = "message_received"
    PROPERTY_REJECTED = "property_rejected"
    PROPERTY_SET_RECEIVED = "property_set_received"
    RAW_RECEIVED = "raw_received"
    SERVICE_CALLED = "service_called"
    SHADOW_CHANGED = "shadow_changed"


type ListenerCallback = Callable[[Mapping[str, Any], Context | None], None]
"""Takes the details, and the context of the command if a command is the cause."""


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """One listener. `name` is the property, service or topic it listens to, None for any."""

    entry_id: str
    kind: TriggerKind
    name: str | None
    notify: ListenerCallback


class Listeners:
    """All listeners of an installation."""

    def __init__(self) -> None:
        """Start without listeners."""
        self._listeners: dict[tuple[str, TriggerKind], list[Listener]] = {}
        self._changed: dict[tuple[str, TriggerKind], CALLBACK_TYPE] = {}

    @callback
    def add(self, listener: Listener) -> CALLBACK_TYPE:
        """Add a listener and return a function that removes it."""
        key = listener.entry_id, listener.kind
        self._listeners.setdefault(key, []).append(listener)
        self._notify_change(listener)

        @callback
        def remove() -> None:
            listeners = self._listeners[key]
            listeners.remove(listener)
            if not listeners:
                del self._listeners[key]
            self._notify_change(listener)

        return remove

    @callback
    def notify(
        self,
        entry_id: str,
        kind: TriggerKind,
        details: Mapping[str, Any],
        *,
        names: Collection[str] = (),
        context: Context | None = None,
    ) -> bool:
        """Call the listeners to any name and those to one of `names`; return whether there were any.

        An exception in a listener is logged. It affects neither the other listeners nor the caller.
        """
        listeners = self._matching(entry_id, kind, names)
        for listener in listeners:
            try:
                listener.notify(details, context)
            except Exception:
                _LOGGER.exception("A listener to %s failed", kind)
        return bool(listeners)

    @callback
    def has_listener(self, entry_id: str, kind: TriggerKind, names: Collection[str] = ()) -> bool:
        """Return whether there is a listener to any name or to one of `names`."""
        return bool(self._matching(entry_id, kind, names))

    @callback
    def topics(self, entry_id: str) -> set[str]:
        """Return the user topics that have a listener."""
        listeners = self._listeners.get((entry_id, TriggerKind.MESSAGE_RECEIVED), ())
        return {listener.name for listener in listeners if listener.name is not None}

    @callback
    def track(self, entry_id: str, kind: TriggerKind, changed: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `changed` whenever the listeners of this kind may have changed; return a function that ends it.

        A device subscribes to some topics only while somebody listens.
        """
        self._changed[entry_id, kind] = changed
        return partial(self._end_tracking, entry_id, kind)

    @callback
    def _end_tracking(self, entry_id: str, kind: TriggerKind) -> None:
        self._changed.pop((entry_id, kind), None)

    def _matching(self, entry_id: str, kind: TriggerKind, names: Collection[str]) -> list[Listener]:
        listeners = self._listeners.get((entry_id, kind), ())
        return [listener for listener in listeners if listener.name is None or listener.name in names]

    def _notify_change(self, listener: Listener) -> None:
        if changed := self._changed.get((listener.entry_id, listener.kind)):
            changed()


_LISTENERS: HassKey[Listeners] = HassKey(f"{DOMAIN}_listeners")


@callback
def listeners_of(hass: HomeAssistant) -> Listeners:
    """Return the listeners of this installation."""
    if (listeners := hass.data.get(_LISTENERS)) is None:
        listeners = hass.data[_LISTENERS] = Listeners()
    return listeners
