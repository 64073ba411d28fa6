"""What the cloud refused: remembered per property, and told once; `health/refusals.py` shows it until it is solved."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
import logging

from homeassistant.core import callback

from ..alink.messages import JsonValue

_LOGGER = logging.getLogger(__name__)

NAMED = 5
"""Properties that one line of the log names, and the issue."""

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

    def __init__(self, on_rejection: Callable[[str, str, JsonValue], None]) -> None:
        """`on_rejection` hears of every refusal: the property, the reason and the value."""
        self.known: dict[str, Rejection] = {}
        self.on_change: Callable[[], None] = _nothing
        """Told when other properties are refused than before, or for other reasons."""
        self._on_rejection = on_rejection
        self._told: dict[str, str] = {}

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
        self._compare()

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
        self._compare()

    def _compare(self) -> None:
        present = {identifier: one.reason for identifier, one in self.known.items()}
        if present != self._told:
            self._told = present
            self.on_change()


def _nothing() -> None:
    """Nobody is interested in what is refused."""
