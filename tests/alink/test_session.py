"""Requests of the device, and their replies."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
import json
import math
import random
from typing import Any

import pytest

from custom_components.aliyun_iot.alink.errors import (
    CloudSilent,
    ConnectError,
    MessageError,
    NotConnected,
    RequestTimeout,
    Unanswered,
)
from custom_components.aliyun_iot.alink.host import MAX_TRIES
from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.messages import MAX_PAYLOAD, Reply
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.pacing import RateLimit
from custom_components.aliyun_iot.alink.mqtt.transport import Delivery, MessageHandler, SentHandler
from custom_components.aliyun_iot.alink.reply_watch import DEAF_POSTS
from custom_components.aliyun_iot.alink.samples import Sample
from custom_components.aliyun_iot.alink.session import MAX_ID, MAX_PENDING, Session
from simulator import CloudDevice, Simulator

from ..waiting import until
from .conftest import ALINK, NewLink, Owner, config_for, publish, sent
from .scripted import ScriptedHost

AT = 1_767_225_600_000


# Kinds of messages


async def test_property_post(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """Values arrive with their time, at QoS 1."""
    reply = await link.device.post_properties({"LightSwitch": Sample(1, AT), "TargetTemperature": Sample(21.5, AT + 1)})
    assert (reply.ok, reply.code, reply.rejected) == (True, 200, {})
    assert device.properties == {"LightSwitch": (1, AT), "TargetTemperature": (21.5, AT + 1)}

    (message,) = sent(cloud, link.device.topics.property_post)
    assert message.qos == 1
    assert json.loads(message.payload) | {"id": ""} == {
        "id": "",
        "version": "1.0",
        "sys": {"ack": 1},
        "params": {"LightSwitch": {"value": 1, "time": AT}, "TargetTemperature": {"value": 21.5, "time": AT + 1}},
        "method": "thing.event.property.post",
    }


async def test_property_post_with_an_error_for_one_property(device: CloudDevice, link: Link) -> None:
    """The cloud replies 200, and lists the dropped value in the data."""
    reply = await link.device.post_properties({"LightSwitch": Sample(1, AT), "Brightness": Sample(999, AT)})
    assert reply.ok
    assert list(reply.rejected) == ["Brightness"]
    assert list(device.properties) == ["LightSwitch"]


async def test_property_post_refused_as_a_whole(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """A code other than 200 does not raise."""
    cloud.faults.set(answer_code={"code": 5092, "count": 1})
    reply = await link.device.post_properties({"LightSwitch": Sample(1, AT)})
    assert (reply.ok, reply.code) == (False, 5092)
    assert not device.properties


async def test_event_post(device: CloudDevice, link: Link) -> None:
    """An event arrives with its output and its time; one that is not in the thing model is refused."""
    reply = await link.device.post_event(
        "HighTemperatureAlarm", {"Temperature": 90.5, "Threshold": 80.0, "Zone": "attic"}, AT
    )
    assert reply.ok
    (event,) = device.events
    assert (event.identifier, event.output["Temperature"], event.time) == ("HighTemperatureAlarm", 90.5, AT)

    assert not (await link.device.post_event("NoSuchEvent", {}, AT)).ok


async def test_raw_up(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    """A frame arrives unchanged; the cloud's reply to it is only logged."""
    caplog.set_level("DEBUG", "custom_components.aliyun_iot.alink")
    await link.device.send_raw(b"\x00\xff\x10")
    await device.wait_for(lambda one: bool(one.raw_up))
    assert device.raw_up == [b"\x00\xff\x10"]
    await until(lambda: f"on {link.device.topics.raw_up_reply}" in caplog.text)
    assert not owner.commands


