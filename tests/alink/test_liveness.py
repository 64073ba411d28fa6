"""When a silent host is pinged, and when it is given up."""

from custom_components.aliyun_iot.alink.mqtt.liveness import (
    PING_PATIENCE,
    PUBACK_PATIENCE,
    SLEEP,
    Finding,
    Liveness,
    boot_clock,
)

from .clocks import Clock


def after(liveness: Liveness, clock: Clock, seconds: float) -> list[Finding]:
    """Check every second for this long, send the pings that are due, and return the findings other than ALIVE."""
    found = []
    for _ in range(round(seconds)):
        clock.now += 1
        if (finding := liveness.check()) is not Finding.ALIVE:
            found.append(finding)
        if finding is Finding.PING:
            liveness.pinged()
    return found


def test_silence_is_ignored_while_nothing_is_expected() -> None:
    """MQTT's keep-alive pings then."""
    clock = Clock()
    assert after(Liveness(clock), clock, 3600) == []


def test_missing_puback_leads_to_a_ping_and_then_to_the_end() -> None:
    """After ten seconds without the PUBACK, and five without a reply to the ping."""
    clock = Clock()
    liveness = Liveness(clock)
    liveness.sent()
    assert after(liveness, clock, PUBACK_PATIENCE) == []
    assert after(liveness, clock, 1) == [Finding.PING]
    assert after(liveness, clock, PING_PATIENCE) == []
    assert after(liveness, clock, 1) == [Finding.GONE]


def test_anything_received_is_a_sign_of_life() -> None:
    """The platform does not acknowledge messages above its rate, but it is there while it sends anything."""
    clock = Clock()
    liveness = Liveness(clock)
    for _ in range(100):
        liveness.sent()
        assert after(liveness, clock, PUBACK_PATIENCE) == []
        liveness.received()
    liveness.sent()
    assert after(liveness, clock, PUBACK_PATIENCE + 1) == [Finding.PING]
    liveness.received()
    assert after(liveness, clock, 3600) == []


def test_sending_more_does_not_delay_the_ping() -> None:
    """The time counts from the first unacknowledged message, and from the first ping."""
    clock = Clock()
    liveness = Liveness(clock)
    found = []
    for _ in range(round(PUBACK_PATIENCE + PING_PATIENCE) + 2):
        liveness.sent()
        found += after(liveness, clock, 1)
    assert found == [Finding.PING, Finding.GONE]


def test_doubt_leads_to_one_ping_at_once() -> None:
    """And to none after the reply."""
    clock = Clock()
    liveness = Liveness(clock)
    liveness.doubt()
    assert after(liveness, clock, 1) == [Finding.PING]
    liveness.received()
    assert after(liveness, clock, 60) == []


def test_ping_of_the_keep_alive_counts() -> None:
    """Otherwise a dead idle connection would be kept for two keep-alives."""
    clock = Clock()
    liveness = Liveness(clock)
    liveness.pinged()
    assert after(liveness, clock, PING_PATIENCE) == []
    assert after(liveness, clock, 1) == [Finding.GONE]


def test_time_counts_from_the_last_progress_of_sending() -> None:
    """Over a slow line a large message takes longer than the time-outs, and the ping is queued behind it."""
    clock = Clock()
    liveness = Liveness(clock)
    liveness.sent()
    liveness.pinged()
    for _ in range(60):
        liveness.progress()
        assert after(liveness, clock, PING_PATIENCE) == []
    assert after(liveness, clock, 1) == [Finding.GONE]

    liveness = Liveness(clock)
    liveness.sent()
    assert after(liveness, clock, PUBACK_PATIENCE) == []
    liveness.progress()
    assert after(liveness, clock, PUBACK_PATIENCE) == []
    assert after(liveness, clock, 1) == [Finding.PING]
    liveness.received()
    liveness.progress()
    assert after(liveness, clock, 3600) == []


def test_host_is_pinged_after_a_suspend() -> None:
    """No reply could be received, so none is overdue, but the connection may be lost."""
    for prepare in (Liveness.sent, Liveness.pinged, lambda _liveness: None):
        clock = Clock()
        liveness = Liveness(clock)
        prepare(liveness)
        clock.now += 8 * 3600
        assert liveness.check() is Finding.PING
        liveness.pinged()
        assert after(liveness, clock, PING_PATIENCE) == []
        assert after(liveness, clock, 1) == [Finding.GONE]


def test_blocked_loop_is_not_a_suspend() -> None:
    """A short block of the loop is normal."""
    clock = Clock()
    liveness = Liveness(clock)
    clock.now += SLEEP
    assert liveness.check() is Finding.ALIVE


def test_clock_is_monotonic() -> None:
    """On every system."""
    clock = boot_clock()
    first = clock()
    assert clock() >= first
