"""A mapping that the cloud offers as remote configuration: it waits in Repairs until the user has seen what it changes."""

from homeassistant.core import HomeAssistant, callback

from ..alink.foreign import logger_of
from ..health.issues import Issue, Issues
from ..mapping.document.difference import Mode
from ..mapping.document.document import FORMAT, Document
from ..mapping.document.fault import DocumentError
from ..stored_device import StoredDevice
from ..transfer import plan_import
from .remote_config import Content

_LOGGER = logger_of(__name__)

SHOWN_DIGITS = 8
"""Digits of its digest that tell one mapping from another, so that one that the user ignores stays ignored."""


class OfferedMapping:
    """The mapping that is offered to one entry, if there is one."""

    def __init__(self, hass: HomeAssistant, stored: StoredDevice) -> None:
        """Start without one."""
        self.document: Document | None = None
        self._hass = hass
        self._stored = stored
        self._issues = Issues(hass, stored)
        self._version = ""

    async def offer(self, content: Content, digest: str) -> None:
        """Take a configuration with this digest, if it is a mapping; it replaces an earlier one."""
        if content.get("format") != FORMAT:
            return
        try:
            document = await self._hass.async_add_executor_job(Document.parse, content)
        except DocumentError as err:
            _LOGGER.warning("The mapping that the cloud offers to %s has faults: %s", self._stored.title, err)
            return
        self.withdraw()
        self.document, self._version = document, digest[:SHOWN_DIGITS]
        self.reconsider()

    @callback
    def reconsider(self) -> None:
        """Withdraw the mapping if it changes nothing any more."""
        if self.document is None:
            return
        changes = plan_import(self._hass, self._stored.entry, self.document, Mode.MERGE).difference.all
        if changes:
            self._issues.create(Issue.MAPPING_OFFERED, self._version, count=str(len(changes)))
        else:
            self.withdraw()

    @callback
    def withdraw(self) -> None:
        """Offer nothing any more."""
        if self.document is not None:
            self._issues.delete(Issue.MAPPING_OFFERED, self._version)
            self.document = None
