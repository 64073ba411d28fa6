"""Many sensors, and the properties that they are bound to.

The value of a sensor is the number of its last change, so that each value at the cloud belongs to a known change.
"""

from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant

ATTRIBUTES = {"state_class": "measurement", "unit_of_measurement": "W", "device_class": "power"}
"""Attributes of Home Assistant that never change."""

_SPECS = {"type": "int", "specs": {"min": "0", "max": "2147483647", "step": "1", "unit": "W"}}


@dataclass(frozen=True, slots=True)
class Sensors:
    """`count` sensors; with `every_sample` their bindings post every value instead of the newest."""

    count: int
    every_sample: bool = False

    def entity_id(self, change: int) -> str:
        """Return the entity of a change: the sensors take turns."""
        return f"sensor.power_{change % self.count}"

    def identifier(self, change: int) -> str:
        """Return the property of a change."""
        return f"Power_{change % self.count}"

    def bindings(self) -> list[dict[str, Any]]:
        """Return the binding of each sensor as it is stored."""
        more = {"every_sample": True} if self.every_sample else {}
        return [
            {"identifier": self.identifier(number), "entity": self.entity_id(number), "aspect": "value", **more}
            for number in range(self.count)
        ]

    def thing_model(self) -> dict[str, Any]:
        """Return the thing model with the properties of all sensors."""
        properties = [
            {
                "identifier": self.identifier(number),
                "name": self.entity_id(number),
                "accessMode": "r",
                "required": False,
                "dataType": _SPECS,
            }
            for number in range(self.count)
        ]
        return {"properties": properties, "events": [], "services": []}

    def last(self, changes: range) -> dict[str, int]:
        """Return the value of each property that has changed after these changes."""
        return {self.identifier(change): change for change in changes[-self.count :]}

    def change(self, hass: HomeAssistant, number: int, at: float | None = None) -> None:
        """Make a change, `at` a time in Unix seconds or now."""
        hass.states.async_set(self.entity_id(number), str(number), ATTRIBUTES, timestamp=at)
