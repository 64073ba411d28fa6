"""Messages to people: notifiers and voice satellites. Both are risky."""

from datetime import UTC, datetime

from homeassistant.core import State
import pytest

from custom_components.aliyun_iot.mapping.aspect import ActionCall, Reason, Refused, Value
from custom_components.aliyun_iot.mapping.domains import DOMAINS
from custom_components.aliyun_iot.mapping.suggest.suggestions import suggest

from ..domain_helpers import actions_for, changed, read

PHONE = State("notify.phone", "2026-11-23T08:00:00+00:00", {"supported_features": 1})
SATELLITE = State("assist_satellite.kitchen", "listening", {"supported_features": 1})


@pytest.mark.parametrize(
    ("values", "data"),
    [
        ({"message": "门铃响了"}, {"message": "门铃响了"}),
        ({"title": "Home", "message": "Ring"}, {"message": "Ring", "title": "Home"}),
    ],
)
def test_message_is_one_action(values: dict[str, Value], data: dict[str, object]) -> None:
    """With the title, if there is one; also if none was ever sent."""
    for notifier in (PHONE, changed(PHONE, "unknown")):
        assert actions_for(notifier, values) == [ActionCall("notify", "send_message", data)]


def test_title_needs_a_message() -> None:
    """And a notifier that supports titles."""
    with pytest.raises(Refused, match="together with a message") as refused:
        actions_for(PHONE, {"title": "Home"})
    assert refused.value.reason is Reason.CONFLICT
    with pytest.raises(Refused) as refused:
        actions_for(changed(PHONE, supported_features=0), {"title": "Home", "message": "Ring"})
    assert refused.value.reason is Reason.NOT_SUPPORTED


def test_announcement_is_spoken() -> None:
    """By a satellite that can."""
    assert actions_for(SATELLITE, {"announcement": "早上好"}) == [
        ActionCall("assist_satellite", "announce", {"message": "早上好"})
    ]
    with pytest.raises(Refused):
        actions_for(changed(SATELLITE, supported_features=0), {"announcement": "早上好"})


def test_only_states_are_reported_and_suggested() -> None:
    """What reaches people from the cloud is bound by hand and confirmed."""
    assert read(PHONE) == {"last_sent": datetime(2026, 11, 23, 8, tzinfo=UTC)}
    assert read(SATELLITE) == {"state": "listening"}
    for thing, aspect in ((PHONE, "last_sent"), (SATELLITE, "state")):
        assert DOMAINS[thing.domain].risky(thing)
        assert [(row.aspect, row.access) for row in suggest(thing, None, ())] == [(aspect, "report")]
