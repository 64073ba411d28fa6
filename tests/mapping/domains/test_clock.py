"""Dates and times: the right day and hour in every time zone, also when the clocks change."""

from collections.abc import Iterator
from datetime import UTC, datetime
from unittest.mock import patch
from zoneinfo import ZoneInfo

from homeassistant.core import State
from homeassistant.util import dt as dt_util
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Reason, Refused
from custom_components.aliyun_iot.mapping.domains import DOMAINS

from ..domain_helpers import actions_for, read

SHANGHAI = "Asia/Shanghai"
BERLIN = "Europe/Berlin"
SAO_PAULO = "America/Sao_Paulo"
LATEST = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)


@pytest.fixture
def zone(request: pytest.FixtureRequest) -> Iterator[ZoneInfo]:
    """Set the time zone of the installation."""
    with patch.object(dt_util, "DEFAULT_TIME_ZONE", ZoneInfo(request.param)):
        yield ZoneInfo(request.param)


def helper(state: str, *, date: bool, time: bool, timestamp: object = None) -> State:
    """Return a date and time helper."""
    return State("input_datetime.thing", state, {"has_date": date, "has_time": time, "timestamp": timestamp})


@pytest.mark.parametrize(
    ("zone", "state", "begins"),
    [
        (SHANGHAI, "2026-11-23", datetime(2026, 11, 22, 16, tzinfo=UTC)),
        (BERLIN, "2026-07-01", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        (BERLIN, "2026-12-01", datetime(2026, 11, 30, 23, tzinfo=UTC)),
        # This day had no midnight, because the clocks went from 0:00 to 1:00.
        (SAO_PAULO, "2018-11-04", datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ],
    indirect=["zone"],
)
@pytest.mark.parametrize("domain", ["date", "input_datetime"])
def test_day_begins_in_the_time_zone_of_the_installation(
    zone: ZoneInfo, domain: str, state: str, begins: datetime
) -> None:
    """Its local midnight is reported, and set as the same day."""
    thing = State("date.thing", state) if domain == "date" else helper(state, date=True, time=False)
    assert read(thing) == {"date": begins}
    action = "set_value" if domain == "date" else "set_datetime"
    assert actions_for(thing, {"date": begins}) == [ActionCall(domain, action, {"date": state})]


@pytest.mark.parametrize("zone", [SHANGHAI, BERLIN], indirect=True)
def test_any_moment_of_a_day_sets_the_day(zone: ZoneInfo) -> None:
    """Also when it is another day in UTC."""
    late = datetime(2026, 11, 23, 23, 59, 59, tzinfo=zone)
    assert actions_for(State("date.thing", "2020-01-01"), {"date": late}) == [
        ActionCall("date", "set_value", {"date": "2026-11-23"})
    ]


@pytest.mark.parametrize("domain", ["time", "input_datetime"])
@pytest.mark.parametrize(("value", "set_to"), [("07:30", "07:30:00"), ("7:5:9", "07:05:09"), ("23:59:59", "23:59:59")])
def test_time_of_day_is_text(domain: str, value: str, set_to: str) -> None:
    """Seconds may be left out."""
    thing = State("time.thing", "06:00:00") if domain == "time" else helper("06:00:00", date=False, time=True)
    assert read(thing) == {"time": "06:00:00"}
    action = "set_value" if domain == "time" else "set_datetime"
    assert actions_for(thing, {"time": value}) == [ActionCall(domain, action, {"time": set_to})]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "7",
        "24:00",
        "07:60:00",
        "-1:00",
        "soon",
        "07:30:00:00",
        "0_7:30",
        "１２:30",
        "12:٣٠",
        " 07:30",
        "07:30 ",
        "\ud800",
    ],
    ids=ascii,
)
def test_invalid_time_of_day_is_refused(value: str) -> None:
    """Before an action is called."""
    with pytest.raises(Refused, match="not a time of day") as refused:
        actions_for(State("time.thing", "06:00:00"), {"time": value})
    assert refused.value.reason is Reason.OUT_OF_RANGE


