"""The subscriptions of a device, and changing them while online."""

import asyncio
import json

import pytest

from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.subscriptions import (
    FILTERS_PER_PACKET,
    SUBSCRIPTION_LIMIT,
    USER_TOPIC_LIMIT,
    filters_for,
    missing_filters,
)
from custom_components.aliyun_iot.alink.topics import Topics
from simulator import CloudDevice, Simulator
from simulator.broker.packets import Subscribe, Unsubscribe

from ..conftest import DEVICE_NAME, PRODUCT_KEY
from ..waiting import until
from .conftest import ALINK, NewLink, Owner, call, config_for, publish, works
from .scripted import ScriptedHost

SYS = f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}"
USER = f"/{PRODUCT_KEY}/{DEVICE_NAME}/user"
TOPICS = Topics(PRODUCT_KEY, DEVICE_NAME)


# Filters


def test_unknown_services_are_subscribed_by_wildcard() -> None:
    """For devices without a thing model, and for services that it does not have."""
    filters = filters_for(TOPICS)

    assert f"{SYS}/thing/service/+" in filters
    assert f"{SYS}/rrpc/request/+" in filters
    assert f"/ext/rrpc/+{SYS}/thing/service/+" in filters
    assert TOPICS.property_set in filters


def test_known_services_are_subscribed_one_by_one() -> None:
    """Some instances refuse the wildcard, so each known service has its own filters."""
    filters = filters_for(TOPICS, ["Restart", "mod:Run", "Restart"])

    assert filters.count(f"{SYS}/thing/service/Restart") == 1
    assert f"{SYS}/thing/service/mod:Run" in filters
    assert filters.count(f"/ext/rrpc/+{SYS}/thing/service/Restart") == 1
    assert filters[: len(filters_for(TOPICS))] == filters_for(TOPICS)


def test_subscriptions_stay_within_the_limit_of_the_platform() -> None:
    """A device may have a hundred; the wildcard covers further services."""
    assert len(filters_for(TOPICS, [f"Service{number}" for number in range(300)])) == SUBSCRIPTION_LIMIT


def test_user_topics_are_subscribed_in_both_forms() -> None:
    """For messages and synchronous calls, once each; they take precedence over services."""
    fixed = filters_for(TOPICS)
    assert filters_for(TOPICS, (), ["get", "a/#", "get"]) == (
        *fixed,
        f"{USER}/get",
        f"/ext/rrpc/+{USER}/get",
        f"{USER}/a/#",
        f"/ext/rrpc/+{USER}/a/#",
    )
    many = filters_for(TOPICS, (f"S{number}" for number in range(300)), (f"t{n}" for n in range(USER_TOPIC_LIMIT)))
    assert len(many) == len(set(many)) == SUBSCRIPTION_LIMIT
    assert f"/ext/rrpc/+{USER}/t{USER_TOPIC_LIMIT - 1}" in many
    assert f"/ext/rrpc/+{SYS}/thing/service/S0" in many


def test_too_many_user_topics_are_refused() -> None:
    """The platform would refuse them."""
    with pytest.raises(ValueError, match=f"more than the {USER_TOPIC_LIMIT}"):
        filters_for(TOPICS, (), (f"topic{number}" for number in range(USER_TOPIC_LIMIT + 1)))


PROPERTY_REPLY = f"{SYS}/thing/event/property/post_reply"
EVENT_REPLIES = f"{SYS}/thing/event/+/post_reply"
ASYNC = f"{SYS}/thing/service/Run"
ANY_ASYNC = f"{SYS}/thing/service/+"
SHORT_RRPC = f"{SYS}/rrpc/request/+"


@pytest.mark.parametrize(
    ("refused", "services", "events", "missing"),
    [
        ([], ["Run"], True, []),
        ([TOPICS.property_set], [], False, [TOPICS.property_set]),
        ([EVENT_REPLIES], [], False, []),
        ([EVENT_REPLIES], [], True, [EVENT_REPLIES]),
        ([PROPERTY_REPLY], [], True, []),
        ([PROPERTY_REPLY, EVENT_REPLIES], [], False, [PROPERTY_REPLY]),
        ([ANY_ASYNC, SHORT_RRPC, f"/ext/rrpc/+{ANY_ASYNC}"], [], True, []),
        ([ANY_ASYNC, SHORT_RRPC, f"/ext/rrpc/+{ANY_ASYNC}"], ["Run"], True, []),
        ([ANY_ASYNC, ASYNC], ["Run"], False, [ASYNC]),
        ([SHORT_RRPC, f"/ext/rrpc/+{ANY_ASYNC}", f"/ext/rrpc/+{ASYNC}"], ["Run"], False, [SHORT_RRPC]),
    ],
)
def test_filter_is_missing_if_no_other_does_the_same(
    refused: list[str], services: list[str], events: bool, missing: list[str]
) -> None:
    """Some instances refuse wildcards, which is no problem where filters without one are accepted."""
    held = set(filters_for(TOPICS, services)) - set(refused)
    assert missing_filters(TOPICS, services, held, events=events) == tuple(missing)


