"""Another integration, whose registered entities can be loaded, changed and unloaded."""

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
    """A config flow, without which Home Assistant does not set up an entry."""


class Thermometer(SensorEntity):
    """A sensor that measures in °C; a user can change the unit to °F."""

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
    """A second sensor, whose values must arrive whatever happens to other entities."""

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
        """Turn on, with the given brightness if any."""
        self._attr_is_on = True
        self._attr_brightness = fields.get("brightness", self._attr_brightness)
        self.async_write_ha_state()

    async def async_turn_off(self, **fields: Any) -> None:
        """Turn off."""
        self._attr_is_on = False
        self.async_write_ha_state()


class OtherLamp(Lamp):
    """A second lamp, which is off."""

    _attr_name = "Other lamp"
    _attr_unique_id = "other_lamp"
    _attr_device_info = DeviceInfo(identifiers={(NAME, "other_lamp")})
    _attr_is_on = False


class Programme(SelectEntity):
    """A select entity, whose options can change."""

    _attr_should_poll = False
    _attr_name = "Programme"
    _attr_unique_id = "programme"
    _attr_device_info = DeviceInfo(identifiers={(NAME, "programme")})
    _attr_options: ClassVar = ["off", "heat", "cool"]
    _attr_current_option = "heat"

    async def async_select_option(self, option: str) -> None:
        """Set the value."""
        self._attr_current_option = option
        self.async_write_ha_state()


class Setpoint(NumberEntity):
    """A number entity, whose limits can change."""

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
        """Set the value."""
        self._attr_native_value = value
        self.async_write_ha_state()


class Vendor:
    """The integration with its config entry; `entities` are the loaded entities by their class."""

    def __init__(self, hass: HomeAssistant, kinds: Iterable[type[Entity]]) -> None:
        """Provide entities of these classes from the next set-up on."""
        self.kinds = list(kinds)
        self.entities: dict[type[Entity], Any] = {}
        self.entry = MockConfigEntry(domain=NAME, title="Vendor")
        self._hass = hass

    async def set_up(self) -> None:
        """Set up the integration, for the first time or again."""
        if self._hass.config_entries.async_get_entry(self.entry.entry_id) is None:
            self._install()
        await self._hass.config_entries.async_setup(self.entry.entry_id)
        await self._hass.async_block_till_done()

    async def unload(self) -> None:
        """Unload the integration; its entities stay registered and become unavailable."""
        await self._hass.config_entries.async_unload(self.entry.entry_id)
        await self._hass.async_block_till_done()

    def update(self, kind: type[Entity], **attributes: Any) -> None:
        """Change attributes of an entity and write its state."""
        entity = self.entities[kind]
        for name, value in attributes.items():
            setattr(entity, f"_attr_{name}", value)
        entity.async_write_ha_state()

    def entity_id(self, kind: type[Entity]) -> str:
        """Return the present entity id of an entity."""
        return self._registered(kind).entity_id

    def reference(self, kind: type[Entity]) -> str:
        """Return the reference that a binding stores for an entity."""
        return self._registered(kind).id

    def _registered(self, kind: type[Entity]) -> er.RegistryEntry:
        unique_id = self.entities[kind].unique_id
        return next(entry for entry in er.async_get(self._hass).entities.values() if entry.unique_id == unique_id)

    def _install(self) -> None:
        mock_integration(
            self._hass, MockModule(NAME, async_setup_entry=self._set_up_entry, async_unload_entry=self._unload_entry)
        )
        mock_platform(self._hass, f"{NAME}.config_flow", MockPlatform())
        for domain, base in PLATFORMS.items():
            mock_platform(self._hass, f"{NAME}.{domain}", MockPlatform(async_setup_entry=self._adder(base)))
        self.entry.add_to_hass(self._hass)

    async def _set_up_entry(self, hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, list(PLATFORMS))
        return True

    async def _unload_entry(self, hass: HomeAssistant, entry: ConfigEntry) -> bool:
        return await hass.config_entries.async_unload_platforms(entry, list(PLATFORMS))

    def _adder(self, base: type[Entity]) -> Callable[..., Awaitable[None]]:
        """Return the set-up function of a platform, which adds new entities each time."""

        async def add(
            hass: HomeAssistant, entry: ConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
        ) -> None:
            made = {kind: kind() for kind in self.kinds if issubclass(kind, base)}
            self.entities |= made
            async_add_entities(made.values())

        return add
