"""Texts, dates and times."""

from datetime import UTC, datetime

from homeassistant.core import HomeAssistant
import pytest

from ..things.texts import Alarm, Appointment, Birthday, Plate
from .story import CloudSet, Drive, RefusedSet, Story, UserAction

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
            CloudSet({"text": "XYZ"}, ("text.set_value",)),
            RefusedSet({"text": "abc"}, 100009),
            RefusedSet({"text": "ABCDEF"}, 100009),
            UserAction("text.set_value", {"value": "DE"}, {"text": "DE"}),
        ),
    ),
    Story(
        "input_text",
        {"min": 1, "max": 8, "pattern": "[a-z\u4e00-\u9fff]+$", "initial": "hello"},
        {"text": "hello"},
        (
            CloudSet({"text": "你好"}, ("input_text.set_value",)),
            RefusedSet({"text": "much too long"}, 100009),
            RefusedSet({"text": "123"}, 100009),
            UserAction("input_text.set_value", {"value": "bye"}, {"text": "bye"}),
        ),
    ),
    Story(
        "date",
        Birthday,
        {"date": BIRTHDAY},
        (
            CloudSet({"date": EVE}, ("date.set_value",)),
            UserAction("date.set_value", {"date": "2026-11-23"}, {"date": BIRTHDAY}),
        ),
    ),
    Story(
        "time",
        Alarm,
        {"time": "06:30:00"},
        (
            CloudSet({"time": "07:15"}, ("time.set_value",), {"time": "07:15:00"}),
            RefusedSet({"time": "25:00"}, 100009),
            UserAction("time.set_value", {"time": "08:00:01"}, {"time": "08:00:01"}),
        ),
    ),
    Story(
        "datetime",
        Appointment,
        {"datetime": EIGHT},
        (
            CloudSet({"datetime": NINE}, ("datetime.set_value",)),
            UserAction("datetime.set_value", {"datetime": "2026-11-23 16:00:00"}, {"datetime": EIGHT}),
        ),
    ),
    Story(
        "input_datetime",
        {"has_date": True, "has_time": True, "initial": "2026-11-23 16:00:00"},
        {"datetime": EIGHT},
        (
            CloudSet({"datetime": NINE}, ("input_datetime.set_datetime",)),
            UserAction("input_datetime.set_datetime", {"time": "16:00:00"}, {"datetime": EIGHT}),
        ),
        "with both",
    ),
    Story(
        "input_datetime",
        {"has_date": True, "initial": "2026-11-23"},
        {"date": BIRTHDAY},
        (
            CloudSet({"date": EVE}, ("input_datetime.set_datetime",)),
            UserAction("input_datetime.set_datetime", {"date": "2026-11-23"}, {"date": BIRTHDAY}),
        ),
        "with a date",
    ),
    Story(
        "input_datetime",
        {"has_time": True, "initial": "06:30"},
        {"time": "06:30:00"},
        (
            CloudSet({"time": "07:15:20"}, ("input_datetime.set_datetime",)),
            UserAction("input_datetime.set_datetime", {"time": "23:00"}, {"time": "23:00:00"}),
        ),
        "with a time",
    ),
)


@pytest.mark.parametrize("story", STORIES, ids=str)
async def test_report_and_control(hass: HomeAssistant, drive: Drive, story: Story) -> None:
    """Changes are reported, and sets are carried out; days and times are those of the installation."""
    await hass.config.async_set_time_zone(ZONE)
    await drive(story)


async def test_password_has_no_property(hass: HomeAssistant, drive: Drive) -> None:
    """No property is made for it."""
    app = await drive(Story("input_text", {"mode": "password", "initial": "secret"}, {}, ()))
    assert not app.model.properties
    assert not app.device.properties
