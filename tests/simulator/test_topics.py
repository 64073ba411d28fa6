"""Which topics a device owns, and how filters match, compared with paho's own matching."""

from hypothesis import given, strategies as st
from paho.mqtt.client import topic_matches_sub
import pytest

from simulator.core.topics import DeviceTopics, Subscriptions, is_valid_filter

LEVELS = st.sampled_from(["", "a", "b", "thing", "a1", "set.x"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=5).map("/".join)
FILTERS = st.builds(
    lambda levels, tail: "/".join([*levels, *tail]),
    st.lists(LEVELS | st.just("+"), min_size=1, max_size=4),
    st.sampled_from([[], ["#"]]),
)


@given(filters=st.lists(FILTERS, max_size=4), topic=TOPICS)
def test_filters_match_as_in_mqtt(filters: list[str], topic: str) -> None:
    """Any number of filters, as implicit or explicit subscriptions."""
    expected = any(topic_matches_sub(topic_filter, topic) for topic_filter in filters)
    topics = DeviceTopics("pk", "dn")
    explicit = Subscriptions(topics)
    for topic_filter in filters:
        explicit.add(topic_filter)
    assert explicit.match(topic) == expected
    assert Subscriptions(topics, tuple(filters)).match(topic) == expected


def test_implicit_subscriptions_are_those_of_the_device() -> None:
    """The patterns stand for topics of this device only; one that the device ends does not match any more."""
    topics = DeviceTopics("pk", "dn")
    subscriptions = Subscriptions(topics, ("/sys/{pk}/{dn}/thing/service/+", "/sys/{pk}/{dn}/thing/#"))
    assert subscriptions.match("/sys/pk/dn/thing/service/A")
    assert not subscriptions.match("/sys/pk/other/thing/service/A")
    subscriptions.discard("/sys/pk/dn/thing/#")
    assert subscriptions.match("/sys/pk/dn/thing/service/A")
    assert not subscriptions.match("/sys/pk/dn/thing/event/A")
    subscriptions.discard("/sys/pk/dn/thing/service/+")
    assert not subscriptions.match("/sys/pk/dn/thing/service/A")
    assert len(subscriptions) == 0


@pytest.mark.parametrize(
    ("topic_filter", "valid"),
    [("a/+/b", True), ("a/#", True), ("#", True), ("+", True), ("a+/b", False), ("a/#/b", False), ("a/b#", False)],
)
def test_wildcard_must_be_a_whole_level(topic_filter: str, valid: bool) -> None:
    """`#` must be the last level."""
    assert is_valid_filter(topic_filter) is valid


@pytest.mark.parametrize(
    ("topic", "own"),
    [
        ("/sys/pk/dn/thing/service/property/set", True),
        ("/sys/pk/dn/#", True),
        ("/pk/dn/user/get", True),
        ("/ext/rrpc/+/sys/pk/dn/thing/service/+", True),
        ("/ext/rrpc/+/pk/dn/user/get", True),
        ("/ext/ntp/pk/dn/response", True),
        ("/ext/session/pk/dn/combine/login_reply", True),
        ("/shadow/get/pk/dn", True),
        ("/ota/device/upgrade/pk/dn", True),
        ("/broadcast/pk/news", True),
        ("/sys/pk/dn2/thing/service/property/set", False),
        ("/sys/pk/+/thing/service/property/set", False),
        ("/sys/+/+/thing/service/property/set", False),
        ("/sys/pk2/dn/thing/service/property/set", False),
        ("/ext/rrpc/#", False),
        ("/ext/rrpc/+/sys/pk/dn2/thing/service/+", False),
        ("/shadow/get/pk/dn2", False),
        ("/sys/pkxdn/thing", False),
        ("sys/pk/dn/thing", False),
        ("#", False),
    ],
)
def test_device_owns_only_its_own_topics(topic: str, own: bool) -> None:
    """It does not own a filter that can match a topic of another device."""
    assert DeviceTopics("pk", "dn").owns(topic) is own


def test_special_characters_in_names_are_escaped() -> None:
    """A device name may contain dots, which must not match anything else."""
    topics = DeviceTopics("pk", "d.n@x:1")
    assert topics.owns("/sys/pk/d.n@x:1/thing/service/a")
    assert not topics.owns("/sys/pk/dxn@x:1/thing/service/a")
