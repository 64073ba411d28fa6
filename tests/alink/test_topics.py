"""The topics of a device."""

import pytest

from custom_components.aliyun_iot.alink.topics import USER_TOPIC_BYTES, Topics, reply_topic

SYS = "/sys/a1HomeGw001/gw-1"
USER = "/a1HomeGw001/gw-1/user"
TOPICS = Topics("a1HomeGw001", "gw-1")


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (TOPICS.property_post, f"{SYS}/thing/event/property/post"),
        (TOPICS.property_batch_post, f"{SYS}/thing/event/property/batch/post"),
        (TOPICS.property_history_post, f"{SYS}/thing/event/property/history/post"),
        (TOPICS.event_post("Alarm"), f"{SYS}/thing/event/Alarm/post"),
        (TOPICS.event_post("mod:Alarm"), f"{SYS}/thing/event/mod:Alarm/post"),
        (TOPICS.service("Restart"), f"{SYS}/thing/service/Restart"),
        (TOPICS.desired_get, f"{SYS}/thing/property/desired/get"),
        (TOPICS.desired_delete, f"{SYS}/thing/property/desired/delete"),
        (TOPICS.dsltemplate_get, f"{SYS}/thing/dsltemplate/get"),
        (TOPICS.raw_up, f"{SYS}/thing/model/up_raw"),
        (TOPICS.raw_up_reply, f"{SYS}/thing/model/up_raw_reply"),
        (TOPICS.raw_down, f"{SYS}/thing/model/down_raw"),
        (TOPICS.raw_down_reply, f"{SYS}/thing/model/down_raw_reply"),
        (TOPICS.user("get"), f"{USER}/get"),
        (TOPICS.user("update/error"), f"{USER}/update/error"),
        (TOPICS.user("网关"), f"{USER}/网关"),
        (reply_topic(TOPICS.property_post), f"{SYS}/thing/event/property/post_reply"),
    ],
)
def test_topics_are_those_of_the_platform(topic: str, expected: str) -> None:
    """Product and device stand in the topic, modules in front of the identifier (docs/protocol.md §16)."""
    assert topic == expected


@pytest.mark.parametrize("identifier", ["", "a/b", "+", "#", "Alarm/post", "a\0"])
def test_an_identifier_can_not_lead_to_another_topic(identifier: str) -> None:
    """Identifiers of events come from users too."""
    with pytest.raises(ValueError, match="level of a topic"):
        TOPICS.event_post(identifier)
    with pytest.raises(ValueError, match="level of a topic"):
        TOPICS.service(identifier)


def test_property_is_no_event() -> None:
    """Its topic is the one of property reports."""
    with pytest.raises(ValueError, match="not the identifier of an event"):
        TOPICS.event_post("property")


ROOM = USER_TOPIC_BYTES - len(f"{USER}/")

NO_SUFFIX = [
    ("", "empty level"),
    ("/", "empty level"),
    ("/get", "empty level"),
    ("get/", "empty level"),
    ("a//b", "empty level"),
    ("a\0", "character"),
    ("\ud800", "character"),
    ("x" * (ROOM + 1), "longer"),
    ("网" * (ROOM // 3 + 1), "longer"),
    ("a/b/c/d/e", "longer"),
]


@pytest.mark.parametrize(
    ("suffix", "problem"), [*NO_SUFFIX, ("+", "wildcard"), ("#", "wildcard"), ("a/+/b", "wildcard")]
)
def test_what_is_no_user_topic(suffix: str, problem: str) -> None:
    """A message must not leave the room of the device, nor be lost because the platform does not take its topic."""
    with pytest.raises(ValueError, match=problem):
        TOPICS.user(suffix)


@pytest.mark.parametrize("suffix", ["get", "x" * ROOM, "a/b/c/d", "+", "#", "+/b", "a/+/c/#"])
def test_filters_of_a_user_topic(suffix: str) -> None:
    """One for messages, one for calls that wait for an answer; wildcards where MQTT has them."""
    assert TOPICS.user_filters(suffix) == (f"{USER}/{suffix}", f"/ext/rrpc/+{USER}/{suffix}")


@pytest.mark.parametrize(
    ("suffix", "problem"),
    [*NO_SUFFIX, *((one, "where MQTT allows none") for one in ("a+", "#a", "#/a", "a/#/b", "+#"))],
)
def test_what_is_no_filter_of_a_user_topic(suffix: str, problem: str) -> None:
    """The platform would refuse it, and some brokers would hang up."""
    with pytest.raises(ValueError, match=problem):
        TOPICS.user_filters(suffix)
