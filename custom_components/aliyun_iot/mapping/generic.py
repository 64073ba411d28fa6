"""Aspects of any entity, whatever its domain, and two that need no entity.

Their values are anything that Home Assistant holds (`Kind.RAW`); the attribute, the template or the actions come from the
binding. They are never suggested: the user has to pick them.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from homeassistant.components.text import TextMode
from homeassistant.const import ATTR_MODE
from homeassistant.core import State

from .aspect import Aspect, FromAttributes, Kind, Raw
from .attribute_units import attribute_unit
from .attributes import as_raw, own_unit, range_of
from .binding import ACTIONS, ATTRIBUTE, RAW_STATE, TEMPLATE, Binding
from .domains import aspect_of

NO_ENTITY_STATE: Final = State("aliyun_iot.no_entity", "")
"""The state for a binding without an entity; it has no range, options or unit."""


RENDERED: Final = Aspect(key=TEMPLATE, kind=Kind.RAW, name_en="Template", name_zh="模板", source=lambda _: None)
"""The result of a template: any value, without entity and unit."""


def aspect_for(binding: Binding, entity_id: str) -> Aspect | None:
    """Return the aspect that a binding reads and sets, of its entity's domain or generic; None if there is none."""
    if binding.aspect == ATTRIBUTE:
        return attribute_aspect(binding.source)
    return _GENERIC.get(binding.aspect) or aspect_of(entity_id, binding.aspect)


def _raw_state(state: State) -> Raw:
    """Return the state, but never a password, which a text entity has as its state."""
    return None if state.attributes.get(ATTR_MODE) == TextMode.PASSWORD else state.state


@lru_cache(maxsize=1024)
def attribute_aspect(name: str) -> Aspect:
    """Return the aspect for an attribute."""
    return Aspect(
        key=ATTRIBUTE,
        kind=Kind.RAW,
        name_en=f"Attribute {name}" if name else "An attribute",
        name_zh=f"属性 {name}" if name else "某个属性",
        source=FromAttributes(lambda state: as_raw(state.attributes.get(name))),
        unit=lambda state: attribute_unit(state, name),
    )


STATE_ASPECTS: Final = (
    Aspect(
        key=RAW_STATE,
        kind=Kind.RAW,
        name_en="Whole state",
        name_zh="整个状态",
        source=_raw_state,
        range=range_of("min", "max", "step"),
        unit=own_unit,
    ),
    attribute_aspect(""),
)
"""The aspects of every entity: its state, and an attribute that the user has yet to name."""

_OWN_ACTIONS = Aspect(
    key=ACTIONS, kind=Kind.RAW, name_en="Own actions", name_zh="自定义动作", source=lambda _: None, momentary=True
)
_GENERIC: Mapping[str, Aspect] = {aspect.key: aspect for aspect in (*STATE_ASPECTS, RENDERED, _OWN_ACTIONS)}
