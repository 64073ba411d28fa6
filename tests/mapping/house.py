"""A model of Home Assistant's entities: the state after an action, as pure functions of states."""

from collections.abc import Iterable
from datetime import datetime

from homeassistant.components.light import ColorMode
from homeassistant.core import State
from homeassistant.util import dt as dt_util

from custom_components.aliyun_iot.mapping.aspect import ActionCall

STATE_ON = {"climate": "cool", "water_heater": "eco"}
"""The state after turning on, for devices that have no state `on`."""

ATTRIBUTE_ACTIONS = frozenset(
    {
        "oscillate",
        "set_direction",
        "set_fan_mode",
        "set_fan_speed",
        "set_humidity",
        "set_mode",
        "set_preset_mode",
        "set_swing_horizontal_mode",
        "set_swing_mode",
        "set_temperature",
    }
)
"""The actions that only set the attributes with the names of their fields."""


def after(state: State, calls: Iterable[ActionCall]) -> State:
    """Return the state of an entity after actions that it carries out exactly."""
    for call in calls:
        assert call.domain == state.domain
        state = _after_one(state, call)
    return state


def _after_one(state: State, call: ActionCall) -> State:
    now, attributes = state.state, dict(state.attributes)
    match call.action, call.data:
        case "turn_on", data:
            now = STATE_ON.get(state.domain, "on")
            attributes |= data
            if "activity" in data:
                attributes["current_activity"] = data["activity"]
            if "rgb_color" in data:
                attributes["color_mode"] = ColorMode.RGB
            if "hs_color" in data:
                attributes["color_mode"] = ColorMode.HS
            if "white" in data:
                attributes |= {"color_mode": ColorMode.WHITE, "brightness": data["white"]}
        case "turn_off", _:
            now = "off"
        case "set_hvac_mode", {"hvac_mode": mode}:
            now = str(mode)
        case "set_operation_mode", {"operation_mode": mode}:
            now = str(mode)
        case "set_away_mode", {"away_mode": away}:
            attributes["away_mode"] = "on" if away else "off"
        case "set_percentage", {"percentage": percentage}:
            now = "on"
            attributes["percentage"] = percentage
        case action, data if action in ATTRIBUTE_ACTIONS:
            attributes |= data
        case (("open_cover" | "open_valve"), _):
            now = "open"
        case (("close_cover" | "close_valve"), _):
            now = "closed"
        case (("set_cover_position" | "set_valve_position"), {"position": position}):
            attributes["current_position"] = position
        case "alarm_disarm", _:
            now = "disarmed"
        case action, _ if action.startswith("alarm_arm_"):
            now = action.replace("alarm_arm", "armed")
        case "start", data:
            now = "active"
            if isinstance(length := data.get("duration"), int):
                attributes["duration"] = f"{length // 3600}:{length // 60 % 60:02}:{length % 60:02}"
        case ("pause" | "cancel") as action, _:
            now = {"pause": "paused", "cancel": "idle"}[action]
        case "set_cover_tilt_position", {"tilt_position": position}:
            attributes["current_tilt_position"] = position
        case "lock", _:
            now = "locked"
        case "unlock", _:
            now = "unlocked"
        case "set_value", {"value": value}:
            now = str(value)
        case "set_value", {"date": written} | {"time": written}:
            now = str(written)
        case "set_value", {"datetime": written}:
            now = dt_util.as_utc(datetime.fromisoformat(str(written))).isoformat()
        case "set_datetime", {"date": written} | {"time": written}:
            now = str(written)
        case "set_datetime", {"timestamp": moment}:
            attributes["timestamp"] = moment
        case (
            "select_sound_mode" | "select_source" | "volume_set" | "volume_mute" | "shuffle_set" | "repeat_set",
            data,
        ):
            attributes |= data
        case ("media_play" | "media_pause" | "media_stop") as action, _:
            now = {"media_play": "playing", "media_pause": "paused", "media_stop": "idle"}[action]
        case "select_option", {"option": option}:
            now = str(option)
        case action, _:
            raise AssertionError(f"the model has no action {action}")
    return State(state.entity_id, now, attributes)
