"""What the cloud refused for good: samples and events, which are not sent again.

A newest value that is refused is not lost: the next connection sends it again, and until then the property has a refusal
(`outbox.py`). A sample or an event has no second chance, so it is counted for as long as the entry runs. So is a sample that is
not sent at all, because the cloud has refused its value or keeps refusing the property.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from homeassistant.core import callback

from ..alink.foreign import logger_of
from ..log_text import some_of

_LOGGER = logger_of(__name__)


@dataclass(frozen=True, slots=True)
class Loss:
    """How many samples of a property, or how many events, were refused, and the reason of the last one."""

    count: int
    reason: str


class Losses:
    """The losses of one device."""

    def __init__(self, *, on_changed: Callable[[Mapping[str, Loss]], None]) -> None:
        """`on_changed` is called with all losses whenever there are more."""
        self.by_identifier: dict[str, Loss] = {}
        """The losses of each property and of each event."""
        self._on_changed = on_changed

    @property
    def total(self) -> int:
        """How many samples and events were lost."""
        return sum(loss.count for loss in self.by_identifier.values())

    @callback
    def add(self, counts: Mapping[str, int], reasons: Mapping[str, str]) -> None:
        """Count losses by identifier; a property or an event is logged the first time, and again for another reason."""
        news: list[str] = []
        for identifier, count in counts.items():
            known, reason = self.by_identifier.get(identifier), reasons[identifier]
            self.by_identifier[identifier] = Loss(count + (known.count if known else 0), reason)
            if known is None or known.reason != reason:
                news.append(f"{identifier} ({reason})")
        if news:
            _LOGGER.warning("The cloud refused values or events for good, so they are lost: %s", some_of(news))
        if counts:
            self._on_changed(self.by_identifier)
