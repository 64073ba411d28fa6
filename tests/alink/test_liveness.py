"""When a silent host is asked, and when it is given up."""

from custom_components.aliyun_iot.alink.mqtt.liveness import (
    PING_PATIENCE,
    PUBACK_PATIENCE,
    SLEEP,
    Finding,
    Liveness,
    boot_clock,
)


class Clock:
    """A clock that stands still until told otherwise."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def after(liveness: Liveness, clock: Clock, seconds: float) -> list[Finding]:
    """Look every second, so many seconds long, and return what was found besides nothing; a ping is sent when wanted."""
    found = []
    for _ in range(round(seconds)):
        clock.now += 1
        if (finding := liveness.check()) is not Finding.ALIVE:
            found.append(finding)
        if finding is Finding.PING:
            liveness.pinged()
    return found


def test_silence_alone_means_nothing() -> None:
    """Who expects nothing is not surprised when nothing comes; MQTT's keep-alive looks after that."""
    clock = Clock()
    assert after(Liveness(clock), clock, 3600) == []


def test_what_is_not_acknowledged_leads_to_a_question_and_that_to_the_end() -> None:
    """Ten seconds for the acknowledgement, five for the answer to the ping."""
    clock = Clock()
    liveness = Liveness(clock)
    liveness.sent()
    assert after(liveness, clock, PUBACK_PATIENCE) == []
    assert after(liveness, clock, 1) == [Finding.PING]
    assert after(liveness, clock, PING_PATIENCE) == []
    assert after(liveness, clock, 1) == [Finding.GONE]


def test_any_sign_of_life_counts() -> None:
    """The platform does not acknowledge what exceeds its rate, but as long as it says anything it is there."""
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


def test_sending_more_does_not_put_the_question_off() -> None:
    """The first thing that is owed counts, and the first ping."""
    clock = Clock()
    liveness = Liveness(clock)
    found = []
    for _ in range(round(PUBACK_PATIENCE + PING_PATIENCE) + 2):
        liveness.sent()
        found += after(liveness, clock, 1)
    assert found == [Finding.PING, Finding.GONE]


def test_a_doubt_is_settled_at_once() -> None:
    """One question, whatever gave rise to it, and none after the answer."""
    clock = Clock()
    liveness = Liveness(clock)
    liveness.doubt()
    assert after(liveness, clock, 1) == [Finding.PING]
    liveness.received()
    assert after(liveness, clock, 60) == []


def test_the_ping_of_the_keep_alive_counts_as_well() -> None:
    """Without this, an idle connection that is dead would live for two keep-alives."""
    clock = Clock()
    liveness = Liveness(clock)
    liveness.pinged()
    assert after(liveness, clock, PING_PATIENCE) == []
    assert after(liveness, clock, 1) == [Finding.GONE]


def test_who_still_sends_waits_later() -> None:
    """Over a slow line a large message takes longer than the patience, and the ping queues behind it."""
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


def test_after_a_sleep_the_host_is_asked_and_not_blamed() -> None:
    """Nobody was there to hear an answer, so nothing is overdue; but the connection may be long gone."""
    for prepare in (Liveness.sent, Liveness.pinged, lambda _liveness: None):
        clock = Clock()
        liveness = Liveness(clock)
        prepare(liveness)
        clock.now += 8 * 3600
        assert liveness.check() is Finding.PING
        liveness.pinged()
        assert after(liveness, clock, PING_PATIENCE) == []
        assert after(liveness, clock, 1) == [Finding.GONE]


def test_a_busy_moment_is_no_sleep() -> None:
    """A loop that was blocked for a little is everyday life."""
    clock = Clock()
    liveness = Liveness(clock)
    clock.now += SLEEP
    assert liveness.check() is Finding.ALIVE


def test_the_clock_only_goes_forward() -> None:
    """Whatever this system offers, it is no time of day."""
    clock = boot_clock()
    first = clock()
    assert clock() >= first
