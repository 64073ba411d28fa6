"""The Home Assistant domains that can be mapped: one file each, listed here.

They are listed because scanning the folder would be a blocking call at import. Left out on purpose are `image` and `camera`
(a picture can't be a property, and the attributes contain access tokens) and domains whose entities have nothing that a
property could hold or whose actions have no entity as their target: `ai_task`, `conversation`, `geo_location`,
`image_processing`, `infrared`, `radio_frequency`, `stt`, `tts`, `wake_word`. Their states and attributes can be bound with
the aspects of `generic.py`.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

from homeassistant.core import State

from ..aspect import Aspect, Domain

_NAMES = (
    "air_quality",
    "alarm_control_panel",
    "assist_satellite",
    "automation",
    "binary_sensor",
    "button",
    "calendar",
    "climate",
    "counter",
    "cover",
    "date",
    "datetime",
    "device_tracker",
    "event",
    "fan",
    "group",
    "humidifier",
    "input_boolean",
    "input_button",
    "input_datetime",
    "input_number",
    "input_select",
    "input_text",
    "lawn_mower",
    "light",
    "lock",
    "media_player",
    "notify",
    "number",
    "person",
    "remote",
    "scene",
    "schedule",
    "script",
    "select",
    "sensor",
    "siren",
    "sun",
    "switch",
    "text",
    "time",
    "timer",
    "todo",
    "update",
    "vacuum",
    "valve",
    "water_heater",
    "weather",
    "zone",
)

DOMAINS: Mapping[str, Domain] = {name: import_module(f".{name}", __name__).DOMAIN for name in _NAMES}


def domain_of(entity_id: str) -> Domain | None:
    """Return the domain of an entity, None if it can't be mapped."""
    return DOMAINS.get(entity_id.partition(".")[0])


def aspect_of(entity_id: str, key: str) -> Aspect | None:
    """Return an aspect of an entity's domain, None if there is none with this key."""
    domain = domain_of(entity_id)
    return domain.aspect(key) if domain else None


type Risk = Callable[[State, Aspect | None], bool]
"""Returns whether control of an aspect of an entity, or of any if there is none, needs the user's confirmation."""


def own_risk(state: State, aspect: Aspect | None = None) -> bool:
    """Return the `Risk` of an entity by itself, without that of what it passes a command on to."""
    domain = domain_of(state.entity_id)
    if domain is None:
        return False
    aspects = (aspect,) if aspect else domain.aspects
    return domain.risky(state) or any(each.risky and each.supported(state) for each in aspects)
