"""Resolving bindings, and bindings that can't work."""

from homeassistant.core import HomeAssistant, State
from homeassistant.util import dt as dt_util
import pytest

from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from custom_components.aliyun_iot.bound import bind
from custom_components.aliyun_iot.mapping.aspect import Reason, Refused
from custom_components.aliyun_iot.mapping.binding import Access, Binding, Conversion

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
    """Each has a reason and doesn't affect the others."""
    bound = bind(hass, [Binding(identifier, entity, aspect), Binding("LightSwitch", "switch.other", "power")], MODEL)
    assert problem in str(bound.problems[identifier])
    assert bound.problems[identifier].describe("zh-Hans") != str(bound.problems[identifier])
    assert [prop.entity_id for prop in bound.by_identifier.values()] == ["switch.other"]


@pytest.mark.parametrize(
    ("entity_id", "aspect", "attributes"),
    [
        ("sensor.x", "value", {"unit_of_measurement": "m"}),
        ("sensor.x", "moment", {"device_class": "timestamp"}),
        ("sensor.x", "moment", {"device_class": "date"}),
        ("number.x", "value", {}),
        ("input_number.x", "value", {}),
        ("counter.x", "value", {}),
        ("date.x", "date", {}),
        ("datetime.x", "datetime", {}),
        ("time.x", "time", {}),
    ],
)
async def test_state_of_a_wrong_type_is_refused(
    hass: HomeAssistant, entity_id: str, aspect: str, attributes: dict[str, str]
) -> None:
    """Text where a number or a time belongs does not vanish; without a state there is just no value."""
    prop = bind(hass, [Binding("X", entity_id, aspect)], None).by_identifier["X"]
    with pytest.raises(Refused, match="12,5") as refused:
        prop.sample(State(entity_id, "12,5", attributes), dt_util.utcnow())
    assert refused.value.reason is Reason.WRONG_TYPE
    assert "的状态" in refused.value.describe("zh-Hans")
    for nothing in ("", "unknown", "unavailable"):
        assert prop.sample(State(entity_id, nothing, attributes), dt_util.utcnow()) is None


async def test_property_bound_twice(hass: HomeAssistant) -> None:
    """Only the first binding of a property works."""
    bound = bind(
        hass, [Binding("LightSwitch", "switch.a", "power"), Binding("LightSwitch", "switch.b", "power")], MODEL
    )
    assert bound.by_identifier["LightSwitch"].entity_id == "switch.a"
    assert "more than once" in str(bound.problems["LightSwitch"])


ACTIONS = [{"action": "light.toggle"}]


async def test_bindings_without_an_entity(hass: HomeAssistant) -> None:
    """They are found only by their identifier."""
    bound = bind(
        hass,
        [
            Binding("LightSwitch", "", "template", source="{{ true }}"),
            Binding("Other", "", "actions", Access.CONTROL, actions=ACTIONS),
        ],
        None,
    )
    assert not bound.by_entity
    assert [prop.entity_id for prop in bound.by_identifier.values()] == ["", ""]
    assert [prop.writable for prop in bound.by_identifier.values()] == [False, True]


@pytest.mark.parametrize(
    ("binding", "writable"),
    [
        (Binding("A", "switch.a", "power"), True),
        (Binding("A", "switch.a", "power", conversion=Conversion(template="{{ value }}")), False),
        (
            Binding(
                "A", "switch.a", "power", conversion=Conversion(template="{{ value }}", template_back="{{ value }}")
            ),
            True,
        ),
        (Binding("A", "switch.a", "power", conversion=Conversion(template="{{ value }}"), actions=ACTIONS), True),
        (Binding("A", "switch.a", "raw_state"), False),
        (Binding("A", "switch.a", "raw_state", actions=ACTIONS), True),
        (Binding("A", "zone.a", "attribute", source="radius"), False),
        (Binding("A", "binary_sensor.a", "state"), False),
        (Binding("A", "binary_sensor.a", "state", actions=ACTIONS), True),
    ],
)
async def test_writable_properties(hass: HomeAssistant, binding: Binding, writable: bool) -> None:
    """A writable aspect without a one-way template, or own actions."""
    assert bind(hass, [binding], None).by_identifier["A"].writable is writable
    read_only = ThingModel.parse(
        {"properties": [{"identifier": "A", "accessMode": "r", "dataType": {"type": "bool", "specs": {}}}]}
    )
    assert not bind(hass, [binding], read_only).by_identifier["A"].writable


async def test_equal_bindings_are_equal_when_bound(hass: HomeAssistant) -> None:
    """An unchanged binding is not posted or tracked again."""
    rows = [
        Binding("A", "zone.a", "attribute", source="radius", conversion=Conversion(template="{{ value }}")),
        Binding("B", "", "template", source="{{ 1 }}"),
    ]
    assert bind(hass, rows, None) == bind(hass, rows, None)
