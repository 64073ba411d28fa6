"""Climate, fans, humidifiers and water heaters."""

import pytest

from ..things.comfort import Boiler, CeilingFan, HeatPump, RoomHumidifier, Thermostat
from .story import CloudSet, Drive, RefusedSet, StateChange, Story, UserAction

STORIES = (
    Story(
        "climate",
        Thermostat,
        {"power": True, "mode": "heat", "target_temperature": 20.0, "current_temperature": 18.5, "action": "heating"},
        (
            CloudSet(
                {"target_temperature": 23.5, "mode": "cool", "fan_mode": "high"},
                ("climate.set_hvac_mode", "climate.set_temperature", "climate.set_fan_mode"),
            ),
            CloudSet(
                {"swing_mode": "on", "swing_horizontal_mode": "on"},
                ("climate.set_swing_mode", "climate.set_swing_horizontal_mode"),
            ),
            CloudSet(
                {"power": False, "target_temperature": 30.0}, ("climate.turn_off",), {"power": False, "mode": "off"}
            ),
            CloudSet({"power": True}, ("climate.turn_on",), {"power": True, "mode": "cool"}),
            UserAction("climate.set_temperature", {"temperature": 19}, {"target_temperature": 19.0}),
            StateChange({"_attr_current_temperature": 17.0}, {"current_temperature": 17.0}),
            RefusedSet({"target_temperature": 50.0}, 100009),
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
            CloudSet({"target_temperature_low": 18.0}, ("climate.set_temperature",), {"target_temperature_low": 18.0}),
            CloudSet(
                {"preset_mode": "eco", "target_humidity": 55}, ("climate.set_preset_mode", "climate.set_humidity")
            ),
            CloudSet({"power": False}, ("climate.set_hvac_mode",), {"power": False, "mode": "off"}),
            RefusedSet({"power": True}, 100002),
            RefusedSet({"target_temperature_low": 25.0}, 460),
        ),
        "within limits",
    ),
    Story(
        "fan",
        CeilingFan,
        {"power": False, "speed": 0, "oscillating": False, "direction": "forward"},
        (
            CloudSet({"power": True, "speed": 33}, ("fan.turn_on",), {"power": True, "speed": 33, "gear": "low"}),
            CloudSet({"speed": 66}, ("fan.set_percentage",), {"speed": 66, "gear": "medium"}),
            CloudSet({"gear": "high"}, ("fan.set_percentage",), {"speed": 100, "gear": "high"}),
            CloudSet({"preset_mode": "sleep"}, ("fan.set_preset_mode",)),
            CloudSet({"oscillating": True, "direction": "reverse"}, ("fan.oscillate", "fan.set_direction")),
            CloudSet({"speed": 0}, ("fan.turn_off",), {"power": False}),
            CloudSet({"power": True, "preset_mode": "breeze"}, ("fan.turn_on",)),
            CloudSet({"power": False, "speed": 50}, ("fan.turn_off",), {"power": False}),
            UserAction("fan.turn_on", {"percentage": 66}, {"power": True, "speed": 66}),
            RefusedSet({"speed": 30, "preset_mode": "sleep"}, 460),
            RefusedSet({"speed": 30, "gear": "low"}, 460),
            RefusedSet({"power": True, "speed": 30, "preset_mode": "sleep"}, 460),
        ),
    ),
    Story(
        "humidifier",
        RoomHumidifier,
        {"power": False, "mode": "normal", "target_humidity": 50, "current_humidity": 41.0, "action": "off"},
        (
            CloudSet(
                {"target_humidity": 45, "mode": "sleep", "power": True},
                ("humidifier.turn_on", "humidifier.set_mode", "humidifier.set_humidity"),
            ),
            CloudSet({"mode": "normal"}, ("humidifier.set_mode",), {"mode": "normal", "target_humidity": 60}),
            UserAction("humidifier.set_humidity", {"humidity": 70}, {"target_humidity": 70}),
            StateChange({"_attr_current_humidity": 55.5}, {"current_humidity": 55.5}),
            CloudSet(
                {"power": False, "target_humidity": 40}, ("humidifier.turn_off",), {"power": False, "action": "off"}
            ),
            RefusedSet({"target_humidity": 81}, 100009),
        ),
    ),
    Story(
        "water_heater",
        Boiler,
        {"power": True, "mode": "eco", "target_temperature": 50.0, "current_temperature": 47.5, "away_mode": False},
        (
            CloudSet(
                {"target_temperature": 55.5, "mode": "performance", "away_mode": True},
                ("water_heater.set_operation_mode", "water_heater.set_away_mode", "water_heater.set_temperature"),
            ),
            CloudSet({"target_temperature": 40.0}, ("water_heater.set_temperature",)),
            CloudSet({"power": False, "mode": "eco"}, ("water_heater.turn_off",), {"power": False}),
            CloudSet({"power": True}, ("water_heater.turn_on",), {"power": True, "mode": "eco"}),
            UserAction("water_heater.set_away_mode", {"away_mode": False}, {"away_mode": False}),
            RefusedSet({"target_temperature": 80.0}, 100009),
        ),
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_report_and_control(drive: Drive, story: Story) -> None:
    """Changes are reported, and sets are carried out."""
    await drive(story)


async def test_target_temperature_never_changes_the_mode(drive: Drive) -> None:
    """`set {TargetTemperature}` is one action that sets the temperature, also while the device is off."""
    app = await drive(Story("climate", Thermostat, {"mode": "heat"}, ()))
    for mode, wanted in (("heat", 22.5), ("off", 24.0)):
        await app.hass.services.async_call(
            "climate", "set_hvac_mode", {"entity_id": app.entity_id, "hvac_mode": mode}, blocking=True
        )
        await app.expect({"mode": mode})
        app.actions.clear()
        assert (await app.sets({"target_temperature": wanted})).code == 200
        assert app.actions == [("climate.set_temperature", {"temperature": wanted})]
        await app.expect({"target_temperature": wanted, "mode": mode})
        assert app.hass.states.get(app.entity_id).state == mode
