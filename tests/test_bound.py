"""Bindings brought to life, and those that can't be."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink import ThingModel
from custom_components.aliyun_iot.bound import bind
from custom_components.aliyun_iot.mapping.binding import Binding

MODEL = ThingModel.parse(
    {"properties": [{"identifier": "LightSwitch", "accessMode": "rw", "dataType": {"type": "bool", "specs": {}}}]}
)


@pytest.mark.parametrize(
    ("identifier", "entity", "aspect", "problem"),
    [
        ("LightSwitch", "0123456789", "power", "removed"),
        ("LightSwitch", "todo.list", "power", "todo.list has no power"),
        ("LightSwitch", "switch.lamp", "colour", "switch.lamp has no colour"),
        ("Unknown", "switch.lamp", "power", "no such property"),
    ],
)
async def test_bindings_that_cannot_work(
    hass: HomeAssistant, identifier: str, entity: str, aspect: str, problem: str
) -> None:
    """Each says why, and stops no other."""
    bound = bind(hass, [Binding(identifier, entity, aspect), Binding("LightSwitch", "switch.other", "power")], MODEL)
    assert problem in bound.problems[identifier]
    assert [one.entity_id for one in bound.by_identifier.values()] == ["switch.other"]


async def test_property_bound_twice(hass: HomeAssistant) -> None:
    """Two entities can't be one property; the first one is."""
    bound = bind(
        hass, [Binding("LightSwitch", "switch.a", "power"), Binding("LightSwitch", "switch.b", "power")], MODEL
    )
    assert bound.by_identifier["LightSwitch"].entity_id == "switch.a"
    assert "more than once" in bound.problems["LightSwitch"]