async def test_thing_model_from_the_cloud(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """Some instances return it, others don't reply."""
    reply = await link.device.fetch_thing_model()
    assert reply.ok
    assert "LightSwitch" in json.dumps(reply.data)

    cloud.faults.set(ignore_topics=["thing/dsltemplate/get"])
    with pytest.raises(RequestTimeout, match="no reply to thing"):
        await link.device.fetch_thing_model(timeout=0.05)


# Replies


async def test_lost_reply_is_a_time_out(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """The next request is not affected."""
    cloud.faults.set(lose_replies=1)
    with pytest.raises(RequestTimeout, match=r"no reply to thing\.event\.property\.post within 0\.05 s"):
        await link.device.post_properties({"LightSwitch": Sample(1, AT)}, timeout=0.05)
    assert "LightSwitch" in device.properties
    assert (await link.device.post_properties({"LightSwitch": Sample(0, AT)})).ok


async def test_late_reply_is_ignored(
    cloud: Simulator, device: CloudDevice, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not used for another request."""
    caplog.set_level("DEBUG", "custom_components.aliyun_iot.alink")
    cloud.faults.set(delay_replies=0.1)
    with pytest.raises(RequestTimeout):
        await link.device.post_properties({"LightSwitch": Sample(1, AT)}, timeout=0.01)
    await until(lambda: "No request waits for the reply" in caplog.text)
    cloud.faults.set(reset=True)
    assert (await link.device.post_properties({"LightSwitch": Sample(0, AT)})).ok


@pytest.mark.usefixtures("unlimited")
async def test_replies_may_come_in_any_order(new_link: NewLink) -> None:
    """Each of many requests gets its own."""
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        topics = [link.device.topics.event_post(f"Event{number % 3}") for number in range(60)]
        asking = [
            asyncio.create_task(link.device.request(topic, "m", {"number": number}))
            for number, topic in enumerate(topics)
        ]
        await until(lambda: len(host.published) == len(topics))
        for request in random.sample(host.published, len(topics)):
            document = json.loads(request.payload)
            answer = {"id": document["id"], "code": 200, "data": document["params"]}
            host.publish(f"{request.topic}_reply", json.dumps(answer).encode())
        replies = await asyncio.gather(*asking)
    assert [reply.data for reply in replies] == [{"number": number} for number in range(len(topics))]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"id": ID, "code": 200}', (200, "", {})),
        (
            '{"id": "ID", "code": "200", "data": {}, "message": "success", "method": "x", "version": "1.0"}',
            (200, "success", {}),
        ),
        ('{"id": ID, "code": 200.0, "data": null, "message": null}', (200, "", None)),
        (
            '{"id": "ID", "code": "460", "data": "", "message": "request parameter error"}',
            (460, "request parameter error", ""),
        ),
        ('{"id": "ID", "code": 6306, "data": {"a": [1]}, "localizedMsg": "x"}', (6306, "", {"a": [1]})),
    ],
)
async def test_replies_are_read_tolerantly(
    cloud: Simulator, device: CloudDevice, link: Link, answer: str, expected: tuple[int, str, Any]
) -> None:
    """Id and code may be numbers or text, the rest may be missing (docs/protocol.md §0.4)."""
    cloud.faults.set(lose_replies=1)
    asking = asyncio.create_task(link.device.request(link.device.topics.desired_get, "thing.property.desired.get", []))
    await until(lambda: sent(cloud, link.device.topics.desired_get))
    (request,) = sent(cloud, link.device.topics.desired_get)
    payload = answer.replace("ID", json.loads(request.payload)["id"])
    await publish(cloud, f"{link.device.topics.desired_get}_reply", payload.encode())
    reply = await asking
    assert (reply.code, reply.message, reply.data) == expected


@pytest.mark.parametrize(
    "payload", [b"not JSON", b"[]", b"{}", b'{"id": "1"}', b'{"id": "1", "code": "x"}', b"\xff" * 4_000]
)
async def test_unreadable_replies_are_ignored(
    cloud: Simulator, device: CloudDevice, link: Link, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """They are logged, and the connection stays."""
    caplog.set_level("DEBUG", "custom_components.aliyun_iot.alink")
    await publish(cloud, f"{link.device.topics.property_post}_reply", payload)
    await until(lambda: "Unreadable reply" in caplog.text)
    assert (await link.device.post_properties({"LightSwitch": Sample(1, AT)})).ok
    assert device.connections == 1


class FakeConnection:
    """Records published messages, and delivers replies."""

    def __init__(self) -> None:
        """Start without messages."""
        self.lost: asyncio.Future[ConnectError] = asyncio.get_running_loop().create_future()
        self.published: list[tuple[str, bytes]] = []
        self.deliver: MessageHandler

    @property
    def ids(self) -> list[str]:
        """The ids of the requests."""
        return [json.loads(payload)["id"] for _, payload in self.published]

    def publish(self, topic: str, payload: bytes, _qos: int) -> None:
        """Record a message."""
        if self.lost.done():
            raise NotConnected("closed")
        self.published.append((topic, payload))

    def reply(self, number: int, code: int = 200) -> None:
        """Reply to the request with this number."""
        payload = json.dumps({"id": self.ids[number], "code": code}).encode()
        self.deliver(Delivery(f"{self.published[number][0]}_reply", payload))

    def doubt(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Close."""
        self.lost.cancel()


@pytest.fixture
async def connection(monkeypatch: pytest.MonkeyPatch) -> FakeConnection:
    """Return the connection of `session`."""
    connection = FakeConnection()

    async def connect(_config: LinkConfig, on_message: MessageHandler, _on_sent: SentHandler) -> FakeConnection:
        connection.deliver = on_message
        return connection

    monkeypatch.setattr(f"{ALINK}.session.connect", connect)
    return connection


@pytest.fixture
async def session(connection: FakeConnection) -> Session:
    """Return a session on a fake connection."""
    session = Session(RateLimit(1e9), lambda _delivery: None, lambda _code: None)
    await session.open(config_for(1))
    return session


def ask(session: Session, timeout: float = 5) -> asyncio.Task[Reply]:
    """Send a request."""
    return asyncio.create_task(session.request("/sys/pk/dn/thing/t", "m", {}, qos=0, timeout=timeout))


async def test_second_reply_is_ignored(session: Session, connection: FakeConnection) -> None:
    """Also when both arrive at once."""
    asking = ask(session)
    await until(lambda: connection.published)
    for code in (200, 400):
        connection.reply(0, code)
    await session.close()
    assert (await asking).code == 200


# Sending


async def test_request_that_cannot_be_encoded_raises(device: CloudDevice, link: Link) -> None:
    """Nothing is sent, and the next request works."""
    for value in (math.nan, "x" * MAX_PAYLOAD):
        with pytest.raises(MessageError):
            await link.device.post_properties({"GatewayName": Sample(value, AT)})
    assert (await link.device.post_properties({"LightSwitch": Sample(1, AT)})).ok
    assert list(device.properties) == ["LightSwitch"]


async def test_requests_without_a_connection_raise(config: LinkConfig) -> None:
    """Nothing is kept for later."""
    link = Link(config, on_command=Owner().obey, on_state=Owner().hear)
    with pytest.raises(NotConnected):
        await link.device.post_properties({"LightSwitch": Sample(1, AT)})
    with pytest.raises(NotConnected):
        await link.device.send_raw(b"\x00")


async def test_ids_are_numbers_below_2_32(
    session: Session, connection: FakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They start at a random number, to differ from those before a restart (docs/protocol.md §0.3)."""
    monkeypatch.setattr(f"{ALINK}.session._IDS", count(MAX_ID - 1))
    for _ in range(3):
        with pytest.raises(RequestTimeout):
            await ask(session, timeout=0)
    assert connection.ids == [str(MAX_ID - 1), "0", "1"]


async def test_requests_in_flight_are_bounded(session: Session, connection: FakeConnection) -> None:
    """Further requests wait for replies to others."""
    asking = [ask(session) for _ in range(MAX_PENDING + 10)]
    await until(lambda: len(connection.published) == MAX_PENDING)
    await asyncio.sleep(0)
    assert len(connection.published) == MAX_PENDING

    replied = 0
    async with asyncio.timeout(30):
        while not all(task.done() for task in asking):
            for number in range(replied, len(connection.published)):
                connection.reply(number)
                replied += 1
            await asyncio.sleep(0)
    assert all(reply.ok for reply in await asyncio.gather(*asking))


async def test_lost_connection_fails_every_request(connection: FakeConnection) -> None:
    """Those that wait for a reply, and those that wait to be sent, which are not counted by the rate limit."""
    limit = RateLimit(2, period=0.01)
    session = Session(limit, lambda _delivery: None, lambda _code: None)
    await session.open(config_for(1))
    asking = [ask(session) for _ in range(MAX_PENDING + 10)]
    await until(lambda: connection.published)
    await session.close()
    assert all(isinstance(one, NotConnected) for one in await asyncio.gather(*asking, return_exceptions=True))
    assert len(limit._passed) <= 2


@pytest.mark.usefixtures("no_backoff", "unlimited")
async def test_requests_that_a_host_does_not_know_are_given_up(
    new_link: NewLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three attempts on a connection, which stays while the host replies to others."""
    monkeypatch.setattr(f"{ALINK}.reply_watch.DEAF_SECONDS", 0)
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        topics = link.device.topics
        host.replies_to = frozenset({topics.property_post})
        requests: dict[str, Callable[[], Awaitable[object]]] = {
            topics.desired_get: lambda: link.device.get_desired(["A"], timeout=0.01),
            topics.desired_delete: lambda: link.device.delete_desired({"A": 1}, timeout=0.01),
            topics.dsltemplate_get: lambda: link.device.fetch_thing_model(timeout=0.01),
            topics.property_batch_post: lambda: link.device.post_batch([("A", Sample(1, AT))], timeout=0.01),
            topics.property_history_post: lambda: link.device.post_history([("A", Sample(1, AT))], timeout=0.01),
            topics.ntp_request: lambda: link.device.read_clock(timeout=0.01),
        }
        for connections in (1, 2):
            await until(lambda: host.connections == connections and link.state is LinkState.ONLINE)  # noqa: B023
            host.received.clear()
            for attempt in range(5):
                for request in requests.values():
                    with pytest.raises(RequestTimeout) as given_up:
                        await request()
                    assert isinstance(given_up.value, Unanswered) == (attempt >= MAX_TRIES)
                assert (await link.device.post_properties({"A": Sample(1, AT)})).ok
            assert Counter(one.topic for one in host.published) == {
                **dict.fromkeys(requests, MAX_TRIES),
                topics.property_post: 5,
            }
            for one in host.published:
                if one.topic != topics.ntp_request:
                    assert json.loads(one.payload)["sys"] == {"ack": 1}
            assert host.connections == connections
            host.hang_up()


@pytest.mark.usefixtures("no_backoff", "unlimited")
async def test_events_and_property_posts_are_never_given_up(
    new_link: NewLink, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every host replies to them, so a connection without these replies is replaced."""
    monkeypatch.setattr(f"{ALINK}.reply_watch.DEAF_SECONDS", 0)
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        for post in (
            lambda: link.device.post_event("Alarm", {}, AT, timeout=0.01),
            lambda: link.device.post_properties({"A": Sample(1, AT)}, timeout=0.01),
        ):
            connections = host.connections
            for _ in range(DEAF_POSTS):
                with pytest.raises(RequestTimeout) as missed:
                    await post()
                assert not isinstance(missed.value, Unanswered)
            await until(lambda: host.connections > connections and link.state is LinkState.ONLINE)  # noqa: B023
        assert sum(isinstance(error, CloudSilent) for error in owner.errors) == 2 * 2  # reported with each state
