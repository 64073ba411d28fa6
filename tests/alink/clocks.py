"""A clock for tests."""


class Clock:
    """A clock that only advances when a test says so, or when something sleeps by `sleep`."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, delay: float) -> None:
        """Advance instead of sleeping."""
        self.now += delay
