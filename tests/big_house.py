"""A house with 300 working entities of 16 domains: 60 devices of ten types in six areas."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.components.button import ButtonEntity
from homeassistant.components.climate import ClimateEntity
from homeassistant.components.climate.const import ClimateEntityFeature, HVACMode
from homeassistant.components.cover import CoverDeviceClass, CoverEntity
from homeassistant.components.fan import FanEntity, FanEntityFeature
from homeassistant.components.humidifier import HumidifierEntity
from homeassistant.components.light import ColorMode, LightEntity
from homeassistant.components.lock import LockEntity
from homeassistant.components.number import NumberEntity
from homeassistant.components.select import SelectEntity
from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.components.siren import SirenEntity, SirenEntityFeature
from homeassistant.components.switch import SwitchEntity
from homeassistant.components.text import TextEntity
from homeassistant.components.vacuum import StateVacuumEntity, VacuumActivity, VacuumEntityFeature
from homeassistant.components.valve import ValveEntity, ValveEntityFeature
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EntityCategory
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity

INTEGRATION = "big_house"
ROOMS = ("客厅", "主卧", "书房", "厨房", "Garage", "Garden")


@dataclass(frozen=True, slots=True)
class Room:
    """The area of a device; `entry_id` makes unique ids different."""

    name: str
    entry_id: str


class Thing(Entity):
    """An entity of a device of the house."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def place(self, room: Room, device: str, name: str | None) -> Thing:
        """Assign the entity to its device and its area."""
        key = f"{room.entry_id}_{room.name}_{device}"
        self._attr_unique_id = f"{key}_{self.__class__.__name__}_{name}"
        self._attr_name = name
        self._attr_device_info = DeviceInfo(
            identifiers={(INTEGRATION, key)}, name=f"{room.name} {device}", suggested_area=room.name
        )
        return self


class Switched(Thing):
    """An entity that can be turned on and off."""

    _attr_is_on = False

    async def async_turn_on(self, **fields: Any) -> None:
        """Turn on and set all fields."""
        for name, value in fields.items():
            setattr(self, f"_attr_{name}", value)
        self._attr_is_on = True
        self.async_write_ha_state()

    async def async_turn_off(self, **fields: Any) -> None:
        """Turn off."""
        self._attr_is_on = False
        self.async_write_ha_state()


class Lamp(Switched, LightEntity):
    """A lamp with a variable colour temperature."""

    _attr_supported_color_modes: ClassVar = {ColorMode.COLOR_TEMP}
    _attr_color_mode = ColorMode.COLOR_TEMP
    _attr_brightness = 128
    _attr_color_temp_kelvin = 4000
    _attr_is_on = True


class Socket(Switched, SwitchEntity):
    """A socket."""


class Fan(Switched, FanEntity):
    """A fan with four speeds."""

    _attr_supported_features = FanEntityFeature.SET_SPEED | FanEntityFeature.TURN_ON | FanEntityFeature.TURN_OFF
    _attr_speed_count = 4
    _attr_percentage = 50

    async def async_set_percentage(self, percentage: int) -> None:
        """Set the speed."""
        self._attr_percentage = percentage
        self.async_write_ha_state()


class Humidifier(Switched, HumidifierEntity):
    """A humidifier."""

    _attr_target_humidity = 50

    async def async_set_humidity(self, humidity: int) -> None:
        """Set the target humidity."""
        self._attr_target_humidity = humidity
        self.async_write_ha_state()


class Siren(Switched, SirenEntity):
    """A siren."""

    _attr_supported_features = SirenEntityFeature.TURN_ON | SirenEntityFeature.TURN_OFF


class AirConditioner(Thing, ClimateEntity):
    """An air conditioner."""

    _attr_supported_features = ClimateEntityFeature.TARGET_TEMPERATURE
    _attr_hvac_modes: ClassVar = [HVACMode.OFF, HVACMode.COOL, HVACMode.HEAT]
    _attr_hvac_mode = HVACMode.COOL
    _attr_temperature_unit = "°C"
    _attr_target_temperature = 26.0
    _attr_current_temperature = 27.5

    async def async_set_temperature(self, **fields: Any) -> None:
        """Set the target temperature."""
        self._attr_target_temperature = fields["temperature"]
        self.async_write_ha_state()

    async def async_set_hvac_mode(self, hvac_mode: HVACMode) -> None:
        """Set the mode."""
        self._attr_hvac_mode = hvac_mode
        self.async_write_ha_state()


class Curtain(Thing, CoverEntity):
    """A curtain."""

    _attr_device_class = CoverDeviceClass.CURTAIN
    _attr_current_cover_position = 100
    _attr_is_closed = False

    async def async_set_cover_position(self, **fields: Any) -> None:
        """Set the position."""
        self._attr_current_cover_position = fields["position"]
        self._attr_is_closed = fields["position"] == 0
        self.async_write_ha_state()


class Bolt(Thing, LockEntity):
    """A lock."""

    _attr_is_locked = True


class Level(Thing, NumberEntity):
    """A number."""

    _attr_entity_category = EntityCategory.CONFIG
    _attr_native_value = 10

    async def async_set_native_value(self, value: float) -> None:
        """Set the number."""
        self._attr_native_value = value
        self.async_write_ha_state()


class Choice(Thing, SelectEntity):
    """A select entity."""

    _attr_options: ClassVar = ["quiet", "normal", "strong"]
    _attr_current_option = "normal"

    async def async_select_option(self, option: str) -> None:
        """Select an option."""
        self._attr_current_option = option
        self.async_write_ha_state()


class Note(Thing, TextEntity):
    """A text."""

    _attr_native_value = "你好"

    async def async_set_value(self, value: str) -> None:
        """Set the value."""
        self._attr_native_value = value
        self.async_write_ha_state()


