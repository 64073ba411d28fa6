"""The sliding window behind the rate limits."""

from hypothesis import given, strategies as st

from simulator.limits import SlidingWindow


def test_places_become_free_one_by_one() -> None:
    """As each event grows old; refused ones take no place."""
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
def test_no_span_holds_too_many(count: int, gaps: list[float]) -> None:
    """Whenever the events come."""
    window, now, taken = SlidingWindow(count, 1.0), 0.0, []
    for gap in gaps:
        now += gap
        if window.take(now):
            taken.append(now)
    assert all(last - first >= 1.0 for first, last in zip(taken, taken[count:], strict=False))
