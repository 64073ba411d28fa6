"""Lamps."""

from typing import Any, ClassVar

from homeassistant.components.light import ColorMode, LightEntity, LightEntityFeature


class Lamp(LightEntity):
    """A lamp with white light, all colours and an effect, initially off."""

    _attr_name = "thing"
    _attr_supported_color_modes: ClassVar = {ColorMode.COLOR_TEMP, ColorMode.RGB}
    _attr_color_mode = ColorMode.COLOR_TEMP
    _attr_supported_features = LightEntityFeature.EFFECT
    _attr_effect_list: ClassVar = ["off", "rainbow"]
    _attr_is_on = False

    async def async_turn_on(self, **fields: Any) -> None:
        """Turn on and set all fields."""
        self._attr_is_on = True
        for name, value in fields.items():
            setattr(self, f"_attr_{name}", value)
        if "rgb_color" in fields:
            self._attr_color_mode = ColorMode.RGB
        elif "hs_color" in fields:
            self._attr_color_mode = ColorMode.HS
        elif "color_temp_kelvin" in fields:
            self._attr_color_mode = ColorMode.COLOR_TEMP
        elif "white" in fields:
            self._attr_color_mode = ColorMode.WHITE
            self._attr_brightness = fields["white"]

    async def async_turn_off(self, **fields: Any) -> None:
        """Turn off."""
        self._attr_is_on = False


class HueLamp(Lamp):
    """A lamp with the colour mode HS."""

    _attr_supported_color_modes: ClassVar = {ColorMode.COLOR_TEMP, ColorMode.HS}


class Strip(Lamp):
    """A strip with colours and a white mode, initially off."""

    _attr_supported_color_modes: ClassVar = {ColorMode.RGB, ColorMode.WHITE}
    _attr_color_mode = ColorMode.RGB
    _attr_supported_features = LightEntityFeature.FLASH
