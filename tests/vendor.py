"""Another integration in the house: its entities have a place in the registries and come and go as real ones do."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar

from homeassistant.components.light import ColorMode, LightEntity
from homeassistant.components.number import NumberDeviceClass, NumberEntity
from homeassistant.components.select import SelectEntity
from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorStateClass
from homeassistant.config_entries import ConfigEntry, ConfigFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    MockPlatform,
    mock_integration,
    mock_platform,
)

NAME = "vendor"
PLATFORMS: dict[str, type[Entity]] = {
    "light": LightEntity,
    "number": NumberEntity,
    "select": SelectEntity,
    "sensor": SensorEntity,
}


class VendorFlow(ConfigFlow, domain=NAME):
    """Home Assistant sets no entry up that no flow could have made."""


class Thermometer(SensorEntity):
    """A sensor that measures in Celsius; a user may have it shown in Fahrenheit."""

    _attr_should_poll = False
    _attr_name = "Thermometer"
    _attr_unique_id = "thermometer"
    _attr_device_info = DeviceInfo(identifiers={(NAME, "thermometer")})
    _attr_device_class = SensorDeviceClass.TEMPERATURE
    _attr_state_class = SensorStateClass.MEASUREMENT
    _attr_native_unit_of_measurement = "°C"
    _attr_suggested_display_precision = 1
    _attr_native_value: float | str | None = 20.0


class Hygrometer(Thermometer):
    """The witness of the stories: what it says arrives, whatever happens to the others."""

    _attr_name = "Hygrometer"
    _attr_unique_id = "hygrometer"
    _attr_device_info = DeviceInfo(identifiers={(NAME, "hygrometer")})
    _attr_device_class = SensorDeviceClass.HUMIDITY
    _attr_native_unit_of_measurement = "%"
    _attr_native_value = 40


class Lamp(LightEntity):
    """A lamp that can be dimmed."""

    _attr_should_poll = False
    _attr_name = "Lamp"
    _attr_unique_id = "lamp"
    _attr_device_info = DeviceInfo(identifiers={(NAME, "lamp")})
    _attr_supported_color_modes: ClassVar = {ColorMode.BRIGHTNESS}
    _attr_color_mode = ColorMode.BRIGHTNESS
    _attr_is_on = True
    _attr_brightness = 128

    async def async_turn_on(self, **fields: Any) -> None:
        """Light up, as bright as is wanted."""
        self._attr_is_on = True
        self._attr_brightness = fields.get("brightness", self._attr_brightness)
        self.async_write_ha_state()

    async def async_turn_off(self, **fields: Any) -> None:
        """Go dark."""
        self._attr_is_on = False
        self.async_write_ha_state()


class OtherLamp(Lamp):
    """A second one, dark."""

    _attr_name = "Other lamp"
    _attr_unique_id = "other_lamp"
    _attr_device_info = DeviceInfo(identifiers={(NAME, "other_lamp")})
    _attr_is_on = False


class Programme(SelectEntity):
    """What a machine can do, which depends on what it did before."""

    _attr_should_poll = False
    _attr_name = "Programme"
    _attr_unique_id = "programme"
    _attr_device_info = DeviceInfo(identifiers={(NAME, "programme")})
    _attr_options: ClassVar = ["off", "heat", "cool"]
    _attr_current_option = "heat"

    async def async_select_option(self, option: str) -> None:
        """Take it."""
        self._attr_current_option = option
        self.async_write_ha_state()


class Setpoint(NumberEntity):
    """A number whose limits depend on the season."""

    _attr_should_poll = False
    _attr_name = "Setpoint"
    _attr_unique_id = "setpoint"
    _attr_device_info = DeviceInfo(identifiers={(NAME, "setpoint")})
    _attr_device_class = NumberDeviceClass.TEMPERATURE
    _attr_native_min_value = 10
    _attr_native_max_value = 30
    _attr_native_step = 0.5
    _attr_native_unit_of_measurement = "°C"
    _attr_native_value = 20.0

    async def async_set_native_value(self, value: float) -> None:
        """Take it."""
        self._attr_native_value = value
        self.async_write_ha_state()


class Vendor:
    """The integration with its one entry; `things` are its living entities by their class."""

    def __init__(self, hass: HomeAssistant, kinds: Iterable[type[Entity]]) -> None:
        """Offer entities of these kinds from the next set-up on."""
        self.kinds = list(kinds)
        self.things: dict[type[Entity], Any] = {}
        self.entry = MockConfigEntry(domain=NAME, title="Vendor")
        self._hass = hass

    async def arrive(self) -> None:
        """Set the integration up, for the first time or again."""
        if self._hass.config_entries.async_get_entry(self.entry.entry_id) is None:
            self._install()
        await self._hass.config_entries.async_setup(self.entry.entry_id)
        await self._hass.async_block_till_done()

    async def leave(self) -> None:
        """Unload the integration: its entities stay registered and become unavailable."""
        await self._hass.config_entries.async_unload(self.entry.entry_id)
        await self._hass.async_block_till_done()

    def say(self, kind: type[Entity], **attributes: Any) -> None:
        """Let an entity change by itself."""
        thing = self.things[kind]
        for name, value in attributes.items():
            setattr(thing, f"_attr_{name}", value)
        thing.async_write_ha_state()

    def entity_id(self, kind: type[Entity]) -> str:
        """Return how an entity is called now."""
        return self._registered(kind).entity_id

    def reference(self, kind: type[Entity]) -> str:
        """Return what a binding stores for an entity."""
        return self._registered(kind).id

    def _registered(self, kind: type[Entity]) -> er.RegistryEntry:
        unique_id = self.things[kind].unique_id
        return next(entry for entry in er.async_get(self._hass).entities.values() if entry.unique_id == unique_id)

    def _install(self) -> None:
        mock_integration(self._hass, MockModule(NAME, async_setup_entry=self._set_up, async_unload_entry=self._unload))
        mock_platform(self._hass, f"{NAME}.config_flow", MockPlatform())
        for domain, base in PLATFORMS.items():
            mock_platform(self._hass, f"{NAME}.{domain}", MockPlatform(async_setup_entry=self._adder(base)))
        self.entry.add_to_hass(self._hass)

    async def _set_up(self, hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, list(PLATFORMS))
        return True

    async def _unload(self, hass: HomeAssistant, entry: ConfigEntry) -> bool:
        return await hass.config_entries.async_unload_platforms(entry, list(PLATFORMS))

    def _adder(self, base: type[Entity]) -> Callable[..., Awaitable[None]]:
        """Return what sets one platform up: with new entities each time, as every integration does."""

        async def add(
            hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
        ) -> None:
            made = {kind: kind() for kind in self.kinds if issubclass(kind, base)}
            self.things |= made
            async_add_entities(made.values())

        return add
