"""Lights."""

import pytest

from ..things.lights import HueLamp, Lamp, Strip
from .story import CloudSet, Drive, RefusedSet, Story, UserAction

RED = {"Red": 255, "Green": 0, "Blue": 0}

STORIES = (
    Story(
        "light",
        Lamp,
        {"power": False},
        (
            CloudSet({"power": True}, ("light.turn_on",)),
            CloudSet({"brightness": 30}, ("light.turn_on",)),
            CloudSet({"color_temp": 2700, "brightness": 60}, ("light.turn_on",)),
            CloudSet({"color": RED}, ("light.turn_on",)),
            CloudSet({"effect": "rainbow"}, ("light.turn_on",)),
            UserAction("light.turn_on", {"brightness_pct": 1, "effect": "off"}, {"brightness": 1, "effect": "off"}),
            CloudSet({"brightness": 0}, ("light.turn_off",), {"power": False}),
            RefusedSet({"color": RED, "color_temp": 2700}, 460),
        ),
    ),
    Story(
        "light",
        HueLamp,
        {"power": False},
        (
            CloudSet({"hsv": {"Hue": 201, "Saturation": 3, "Value": 7}}, ("light.turn_on",)),
            CloudSet({"hsv": {"Hue": 359, "Saturation": 100, "Value": 100}}, ("light.turn_on",)),
            UserAction(
                "light.turn_on",
                {"hs_color": [120, 50], "brightness_pct": 40},
                {"hsv": {"Hue": 120, "Saturation": 50, "Value": 40}, "brightness": 40},
            ),
            CloudSet({"hsv": {"Hue": 0, "Saturation": 0, "Value": 0}}, ("light.turn_off",), {"power": False}),
        ),
        "in hues",
    ),
    Story(
        "light",
        Strip,
        {"power": False},
        (
            CloudSet({"white": 40}, ("light.turn_on",), {"white": 40, "brightness": 40, "power": True}),
            CloudSet({"color": RED}, ("light.turn_on",), {"color": RED, "white": 40}),
            CloudSet({"white": 60, "brightness": 80}, ("light.turn_on",), {"white": 80, "brightness": 80}),
            CloudSet({"flash": "short"}, ("light.turn_on",), {"white": 80}),
            CloudSet({"white": 0}, ("light.turn_off",), {"power": False, "white": 80}),
            RefusedSet({"color": RED, "white": 40}, 460),
        ),
        "with a white mode",
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_report_and_control(drive: Drive, story: Story) -> None:
    """Changes are reported, and sets are carried out."""
    await drive(story)


async def test_brightness_temperature_and_switch_are_exactly_one_turn_on(drive: Drive) -> None:
    """`set {Brightness, ColorTemperature, LightSwitch}` steps the lamp on once, with the right values from the start."""
    app = await drive(Story("light", Lamp, {"power": False}, ()))
    wanted = {"brightness": 60, "color_temp": 3000, "power": True}
    assert (await app.sets(wanted)).code == 200
    assert app.actions == [("light.turn_on", {"brightness": 153, "color_temp_kelvin": 3000})]
    await app.expect(wanted)


async def test_off_with_a_brightness_is_off(drive: Drive) -> None:
    """`set {LightSwitch: 0, Brightness: 50}` steps the lamp off, and the brightness is not remembered."""
    app = await drive(Story("light", Lamp, {"power": False}, (CloudSet({"brightness": 80}, ("light.turn_on",)),)))
    app.actions.clear()
    assert (await app.sets({"power": False, "brightness": 50})).code == 200
    assert app.actions == [("light.turn_off", {})]
    await app.expect({"power": False, "brightness": 80})
    assert app.hass.states.get(app.entity_id).state == "off"
