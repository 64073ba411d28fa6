"""Aspects that any entity has, of whatever domain, and two that need no entity at all.

They hold whatever Home Assistant holds (`Kind.RAW`) and take from their binding what a domain would know: which attribute,
which template, what to run. Nothing here is ever suggested; somebody who binds it knows why.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from homeassistant.components.text import TextMode
from homeassistant.const import ATTR_MODE
from homeassistant.core import State

from .aspect import Aspect, Kind, Raw
from .attributes import as_raw, own_unit, range_of, text
from .binding import ACTIONS, ATTRIBUTE, RAW_STATE, TEMPLATE, Binding
from .domains import aspect_of

NO_ENTITY_STATE: Final = State("aliyun_iot.no_entity", "")
"""Stands in for the state of an entity where a binding has none; it says nothing about range, options or unit."""


RENDERED: Final = Aspect(key=TEMPLATE, kind=Kind.RAW, name_en="Template", name_zh="模板", source=lambda _: None)
"""What a template makes: anything, in whatever unit, on no entity's behalf."""


def aspect_for(binding: Binding, entity_id: str) -> Aspect | None:
    """Return what a binding reads and sets, one of its entity's domain or a generic one; None if there is none."""
    if binding.aspect == ATTRIBUTE:
        return attribute_aspect(binding.source)
    return _GENERIC.get(binding.aspect) or aspect_of(entity_id, binding.aspect)


def _raw_state(state: State) -> Raw:
    """Return the whole state, but never a password, which a text entity shows there in plain sight."""
    return None if state.attributes.get(ATTR_MODE) == TextMode.PASSWORD else state.state


@lru_cache(maxsize=1024)
def attribute_aspect(name: str) -> Aspect:
    """Return the aspect for an attribute of this name; its unit is what an attribute like `temperature_unit` says."""
    return Aspect(
        key=ATTRIBUTE,
        kind=Kind.RAW,
        name_en=f"Attribute {name}" if name else "An attribute",
        name_zh=f"属性 {name}" if name else "某个属性",
        source=lambda state: as_raw(state.attributes.get(name)),
        unit=lambda state: text(state.attributes.get(f"{name}_unit")),
        always_known=True,
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
"""What every entity has: its state, and attributes, of which the one that is meant has yet to be named."""

_OWN_ACTIONS = Aspect(
    key=ACTIONS, kind=Kind.RAW, name_en="Own actions", name_zh="自定义动作", source=lambda _: None, momentary=True
)
_GENERIC: Mapping[str, Aspect] = {aspect.key: aspect for aspect in (*STATE_ASPECTS, RENDERED, _OWN_ACTIONS)}
