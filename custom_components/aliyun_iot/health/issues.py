"""The repair issues of a device: which there are, how grave they are, and that none outlives its cause.

Who notices a problem tells it here and withdraws it when the cause has gone. What is told of a device that is unloaded is
withdrawn with it, since nobody would notice any more that it was solved; what only the user can tick off stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import DOMAIN


class Issue(StrEnum):
    """A problem that the user has to solve; the value is the key of its text."""

    BUFFER_OVERFLOW = "buffer_overflow"
    CERTIFICATE_INVALID = "certificate_invalid"
    CLOCK_SKEW = "clock_skew"
    DEVICE_DELETED = "device_deleted"
    DEVICE_DISABLED = "device_disabled"
    KICKED_OUT = "kicked_out"
    RATE_LIMIT = "rate_limit"
    THING_MODEL_MISMATCH = "thing_model_mismatch"
    TLS_FAILED = "tls_failed"


@dataclass(frozen=True, slots=True)
class _Nature:
    """How grave an issue is, and what the user can do about it right there.

    One that is `ticked_off` stays, also over restarts, until the user has done so; one with `retry` lets the device
    connect at once (`repairs.py`).
    """

    severity: ir.IssueSeverity
    ticked_off: bool = False
    retry: bool = False


_NATURES: Final[Mapping[Issue, _Nature]] = {
    Issue.BUFFER_OVERFLOW: _Nature(ir.IssueSeverity.WARNING, ticked_off=True),
    Issue.CERTIFICATE_INVALID: _Nature(ir.IssueSeverity.ERROR),
    Issue.CLOCK_SKEW: _Nature(ir.IssueSeverity.WARNING),
    Issue.DEVICE_DELETED: _Nature(ir.IssueSeverity.ERROR),
    Issue.DEVICE_DISABLED: _Nature(ir.IssueSeverity.ERROR, retry=True),
    Issue.KICKED_OUT: _Nature(ir.IssueSeverity.ERROR, retry=True),
    Issue.RATE_LIMIT: _Nature(ir.IssueSeverity.WARNING),
    Issue.THING_MODEL_MISMATCH: _Nature(ir.IssueSeverity.WARNING),
    Issue.TLS_FAILED: _Nature(ir.IssueSeverity.ERROR),
}


class Issues:
    """Tells the problems of one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Belong to the device of an entry."""
        self._hass = hass
        self._entry = entry

    @callback
    def tell(self, issue: Issue, **facts: str) -> None:
        """Show an issue, or bring the facts in its text up to date; the name of the device is one of them."""
        nature = _NATURES[issue]
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._id(issue),
            data={"entry_id": self._entry.entry_id} if nature.retry else None,
            is_fixable=nature.ticked_off or nature.retry,
            is_persistent=nature.ticked_off,
            severity=nature.severity,
            translation_key=issue,
            translation_placeholders={"device": self._entry.title, **facts},
        )

    @callback
    def solved(self, issue: Issue) -> None:
        """Withdraw an issue, if it is shown."""
        ir.async_delete_issue(self._hass, DOMAIN, self._id(issue))

    def _id(self, issue: Issue) -> str:
        return f"{issue}_{self._entry.entry_id}"


@callback
def issues_of(hass: HomeAssistant, entry_id: str) -> list[ir.IssueEntry]:
    """Return everything that is told of a device, whoever told it."""
    return [issue for issue in _known(hass, entry_id) if issue.active]


@callback
def async_withdraw_when_unloaded(hass: HomeAssistant) -> None:
    """Withdraw what is told of a device whenever its entry is unloaded, also after a set-up that has failed."""

    @callback
    def changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if (
            entry.domain == DOMAIN
            and change is ConfigEntryChange.UPDATED
            and entry.state is ConfigEntryState.NOT_LOADED
        ):
            for issue in issues_of(hass, entry.entry_id):
                if not issue.is_persistent:
                    ir.async_delete_issue(hass, DOMAIN, issue.issue_id)

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)


@callback
def async_remove_issues(hass: HomeAssistant, entry_id: str) -> None:
    """Withdraw everything that is told of a device that is no more, and forget what the user has ignored of it."""
    for issue in _known(hass, entry_id):
        ir.async_delete_issue(hass, DOMAIN, issue.issue_id)


def _known(hass: HomeAssistant, entry_id: str) -> list[ir.IssueEntry]:
    known = ir.async_get(hass).issues.values()
    return [issue for issue in known if issue.domain == DOMAIN and entry_id in issue.issue_id]
