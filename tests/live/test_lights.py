"""Lamps, and what the issue of the mapping asks of them by name."""

import pytest

from ..things.lights import HueLamp, Lamp
from .driving import Drive, Happens, Refuses, Sets, Story

RED = {"Red": 255, "Green": 0, "Blue": 0}

STORIES = (
    Story(
        "light",
        Lamp,
        {"power": False},
        (
            Sets({"power": True}, ("light.turn_on",)),
            Sets({"brightness": 30}, ("light.turn_on",)),
            Sets({"color_temp": 2700, "brightness": 60}, ("light.turn_on",)),
            Sets({"color": RED}, ("light.turn_on",)),
            Sets({"effect": "rainbow"}, ("light.turn_on",)),
            Happens("light.turn_on", {"brightness_pct": 1, "effect": "off"}, {"brightness": 1, "effect": "off"}),
            Sets({"brightness": 0}, ("light.turn_off",), {"power": False}),
            Refuses({"color": RED, "color_temp": 2700}, 460),
        ),
    ),
    Story(
        "light",
        HueLamp,
        {"power": False},
        (
            Sets({"hsv": {"Hue": 201, "Saturation": 3, "Value": 7}}, ("light.turn_on",)),
            Sets({"hsv": {"Hue": 359, "Saturation": 100, "Value": 100}}, ("light.turn_on",)),
            Happens(
                "light.turn_on",
                {"hs_color": [120, 50], "brightness_pct": 40},
                {"hsv": {"Hue": 120, "Saturation": 50, "Value": 40}, "brightness": 40},
            ),
            Sets({"hsv": {"Hue": 0, "Saturation": 0, "Value": 0}}, ("light.turn_off",), {"power": False}),
        ),
        "in hues",
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_both_ways(drive: Drive, story: Story) -> None:
    """The cloud learns what the lamp does, and gets what it sets."""
    await drive(story)


async def test_brightness_temperature_and_switch_are_exactly_one_turn_on(drive: Drive) -> None:
    """`set {Brightness, ColorTemperature, LightSwitch}` lights the lamp once, as it should be from the first moment."""
    remote = await drive(Story("light", Lamp, {"power": False}, ()))
    wanted = {"brightness": 60, "color_temp": 3000, "power": True}
    assert (await remote.sets(wanted)).code == 200
    assert remote.actions == [("light.turn_on", {"brightness": 153, "color_temp_kelvin": 3000})]
    await remote.learns(wanted)


async def test_off_with_a_brightness_is_off(drive: Drive) -> None:
    """`set {LightSwitch: 0, Brightness: 50}` turns the lamp off, and the brightness is not remembered."""
    remote = await drive(Story("light", Lamp, {"power": False}, (Sets({"brightness": 80}, ("light.turn_on",)),)))
    remote.actions.clear()
    assert (await remote.sets({"power": False, "brightness": 50})).code == 200
    assert remote.actions == [("light.turn_off", {})]
    await remote.learns({"power": False, "brightness": 80})
    assert remote.hass.states.get(remote.entity_id).state == "off"
