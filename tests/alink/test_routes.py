"""The routes of downlinks."""

from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.alink.command import CommandKind, Route, route
from custom_components.aliyun_iot.alink.topics import Topics

SYS = "/sys/a1HomeGw001/gw-1"
USER = "/a1HomeGw001/gw-1/user"
TOPICS = Topics("a1HomeGw001", "gw-1")


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        (f"{SYS}/thing/service/property/set", Route(CommandKind.PROPERTY_SET, None, f"{SYS}/thing/service/property/set_reply")),
        (f"{SYS}/thing/service/property/get", Route(CommandKind.PROPERTY_GET, None, f"{SYS}/thing/service/property/get_reply")),
        (f"{SYS}/thing/service/Restart", Route(CommandKind.SERVICE, "Restart", f"{SYS}/thing/service/Restart_reply")),
        (f"{SYS}/thing/service/mod:Run", Route(CommandKind.SERVICE, "mod:Run", f"{SYS}/thing/service/mod:Run_reply")),
        (f"{SYS}/rrpc/request/9007199254740993", Route(None, None, f"{SYS}/rrpc/response/9007199254740993", "9007199254740993")),
        (f"/ext/rrpc/77{SYS}/thing/service/ReadMeter", Route(CommandKind.SERVICE, "ReadMeter", f"/ext/rrpc/77{SYS}/thing/service/ReadMeter", "77")),
        (f"/ext/rrpc/77{SYS}/thing/service/property/set", Route(CommandKind.PROPERTY_SET, None, f"/ext/rrpc/77{SYS}/thing/service/property/set", "77")),
        (f"/ext/rrpc/77{SYS}/thing/model/down_raw", Route(CommandKind.RAW, None, f"/ext/rrpc/77{SYS}/thing/model/down_raw", "77")),
        (f"{USER}/get", Route(CommandKind.MESSAGE, "get")),
        (f"{USER}/a/b/", Route(CommandKind.MESSAGE, "a/b/")),
        (f"/ext/rrpc/77{USER}/a/b", Route(CommandKind.MESSAGE, "a/b", f"/ext/rrpc/77{USER}/a/b", "77")),
        (f"{SYS}/thing/model/down_raw", Route(CommandKind.RAW, None, f"{SYS}/thing/model/down_raw_reply")),
    ],
)  # fmt: skip
def test_topic_decides_the_route(topic: str, expected: Route) -> None:
    """Without the content, and with the topic of the answer."""
    assert route(TOPICS, topic) == expected


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
        "/ext/rrpc/77/a1HomeGw001/gw-2/user/get",
        f"/ext/rrpc/77{USER}/",
        f"/ext/rrpc/{USER}/get",
        f"/ext/rrpc/77/8{USER}/get",
        f"/ext/rrpc/77{SYS}/thing/service/Run_reply",
        f"/ext/rrpc/77{SYS}/thing/event/property/post",
        f"/ext/rrpc/{SYS}/thing/service/Run",
        "/ext/rrpc/77",
        f"/ext/rrpc/77{SYS}/thing/service/a/b",
        f"{SYS}/rrpc/request/",
        f"{SYS}/rrpc/response/77",
        f"{SYS}/thing/service/",
        f"{SYS}/thing/service/a/b",
        f"{SYS}/thing/event/property/post",
        f"{SYS}/thing/event/property/post_reply",
        f"{SYS}/thing/model/up_raw_reply",
        USER,
        f"{USER}/",
        "/a1HomeGw001/gw-1/get",
        "/a1HomeGw001/gw-10/user/get",
        "/a1HomeGw001/gw-1/users/get",
    ],
)
def test_other_topics_have_no_route(topic: str) -> None:
    """Those of other devices, unknown ones, and replies."""
    assert route(TOPICS, topic) is None


def test_our_own_answers_have_no_route() -> None:
    """A plain broker returns them when a wildcard matches; answering them would never end."""
    for topic in (f"{SYS}/thing/service/Restart", TOPICS.property_set, TOPICS.property_get):
        call = route(TOPICS, topic)
        assert call is not None
        assert call.reply_to is not None
        assert route(TOPICS, call.reply_to) is None


@given(
    st.text(alphabet="/sysextrpcthingervic+_#:1-", max_size=60),
    st.sampled_from(["", SYS, USER, f"/ext/rrpc/1{SYS}", f"/ext/rrpc/1{USER}"]),
)
def test_routing_never_raises(topic: str, prefix: str) -> None:
    """And an answer always goes to a topic of this device."""
    found = route(TOPICS, prefix + topic)

    assert found is None or found.reply_to is None or "/a1HomeGw001/gw-1/" in found.reply_to
