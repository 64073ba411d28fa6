"""Air and water."""

import pytest

from ..things.comfort import Boiler, CeilingFan, HeatPump, RoomHumidifier, Thermostat
from .driving import Changes, Drive, Happens, Refuses, Sets, Story

STORIES = (
    Story(
        "climate",
        Thermostat,
        {"power": True, "mode": "heat", "target_temperature": 20.0, "current_temperature": 18.5, "action": "heating"},
        (
            Sets(
                {"target_temperature": 23.5, "mode": "cool", "fan_mode": "high"},
                ("climate.set_hvac_mode", "climate.set_temperature", "climate.set_fan_mode"),
            ),
            Sets(
                {"swing_mode": "on", "swing_horizontal_mode": "on"},
                ("climate.set_swing_mode", "climate.set_swing_horizontal_mode"),
            ),
            Sets({"power": False, "target_temperature": 30.0}, ("climate.turn_off",), {"power": False, "mode": "off"}),
            Sets({"power": True}, ("climate.turn_on",), {"power": True, "mode": "cool"}),
            Happens("climate.set_temperature", {"temperature": 19}, {"target_temperature": 19.0}),
            Changes({"_attr_current_temperature": 17.0}, {"current_temperature": 17.0}),
            Refuses({"target_temperature": 50.0}, 100009),
        ),
    ),
    Story(
        "climate",
        HeatPump,
        {
            "target_temperature_low": 19.0,
            "target_temperature_high": 24.0,
            "current_humidity": 48,
            "preset_mode": "none",
        },
        (
            Sets({"target_temperature_low": 18.0}, ("climate.set_temperature",), {"target_temperature_low": 18.0}),
            Sets({"preset_mode": "eco", "target_humidity": 55}, ("climate.set_preset_mode", "climate.set_humidity")),
            Sets({"power": False}, ("climate.set_hvac_mode",), {"power": False, "mode": "off"}),
            Refuses({"power": True}, 100002),
            Refuses({"target_temperature_low": 25.0}, 460),
        ),
        "within limits",
    ),
    Story(
        "fan",
        CeilingFan,
        {"power": False, "speed": 0, "oscillating": False, "direction": "forward"},
        (
            Sets({"power": True, "speed": 33}, ("fan.turn_on",), {"power": True, "speed": 33, "gear": "low"}),
            Sets({"speed": 66}, ("fan.set_percentage",), {"speed": 66, "gear": "medium"}),
            Sets({"gear": "high"}, ("fan.set_percentage",), {"speed": 100, "gear": "high"}),
            Sets({"preset_mode": "sleep"}, ("fan.set_preset_mode",)),
            Sets({"oscillating": True, "direction": "reverse"}, ("fan.oscillate", "fan.set_direction")),
            Sets({"speed": 0}, ("fan.turn_off",), {"power": False}),
            Sets({"power": True, "preset_mode": "breeze"}, ("fan.turn_on",)),
            Sets({"power": False, "speed": 50}, ("fan.turn_off",), {"power": False}),
            Happens("fan.turn_on", {"percentage": 66}, {"power": True, "speed": 66}),
            Refuses({"speed": 30, "preset_mode": "sleep"}, 460),
            Refuses({"speed": 30, "gear": "low"}, 460),
            Refuses({"power": True, "speed": 30, "preset_mode": "sleep"}, 460),
        ),
    ),
    Story(
        "humidifier",
        RoomHumidifier,
        {"power": False, "mode": "normal", "target_humidity": 50, "current_humidity": 41.0, "action": "off"},
        (
            Sets(
                {"target_humidity": 45, "mode": "sleep", "power": True},
                ("humidifier.turn_on", "humidifier.set_mode", "humidifier.set_humidity"),
            ),
            Sets({"mode": "normal"}, ("humidifier.set_mode",), {"mode": "normal", "target_humidity": 60}),
            Happens("humidifier.set_humidity", {"humidity": 70}, {"target_humidity": 70}),
            Changes({"_attr_current_humidity": 55.5}, {"current_humidity": 55.5}),
            Sets({"power": False, "target_humidity": 40}, ("humidifier.turn_off",), {"power": False, "action": "off"}),
            Refuses({"target_humidity": 81}, 100009),
        ),
    ),
    Story(
        "water_heater",
        Boiler,
        {"power": True, "mode": "eco", "target_temperature": 50.0, "current_temperature": 47.5, "away_mode": False},
        (
            Sets(
                {"target_temperature": 55.5, "mode": "performance", "away_mode": True},
                ("water_heater.set_operation_mode", "water_heater.set_away_mode", "water_heater.set_temperature"),
            ),
            Sets({"target_temperature": 40.0}, ("water_heater.set_temperature",)),
            Sets({"power": False, "mode": "eco"}, ("water_heater.turn_off",), {"power": False}),
            Sets({"power": True}, ("water_heater.turn_on",), {"power": True, "mode": "eco"}),
            Happens("water_heater.set_away_mode", {"away_mode": False}, {"away_mode": False}),
            Refuses({"target_temperature": 80.0}, 100009),
        ),
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_both_ways(drive: Drive, story: Story) -> None:
    """The cloud learns what the device does, and gets what it sets."""
    await drive(story)


async def test_a_target_temperature_never_touches_the_mode(drive: Drive) -> None:
    """`set {TargetTemperature}` is one action about the temperature, also while the device is off."""
    remote = await drive(Story("climate", Thermostat, {"mode": "heat"}, ()))
    for mode, wanted in (("heat", 22.5), ("off", 24.0)):
        await remote.hass.services.async_call(
            "climate", "set_hvac_mode", {"entity_id": remote.entity_id, "hvac_mode": mode}, blocking=True
        )
        await remote.learns({"mode": mode})
        remote.actions.clear()
        assert (await remote.sets({"target_temperature": wanted})).code == 200
        assert remote.actions == [("climate.set_temperature", {"temperature": wanted})]
        await remote.learns({"target_temperature": wanted, "mode": mode})
        assert remote.hass.states.get(remote.entity_id).state == mode
