"""How often the link may connect, how long it waits, and how fast it sends."""

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
)

LOST = ConnectionLost("lost")
CLOSED = ConnectionClosed("closed")
RESET = ConnectionReset("reset")
REFUSED = ConnectionRefused("refused")


class Clock:
    """A clock that stands still until told otherwise."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def middle() -> float:
    """Return the jitter that changes nothing."""
    return 0.5


def test_five_connects_a_minute() -> None:
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
    """A cloud that is away is asked less and less often, but never given up."""
    backoff = Backoff(middle)
    delays = [backoff.after_failure(REFUSED) for _ in range(1100)]
    assert delays[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert set(delays[6:]) == {LONGEST_DELAY}


def test_delays_are_spread() -> None:
    """A thousand devices do not come back in the same second."""
    earliest, latest = Backoff(lambda: 0.0), Backoff(lambda: 1.0)
    assert earliest.after_failure(REFUSED) == 0.75
    assert latest.after_failure(REFUSED) == 1.25
    assert len({Backoff().after_failure(REFUSED) for _ in range(20)}) > 1


def test_refused_credentials_rest_for_minutes() -> None:
    """Trying again soon cannot help, and does not make the next failure wait longer."""
    backoff = Backoff(middle)
    assert backoff.after_failure(CredentialsRefused("refused")) == 15 * 60
    assert backoff.after_failure(ServerUnavailable("busy")) == 1


def test_a_lost_connection_is_tried_again_at_once() -> None:
    """A connection that lived proves that the cloud is there, so counting starts anew."""
    backoff = Backoff(middle)
    for _ in range(5):
        backoff.after_failure(REFUSED)
    assert backoff.after_loss(LOST, online=SHORT_LIVED) == (LOST, 1)
    assert backoff.after_failure(REFUSED) == 2


def test_short_lives_in_a_row_mean_a_rival() -> None:
    """Three connections that are closed young are the work of another client; each return is rarer than the one before."""
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
def test_what_a_rival_does_not_do(between: Callable[[Backoff], object]) -> None:
    """A bad line or a cloud that restarts must not cost minutes."""
    backoff = Backoff(middle)
    for _ in range(10):
        assert backoff.after_loss(CLOSED, 0.1)[0] is CLOSED
        assert backoff.after_loss(CLOSED, 0.1)[0] is CLOSED
        between(backoff)


def test_a_rival_uses_up_the_connects_of_a_minute() -> None:
    """The platform counts its connects as well, so being refused between two kicks speaks for a rival, not against it."""
    backoff = Backoff(middle)
    backoff.after_loss(CLOSED, 0.1)
    backoff.after_loss(CLOSED, 0.1)
    backoff.after_failure(ServerUnavailable("too many connects"))
    assert isinstance(backoff.after_loss(CLOSED, 0.1)[0], KickedOut)


def test_a_cloud_that_replies_to_nothing_is_left_less_and_less_often() -> None:
    """To be let in proves nothing about what is behind the host."""
    backoff = Backoff(middle)
    assert [backoff.after_loss(CloudSilent("deaf"), 3600)[1] for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff.after_loss(LOST, 3600) == (LOST, 1)


@pytest.mark.parametrize("lived", [0.0, SHORT_LIVED - 1])
def test_lost_connections_that_were_never_online_for_a_minute(lived: float) -> None:
    """A host that accepts every connection and serves none is asked less and less often."""
    backoff = Backoff(middle)
    assert [backoff.after_loss(LOST, lived)[1] for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_resets_are_not_the_work_of_a_rival() -> None:
    """Routers and overloaded servers reset connections; the platform closes the one whose place is taken."""
    backoff = Backoff(middle)
    delays = [backoff.after_loss(RESET, 0.1) for _ in range(10)]
    assert all(error is RESET for error, _ in delays)
    assert [delay for _, delay in delays[:4]] == [1, 2, 4, 8]


class Second:
    """A clock that sleeping sets forward."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, delay: float) -> None:
        """Let time pass."""
        self.now += delay


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Second:
    """Return a clock that passes as fast as the rate limit sleeps."""
    clock = Second()
    monkeypatch.setattr(pacing.asyncio, "sleep", clock.sleep)
    return clock


async def sent_through(limit: RateLimit, clock: Second, seconds: float) -> list[float]:
    """Send as fast as the limit allows, and return when each message passed."""
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
async def test_rate_limit_is_used_and_never_passed(clock: Second, messages: int) -> None:
    """At 9, never more than 9 in any second, and close to 9 for as long as there is something to send (issue 10)."""
    times = await sent_through(RateLimit(messages, clock=clock), clock, 60)
    assert most_in_a_second(times) == messages
    assert len(times) >= 60 * messages / PERIOD


async def test_rate_limit_after_irregular_traffic(clock: Second) -> None:
    """The window slides: it makes no difference when the messages before were sent."""
    limit = RateLimit(clock=clock)
    times = []
    for pause in (0.3, 0.0, 0.7, 0.1, 5.0, 0.04, 0.9) * 20:
        times += await sent_through(limit, clock, 0.5)
        clock.now += pause
    assert most_in_a_second(times) == MESSAGE_RATE


async def test_message_that_is_not_sent_is_not_counted(clock: Second) -> None:
    """Those that wait for a connection that is lost don't delay the ones after it."""
    limit = RateLimit(clock=clock)
    for _ in range(100):
        await limit.wait()
    assert clock.now == Second.now
    assert not limit.delay()


async def test_lower_limit_takes_effect_at_once(clock: Second) -> None:
    """What was sent before counts."""
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


def test_some_of_the_rate_can_be_reserved(clock: Second) -> None:
    """A message that is not urgent leaves room for one that is."""
    limit = RateLimit(3, clock=clock)
    limit.count()
    assert not limit.delay(1)
    limit.count()
    assert limit.delay(1) > 0
    assert not limit.delay()


async def test_messages_are_served_in_the_order_of_their_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the loop was blocked for seconds, those that wait do not go all at once."""
    turn = asyncio.Condition()
    clock = Second()

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
    """Let the loop turn often, also when `asyncio.sleep` is replaced."""
    for _ in range(100):
        turned: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(turned.set_result, None)
        await turned


def test_default_rate_is_below_that_of_the_platform() -> None:
    """It takes ten messages of QoS 1 a second (docs/protocol.md §14)."""
    assert RateLimit().messages < 10