def test_services_beyond_the_limit_need_the_wildcard() -> None:
    """They have no filters of their own."""
    services = [f"S{number}" for number in range(300)]
    held = set(filters_for(TOPICS, services))
    assert missing_filters(TOPICS, services, held, events=True) == ()
    missing = missing_filters(TOPICS, services, held - {ANY_ASYNC}, events=True)
    assert missing[-1] == f"{SYS}/thing/service/S299"
    assert len(missing) > 200


# Subscribing


def noted(cloud: Simulator, note: str) -> list[list[str]]:
    """Return the filters of every packet with this note in the log of the cloud: `subscribed` or `unsubscribed`."""
    return [list(json.loads(message.payload)) for message in cloud.wire if message.note == note]


async def test_user_topics_change_without_reconnecting(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Only the difference is subscribed and unsubscribed."""
    before = len(noted(cloud, "subscribed"))
    await link.device.listen_to_topics(["get", "news/+"])
    assert noted(cloud, "subscribed")[before:] == [
        [f"{USER}/get", f"/ext/rrpc/+{USER}/get", f"{USER}/news/+", f"/ext/rrpc/+{USER}/news/+"]
    ]
    await publish(cloud, f"{USER}/get", b"1")
    await publish(cloud, f"{USER}/news/today", b"2")
    await until(lambda: len(owner.commands) == 2)

    await link.device.listen_to_topics(["news/+", "other"])
    assert noted(cloud, "subscribed")[before + 1 :] == [[f"{USER}/other", f"/ext/rrpc/+{USER}/other"]]
    assert {one for packet in noted(cloud, "unsubscribed") for one in packet} == {
        f"{USER}/get",
        f"/ext/rrpc/+{USER}/get",
    }
    await publish(cloud, f"{USER}/get", b"3")
    await publish(cloud, f"{USER}/other", b"4")
    await until(lambda: len(owner.commands) == 3)
    assert [one.payload for one in owner.commands] == [b"1", b"2", b"4"]
    assert await works(cloud, device)


async def test_full_set_of_user_topics_can_be_exchanged(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """In packets that the platform accepts, and within its limit."""
    services = [f"Service{number}" for number in range(100)]
    await link.device.listen_to(services)
    for name in ("old", "new"):
        await link.device.listen_to_topics(f"{name}{number}" for number in range(USER_TOPIC_LIMIT))
    assert not link.device.refused_topics
    packets = noted(cloud, "subscribed") + noted(cloud, "unsubscribed")
    assert max(map(len, packets)) == FILTERS_PER_PACKET
    assert device.connection is not None
    assert len(device.connection.subscriptions) == SUBSCRIPTION_LIMIT
    assert f"{USER}/new0" in device.connection.subscriptions
    assert f"{USER}/old0" not in device.connection.subscriptions
    await link.device.listen_to_topics([])
    await link.device.listen_to([])
    assert len(device.connection.subscriptions) == len(filters_for(TOPICS))


@pytest.mark.usefixtures("no_backoff")
async def test_user_topics_are_subscribed_again_after_a_reconnect(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig, owner: Owner
) -> None:
    """Those from the start and those that were added later."""
    link = new_link(config, user_topics=["first"])
    await link.wait_online(30)
    await link.device.listen_to_topics(["first", "second"])
    cloud.faults.set(drop_connection=DEVICE_NAME)
    await until(lambda: device.connections == 2 and link.state is LinkState.ONLINE)
    for topic in ("first", "second"):
        await publish(cloud, f"{USER}/{topic}", b"x")
    await until(lambda: len(owner.commands) == 2)


async def test_wrong_user_topics_change_nothing(
    cloud: Simulator, device: CloudDevice, link: Link, config: LinkConfig, owner: Owner
) -> None:
    """The call raises before anything is sent."""
    await link.device.listen_to_topics(["get"])
    for wrong in (["get", "a//b"], [f"t{number}" for number in range(USER_TOPIC_LIMIT + 1)]):
        with pytest.raises(ValueError):  # noqa: PT011 - which text is a matter of the tests above
            await link.device.listen_to_topics(wrong)
    await publish(cloud, f"{USER}/get", b"x")
    await until(lambda: owner.commands)
    assert not noted(cloud, "unsubscribed")
    with pytest.raises(ValueError, match="wildcard"):
        Link(config, on_command=owner.obey, on_state=owner.hear, user_topics=["a#"])


async def test_refused_user_topics_are_reported(
    cloud: Simulator, device: CloudDevice, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    """They are logged once, and other topics still work."""
    cloud.faults.set(refuse_wildcards=True)
    for _ in range(2):
        await link.device.listen_to_topics(["get", "news/#"])
    assert link.device.refused_topics == {"news/#"}
    assert caplog.text.count("does not let gw-1 listen to") == 1
    await link.device.listen_to_topics(["get"])
    assert not link.device.refused_topics
    assert await works(cloud, device)
    await link.stop()
    assert not link.device.refused_topics


@pytest.mark.parametrize("form", ["auto", "sys"])
async def test_named_services_work_where_wildcards_are_refused(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, config: LinkConfig, form: str
) -> None:
    """Also synchronous ones, in both forms."""
    device.rrpc = type(device.rrpc)(form)
    cloud.faults.set(refuse_wildcards=True)
    link = new_link(config, ["ReadMeter"])
    await link.wait_online(30)
    assert (await call(cloud, "InvokeThingService", Identifier="ReadMeter", Args={"Channel": 1}))["Success"]


async def test_last_of_several_changes_wins(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """Also when they are made at once."""
    await asyncio.gather(
        *(link.device.listen_to_topics([f"topic{number}"]) for number in range(10)), link.device.listen_to(["Run"])
    )
    assert device.connection is not None
    wanted = filters_for(TOPICS, ["Run"], ["topic9"])
    assert len(device.connection.subscriptions) == len(wanted)
    assert all(one in device.connection.subscriptions for one in wanted)


async def test_unacknowledged_change_is_made_with_the_next(monkeypatch: pytest.MonkeyPatch, new_link: NewLink) -> None:
    """The missing acknowledgement does not end the connection."""
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        monkeypatch.setattr(f"{ALINK}.subscriptions.SUBSCRIBE_TIMEOUT", 0.02)
        await link.device.listen_to_topics(["a"])
        host.acknowledges = False
        await link.device.listen_to_topics([])
        await link.device.listen_to_topics([])
        unsubscribed = [set(one.filters) for one in host.received if isinstance(one, Unsubscribe)]
        assert unsubscribed == [set(TOPICS.user_filters("a"))] * 2
        host.acknowledges = True
        await link.device.listen_to_topics(["b"])
        subscribed = [packet.filters for packet in host.received if isinstance(packet, Subscribe)]
        assert subscribed[-1] == tuple((one, 1) for one in TOPICS.user_filters("b"))


async def test_unacknowledged_subscription_is_tried_again(monkeypatch: pytest.MonkeyPatch, new_link: NewLink) -> None:
    """While connected, with the filters that are wanted by then, until the host acknowledges them."""
    monkeypatch.setattr(f"{ALINK}.subscriptions.SUBSCRIBE_TIMEOUT", 0.02)
    monkeypatch.setattr(f"{ALINK}.session.RESUBSCRIBE_DELAY", 0.02)
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        host.acknowledges = False
        await link.device.listen_to_topics(["a"])
        await until(lambda: _asked_for(host, "a") >= 3)
        host.acknowledges = True
        await until(lambda: not link.session._resubscribing)
        assert link.session._subscriber._acknowledged == {*filters_for(TOPICS, (), ["a"])}

        host.acknowledges = False
        first, second = (asyncio.create_task(link.device.listen_to_topics(["a", suffix])) for suffix in "bc")
        await first
        host.acknowledges = True
        await second
        await until(lambda: not link.session._resubscribing)
        assert link.session._subscriber._acknowledged == {*filters_for(TOPICS, (), ["a", "c"])}
        assert _asked_for(host, "b") == 1
        assert host.connections == 1


def _asked_for(host: ScriptedHost, suffix: str) -> int:
    """Return how often a user topic was subscribed to."""
    topic = TOPICS.user(suffix)
    return sum(isinstance(one, Subscribe) and (topic, 1) in one.filters for one in host.received)
