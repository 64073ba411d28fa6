"""Many sensors that count, and the properties that they are bound to.

The value of a sensor is the number of the change that made it, so that the cloud can tell which change it has heard of.
"""

from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant

ATTRIBUTES = {"state_class": "measurement", "unit_of_measurement": "W", "device_class": "power"}
"""Home Assistant's own; they stay."""

_SPECS = {"type": "int", "specs": {"min": "0", "max": "2147483647", "step": "1", "unit": "W"}}


@dataclass(frozen=True, slots=True)
class Sensors:
    """`count` sensors; with `every_sample` their bindings ask for each value instead of the newest."""

    count: int
    every_sample: bool = False

    def entity_id(self, change: int) -> str:
        """Return which entity a change is about: they take turns."""
        return f"sensor.power_{change % self.count}"

    def identifier(self, change: int) -> str:
        """Return which property a change is about."""
        return f"Power_{change % self.count}"

    def bindings(self) -> list[dict[str, Any]]:
        """Return a binding of each as it is stored."""
        more = {"every_sample": True} if self.every_sample else {}
        return [
            {"identifier": self.identifier(number), "entity": self.entity_id(number), "aspect": "value", **more}
            for number in range(self.count)
        ]

    def thing_model(self) -> dict[str, Any]:
        """Return the thing model with all properties."""
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
        """Return the value of each property after these changes; those that did not change are left out."""
        return {self.identifier(one): one for one in changes[-self.count :]}

    def change(self, hass: HomeAssistant, number: int, at: float | None = None) -> None:
        """Make one change, at a time of its own in Unix seconds if it is given."""
        hass.states.async_set(self.entity_id(number), str(number), ATTRIBUTES, timestamp=at)