class Press(Thing, ButtonEntity):
    """A button."""

    async def async_press(self) -> None:
        """Do nothing; Home Assistant sets the state."""


class Tap(Thing, ValveEntity):
    """A tap."""

    _attr_reports_position = False
    _attr_supported_features = ValveEntityFeature.OPEN | ValveEntityFeature.CLOSE
    _attr_is_closed = True


class Robot(Thing, StateVacuumEntity):
    """A vacuum cleaner."""

    _attr_activity = VacuumActivity.DOCKED
    _attr_supported_features = VacuumEntityFeature.START | VacuumEntityFeature.PAUSE | VacuumEntityFeature.STATE


class Gauge(Thing, SensorEntity):
    """A sensor."""

    def __init__(self, measured: SensorDeviceClass, unit: str, value: float, *, diagnostic: bool = False) -> None:
        """Set device class, unit and value."""
        self._attr_device_class = measured
        self._attr_native_unit_of_measurement = unit
        self._attr_native_value = value
        self._attr_entity_category = EntityCategory.DIAGNOSTIC if diagnostic else None


class Contact(Thing, BinarySensorEntity):
    """A binary sensor."""

    _attr_is_on = False

    def __init__(self, measured: BinarySensorDeviceClass) -> None:
        """Set the device class."""
        self._attr_device_class = measured


def temperature(value: float) -> Gauge:
    """Return a thermometer."""
    return Gauge(SensorDeviceClass.TEMPERATURE, "°C", value)


def humidity(value: float) -> Gauge:
    """Return a hygrometer."""
    return Gauge(SensorDeviceClass.HUMIDITY, "%", value)


def power(value: float) -> Gauge:
    """Return a power meter."""
    return Gauge(SensorDeviceClass.POWER, "W", value)


def battery() -> Gauge:
    """Return a battery sensor, which is a diagnostic entity."""
    return Gauge(SensorDeviceClass.BATTERY, "%", 90, diagnostic=True)


def _device(kind: int) -> tuple[str, list[tuple[str | None, Thing]]]:
    """Return the name of a type of device and its five entities."""
    match kind:
        case 0:
            return "吸顶灯", [
                (None, Lamp()),
                ("功率", power(9.5)),
                ("场景", Choice()),
                ("延时", Level()),
                ("识别", Press()),
            ]
        case 1:
            return "插座", [
                (None, Socket()),
                ("功率", power(120)),
                ("电压", Gauge(SensorDeviceClass.VOLTAGE, "V", 228.4)),
                ("用电量", Gauge(SensorDeviceClass.ENERGY, "kWh", 12.75)),
                ("童锁", Socket()),
            ]
        case 2:
            return "空调", [
                (None, AirConditioner()),
                ("功率", power(800)),
                ("静音", Socket()),
                ("风门", Choice()),
                ("灯", Socket()),
            ]
        case 3:
            return "窗帘", [
                (None, Curtain()),
                ("电池", battery()),
                ("速度", Choice()),
                ("校准", Press()),
                ("限位", Level()),
            ]
        case 4:
            return "温湿度计", [
                ("温度", temperature(21.5)),
                ("湿度", humidity(45.7)),
                ("电池", battery()),
                ("气压", Gauge(SensorDeviceClass.PRESSURE, "hPa", 1013.2)),
                ("光照", Gauge(SensorDeviceClass.ILLUMINANCE, "lx", 320)),
            ]
        case 5:
            return "Door", [
                (None, Contact(BinarySensorDeviceClass.DOOR)),
                ("Lock", Bolt()),
                ("Tamper", Contact(BinarySensorDeviceClass.TAMPER)),
                ("Battery", battery()),
                ("Note", Note()),
            ]
        case 6:
            return "Fan", [
                (None, Fan()),
                ("Power", power(30)),
                ("Night", Socket()),
                ("Timer", Level()),
                ("Mode", Choice()),
            ]
        case 7:
            return "Humidifier", [
                (None, Humidifier()),
                ("Humidity", humidity(48)),
                ("Water low", Contact(BinarySensorDeviceClass.PROBLEM)),
                ("Child lock", Socket()),
                ("Reset", Press()),
            ]
        case 8:
            return "Alarm", [
                (None, Siren()),
                ("Smoke", Contact(BinarySensorDeviceClass.SMOKE)),
                ("Motion", Contact(BinarySensorDeviceClass.MOTION)),
                ("Temperature", temperature(23)),
                ("Volume", Level()),
            ]
        case _:
            return "Robot", [
                (None, Robot()),
                ("Suction", Choice()),
                ("Battery", battery()),
                ("Valve", Tap()),
                ("Locate", Press()),
            ]


def things(entry: ConfigEntry, domain: type[Entity]) -> Iterator[Thing]:
    """Yield the entities of one domain, given by its entity class, each with its device and area."""
    for room in ROOMS:
        for kind in range(10):
            device, parts = _device(kind)
            for name, thing in parts:
                if isinstance(thing, domain):
                    yield thing.place(Room(room, entry.entry_id), device, name)


DOMAINS: dict[str, type[Entity]] = {
    "binary_sensor": BinarySensorEntity,
    "button": ButtonEntity,
    "climate": ClimateEntity,
    "cover": CoverEntity,
    "fan": FanEntity,
    "humidifier": HumidifierEntity,
    "light": LightEntity,
    "lock": LockEntity,
    "number": NumberEntity,
    "select": SelectEntity,
    "sensor": SensorEntity,
    "siren": SirenEntity,
    "switch": SwitchEntity,
    "text": TextEntity,
    "vacuum": StateVacuumEntity,
    "valve": ValveEntity,
}
"""The entity class of each domain in the house."""
