"""Limits on connects and messages, and the back-off."""

import asyncio
from collections.abc import Callable

import pytest

from custom_components.aliyun_iot.alink.errors import (
    CloudSilent,
    ConnectionClosed,
    ConnectionLost,
    ConnectionRefused,
    ConnectionReset,
    CredentialsRefused,
    KickedOut,
    PacketRefused,
    ServerUnavailable,
)
from custom_components.aliyun_iot.alink.mqtt import pacing
from custom_components.aliyun_iot.alink.mqtt.pacing import (
    CONNECTS_PER_WINDOW,
    LONGEST_DELAY,
    MESSAGE_RATE,
    PERIOD,
    SHORT_LIVED,
    WINDOW,
    Backoff,
    ConnectPacer,
    RateLimit,
    Turns,
)

from .clocks import Clock

LOST = ConnectionLost("lost")
CLOSED = ConnectionClosed("closed")
RESET = ConnectionReset("reset")
REFUSED = ConnectionRefused("refused")


def middle() -> float:
    """Return the jitter that leaves delays unchanged."""
    return 0.5


def test_five_connects_are_allowed_in_a_minute() -> None:
    """A sixth has to wait until the first is a minute old (docs/protocol.md §1.4)."""
    clock = Clock()
    pacer = ConnectPacer(clock)
    for _ in range(CONNECTS_PER_WINDOW):
        assert pacer.delay() == 0
        pacer.connected()
        clock.now += 1
    assert pacer.delay() == WINDOW - CONNECTS_PER_WINDOW

    clock.now += pacer.delay()
    assert pacer.delay() == 0
    pacer.connected()
    assert pacer.delay() == 1
    clock.now += 2 * WINDOW
    assert pacer.delay() == 0


