"""The sliding window behind the rate limits."""

from hypothesis import given, strategies as st

from simulator.core.limits import SlidingWindow


def test_events_leave_the_window_one_by_one() -> None:
    """Refused events are not counted."""
    window = SlidingWindow(2, 10.0)
    assert [window.take(now) for now in (0.0, 4.0, 5.0, 9.9, 10.0, 13.9, 14.0)] == [
        True,
        True,
        False,
        False,
        True,
        False,
        True,
    ]


@given(count=st.integers(1, 5), gaps=st.lists(st.floats(0, 2), max_size=50))
def test_limit_is_never_exceeded(count: int, gaps: list[float]) -> None:
    """Whenever the events occur."""
    window, now, taken = SlidingWindow(count, 1.0), 0.0, []
    for gap in gaps:
        now += gap
        if window.take(now):
            taken.append(now)
    assert all(last - first >= 1.0 for first, last in zip(taken, taken[count:], strict=False))
