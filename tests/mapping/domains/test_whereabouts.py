"""People and tracked devices: at home or not; the coordinates are private."""

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import Location
from custom_components.aliyun_iot.mapping.domains import DOMAINS
from custom_components.aliyun_iot.mapping.suggest.suggestions import suggest

from ..domain_helpers import changed, read

BOTH = pytest.mark.parametrize("domain", ["person", "device_tracker"])


def person(domain: str, state: str = "home", **attributes: object) -> State:
    """Return a person or a device in Shanghai."""
    place = {"latitude": 31.2304, "longitude": 121.4737, "gps_accuracy": 12}
    return State(f"{domain}.anna", state, {**place, **attributes})


@BOTH
@pytest.mark.parametrize(("state", "home"), [("home", True), ("not_home", False), ("Work", False)])
def test_person_is_at_home_or_away(domain: str, state: str, home: bool) -> None:
    """Every other zone is away."""
    assert read(person(domain, state)) == {
        "home": home,
        "zone": state,
        "location": Location(31.2304, 121.4737),
        "accuracy": 12,
    }


@BOTH
@pytest.mark.parametrize(
    "place", [{"latitude": None}, {"longitude": "east"}, {"latitude": 91}, {"longitude": -180.5}], ids=str
)
def test_invalid_location_has_no_value(domain: str, place: dict[str, object]) -> None:
    """It is neither 0,0 nor outside the valid range."""
    assert read(person(domain, **place))["location"] is None


@BOTH
def test_location_is_private(domain: str) -> None:
    """It is never suggested."""
    private = {aspect.key for aspect in DOMAINS[domain].aspects if aspect.private}
    assert private == {"location", "accuracy"}


@BOTH
def test_location_is_known_without_a_zone(domain: str) -> None:
    """While the state is unknown; it is neither at home nor away then."""
    assert read(person(domain, "unknown")) == {
        "home": None,
        "zone": None,
        "location": Location(31.2304, 121.4737),
        "accuracy": 12,
    }


@BOTH
@pytest.mark.parametrize(
    ("state", "zones", "text"),
    [
        ("home", ["zone.home", "zone.city"], "zone.home, zone.city"),
        ("not_home", [], ""),
        ("unknown", [], None),
        ("home", "zone.home", None),
    ],
)
def test_all_zones(domain: str, state: str, zones: object, text: str | None) -> None:
    """Empty outside all zones. Home Assistant writes an empty list while it knows nothing, which is not reported."""
    assert read(person(domain, state, in_zones=zones))["in_zones"] == text


def test_tracker_may_have_a_battery() -> None:
    """A few trackers still have the attribute."""
    phone = person("device_tracker", battery_level=80)
    assert read(phone)["battery"] == 80
    assert "battery" not in read(changed(person("device_tracker"), source_type="router"))


def test_people_can_not_be_controlled() -> None:
    """Home Assistant has no action for that."""
    assert [DOMAINS[name].plan for name in ("person", "device_tracker")] == [None, None]
    assert {suggestion.access for suggestion in suggest(person("person"), None, ())} == {"report"}
