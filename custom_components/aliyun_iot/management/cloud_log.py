"""Errors and warnings of this integration in the cloud's log of the device, while the platform asks for them.

A line leaves the house, so it has neither secrets nor values, and nothing about devices of other entries, whose owner in the
cloud may be somebody else. A record that posting a line causes is not posted.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
import logging
import re
from typing import Final, override

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.debounce import Debouncer

from ..alink.cloud_log import LINES_PER_MESSAGE, LogLevel, LogLine, LogMode, get_log_mode, post_logs
from ..alink.device import Device
from ..alink.errors import AlinkError, NotConnected, RequestTimeout
from ..alink.foreign import collect_records, logger_of, safe
from ..alink.privacy import HIDDEN, Secrets, without_credentials
from ..const import CONF_DEVICE_NAME, CONF_PRODUCT_KEY, DOMAIN
from ..stored_device import StoredDevice
from ..sub_device_row import stored_secrets

_LOGGER = logger_of(__name__)

PACKAGE: Final = __name__.removesuffix(".management.cloud_log")

PACE = 10.0
"""Seconds between two messages."""

CAPACITY: Final = 5 * LINES_PER_MESSAGE
"""Lines that wait; beyond that the oldest are dropped."""

MAX_LINE: Final = 1000
"""Characters of a line; the C SDK cuts one after 4096 bytes."""

_LEVELS: Final = ((logging.CRITICAL, LogLevel.FATAL), (logging.ERROR, LogLevel.ERROR), (logging.WARNING, LogLevel.WARN))

_VALUES: Final = re.compile(r"(?<!\w)'(?:\\.|[^'\\])*(?:'|$)|\"(?:\\.|[^\"\\])*(?:\"|$)|(?<=\bgot )[^;,)]+")
"""What texts contain of values: they are quoted as `repr` does, or stand after what was wanted. An apostrophe begins none."""

_POSTING: ContextVar[bool] = ContextVar("posting", default=False)


class _Collector(logging.Handler):
    """Passes records on to the event loop, from whatever thread they come."""

    def __init__(self, loop: asyncio.AbstractEventLoop, take: Callable[[logging.LogRecord, str], None]) -> None:
        super().__init__(logging.WARNING)
        self._loop = loop
        self._take = take

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if not _POSTING.get() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, record, record.getMessage())


class CloudLog:
    """The log of one device in the cloud."""

    def __init__(self, hass: HomeAssistant, stored: StoredDevice, device: Device) -> None:
        """Post nothing before it is enabled and the platform asks for it."""
        self._hass = hass
        self._stored = stored
        self._device = device
        self._enabled = False
        self._connected = False
        self._lines: list[LogLine] = []
        self._uncollect: CALLBACK_TYPE | None = None
        self._asking: asyncio.Task[None] | None = None
        self._post_soon = Debouncer(hass, _LOGGER, cooldown=PACE, immediate=False, function=self._post)

    @callback
    def follow(self, *, enabled: bool) -> None:
        """Let the platform ask for the log from now on, or not any more; called after the topics are subscribed to."""
        if enabled is self._enabled:
            return
        self._enabled = enabled
        if not enabled:
            self.noticed(LogMode(wanted=False))
        elif self._connected:
            self._ask()

    @callback
    def connected(self) -> None:
        """Ask whether the platform wants the log; it may have changed its mind meanwhile."""
        self._connected = True
        if self._enabled:
            self._ask()
            self._schedule()

    @callback
    def disconnected(self) -> None:
        """Keep the lines for the next connection."""
        self._connected = False
        self._post_soon.async_cancel()
        self._stop_asking()

    @callback
    def noticed(self, mode: LogMode) -> None:
        """Collect lines while the platform wants them; an answer that was asked for before says nothing new."""
        self._stop_asking()
        self._follow_mode(mode)

    @callback
    def _follow_mode(self, mode: LogMode) -> None:
        if mode.wanted and self._enabled:
            self._collect()
        elif self._uncollect:
            self._uncollect()
            self._uncollect = None
            self._lines.clear()

    @callback
    def stop(self) -> None:
        """Stop everything."""
        self.noticed(LogMode(wanted=False))
        self._post_soon.async_shutdown()

    @callback
    def _collect(self) -> None:
        if not self._uncollect:
            self._uncollect = collect_records(PACKAGE, _Collector(self._hass.loop, self._take))

    @callback
    def _take(self, record: logging.LogRecord, text: str) -> None:
        if self._uncollect is None or any(other in text for other in self._other_names()):
            return
        if record.exc_info and record.exc_info[0]:
            text = f"{text} ({record.exc_info[0].__name__})"
        level = next((level for number, level in _LEVELS if record.levelno >= number), LogLevel.WARN)
        module = record.name.removeprefix(f"{PACKAGE}.")
        at = datetime.fromtimestamp(record.created, UTC)
        self._lines.append(LogLine(at, level, module, self._masked(text)))
        del self._lines[:-CAPACITY]
        self._schedule()

    def _masked(self, text: str) -> str:
        """Return a text as one line without secrets and values."""
        entries = self._hass.config_entries.async_entries(DOMAIN)
        secrets = Secrets(secret for entry in entries for secret in stored_secrets(entry))
        line = secrets.withheld(str(text))
        return safe(_VALUES.sub(HIDDEN, without_credentials(line)).replace("\n", " "), MAX_LINE)

    def _other_names(self) -> Iterator[str]:
        """Yield the names by which a record is about another entry."""
        for entry in self._hass.config_entries.async_entries(DOMAIN):
            if entry.entry_id != self._stored.entry.entry_id:
                names = {entry.title, entry.data.get(CONF_DEVICE_NAME), entry.data.get(CONF_PRODUCT_KEY)}
                yield from filter(None, names - {self._stored.data.get(CONF_PRODUCT_KEY)})

    @callback
    def _schedule(self) -> None:
        if self._connected and self._lines:
            self._post_soon.async_schedule_call()

    async def _post(self) -> None:
        """Post the oldest lines; those that may not have arrived are posted again."""
        lines = self._lines[:LINES_PER_MESSAGE]
        if not lines:
            return
        del self._lines[:LINES_PER_MESSAGE]
        token = _POSTING.set(True)
        try:
            await post_logs(self._device, lines)
        except (NotConnected, RequestTimeout) as err:
            _LOGGER.debug("The log is posted later: %s", err)
            self._lines[:0] = lines[: CAPACITY - len(self._lines)]
            return
        except AlinkError as err:
            _LOGGER.debug("The cloud does not take the log: %s", err)
        finally:
            _POSTING.reset(token)
        self._schedule()

    @callback
    def _ask(self) -> None:
        self._stop_asking()
        name = f"Aliyun log {self._device.topics.device_name}"
        self._asking = self._hass.async_create_background_task(self._get_mode(), name)

    @callback
    def _stop_asking(self) -> None:
        if self._asking:
            self._asking.cancel()
            self._asking = None

    async def _get_mode(self) -> None:
        try:
            self._follow_mode(await get_log_mode(self._device))
        except AlinkError as err:  # a push or the next connection says so as well
            _LOGGER.debug("The cloud does not say whether it wants the log: %s", err)
