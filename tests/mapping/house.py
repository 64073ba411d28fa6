"""A house in miniature: what Home Assistant's entities make of an action, as pure functions of states."""

from collections.abc import Iterable

from homeassistant.components.light import ColorMode
from homeassistant.core import State

from custom_components.aliyun_iot.mapping.aspect import ActionCall


def after(state: State, calls: Iterable[ActionCall]) -> State:
    """Return the state of an entity that does exactly what it is told."""
    for call in calls:
        assert call.domain == state.domain
        state = _after_one(state, call)
    return state


def _after_one(state: State, call: ActionCall) -> State:
    now, attributes = state.state, dict(state.attributes)
    match call.action, call.data:
        case "turn_on", data:
            now = "on"
            attributes |= data
            if "rgb_color" in data:
                attributes["color_mode"] = ColorMode.RGB
        case "turn_off", _:
            now = "off"
        case "set_hvac_mode", {"hvac_mode": mode}:
            now = str(mode)
        case (("set_temperature" | "set_humidity" | "set_fan_mode" | "set_preset_mode" | "set_swing_mode"), data):
            attributes |= data
        case "open_cover", _:
            now = "open"
        case "close_cover", _:
            now = "closed"
        case "set_cover_position", {"position": position}:
            attributes["current_position"] = position
        case "set_cover_tilt_position", {"tilt_position": position}:
            attributes["current_tilt_position"] = position
        case "lock", _:
            now = "locked"
        case "unlock", _:
            now = "unlocked"
        case "set_value", {"value": value}:
            now = str(value)
        case "select_option", {"option": option}:
            now = str(option)
        case action, _:
            raise AssertionError(f"the house does not know {action}")
    return State(state.entity_id, now, attributes)
