"""How often the link may connect, how long it waits, and how fast it sends."""

import asyncio
from collections.abc import Callable

import pytest

from custom_components.aliyun_iot.alink.errors import (
    CloudSilent,
    ConnectionClosed,
    ConnectionLost,
    ConnectionRefused,
    CredentialsRefused,
    KickedOut,
    ServerUnavailable,
)
from custom_components.aliyun_iot.alink.mqtt import pacing
from custom_components.aliyun_iot.alink.mqtt.pacing import (
    CONNECTS_PER_WINDOW,
    LONGEST_DELAY,
    SHORT_LIVED,
    WINDOW,
    Backoff,
    ConnectPacer,
    TokenBucket,
)

LOST = ConnectionLost("lost")
CLOSED = ConnectionClosed("closed")
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
    assert backoff.after_loss(LOST, lifetime=3600) == (LOST, 1)
    assert backoff.after_failure(REFUSED) == 2


def test_short_lives_in_a_row_mean_a_rival() -> None:
    """Three connections that are closed young are the work of another client; each return is rarer than the one before."""
    backoff = Backoff(middle)
    assert backoff.after_loss(CLOSED, SHORT_LIVED - 1) == (CLOSED, 1)
    assert backoff.after_loss(CLOSED, 0.1) == (CLOSED, 1)
    delays = []
    for _ in range(5):
        error, delay = backoff.after_loss(CLOSED, 0.1)
        assert isinstance(error, KickedOut)
        delays.append(delay / 60)
    assert delays == [5, 10, 20, 30, 30]

    assert backoff.after_loss(CLOSED, SHORT_LIVED) == (CLOSED, 1)
    assert backoff.after_loss(CLOSED, 0.1) == (CLOSED, 1)


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


@pytest.mark.rate_limit
async def test_a_burst_then_a_steady_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a silence some messages go at once; the next ones wait, each for its own turn."""
    naps: list[float] = []

    async def nap(delay: float) -> None:
        naps.append(delay)

    monkeypatch.setattr(pacing.asyncio, "sleep", nap)
    clock = Clock()
    bucket = TokenBucket(rate=5, burst=4, clock=clock)
    for _ in range(4):
        await bucket.take()
    assert naps == []
    for _ in range(3):
        await bucket.take()
    assert naps == pytest.approx([0.2, 0.4, 0.6])

    clock.now += 0.6
    await bucket.take()
    assert naps[3:] == pytest.approx([0.2])

    clock.now += 3600
    naps.clear()
    for _ in range(5):
        await bucket.take()
    assert naps == pytest.approx([0.2])


@pytest.mark.rate_limit
async def test_a_burst_at_most_after_a_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the loop was blocked for seconds, all who waited for their turn are late; they do not go all at once."""
    turn = asyncio.Condition()
    clock = Clock()

    async def nap(_delay: float) -> None:
        async with turn:
            await turn.wait()

    monkeypatch.setattr(pacing.asyncio, "sleep", nap)
    bucket = TokenBucket(rate=5, burst=4, clock=clock)
    waiting = [asyncio.create_task(bucket.take()) for _ in range(30)]
    await _a_while()
    assert sum(one.done() for one in waiting) == 4
    clock.now += 60
    async with turn:
        turn.notify_all()
    await _a_while()
    assert sum(one.done() for one in waiting) == 8
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def _a_while() -> None:
    """Let the loop turn often, whatever has become of `asyncio.sleep`."""
    for _ in range(100):
        turned: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(turned.set_result, None)
        await turned


def test_never_above_the_rate_of_the_platform() -> None:
    """Burst and rate together stay below ten messages in any second (docs/protocol.md §14)."""
    bucket = TokenBucket()
    assert bucket.burst + bucket.rate < 10
