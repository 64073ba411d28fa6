"""What replies, and their absence, mean."""

import pytest

from custom_components.aliyun_iot.alink.errors import CredentialsRefused, DeviceDeleted, DeviceDisabled
from custom_components.aliyun_iot.alink.host import MAX_TRIES
from custom_components.aliyun_iot.alink.reply_watch import DEAF_POSTS, DEAF_SECONDS, ReplyWatch

from .clocks import Clock

POST, GET = "thing/event/property/post", "thing/property/desired/get"


@pytest.fixture
def clock() -> Clock:
    """Return the clock of a test."""
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> ReplyWatch:
    """Return the watch of a new connection."""
    return ReplyWatch(clock)


def misses(watch: ReplyWatch, count: int) -> bool:
    """Miss the replies to some posts, and return whether the cloud seems deaf."""
    for _ in range(count):
        watch.missed(POST, basic=True)
    return watch.is_deaf()


def test_cloud_is_deaf_after_some_posts_and_some_time(watch: ReplyWatch, clock: Clock) -> None:
    """A burst of lost replies is not enough, nor is one lost reply after a quiet hour."""
    assert not misses(watch, 100)
    clock.now += DEAF_SECONDS
    assert misses(watch, 1)

    watch = ReplyWatch(clock)
    clock.now += 3600
    assert [misses(watch, 1) for _ in range(DEAF_POSTS)] == [False] * (DEAF_POSTS - 1) + [True]


def test_any_reply_resets_the_count(watch: ReplyWatch, clock: Clock) -> None:
    """Whatever its code and whatever it replies to."""
    for kind in (POST, GET) * 5:
        clock.now += DEAF_SECONDS
        assert not misses(watch, DEAF_POSTS - 1)
        watch.replied(kind, 500)


def test_requests_that_a_host_may_not_know_are_not_counted(watch: ReplyWatch, clock: Clock) -> None:
    """Not every host returns the thing model, but one that did reply to such a request should do so again."""
    clock.now += 3600
    for _ in range(10):
        watch.missed(GET, basic=False)
        assert not watch.is_deaf()
    watch.replied(GET, 200)
    clock.now += 3600
    for _ in range(DEAF_POSTS):
        watch.missed(GET, basic=False)
    assert watch.is_deaf()


def test_unanswered_kind_of_request_is_given_up(watch: ReplyWatch) -> None:
    """After some tries on this connection, unless the host has replied to one of that kind."""
    for _ in range(MAX_TRIES):
        assert not watch.is_unknown(GET)
        watch.missed(GET, basic=False)
    assert watch.is_unknown(GET)
    assert not watch.is_unknown(POST)

    watch.replied(GET, 200)
    assert not watch.is_unknown(GET)


def test_host_that_stays_silent() -> None:
    """What an earlier connection has given up is not tried again, until the host replies to it."""
    silent: set[str] = set()
    ReplyWatch(tries=1, silent=silent).missed(GET, basic=False)
    later = ReplyWatch(tries=1, silent=silent)
    assert later.is_unknown(GET)
    later.missed(POST, basic=True)
    assert not later.is_unknown(POST)
    later.replied(GET, 200)
    assert not ReplyWatch(tries=1, silent=silent).is_unknown(GET)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (521, DeviceDeleted),
        (6100, DeviceDeleted),
        (522, DeviceDisabled),
        (6204, DeviceDisabled),
        (200, CredentialsRefused),
    ],
)
def test_code_of_a_reply_explains_a_later_refusal(
    watch: ReplyWatch, clock: Clock, code: int, reason: type[CredentialsRefused]
) -> None:
    """CONNACK has one code for everything; a reply before it may have said more."""
    watch.replied(POST, code)
    watch.replied(POST, 200)
    assert watch.verdict is reason
    assert reason.key == "invalid_auth"
    assert ReplyWatch(clock).verdict is CredentialsRefused
