"""Electricity meters of a large building, five sensors each, for the tests that count clicks among many bindings."""

from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant

DOMAIN = "meters"
QUANTITIES = {"Power": "W", "Voltage": "V", "Current": "A", "Energy": "kWh", "Temperature": "°C"}
"""The quantities of each meter, with their units."""

PER_FLOOR = 10


@dataclass(frozen=True, slots=True)
class Sensor:
    """The names and the constant value of one sensor."""

    number: int

    @property
    def quantity(self) -> str:
        """What is measured."""
        return tuple(QUANTITIES)[self.number % len(QUANTITIES)]

    @property
    def meter(self) -> str:
        """The name of the meter, as 3F-07: the seventh of the third floor."""
        floor, place = divmod(self.number // len(QUANTITIES), PER_FLOOR)
        return f"{floor + 1}F-{place + 1:02}"

    @property
    def unique_id(self) -> str:
        """The meter and the quantity, which is the identifier of the property in the cloud as well."""
        return f"M{self.meter.replace('-', '_')}_{self.quantity}"

    @property
    def entity_id(self) -> str:
        """The id of the entity."""
        return f"sensor.{self.unique_id.lower()}"

    @property
    def value(self) -> float:
        """The value, a different one for each sensor."""
        return 100.5 + self.number


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Create the meters."""
    await hass.config_entries.async_forward_entry_setups(entry, [Platform.SENSOR])
    return True
