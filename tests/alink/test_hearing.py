"""What replies, and their absence, mean."""

import pytest

from custom_components.aliyun_iot.alink.errors import CredentialsRefused, DeviceDeleted, DeviceDisabled
from custom_components.aliyun_iot.alink.reply_watch import DEAF_POSTS, DEAF_SECONDS, Hearing

from .test_liveness import Clock

REFUSED = CredentialsRefused("not authorised")


@pytest.fixture
def clock() -> Clock:
    """Return the clock of a test."""
    return Clock()


@pytest.fixture
def hearing(clock: Clock) -> Hearing:
    """Return the hearing of a link that has just connected."""
    hearing = Hearing(clock)
    hearing.connected()
    return hearing


def test_deaf_after_some_posts_and_some_time(hearing: Hearing, clock: Clock) -> None:
    """Neither a burst of lost replies nor one lost reply after a quiet hour is enough."""
    assert not any(hearing.missed(1) for _ in range(100))
    clock.now += DEAF_SECONDS
    assert hearing.missed(1)

    hearing.connected()
    clock.now += 3600
    assert [hearing.missed(1) for _ in range(DEAF_POSTS)] == [False] * (DEAF_POSTS - 1) + [True]


def test_a_reply_proves_the_opposite(hearing: Hearing, clock: Clock) -> None:
    """Whatever its code."""
    for _ in range(10):
        clock.now += DEAF_SECONDS
        assert not any(hearing.missed(1) for _ in range(DEAF_POSTS - 1))
        hearing.answered(500)


def test_questions_need_not_be_answered(hearing: Hearing, clock: Clock) -> None:
    """Not every instance hands out the thing model."""
    clock.now += 3600
    assert not any(hearing.missed(0) for _ in range(10))


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
def test_what_the_cloud_said_explains_a_refusal(hearing: Hearing, code: int, reason: type[CredentialsRefused]) -> None:
    """CONNACK has one code for everything; a reply before it may have said more."""
    hearing.answered(code)
    hearing.answered(200)
    explained = hearing.explain(REFUSED)
    assert type(explained) is reason
    assert str(explained) == str(REFUSED)
    assert explained.key == "invalid_auth"

    hearing.connected()
    assert type(hearing.explain(REFUSED)) is CredentialsRefused
