"""A phone as a tracked device, the weather and the air."""

from homeassistant.components.air_quality import AirQualityEntity
from homeassistant.components.device_tracker import TrackerEntity
from homeassistant.components.weather import WeatherEntity
from homeassistant.const import UnitOfPressure, UnitOfSpeed, UnitOfTemperature


class Phone(TrackerEntity):
    """A phone in Shanghai, which is not at home."""

    _attr_name = "thing"
    _attr_latitude = 31.2304
    _attr_longitude = 121.4737
    _attr_location_accuracy = 12


class Sky(WeatherEntity):
    """The weather on a fine day."""

    _attr_name = "thing"
    _attr_condition = "sunny"
    _attr_native_temperature = 20.5
    _attr_native_temperature_unit = UnitOfTemperature.CELSIUS
    _attr_humidity = 40
    _attr_native_pressure = 1013
    _attr_native_pressure_unit = UnitOfPressure.HPA
    _attr_native_wind_speed = 18
    _attr_native_wind_speed_unit = UnitOfSpeed.KILOMETERS_PER_HOUR
    _attr_wind_bearing = "SW"


class Air(AirQualityEntity):
    """The air of a city."""

    _attr_name = "thing"
    dust: float | None = 14
    gas: float | None = 600

    @property
    def particulate_matter_2_5(self) -> float | None:
        """Return the fine dust."""
        return self.dust

    @property
    def carbon_dioxide(self) -> float | None:
        """Return the carbon dioxide."""
        return self.gas