def test_fractions_of_a_second_are_left_out() -> None:
    """Some time entities have them."""
    assert read(State("time.thing", "06:00:00.250000")) == {"time": "06:00:00"}


@pytest.mark.parametrize("zone", [SHANGHAI, BERLIN], indirect=True)
def test_moment_is_the_same_in_all_time_zones(zone: ZoneInfo) -> None:
    """Only its text is different."""
    value = datetime(2026, 11, 23, 8, tzinfo=UTC)
    thing = State("datetime.thing", "2026-11-23T08:00:00+00:00")
    assert read(thing) == {"datetime": value}
    (call,) = actions_for(thing, {"datetime": value})
    assert datetime.fromisoformat(str(call.data["datetime"])) == value
    both = helper("2026-11-23 16:00:00", date=True, time=True, timestamp=value.timestamp())
    assert read(both) == {"datetime": value}
    assert actions_for(both, {"datetime": value}) == [
        ActionCall("input_datetime", "set_datetime", {"timestamp": value.timestamp()})
    ]


@pytest.mark.parametrize("zone", [BERLIN], indirect=True)
@pytest.mark.parametrize("hour", [0, 1])
def test_repeated_hour_is_two_moments(zone: ZoneInfo, hour: int) -> None:
    """02:30 when summer time ends: the state is ambiguous, the timestamp is not."""
    value = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    assert value.astimezone(zone).strftime("%H:%M") == "02:30"
    both = helper("2026-10-25 02:30:00", date=True, time=True, timestamp=value.timestamp())
    assert read(both) == {"datetime": value}
    (call,) = actions_for(both, {"datetime": value})
    assert call.data["timestamp"] == value.timestamp()


@pytest.mark.parametrize("zone", [SHANGHAI], indirect=True)
@pytest.mark.parametrize(
    ("thing", "key"),
    [
        (State("date.thing", "2026-11-23"), "date"),
        (State("datetime.thing", "2026-11-23T08:00:00+00:00"), "datetime"),
        (helper("2026-11-23", date=True, time=False), "date"),
        (helper("2026-11-23 08:00:00", date=True, time=True), "datetime"),
    ],
    ids=["date", "datetime", "input_datetime with a date", "input_datetime with both"],
)
def test_moment_outside_the_calendar_is_refused(zone: ZoneInfo, thing: State, key: str) -> None:
    """The last hours of the year 9999 in UTC are in the year 10000 in China."""
    with pytest.raises(Refused, match="calendar") as refused:
        actions_for(thing, {key: LATEST})
    assert refused.value.reason is Reason.OUT_OF_RANGE


@pytest.mark.parametrize("timestamp", [None, "soon", 1e300, -1e300, float("nan")], ids=str)
def test_invalid_moment_has_no_value(timestamp: object) -> None:
    """A helper without a value, or with an invalid one."""
    assert read(helper("2026-11-23 08:00:00", date=True, time=True, timestamp=timestamp)) == {"datetime": None}


@pytest.mark.parametrize(
    ("date", "time", "key"), [(True, True, "datetime"), (True, False, "date"), (False, True, "time")]
)
def test_date_and_time_helper_has_one_aspect(date: bool, time: bool, key: str) -> None:
    """Which one depends on the type of the helper, also while it has no value."""
    thing = helper("unavailable", date=date, time=time)
    assert [aspect.key for aspect in DOMAINS["input_datetime"].aspects if aspect.supported(thing)] == [key]


@pytest.mark.parametrize("state", ["٢٠٢٦-11-23", "２０２６-11-23", "2026-1_1-23", " 2026-11-23"])
def test_day_in_a_spelling_of_python_is_none(state: str) -> None:
    """A custom integration may have such a state."""
    assert read(State("date.thing", state)) == {"date": None}
