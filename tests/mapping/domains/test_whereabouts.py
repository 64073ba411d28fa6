"""People and tracked devices: at home or not; where exactly is nobody's business unless somebody decides otherwise."""

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import Location
from custom_components.aliyun_iot.mapping.domains import DOMAINS
from custom_components.aliyun_iot.mapping.suggest.suggestions import suggest

from ..asking import changed, read

BOTH = pytest.mark.parametrize("domain", ["person", "device_tracker"])


def somebody(domain: str, state: str = "home", **attributes: object) -> State:
    """Return somebody in Shanghai."""
    place = {"latitude": 31.2304, "longitude": 121.4737, "gps_accuracy": 12}
    return State(f"{domain}.anna", state, {**place, **attributes})


@BOTH
@pytest.mark.parametrize(("state", "home"), [("home", True), ("not_home", False), ("Work", False)])
def test_somebody_is_at_home_or_elsewhere(domain: str, state: str, home: bool) -> None:
    """Every other zone is away."""
    assert read(somebody(domain, state)) == {
        "home": home,
        "zone": state,
        "location": Location(31.2304, 121.4737),
        "accuracy": 12,
    }


@BOTH
@pytest.mark.parametrize(
    "place", [{"latitude": None}, {"longitude": "east"}, {"latitude": 91}, {"longitude": -180.5}], ids=str
)
def test_a_place_that_is_none_says_nothing(domain: str, place: dict[str, object]) -> None:
    """Neither the gulf of Guinea nor a place that is not on Earth."""
    assert read(somebody(domain, **place))["location"] is None


@BOTH
def test_the_place_is_private(domain: str) -> None:
    """It takes somebody who picks it."""
    private = {aspect.key for aspect in DOMAINS[domain].aspects if aspect.private}
    assert private == {"location", "accuracy"}


def test_a_tracker_may_have_a_battery() -> None:
    """A few still have one."""
    phone = somebody("device_tracker", battery_level=80)
    assert read(phone)["battery"] == 80
    assert "battery" not in read(changed(somebody("device_tracker"), source_type="router"))


def test_nobody_is_commanded() -> None:
    """Home Assistant has no action for it."""
    assert [DOMAINS[name].plan for name in ("person", "device_tracker")] == [None, None]
    assert {one.access for one in suggest(somebody("person"), None, ())} == {"report"}
