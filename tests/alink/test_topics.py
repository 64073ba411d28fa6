"""The topics of a device."""

from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.alink.topics import SUBSCRIPTION_LIMIT, Route, RouteKind, Topics, reply_topic

SYS = "/sys/a1HomeGw001/gw-1"
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
        (reply_topic(TOPICS.property_post), f"{SYS}/thing/event/property/post_reply"),
    ],
)
def test_topics_are_those_of_the_platform(topic: str, expected: str) -> None:
    """Product and device stand in the topic, modules in front of the identifier (docs/protocol.md §16)."""
    assert topic == expected


@pytest.mark.parametrize(
    ("topic", "route"),
    [
        (f"{SYS}/thing/service/property/set", Route(RouteKind.PROPERTY_SET, None, f"{SYS}/thing/service/property/set_reply")),
        (f"{SYS}/thing/service/property/get", Route(RouteKind.PROPERTY_GET, None, f"{SYS}/thing/service/property/get_reply")),
        (f"{SYS}/thing/service/Restart", Route(RouteKind.SERVICE, "Restart", f"{SYS}/thing/service/Restart_reply")),
        (f"{SYS}/thing/service/mod:Run", Route(RouteKind.SERVICE, "mod:Run", f"{SYS}/thing/service/mod:Run_reply")),
        (f"{SYS}/rrpc/request/9007199254740993", Route(RouteKind.RRPC, None, f"{SYS}/rrpc/response/9007199254740993", "9007199254740993")),
        (f"/ext/rrpc/77{SYS}/thing/service/ReadMeter", Route(RouteKind.SYNC_SERVICE, "ReadMeter", f"/ext/rrpc/77{SYS}/thing/service/ReadMeter", "77")),
        (f"/ext/rrpc/77{SYS}/thing/service/property/set", Route(RouteKind.SYNC_SERVICE, "property/set", f"/ext/rrpc/77{SYS}/thing/service/property/set", "77")),
        (f"/ext/rrpc/77{SYS}/thing/model/down_raw", Route(RouteKind.RAW_DOWN, None, f"/ext/rrpc/77{SYS}/thing/model/down_raw", "77")),
        (f"{SYS}/thing/model/down_raw", Route(RouteKind.RAW_DOWN, None, f"{SYS}/thing/model/down_raw_reply")),
        (f"{SYS}/thing/model/up_raw_reply", Route(RouteKind.RAW_UP_REPLY)),
        (f"{SYS}/thing/event/property/post_reply", Route(RouteKind.REPLY)),
        (f"{SYS}/thing/event/Alarm/post_reply", Route(RouteKind.REPLY)),
        (f"{SYS}/thing/event/property/batch/post_reply", Route(RouteKind.REPLY)),
        (f"{SYS}/thing/property/desired/get_reply", Route(RouteKind.REPLY)),
        (f"{SYS}/thing/dsltemplate/get_reply", Route(RouteKind.REPLY)),
    ],
)  # fmt: skip
def test_an_incoming_topic_says_what_the_message_is(topic: str, route: Route) -> None:
    """Routing needs neither method nor content, and it knows where the answer goes."""
    assert TOPICS.route(topic) == route


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        SYS,
        f"{SYS}/",
        "/sys/a1HomeGw001/gw-10/thing/service/property/set",
        "/sys/a1HomeGw002/gw-1/thing/service/property/set",
        "/ext/rrpc/77/sys/a1HomeGw001/gw-2/thing/service/Run",
        "/ext/rrpc/77/a1HomeGw001/gw-1/user/get",
        f"/ext/rrpc/{SYS}/thing/service/Run",
        "/ext/rrpc/77",
        f"/ext/rrpc/77{SYS}/thing/service/a/b",
        f"{SYS}/rrpc/request/",
        f"{SYS}/rrpc/response/77",
        f"{SYS}/thing/service/",
        f"{SYS}/thing/service/a/b",
        f"{SYS}/thing/event/property/post",
        "/a1HomeGw001/gw-1/user/get",
    ],
)
def test_what_is_not_ours_has_no_route(topic: str) -> None:
    """Topics of other devices, of users and of nobody are left alone."""
    assert TOPICS.route(topic) is None


def test_our_own_answers_are_never_taken_for_calls() -> None:
    """A plain broker returns what we publish when a wildcard matches it; answering that would never end."""
    for topic in (f"{SYS}/thing/service/Restart", TOPICS.property_set, TOPICS.property_get):
        call = TOPICS.route(topic)
        assert call is not None
        assert call.reply_to is not None
        assert TOPICS.route(call.reply_to) is None


def test_unknown_services_are_listened_to_by_wildcard() -> None:
    """Without a thing model, and for calls that it doesn't have, there is one filter for all services."""
    filters = TOPICS.subscriptions()

    assert f"{SYS}/thing/service/+" in filters
    assert f"{SYS}/rrpc/request/+" in filters
    assert f"/ext/rrpc/+{SYS}/thing/service/+" in filters
    assert TOPICS.property_set in filters


def test_known_services_are_subscribed_one_by_one() -> None:
    """Some instances refuse the wildcard, so each service that is known gets a filter of its own, once."""
    filters = TOPICS.subscriptions(["Restart", "mod:Run", "Restart"])

    assert filters.count(f"{SYS}/thing/service/Restart") == 1
    assert f"{SYS}/thing/service/mod:Run" in filters
    assert filters[: len(TOPICS.subscriptions())] == TOPICS.subscriptions()


def test_subscriptions_stay_within_the_limit_of_the_platform() -> None:
    """A device may have a hundred; the wildcard serves the services that are too many."""
    assert len(TOPICS.subscriptions(f"Service{number}" for number in range(300))) == SUBSCRIPTION_LIMIT


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


@given(st.text(alphabet="/sysextrpcthingervic+_#:1-", max_size=60), st.sampled_from(["", SYS, f"/ext/rrpc/1{SYS}"]))
def test_routing_never_raises(topic: str, prefix: str) -> None:
    """Whatever the broker delivers, the link survives; an answer goes to a topic of this device."""
    route = TOPICS.route(prefix + topic)

    assert route is None or route.reply_to is None or SYS in route.reply_to