def test_failures_double_the_delay_up_to_a_limit() -> None:
    """An unreachable cloud is tried less and less often, but never given up."""
    backoff = Backoff(middle)
    delays = [backoff.after_failure(REFUSED) for _ in range(1100)]
    assert delays[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert set(delays[6:]) == {LONGEST_DELAY}


def test_delays_have_jitter() -> None:
    """So that many devices do not reconnect in the same second."""
    earliest, latest = Backoff(lambda: 0.0), Backoff(lambda: 1.0)
    assert earliest.after_failure(REFUSED) == 0.75
    assert latest.after_failure(REFUSED) == 1.25
    assert len({Backoff().after_failure(REFUSED) for _ in range(20)}) > 1


def test_refused_credentials_lead_to_a_long_delay() -> None:
    """It does not affect the delay after the next failure."""
    backoff = Backoff(middle)
    assert backoff.after_failure(CredentialsRefused("refused")) == 15 * 60
    assert backoff.after_failure(ServerUnavailable("busy")) == 1


@pytest.mark.parametrize("online", [0.1, 3600.0])
def test_host_that_is_not_the_platform_is_left_alone_for_long(online: float) -> None:
    """However long it behaved before."""
    backoff = Backoff(middle)
    refused = PacketRefused(("too much", "太多"))
    assert backoff.after_failure(refused) == 15 * 60
    assert backoff.after_loss(refused, online) == (refused, 15 * 60)
    assert backoff.after_loss(LOST, SHORT_LIVED) == (LOST, 1)


def test_backoff_restarts_after_a_long_connection() -> None:
    """Such a connection proves that the cloud works."""
    backoff = Backoff(middle)
    for _ in range(5):
        backoff.after_failure(REFUSED)
    assert backoff.after_loss(LOST, online=SHORT_LIVED) == (LOST, 1)
    assert backoff.after_failure(REFUSED) == 2


def test_three_short_connections_in_a_row_mean_another_client() -> None:
    """Each further one leads to a longer pause."""
    backoff = Backoff(middle)
    assert backoff.after_loss(CLOSED, SHORT_LIVED - 1) == (CLOSED, 1)
    assert backoff.after_loss(CLOSED, 0.1) == (CLOSED, 2)
    delays = []
    for _ in range(5):
        error, delay = backoff.after_loss(CLOSED, 0.1)
        assert isinstance(error, KickedOut)
        delays.append(delay / 60)
    assert delays == [5, 10, 20, 30, 30]

    assert backoff.after_loss(CLOSED, SHORT_LIVED) == (CLOSED, 1)
    assert backoff.after_loss(CLOSED, 0.1) == (CLOSED, 2)


@pytest.mark.parametrize(
    "between",
    [
        lambda backoff: backoff.after_loss(LOST, 0.1),
        lambda backoff: backoff.after_failure(REFUSED),
        lambda backoff: backoff.after_loss(CLOSED, SHORT_LIVED),
    ],
    ids=["it went silent", "the host was not reached", "it lived long"],
)
def test_other_failures_in_between_mean_no_other_client(between: Callable[[Backoff], object]) -> None:
    """A bad line or a restart of the cloud must not lead to the long pause."""
    backoff = Backoff(middle)
    for _ in range(10):
        assert backoff.after_loss(CLOSED, 0.1)[0] is CLOSED
        assert backoff.after_loss(CLOSED, 0.1)[0] is CLOSED
        between(backoff)


def test_refusal_in_between_does_not_exclude_another_client() -> None:
    """The connects of the other client count towards the limit of the platform, which then refuses."""
    backoff = Backoff(middle)
    backoff.after_loss(CLOSED, 0.1)
    backoff.after_loss(CLOSED, 0.1)
    backoff.after_failure(ServerUnavailable("too many connects"))
    assert isinstance(backoff.after_loss(CLOSED, 0.1)[0], KickedOut)


def test_backoff_grows_for_a_cloud_that_does_not_reply() -> None:
    """An accepted connection does not prove that the cloud behind the host works."""
    backoff = Backoff(middle)
    assert [backoff.after_loss(CloudSilent("deaf"), 3600)[1] for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff.after_loss(LOST, 3600) == (LOST, 1)


@pytest.mark.parametrize("lived", [0.0, SHORT_LIVED - 1])
def test_backoff_grows_when_no_connection_lasts_a_minute(lived: float) -> None:
    """The host may accept every connection and serve none."""
    backoff = Backoff(middle)
    assert [backoff.after_loss(LOST, lived)[1] for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_resets_mean_no_other_client() -> None:
    """Routers and overloaded servers reset connections; the platform closes the older of two clients."""
    backoff = Backoff(middle)
    delays = [backoff.after_loss(RESET, 0.1) for _ in range(10)]
    assert all(error is RESET for error, _ in delays)
    assert [delay for _, delay in delays[:4]] == [1, 2, 4, 8]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return a clock that passes as fast as the rate limit sleeps."""
    clock = Clock()
    monkeypatch.setattr(pacing.asyncio, "sleep", clock.sleep)
    return clock


async def sent_through(limit: RateLimit, clock: Clock, seconds: float) -> list[float]:
    """Send as fast as the limit allows, and return the times of the messages."""
    times = []
    end = clock.now + seconds
    while True:
        await limit.wait()
        if clock.now >= end:
            return times
        limit.count()
        times.append(clock.now)


def most_in_a_second(times: list[float]) -> int:
    """Return the largest number of messages in any second."""
    return max(sum(at <= other < at + 1 for other in times) for at in times)


@pytest.mark.parametrize("messages", [1, 2, 9, 30])
async def test_rate_limit_is_used_and_never_passed(clock: Clock, messages: int) -> None:
    """Never more messages than the limit in any second, and close to it for as long as there is something to send."""
    times = await sent_through(RateLimit(messages, clock=clock), clock, 60)
    assert most_in_a_second(times) == messages
    assert len(times) >= 60 * messages / PERIOD


async def test_rate_limit_after_irregular_traffic(clock: Clock) -> None:
    """The limit applies to any second, whatever was sent before."""
    limit = RateLimit(clock=clock)
    times = []
    for pause in (0.3, 0.0, 0.7, 0.1, 5.0, 0.04, 0.9) * 20:
        times += await sent_through(limit, clock, 0.5)
        clock.now += pause
    assert most_in_a_second(times) == MESSAGE_RATE


async def test_message_under_way_may_pass_at_any_moment(clock: Clock) -> None:
    """It counts for a period after its arrival, however long ago it was sent; without a known arrival one looks again later."""
    limit = RateLimit(3, clock=clock)
    limit.under_way = 2
    clock.now += 60
    assert not limit.delay()
    limit.count()
    assert limit.delay() == pytest.approx(PERIOD)
    limit.under_way = 3
    clock.now += PERIOD + 0.01
    assert limit.delay() == pytest.approx(PERIOD)
    limit.under_way -= 1
    limit.count()
    clock.now += PERIOD + 0.01
    assert not limit.delay()


async def test_message_that_is_not_sent_is_not_counted(clock: Clock) -> None:
    """Those that wait for a lost connection do not delay those on the next."""
    limit = RateLimit(clock=clock)
    for _ in range(100):
        await limit.wait()
    assert clock.now == Clock.now
    assert not limit.delay()


async def test_lower_limit_takes_effect_at_once(clock: Clock) -> None:
    """Messages that were sent before count."""
    limit = RateLimit(clock=clock)
    for _ in range(9):
        limit.count()
    limit.messages = 2
    assert limit.delay() == pytest.approx(PERIOD)
    clock.now += PERIOD + 0.01
    assert not limit.delay()
    limit.count()
    limit.count()
    assert limit.delay() == pytest.approx(PERIOD)


def test_some_of_the_rate_can_be_reserved(clock: Clock) -> None:
    """A message that is not urgent leaves room for one that is."""
    limit = RateLimit(3, clock=clock)
    limit.count()
    assert not limit.delay(1)
    limit.count()
    assert limit.delay(1) > 0
    assert not limit.delay()


async def test_messages_pass_in_order_and_not_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after the loop was blocked for a minute."""
    turn = asyncio.Condition()
    clock = Clock()

    async def nap(_delay: float) -> None:
        async with turn:
            await turn.wait()

    monkeypatch.setattr(pacing.asyncio, "sleep", nap)
    limit = RateLimit(4, clock=clock)
    served: list[int] = []

    async def send(number: int) -> None:
        await limit.wait()
        limit.count()
        served.append(number)

    waiting = [asyncio.create_task(send(number)) for number in range(30)]
    await _a_while()
    assert served == list(range(4))
    clock.now += 60
    async with turn:
        turn.notify_all()
    await _a_while()
    assert served == list(range(8))
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def _a_while() -> None:
    """Run the loop for many iterations, also when `asyncio.sleep` is replaced."""
    for _ in range(100):
        turned: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(turned.set_result, None)
        await turned


def test_default_rate_is_below_that_of_the_platform() -> None:
    """It accepts ten messages of QoS 1 a second (docs/protocol.md §14)."""
    assert RateLimit().messages < 10


async def test_devices_take_turns() -> None:
    """However much one device has to send, another one waits for one message of it only; each device keeps its order."""
    turns = Turns()
    sent: list[tuple[str, int]] = []

    async def send(owner: str, number: int) -> None:
        async with turns.of(owner):
            sent.append((owner, number))
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for number in range(4):
            tasks.create_task(send("chatty", number))
        for owner in ("quiet", "calm"):
            tasks.create_task(send(owner, 0))
    assert sent == [
        ("chatty", 0),
        ("chatty", 1),
        ("quiet", 0),
        ("calm", 0),
        ("chatty", 2),
        ("chatty", 3),
    ]


async def test_one_passes_all_that_wait() -> None:
    """A gateway logs the rest of its sub-devices in while others have much to send."""
    turns = Turns()
    sent: list[int] = []

    async def send(number: int, *, first: bool = False) -> None:
        async with turns.of(number, first=first):
            sent.append(number)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for number in range(4):
            tasks.create_task(send(number))
        tasks.create_task(send(9, first=True))
    assert sent == [0, 9, 1, 2, 3]


async def test_turn_of_one_who_does_not_wait_any_more() -> None:
    """The place goes to the next one, also if it was given up at the moment when it was given."""
    turns = Turns(2)
    entered: list[str] = []

    async def enter(name: str, stay: float = 0) -> None:
        async with turns.of(name):
            entered.append(name)
            await asyncio.sleep(stay)

    first = [asyncio.create_task(enter(name, 60)) for name in "ab"]
    await asyncio.sleep(0)
    waiting = [asyncio.create_task(enter(name)) for name in "cdef"]
    await asyncio.sleep(0)
    waiting[0].cancel()
    first[0].cancel()  # its place goes to d, which is cancelled at the same time
    await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert entered == ["a", "b", "e", "f"]
    first[1].cancel()
    await asyncio.gather(*first, return_exceptions=True)
    async with asyncio.timeout(30):
        for name in "gh":
            await enter(name)
