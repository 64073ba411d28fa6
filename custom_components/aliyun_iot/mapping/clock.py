"""Days, times of day and moments, as the date and time entities hold them.

A day is reported as the moment when it begins in the time zone of the installation, because the platform's `date` is a
moment; a set moment is the local day it falls on. A time of day is text, `HH:MM:SS`.
"""

from datetime import datetime
from functools import partial
import re

from homeassistant.util import dt as dt_util

from .aspect import Aspect, Kind, Reason, Refused, WholeState
from .attributes import day, moment

DAY = "date"
TIME = "time"
MOMENT = "datetime"

_TIME = re.compile(r"[0-9]{1,2}(:[0-9]{1,2}){1,2}(\.[0-9]*)?")
"""Home Assistant's parser also takes what only Python reads as numbers, such as 1_2:00."""


def time_of_day(raw: str) -> str | None:
    """Return the time of day without fractions of a second; None if the text is no time of day."""
    parsed = dt_util.parse_time(raw.partition(".")[0]) if _TIME.fullmatch(raw) else None
    return parsed.isoformat() if parsed else None


def wanted_time(raw: str) -> str:
    """Return the time of day that is to be set; raises `Refused`."""
    if (time := time_of_day(raw)) is None:
        raise Refused(Reason.OUT_OF_RANGE, f"{raw!r} is not a time of day like 07:30:00")
    return time


def local(value: datetime) -> datetime:
    """Return a moment in the time zone of the installation; raises `Refused` if that is outside the calendar."""
    try:
        return dt_util.as_local(value)
    except OverflowError as err:
        raise Refused(Reason.OUT_OF_RANGE, f"{value} is outside the local calendar") from err


day_aspect = partial(
    Aspect,
    key=DAY,
    kind=Kind.DATE,
    name_en="Date",
    name_zh="日期",
    source=WholeState(lambda state: day(state.state)),
    writable=True,
)
time_aspect = partial(
    Aspect,
    key=TIME,
    kind=Kind.TEXT,
    name_en="Time",
    name_zh="时刻",
    source=WholeState(lambda state: time_of_day(state.state)),
    writable=True,
)
moment_aspect = partial(
    Aspect,
    key=MOMENT,
    kind=Kind.DATE,
    name_en="Date and time",
    name_zh="日期和时间",
    source=WholeState(lambda state: moment(state.state)),
    writable=True,
)
