"""What the cloud refused: remembered per property, told once, and shown as a repair issue until it is solved."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
import logging

from homeassistant.core import callback

from ..alink.messages import JsonValue
from ..health.issues import Issue, Issues, listed

_LOGGER = logging.getLogger(__name__)

NAMED = 5
"""Properties that one line of the log, and the issue, name."""

PATIENCE = 3
"""Refusals in a row after which a property rests until the next connection or change of its binding."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A property that the cloud refused: why, which value, and how often in a row since it was last forgiven."""

    reason: str
    value: JsonValue
    count: int


class Rejections:
    """The properties of one device that the cloud does not take."""

    def __init__(self, issues: Issues, on_rejection: Callable[[str, str, JsonValue], None]) -> None:
        """`on_rejection` hears of every refusal: the property, the reason and the value."""
        self.known: dict[str, Rejection] = {}
        self.on_change: Callable[[], None] = _nothing
        """Told when other properties are refused than before, or for other reasons."""
        self._issues = issues
        self._on_rejection = on_rejection
        self._shown: dict[str, str] = {}

    def repeats(self, identifier: str, value: JsonValue) -> bool:
        """Tell whether this very value was refused the last time."""
        rejection = self.known.get(identifier)
        return rejection is not None and rejection.count > 0 and rejection.value == value

    def rests(self, identifier: str) -> bool:
        """Tell whether a property was refused so often that it is not tried for the moment."""
        rejection = self.known.get(identifier)
        return rejection is not None and rejection.count >= PATIENCE

    @callback
    def refused(self, values: Mapping[str, JsonValue], reasons: Mapping[str, str]) -> None:
        """Take note of values that were refused; the first time is worth a line in the log."""
        news: list[str] = []
        for identifier, value in values.items():
            before = self.known.get(identifier)
            rejection = Rejection(reasons[identifier], value, before.count + 1 if before else 1)
            self.known[identifier] = rejection
            self._on_rejection(identifier, rejection.reason, value)
            if rejection.count == 1:
                news.append(f"{identifier} = {value!r} ({rejection.reason})")
        if news:
            more = f" and {len(news) - NAMED} more" if len(news) > NAMED else ""
            _LOGGER.warning("The cloud rejected %s%s", ", ".join(news[:NAMED]), more)
        self._show()

    @callback
    def accepted(self, identifiers: Collection[str]) -> None:
        """Take note of properties that the cloud took; what was wrong with them is over."""
        if self.known:
            self._forget(self.known.keys() & identifiers)

    @callback
    def unbound(self, identifiers: Collection[str]) -> None:
        """Forget what is bound no more, or to something else."""
        self._forget(self.known.keys() & identifiers)

    @callback
    def forgive(self) -> None:
        """Let everything be tried again: the thing model in the cloud may have been changed meanwhile."""
        self.known = {identifier: replace(one, count=0) for identifier, one in self.known.items()}

    def _forget(self, identifiers: Collection[str]) -> None:
        for identifier in identifiers:
            del self.known[identifier]
        if identifiers:
            self._show()

    def _show(self) -> None:
        """Bring the issue up to date: it names what is refused now, and why."""
        present = {identifier: one.reason for identifier, one in sorted(self.known.items())}
        if present == self._shown:
            return
        self._shown = present
        self.on_change()
        if not present:
            self._issues.solved(Issue.PROPERTY_REJECTED)
            return
        rows = [f"{identifier}: {reason}" for identifier, reason in present.items()]
        self._issues.tell(Issue.PROPERTY_REJECTED, count=str(len(rows)), properties=listed(rows, NAMED))


def _nothing() -> None:
    """Nobody is interested in what is refused."""
