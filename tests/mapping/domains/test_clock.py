"""Dates and times: the right day and hour in every zone, also when the clocks change."""

from collections.abc import Iterator
from datetime import UTC, datetime
from unittest.mock import patch
from zoneinfo import ZoneInfo

from homeassistant.core import State
from homeassistant.util import dt as dt_util
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Reason, Refused
from custom_components.aliyun_iot.mapping.domains import DOMAINS

from ..asking import commands, read

SHANGHAI = "Asia/Shanghai"
BERLIN = "Europe/Berlin"
SAO_PAULO = "America/Sao_Paulo"
LATEST = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)


@pytest.fixture
def zone(request: pytest.FixtureRequest) -> Iterator[ZoneInfo]:
    """Put the house into a time zone."""
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
        # This day had no midnight: the clocks went from 0:00 to 1:00.
        (SAO_PAULO, "2018-11-04", datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ],
    indirect=["zone"],
)
@pytest.mark.parametrize("domain", ["date", "input_datetime"])
def test_a_day_begins_where_the_house_is(zone: ZoneInfo, domain: str, state: str, begins: datetime) -> None:
    """Its midnight is what is said, and set as the same day again."""
    thing = State("date.thing", state) if domain == "date" else helper(state, date=True, time=False)
    assert read(thing) == {"date": begins}
    action = "set_value" if domain == "date" else "set_datetime"
    assert commands(thing, {"date": begins}) == [ActionCall(domain, action, {"date": state})]


@pytest.mark.parametrize("zone", [SHANGHAI, BERLIN], indirect=True)
def test_any_moment_of_a_day_means_the_day(zone: ZoneInfo) -> None:
    """Late at night too, when it is another day in Greenwich."""
    late = datetime(2026, 11, 23, 23, 59, 59, tzinfo=zone)
    assert commands(State("date.thing", "2020-01-01"), {"date": late}) == [
        ActionCall("date", "set_value", {"date": "2026-11-23"})
    ]


@pytest.mark.parametrize("domain", ["time", "input_datetime"])
@pytest.mark.parametrize(("value", "set_to"), [("07:30", "07:30:00"), ("7:5:9", "07:05:09"), ("23:59:59", "23:59:59")])
def test_a_time_of_day_is_text(domain: str, value: str, set_to: str) -> None:
    """Seconds may be left out."""
    thing = State("time.thing", "06:00:00") if domain == "time" else helper("06:00:00", date=False, time=True)
    assert read(thing) == {"time": "06:00:00"}
    action = "set_value" if domain == "time" else "set_datetime"
    assert commands(thing, {"time": value}) == [ActionCall(domain, action, {"time": set_to})]


@pytest.mark.parametrize("value", ["", "7", "24:00", "07:60:00", "-1:00", "soon", "07:30:00:00", "\ud800"], ids=ascii)
def test_what_is_no_time_of_day_is_refused(value: str) -> None:
    """Before Home Assistant is asked."""
    with pytest.raises(Refused, match="not a time of day") as refused:
        commands(State("time.thing", "06:00:00"), {"time": value})
    assert refused.value.reason is Reason.OUT_OF_RANGE


def test_fractions_of_a_second_are_left_out() -> None:
    """Some time entities have them; a clock hasn't."""
    assert read(State("time.thing", "06:00:00.250000")) == {"time": "06:00:00"}


@pytest.mark.parametrize("zone", [SHANGHAI, BERLIN], indirect=True)
def test_a_moment_is_the_same_everywhere(zone: ZoneInfo) -> None:
    """Only its writing differs."""
    value = datetime(2026, 11, 23, 8, tzinfo=UTC)
    thing = State("datetime.thing", "2026-11-23T08:00:00+00:00")
    assert read(thing) == {"datetime": value}
    (call,) = commands(thing, {"datetime": value})
    assert datetime.fromisoformat(str(call.data["datetime"])) == value
    both = helper("2026-11-23 16:00:00", date=True, time=True, timestamp=value.timestamp())
    assert read(both) == {"datetime": value}
    assert commands(both, {"datetime": value}) == [
        ActionCall("input_datetime", "set_datetime", {"timestamp": value.timestamp()})
    ]


@pytest.mark.parametrize("zone", [BERLIN], indirect=True)
@pytest.mark.parametrize("hour", [0, 1])
def test_the_hour_that_comes_twice_is_two_moments(zone: ZoneInfo, hour: int) -> None:
    """Half past two in the night when summer time ends: the state doesn't tell which, the timestamp does."""
    value = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    assert value.astimezone(zone).strftime("%H:%M") == "02:30"
    both = helper("2026-10-25 02:30:00", date=True, time=True, timestamp=value.timestamp())
    assert read(both) == {"datetime": value}
    (call,) = commands(both, {"datetime": value})
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
def test_beyond_the_calendar_is_refused(zone: ZoneInfo, thing: State, key: str) -> None:
    """The last hours of the year 9999 are the year 10000 in China."""
    with pytest.raises(Refused, match="calendar") as refused:
        commands(thing, {key: LATEST})
    assert refused.value.reason is Reason.OUT_OF_RANGE


@pytest.mark.parametrize("timestamp", [None, "soon", 1e300, -1e300, float("nan")], ids=str)
def test_a_moment_that_is_none_says_nothing(timestamp: object) -> None:
    """A helper without a value, or with one that nobody understands."""
    assert read(helper("2026-11-23 08:00:00", date=True, time=True, timestamp=timestamp)) == {"datetime": None}


@pytest.mark.parametrize(
    ("date", "time", "key"), [(True, True, "datetime"), (True, False, "date"), (False, True, "time")]
)
def test_a_helper_has_one_aspect(date: bool, time: bool, key: str) -> None:
    """What it holds decides which, also while it says nothing."""
    thing = helper("unavailable", date=date, time=time)
    assert [aspect.key for aspect in DOMAINS["input_datetime"].aspects if aspect.supported(thing)] == [key]
