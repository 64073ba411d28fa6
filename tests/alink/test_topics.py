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
def test_topics_have_the_documented_form(topic: str, expected: str) -> None:
    """With product and device, and modules as prefix of the identifier (docs/protocol.md §16)."""
    assert topic == expected


@pytest.mark.parametrize("identifier", ["", "a/b", "+", "#", "Alarm/post", "a\0"])
def test_identifier_has_to_be_one_level(identifier: str) -> None:
    """Users enter identifiers of events."""
    with pytest.raises(ValueError, match="level of a topic"):
        TOPICS.event_post(identifier)
    with pytest.raises(ValueError, match="level of a topic"):
        TOPICS.service(identifier)


def test_property_is_not_an_event() -> None:
    """Its topic would be that of property posts."""
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
def test_invalid_user_topics_are_refused(suffix: str, problem: str) -> None:
    """A message must stay on the topics of the device, and the platform silently drops invalid ones."""
    with pytest.raises(ValueError, match=problem):
        TOPICS.user(suffix)


@pytest.mark.parametrize("suffix", ["get", "x" * ROOM, "a/b/c/d", "+", "#", "+/b", "a/+/c/#"])
def test_user_topic_has_two_filters(suffix: str) -> None:
    """For messages and for synchronous calls; MQTT wildcards are allowed."""
    assert TOPICS.user_filters(suffix) == (f"{USER}/{suffix}", f"/ext/rrpc/+{USER}/{suffix}")


@pytest.mark.parametrize(
    ("suffix", "problem"),
    [*NO_SUFFIX, *((one, "where MQTT allows none") for one in ("a+", "#a", "#/a", "a/#/b", "+#"))],
)
def test_invalid_filters_of_user_topics_are_refused(suffix: str, problem: str) -> None:
    """The platform would refuse them, and some brokers would disconnect."""
    with pytest.raises(ValueError, match=problem):
        TOPICS.user_filters(suffix)
