"""Example entities of every domain, with all attributes and features that the domain uses.

The tables of `docs/mapping.md` are generated from them; tests use them to check that every aspect is supported by one. A
domain with several types of entities has several examples.
"""

from collections.abc import Mapping
from enum import IntFlag
from types import MappingProxyType
from typing import Any

from homeassistant.components.alarm_control_panel.const import AlarmControlPanelEntityFeature
from homeassistant.components.climate.const import ClimateEntityFeature
from homeassistant.components.cover import CoverEntityFeature
from homeassistant.components.fan import FanEntityFeature
from homeassistant.components.humidifier.const import HumidifierEntityFeature
from homeassistant.components.lawn_mower.const import LawnMowerEntityFeature
from homeassistant.components.light import LightEntityFeature
from homeassistant.components.lock import LockEntityFeature
from homeassistant.components.media_player.const import MediaPlayerEntityFeature
from homeassistant.components.remote import RemoteEntityFeature
from homeassistant.components.siren.const import SirenEntityFeature
from homeassistant.components.update.const import UpdateEntityFeature
from homeassistant.components.vacuum.const import VacuumEntityFeature
from homeassistant.components.valve import ValveEntityFeature
from homeassistant.components.water_heater import WaterHeaterEntityFeature
from homeassistant.core import State

LIMITS = {"min": 0, "max": 100, "step": 1, "mode": "slider"}
TEXT_LIMITS = {"min": 0, "max": 100, "pattern": None, "mode": "text"}
OPTIONS = {"options": ["day", "night", "party"]}
PLACE = {"latitude": 31.2304, "longitude": 121.4737}
WHEN = "2026-11-23T08:00:00+00:00"


def _all(features: type[IntFlag]) -> int:
    """Return `supported_features` of an entity that supports all features."""
    return sum(feature.value for feature in features)


def _examples(*states: tuple[str, str, Mapping[str, Any]]) -> Mapping[str, tuple[State, ...]]:
    grouped: dict[str, tuple[State, ...]] = {}
    for entity_id, state, attributes in states:
        example = State(entity_id, state, attributes)
        grouped[example.domain] = (*grouped.get(example.domain, ()), example)
    return MappingProxyType(grouped)


