"""Groups: what they are follows from their members, and only what `homeassistant.turn_on` really sets can be set."""

from homeassistant.core import HomeAssistant, State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Reason, Refused
from custom_components.aliyun_iot.mapping.domains import aspect_of
from custom_components.aliyun_iot.mapping.suggest.suggestions import suggest
from custom_components.aliyun_iot.risk import risk_in

from ..domain_helpers import actions_for, read

SWITCHED = ["light.a", "switch.b"]


def group(state: str, *members: str) -> State:
    """Return a group."""
    return State("group.some", state, {"entity_id": members})


@pytest.mark.parametrize(
    ("state", "members", "values"),
    [
        ("on", ("light.a", "switch.b"), {"power": True}),
        ("off", ("cover.a", "light.a"), {"power": False}),
        ("open", ("cover.a", "cover.b"), {"open": True}),
        ("closed", ("cover.a",), {"open": False}),
        ("home", ("person.a", "device_tracker.b"), {"home": True}),
        ("not_home", ("person.a",), {"home": False}),
        ("locked", ("lock.a",), {"locked": True}),
        ("unlocked", ("lock.a",), {"locked": False}),
        ("problem", ("plant.a",), {"problem": True}),
        ("ok", ("plant.a",), {"problem": False}),
        ("home", (), {"home": True}),
        ("unknown", ("person.a",), {"home": None}),
        ("unknown", ("lock.a", "light.a"), {"power": None}),
        ("unknown", (), {"power": None}),
    ],
)
def test_values_of_a_group(state: str, members: tuple[str, ...], values: dict[str, bool | None]) -> None:
    """One yes or no; also while the state is unknown it is known which."""
    assert read(group(state, *members)) == values


@pytest.mark.parametrize(("on", "action"), [(True, "turn_on"), (False, "turn_off")])
def test_group_is_turned_on_and_off(on: bool, action: str) -> None:
    """Home Assistant sets every member."""
    assert actions_for(group("unknown", *SWITCHED), {"power": on}) == [ActionCall("homeassistant", action)]


@pytest.mark.parametrize(
    "member", ["lock.a", "cover.a", "sensor.a", "scene.a", "person.a", "vacuum.a", "group.gone", "odd"]
)
def test_group_with_another_member_is_only_reported(member: str) -> None:
    """It would be left out without an error, and the cloud would be told that it was set."""
    with pytest.raises(Refused) as refused:
        actions_for(group("on", *SWITCHED, member), {"power": False})
    assert refused.value.reason is Reason.NOT_SUPPORTED


def test_group_without_members_is_only_reported() -> None:
    """There is nothing to set."""
    assert not aspect_of("group.some", "power").controllable(group("on"))


@pytest.mark.parametrize(("member", "risky"), [("fan.a", False), ("siren.a", True), ("script.a", True)])
async def test_group_is_as_risky_as_its_members(hass: HomeAssistant, member: str, risky: bool) -> None:
    """One is enough."""
    some = group("on", *SWITCHED, member)
    risk = risk_in(hass)
    hass.states.async_set(some.entity_id, some.state, some.attributes)
    assert risk(some, None) is risky
    assert [row.access for row in suggest(some, None, (), risk)] == ["report" if risky else "both"]


async def test_groups_in_groups(hass: HomeAssistant) -> None:
    """Their members count, also if two groups contain each other."""
    hass.states.async_set("group.lamps", "on", {"entity_id": ["light.a", "group.some"]})
    hass.states.async_set("group.doors", "locked", {"entity_id": ["lock.a"]})
    power = aspect_of("group.some", "power")
    assert power.controllable(group("on", "group.lamps", "switch.b"))
    assert not power.controllable(group("on", "group.lamps", "group.doors"))
    assert not power.controllable(group("on", "group.gone"))
    assert read(group("unknown", "group.doors")) == {"locked": None}
