"""Entities of several domains that change their states, and their bindings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homeassistant.components.climate.const import ClimateEntityFeature
from homeassistant.components.cover import CoverEntityFeature

from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from custom_components.aliyun_iot.mapping.binding import Binding, Conversion

type Specs = Mapping[str, Any]
"""The `dataType` of a property in a thing model."""

PERCENT: Specs = {"type": "int", "specs": {"min": "0", "max": "100", "step": "1", "unit": "%"}}
CELSIUS: Specs = {"type": "float", "specs": {"min": "-40", "max": "120", "step": "0.1", "unit": "°C"}}
WATT: Specs = {"type": "double", "specs": {"min": "0", "max": "100000", "step": "0.01", "unit": "W"}}
KELVIN: Specs = {"type": "int", "specs": {"min": "2000", "max": "7000", "step": "1", "unit": "K"}}
ON_OFF: Specs = {"type": "bool", "specs": {"0": "关闭", "1": "打开"}}
MODES: Specs = {"type": "enum", "specs": {"0": "关机", "1": "制冷", "2": "制热", "3": "自动"}}
TEXT: Specs = {"type": "text", "specs": {"length": "255"}}


@dataclass(frozen=True, slots=True)
class Sort:
    """Entities of one domain: their bound aspects with the property of each, and their states.

    `states` are two states that alternate, each with its changing attributes. `capabilities` are the attributes that never
    change. `bound_with` has further fields of every binding.
    """

    domain: str
    name: str
    properties: Mapping[str, Specs]
    capabilities: Mapping[str, Any]
    states: tuple[tuple[str, Mapping[str, Any]], tuple[str, Mapping[str, Any]]]
    bound_with: Mapping[str, Any] = field(default_factory=dict)

    def entity_id(self, number: int) -> str:
        """Return the entity id of the entity with this number."""
        return f"{self.domain}.{self.name}_{number}"

    def state(self, turn: int) -> tuple[str, Mapping[str, Any]]:
        """Return the state of a turn, with all attributes."""
        state, changing = self.states[turn % 2]
        return state, {**self.capabilities, **changing}

    def bindings(self, number: int) -> list[Binding]:
        """Return the bindings of one entity."""
        return [
            Binding(_identifier(self, number, aspect), self.entity_id(number), aspect, **self.bound_with)
            for aspect in self.properties
        ]

    def definitions(self, number: int) -> list[dict[str, Any]]:
        """Return the properties of one entity for a thing model."""
        return [
            {"identifier": _identifier(self, number, aspect), "name": aspect, "accessMode": "rw", "dataType": specs}
            for aspect, specs in self.properties.items()
        ]


def _identifier(sort: Sort, number: int, aspect: str) -> str:
    return f"{sort.name}_{number}_{aspect}"


def thing_model(sorts: tuple[Sort, ...], count: int) -> ThingModel:
    """Return a thing model with the properties of `count` entities of each sort."""
    properties = [definition for sort in sorts for number in range(count) for definition in sort.definitions(number)]
    return ThingModel.parse({"properties": properties})


SORTS = (
    Sort("binary_sensor", "door", {"state": ON_OFF}, {"device_class": "door"}, (("off", {}), ("on", {}))),
    Sort(
        "climate",
        "thermostat",
        {"current_temperature": CELSIUS, "mode": MODES, "target_temperature": CELSIUS},
        {
            "hvac_modes": ["off", "heat", "cool", "auto"],
            "supported_features": int(ClimateEntityFeature.TARGET_TEMPERATURE | ClimateEntityFeature.TURN_OFF),
            "min_temp": 7,
            "max_temp": 35,
            "target_temp_step": 0.5,
            "temperature": 21.5,
        },
        (("heat", {"current_temperature": 20.3}), ("heat", {"current_temperature": 20.4})),
    ),
    Sort(
        "cover",
        "curtain",
        {"position": PERCENT},
        {"supported_features": int(CoverEntityFeature.SET_POSITION)},
        (("open", {"current_position": 40}), ("open", {"current_position": 60})),
    ),
    Sort(
        "light",
        "lamp",
        {"power": ON_OFF, "brightness": PERCENT, "color_temp": KELVIN},
        {
            "supported_color_modes": ["color_temp"],
            "color_mode": "color_temp",
            "min_color_temp_kelvin": 2000,
            "max_color_temp_kelvin": 6500,
            "color_temp_kelvin": 4000,
        },
        (("on", {"brightness": 100}), ("on", {"brightness": 200})),
    ),
    Sort("number", "level", {"value": PERCENT}, {"min": 0, "max": 100, "step": 1}, (("10", {}), ("20", {}))),
    Sort("select", "program", {"option": MODES}, {"options": ["off", "cool", "heat"]}, (("cool", {}), ("heat", {}))),
    Sort(
        "sensor",
        "fahrenheit",
        {"value": CELSIUS},
        {"device_class": "temperature", "state_class": "measurement", "unit_of_measurement": "°F"},
        (("68.3", {}), ("68.9", {})),
    ),
    Sort(
        "sensor",
        "power",
        {"value": WATT},
        {"device_class": "power", "state_class": "measurement", "unit_of_measurement": "W"},
        (("1203.4", {}), ("1207.9", {})),
    ),
    Sort(
        "sensor",
        "battery",
        {"attribute": PERCENT},
        {},
        (("idle", {"battery_level": 80}), ("idle", {"battery_level": 79})),
        {"source": "battery_level"},
    ),
    Sort(
        "sensor",
        "templated",
        {"value": WATT},
        {"state_class": "measurement"},
        (("1.2", {}), ("1.3", {})),
        {"conversion": Conversion(template="{{ value * 1000 }}")},
    ),
    Sort("sensor", "text", {"text": TEXT}, {}, (("washing", {}), ("spinning", {}))),
    Sort("switch", "socket", {"power": ON_OFF}, {}, (("off", {}), ("on", {}))),
)