EXAMPLES = _examples(
    (
        "air_quality.station",
        "14",
        {
            "unit_of_measurement": "μg/m³",
            "particulate_matter_2_5": 14,
            "air_quality_index": 51,
            "particulate_matter_10": 23,
            "particulate_matter_0_1": 5,
            "carbon_dioxide": 600,
            "carbon_monoxide": 1,
            "ozone": 30,
            "sulphur_dioxide": 4,
            "nitrogen_dioxide": 12,
            "nitrogen_monoxide": 8,
            "nitrogen_oxide": 2,
        },
    ),
    (
        "alarm_control_panel.house",
        "disarmed",
        {
            "code_format": None,
            "changed_by": "Anna",
            "code_arm_required": False,
            "supported_features": _all(AlarmControlPanelEntityFeature),
        },
    ),
    ("assist_satellite.kitchen", "listening", {"supported_features": 3}),
    ("automation.night", "on", {"last_triggered": WHEN, "mode": "single", "current": 0, "id": "night"}),
    ("binary_sensor.window", "on", {"device_class": "window"}),
    ("button.restart", WHEN, {"device_class": "restart"}),
    (
        "calendar.family",
        "on",
        {
            "message": "Dentist",
            "all_day": False,
            "start_time": "2026-11-23 09:00:00",
            "end_time": "2026-11-23 10:00:00",
            "location": "Nanjing Road 1",
            "description": "Bring the card",
            "supported_features": 7,
        },
    ),
    (
        "climate.living_room",
        "heat",
        {
            "hvac_modes": ["off", "heat", "cool", "auto"],
            "min_temp": 7,
            "max_temp": 35,
            "target_temp_step": 0.5,
            "min_humidity": 30,
            "max_humidity": 99,
            "target_humidity_step": 1,
            "fan_modes": ["low", "medium", "high"],
            "preset_modes": ["none", "eco", "away"],
            "swing_modes": ["off", "vertical", "both"],
            "swing_horizontal_modes": ["off", "on"],
            "current_temperature": 20.3,
            "current_humidity": 45,
            "temperature": 21.5,
            "target_temp_low": 19,
            "target_temp_high": 24,
            "humidity": 50,
            "fan_mode": "low",
            "preset_mode": "none",
            "swing_mode": "off",
            "swing_horizontal_mode": "off",
            "hvac_action": "heating",
            "supported_features": _all(ClimateEntityFeature),
        },
    ),
    ("counter.visitors", "3", {"initial": 0, "step": 1, "minimum": 0, "maximum": 1000, "editable": True}),
    (
        "cover.curtain",
        "open",
        {
            "device_class": "curtain",
            "current_position": 50,
            "current_tilt_position": 50,
            "supported_speeds": ["slow", "fast"],
            "supported_features": _all(CoverEntityFeature) | 256,  # the speed is not in the oldest Home Assistant
        },
    ),
    ("date.holiday", "2026-11-23", {}),
    ("datetime.alarm", WHEN, {}),
    (
        "device_tracker.phone",
        "home",
        {
            "source_type": "gps",
            "in_zones": ["zone.home", "zone.city"],
            "gps_accuracy": 10,
            "altitude": 4,
            "battery_level": 80,
            **PLACE,
        },
    ),
    (
        "event.doorbell",
        WHEN,
        {"device_class": "doorbell", "event_types": ["ring", "double_ring"], "event_type": "ring"},
    ),
    (
        "fan.bedroom",
        "on",
        {
            "percentage": 50,
            "percentage_step": 25.0,
            "preset_mode": "sleep",
            "preset_modes": ["normal", "sleep"],
            "oscillating": False,
            "direction": "forward",
            "supported_features": _all(FanEntityFeature),
        },
    ),
    ("group.lamps", "on", {"entity_id": ["light.lamp", "switch.socket"], "order": 0}),
    ("group.blinds", "open", {"entity_id": ["cover.curtain"], "order": 1}),
    ("group.family", "home", {"entity_id": ["person.anna", "device_tracker.phone"], "order": 2}),
    ("group.doors", "unlocked", {"entity_id": ["lock.door"], "order": 3}),
    ("group.plants", "problem", {"entity_id": ["plant.ficus"], "order": 4}),
    (
        "humidifier.nursery",
        "on",
        {
            "device_class": "humidifier",
            "humidity": 50,
            "current_humidity": 42,
            "min_humidity": 30,
            "max_humidity": 80,
            "target_humidity_step": 1,
            "available_modes": ["normal", "sleep"],
            "mode": "normal",
            "action": "humidifying",
            "supported_features": _all(HumidifierEntityFeature),
        },
    ),
    ("input_boolean.guests", "on", {"editable": True}),
    ("input_button.call", WHEN, {"editable": True}),
    (
        "input_datetime.alarm",
        "2026-11-23 08:00:00",
        {"has_date": True, "has_time": True, "timestamp": 1795392000.0, "editable": True},
    ),
    ("input_datetime.wake_up", "08:00:00", {"has_date": False, "has_time": True, "timestamp": 28800}),
    ("input_datetime.birthday", "2026-11-23", {"has_date": True, "has_time": False, "timestamp": 1795363200.0}),
    ("input_number.level", "20", LIMITS),
    ("input_select.scene", "day", OPTIONS),
    ("input_text.note", "hello", TEXT_LIMITS),
    (
        "lawn_mower.garden",
        "docked",
        {"supported_features": _all(LawnMowerEntityFeature)},
    ),
    (
        "light.lamp",
        "on",
        {
            "supported_color_modes": ["color_temp", "hs"],
            "color_mode": "hs",
            "brightness": 128,
            "color_temp_kelvin": 4000,
            "min_color_temp_kelvin": 2000,
            "max_color_temp_kelvin": 6500,
            "rgb_color": (255, 206, 166),
            "hs_color": (27.0, 34.9),
            "effect_list": ["None", "colorloop"],
            "effect": "colorloop",
            "supported_features": _all(LightEntityFeature),
        },
    ),
    (
        "light.strip",
        "on",
        {
            "supported_color_modes": ["rgb", "white"],
            "color_mode": "white",
            "brightness": 128,
            "rgb_color": (255, 255, 255),
        },
    ),
    ("lock.door", "locked", {"code_format": None, "changed_by": "Anna", "supported_features": _all(LockEntityFeature)}),
    (
        "media_player.tv",
        "playing",
        {
            "device_class": "tv",
            "volume_level": 0.4,
            "is_volume_muted": False,
            "source": "HDMI 1",
            "source_list": ["HDMI 1", "Tuner"],
            "sound_mode": "music",
            "sound_mode_list": ["music", "movie"],
            "media_title": "Song",
            "media_artist": "Band",
            "media_album_name": "Album",
            "media_content_id": "1",
            "media_content_type": "music",
            "media_channel": "News",
            "media_duration": 300,
            "media_position": 60,
            "app_name": "Player",
            "shuffle": False,
            "repeat": "off",
            "supported_features": _all(MediaPlayerEntityFeature),
        },
    ),
    ("notify.phone", WHEN, {"supported_features": 1}),
    ("number.level", "20", LIMITS),
    ("person.anna", "home", {"source": "device_tracker.phone", "in_zones": ["zone.home"], "gps_accuracy": 10, **PLACE}),
    (
        "remote.tv",
        "on",
        {
            "activity_list": ["TV", "Music"],
            "current_activity": "TV",
            "supported_features": _all(RemoteEntityFeature),
        },
    ),
    ("scene.evening", WHEN, {}),
    ("schedule.heating", "on", {"next_event": WHEN, "editable": True}),
    ("script.good_night", "off", {"last_triggered": WHEN, "mode": "single", "current": 0}),
    ("select.program", "day", OPTIONS),
    (
        "sensor.temperature",
        "20.5",
        {"device_class": "temperature", "unit_of_measurement": "°C", "state_class": "measurement"},
    ),
    ("sensor.program", "washing", {"device_class": "enum", "options": ["washing", "idle"]}),
    ("sensor.next_alarm", WHEN, {"device_class": "timestamp"}),
    ("sensor.note", "hello", {}),
    (
        "siren.house",
        "off",
        {"available_tones": ["fire", "burglary"], "supported_features": _all(SirenEntityFeature)},
    ),
    (
        "sun.sun",
        "above_horizon",
        {
            "elevation": 30.1,
            "azimuth": 180.2,
            "rising": False,
            "next_dawn": WHEN,
            "next_dusk": WHEN,
            "next_midnight": WHEN,
            "next_noon": WHEN,
            "next_rising": WHEN,
            "next_setting": WHEN,
        },
    ),
    ("switch.socket", "on", {"device_class": "outlet"}),
    ("text.note", "hello", TEXT_LIMITS),
    ("time.wake_up", "08:00:00", {}),
    (
        "timer.tea",
        "active",
        {"duration": "0:05:00", "remaining": "0:03:00", "finishes_at": WHEN, "restore": True, "editable": True},
    ),
    ("timer.egg", "paused", {"duration": "0:05:00", "remaining": "0:03:00", "restore": True, "editable": True}),
    ("todo.shopping", "3", {"supported_features": 15}),
    (
        "update.firmware",
        "on",
        {
            "device_class": "firmware",
            "installed_version": "1.0",
            "latest_version": "1.1",
            "title": "Firmware",
            "auto_update": False,
            "in_progress": True,
            "update_percentage": 40,
            "supported_features": _all(UpdateEntityFeature),
        },
    ),
    (
        "vacuum.robot",
        "docked",
        {
            "fan_speed": "quiet",
            "fan_speed_list": ["quiet", "standard", "strong"],
            "battery_level": 80,
            "supported_features": _all(VacuumEntityFeature),
        },
    ),
    (
        "valve.garden",
        "open",
        {"device_class": "water", "current_position": 50, "supported_features": _all(ValveEntityFeature)},
    ),
    (
        "water_heater.boiler",
        "eco",
        {
            "current_temperature": 48,
            "temperature": 50,
            "target_temp_high": 55,
            "target_temp_low": 45,
            "min_temp": 40,
            "max_temp": 65,
            "target_temp_step": 1,
            "operation_list": ["off", "eco", "performance"],
            "operation_mode": "eco",
            "away_mode": "off",
            "supported_features": _all(WaterHeaterEntityFeature),
        },
    ),
    (
        "weather.home",
        "sunny",
        {
            "temperature": 20.5,
            "temperature_unit": "°C",
            "apparent_temperature": 19.8,
            "dew_point": 9.5,
            "humidity": 50,
            "pressure": 1013,
            "pressure_unit": "hPa",
            "wind_speed": 10,
            "wind_speed_unit": "km/h",
            "wind_gust_speed": 15,
            "wind_bearing": 180,
            "visibility": 10,
            "visibility_unit": "km",
            "precipitation_unit": "mm",
            "cloud_coverage": 20,
            "uv_index": 3,
            "ozone": 300,
        },
    ),
    ("zone.home", "2", {"radius": 100, "passive": False, "persons": ["person.anna"], "editable": True, **PLACE}),
)
"""Example entities by domain."""
