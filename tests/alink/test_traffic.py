"""Every message on a link is counted by its kind, and shown to those who watch."""

import pytest

from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.samples import Sample, utc_milliseconds
from custom_components.aliyun_iot.alink.traffic import HOUR, HOURS_KEPT, MessageKind, Traffic, WireMessage, kind_of
from simulator import CloudDevice, Direction, Simulator

UP = {
    "/sys/pk/dn/thing/event/property/post": MessageKind.PROPERTIES,
    "/sys/pk/dn/thing/event/property/history/post": MessageKind.PROPERTIES,
    "/sys/pk/dn/thing/event/Alarm/post": MessageKind.EVENTS,
    "/sys/pk/dn/thing/service/property/set_reply": MessageKind.ANSWERS,
    "/sys/pk/dn/rrpc/response/1234": MessageKind.ANSWERS,
    "/ext/rrpc/1234/pk/dn/user/ask": MessageKind.ANSWERS,
    "/sys/pk/dn/thing/property/desired/get": MessageKind.OTHER,
    "/sys/pk/dn/thing/model/up_raw": MessageKind.OTHER,
    "/ext/ntp/pk/dn/request": MessageKind.OTHER,
    "/pk/dn/user/update": MessageKind.OTHER,
}
DOWN = {
    "/sys/pk/dn/thing/event/property/post_reply": MessageKind.REPLIES,
    "/ext/ntp/pk/dn/response": MessageKind.REPLIES,
    "/sys/pk/dn/thing/service/property/set": MessageKind.COMMANDS,
    "/sys/pk/dn/rrpc/request/1234": MessageKind.COMMANDS,
    "/pk/dn/user/get": MessageKind.COMMANDS,
}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time as a list of one number that a test can change."""
    now = [1_000_000 * float(HOUR)]
    monkeypatch.setattr("custom_components.aliyun_iot.alink.traffic.time.time", lambda: now[0])
    return now


@pytest.mark.parametrize(("topic", "kind"), UP.items())
def test_kinds_of_sent_messages(topic: str, kind: MessageKind) -> None:
    """The topic tells what a message is for."""
    assert kind_of(topic, up=True) is kind


@pytest.mark.parametrize(("topic", "kind"), DOWN.items())
def test_kinds_of_received_messages(topic: str, kind: MessageKind) -> None:
    """Whatever is no reply is a command."""
    assert kind_of(topic, up=False) is kind


def test_messages_are_counted_by_hour(clock: list[float]) -> None:
    """Both directions count; an hour is one of the epoch."""
    traffic = Traffic()
    for topic in UP:
        traffic.sent(topic, b"")
    clock[0] += HOUR
    for topic in DOWN:
        traffic.received(topic, b"")
    assert traffic.hours == {1_000_000: [2, 1, 3, 4, 0, 0], 1_000_001: [0, 0, 0, 0, 3, 2]}
    assert traffic.total(1_000_000, 1_000_001) == len(UP)
    assert traffic.total(1_000_000, 1_000_002) == len(UP) + len(DOWN)


def test_old_hours_are_forgotten(clock: list[float]) -> None:
    """Two months are kept, however long the link runs."""
    traffic = Traffic()
    for _ in range(HOURS_KEPT + 10):
        traffic.sent("/pk/dn/user/update", b"")
        clock[0] += HOUR
    assert len(traffic.hours) == HOURS_KEPT


def test_observers_see_messages_until_they_leave(clock: list[float]) -> None:
    """An observer that leaves sees no more."""
    traffic, seen = Traffic(), list[WireMessage]()
    leave = traffic.observe(seen.append)
    traffic.sent("/up", b"1")
    traffic.received("/down", b"2")
    leave()
    traffic.sent("/up", b"3")
    assert seen == [WireMessage(clock[0], "/up", b"1", up=True), WireMessage(clock[0], "/down", b"2", up=False)]


async def test_a_link_counts_what_the_cloud_sees(link: Link, cloud: Simulator, device: CloudDevice) -> None:
    """The counts are those of the cloud's own record, in both directions."""
    link.start()
    await link.wait_online(30)
    await link.device.post_properties({"LightSwitch": Sample(1, utc_milliseconds())})
    await link.device.read_clock()
    seen = [each for each in cloud.wire if each.direction is not Direction.LINK and each.topic and not each.note]
    counts = dict(zip(MessageKind, map(sum, zip(*link.traffic.hours.values(), strict=True)), strict=True))
    assert sum(counts.values()) == len(seen)
    assert (counts[MessageKind.PROPERTIES], counts[MessageKind.OTHER], counts[MessageKind.REPLIES]) == (1, 1, 2)
