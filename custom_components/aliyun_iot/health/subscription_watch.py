"""Refused subscriptions without which a connected device does not work, reported as a repair issue."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..alink.foreign import logger_of
from ..alink.link import Link, LinkState
from ..exposures import event_bindings
from ..log_text import some_of
from ..words.markdown import code
from .issues import Issue, Issues, listed

_LOGGER = logger_of(__name__)


def missing_subscriptions(link: Link, entry: ConfigEntry) -> tuple[str, ...]:
    """Return the topic filters that a device does not work without, and that its host refuses."""
    return link.device.missing_filters(events=bool(event_bindings(entry)))


class SubscriptionWatch:
    """Creates and deletes the issue of one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, issues: Issues, link: Link) -> None:
        """Nothing is known without a connection."""
        self._hass = hass
        self._entry = entry
        self._issues = issues
        self._link = link
        self._missing: tuple[str, ...] = ()

    @callback
    def update(self) -> None:
        """Handle a new connection, or other subscriptions."""
        if self._link.state is not LinkState.ONLINE:
            return
        before, self._missing = self._missing, missing_subscriptions(self._link, self._entry)
        if missing := self._missing:
            if missing != before:
                _LOGGER.warning("The host refuses subscriptions that %s needs: %s", self._entry.title, some_of(missing))
            filters = listed([code(one) for one in missing], self._hass.config.language)
            self._issues.create(Issue.SUBSCRIPTIONS_REFUSED, count=str(len(missing)), filters=filters)
        else:
            self._issues.delete(Issue.SUBSCRIPTIONS_REFUSED)
