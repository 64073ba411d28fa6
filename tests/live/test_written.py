"""Texts, dates and times."""

from datetime import UTC, datetime

from homeassistant.core import HomeAssistant
import pytest

from ..things.written import Alarm, Appointment, Birthday, Plate
from .driving import Drive, Happens, Refuses, Sets, Story

ZONE = "Asia/Shanghai"
BIRTHDAY = datetime(2026, 11, 22, 16, tzinfo=UTC)
EVE = datetime(2026, 12, 23, 16, tzinfo=UTC)
EIGHT = datetime(2026, 11, 23, 8, tzinfo=UTC)
NINE = datetime(2026, 11, 23, 9, 0, 5, tzinfo=UTC)

STORIES = (
    Story(
        "text",
        Plate,
        {"text": "ABC"},
        (
            Sets({"text": "XYZ"}, ("text.set_value",)),
            Refuses({"text": "abc"}, 100009),
            Refuses({"text": "ABCDEF"}, 100009),
            Happens("text.set_value", {"value": "DE"}, {"text": "DE"}),
        ),
    ),
    Story(
        "input_text",
        {"min": 1, "max": 8, "pattern": "[a-z\u4e00-\u9fff]+$", "initial": "hello"},
        {"text": "hello"},
        (
            Sets({"text": "你好"}, ("input_text.set_value",)),
            Refuses({"text": "much too long"}, 100009),
            Refuses({"text": "123"}, 100009),
            Happens("input_text.set_value", {"value": "bye"}, {"text": "bye"}),
        ),
    ),
    Story(
        "date",
        Birthday,
        {"date": BIRTHDAY},
        (
            Sets({"date": EVE}, ("date.set_value",)),
            Happens("date.set_value", {"date": "2026-11-23"}, {"date": BIRTHDAY}),
        ),
    ),
    Story(
        "time",
        Alarm,
        {"time": "06:30:00"},
        (
            Sets({"time": "07:15"}, ("time.set_value",), {"time": "07:15:00"}),
            Refuses({"time": "25:00"}, 100009),
            Happens("time.set_value", {"time": "08:00:01"}, {"time": "08:00:01"}),
        ),
    ),
    Story(
        "datetime",
        Appointment,
        {"datetime": EIGHT},
        (
            Sets({"datetime": NINE}, ("datetime.set_value",)),
            Happens("datetime.set_value", {"datetime": "2026-11-23 16:00:00"}, {"datetime": EIGHT}),
        ),
    ),
    Story(
        "input_datetime",
        {"has_date": True, "has_time": True, "initial": "2026-11-23 16:00:00"},
        {"datetime": EIGHT},
        (
            Sets({"datetime": NINE}, ("input_datetime.set_datetime",)),
            Happens("input_datetime.set_datetime", {"time": "16:00:00"}, {"datetime": EIGHT}),
        ),
        "with both",
    ),
    Story(
        "input_datetime",
        {"has_date": True, "initial": "2026-11-23"},
        {"date": BIRTHDAY},
        (
            Sets({"date": EVE}, ("input_datetime.set_datetime",)),
            Happens("input_datetime.set_datetime", {"date": "2026-11-23"}, {"date": BIRTHDAY}),
        ),
        "with a date",
    ),
    Story(
        "input_datetime",
        {"has_time": True, "initial": "06:30"},
        {"time": "06:30:00"},
        (
            Sets({"time": "07:15:20"}, ("input_datetime.set_datetime",)),
            Happens("input_datetime.set_datetime", {"time": "23:00"}, {"time": "23:00:00"}),
        ),
        "with a time",
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_both_ways(hass: HomeAssistant, drive: Drive, story: Story) -> None:
    """The cloud learns what is written, and writes itself; days and hours are those of the house."""
    await hass.config.async_set_time_zone(ZONE)
    await drive(story)


async def test_a_password_is_no_property(hass: HomeAssistant, drive: Drive) -> None:
    """Not even its property exists."""
    remote = await drive(Story("input_text", {"mode": "password", "initial": "secret"}, {}, ()))
    assert not remote.model.properties
    assert not remote.device.properties
