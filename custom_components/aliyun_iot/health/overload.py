"""Commands that are refused because there are more than can be carried out and answered."""

from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ..alink.foreign import logger_of
from ..stored_device import StoredDevice
from .issues import Issue, Issues

_LOGGER = logger_of(__name__)

SOLVED_AFTER: Final = 1800.0
"""Seconds without such a command after which the issue is solved."""


class Overload:
    """Creates and deletes the issue of one device."""

    def __init__(self, hass: HomeAssistant, device: StoredDevice, issues: Issues) -> None:
        """Start without any."""
        self._hass = hass
        self._device = device
        self._issues = issues
        self._refused = 0
        self._end: CALLBACK_TYPE | None = None

    @callback
    def command_refused(self) -> None:
        """Handle a refused command; only the first one is reported, as there may be thousands."""
        if not self._refused:
            _LOGGER.warning(
                "%s gets more commands than it can carry out and answer; some are refused", self._device.title
            )
            self._issues.create(Issue.COMMANDS_REFUSED, since=f"{dt_util.now():%Y-%m-%d %H:%M}")
        self._refused += 1
        if self._end is None:
            self._wait(self._refused)

    @callback
    def stop(self) -> None:
        """End the timer."""
        if self._end:
            self._end()
            self._end = None

    def _wait(self, known: int) -> None:
        """Look again later whether more commands than the `known` ones were refused: a timer for each would be a burden."""

        @callback
        def look_again(_now: object) -> None:
            self._end = None
            if self._refused > known:
                self._wait(self._refused)
                return
            _LOGGER.info("%s gets no more commands than it can answer; %d were refused", self._device.title, known)
            self._refused = 0
            self._issues.delete(Issue.COMMANDS_REFUSED)

        self._end = async_call_later(self._hass, SOLVED_AFTER, look_again)
