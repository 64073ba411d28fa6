"""Helpers for tests of domains: read all aspects of a state, plan actions, change a state."""

from collections.abc import Mapping

from homeassistant.core import State

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS


def read(state: State) -> dict[str, Value | None]:
    """Return the values of all supported aspects of an entity; commands have none."""
    return {
        aspect.key: aspect.read(state)
        for aspect in DOMAINS[state.domain].aspects
        if aspect.supported(state) and not aspect.momentary
    }


def actions_for(state: State, values: Mapping[str, Value]) -> list[ActionCall]:
    """Return the actions that set these values."""
    return DOMAINS[state.domain].actions_for(state, values)


def changed(state: State, new: str | None = None, **attributes: object) -> State:
    """Return a state with another value or other attributes."""
    return State(state.entity_id, new or state.state, {**state.attributes, **attributes})
