"""Failures of TLS: expired or unknown certificates, or no TLS at all.

A single failure may be caused by the login page of a network, so an issue takes several in a row. A new attempt to set the
entry up may use new objects, so the count is kept in `hass.data`.
"""

from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..alink.errors import (
    CertificateInvalid,
    ClientRejected,
    ConnectError,
    CredentialsRefused,
    ServerUnavailable,
    TlsFailed,
)
from ..alink.link import LinkState
from ..const import DOMAIN
from .issues import Issue, Issues

FAILURES_FOR_ISSUE: Final = 3
"""Failures in a row; they take seconds when a running link reconnects, half a minute when the set-up is retried."""

_BEHIND_TLS: Final = (ClientRejected, CredentialsRefused, ServerUnavailable)
"""Failures that prove that TLS works."""

_FAILURES: HassKey[dict[str, int]] = HassKey(f"{DOMAIN}_tls_failures")


class TlsWatch:
    """Counts the failures of one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, issues: Issues) -> None:
        """Continue the count of an earlier attempt to set the entry up."""
        self._entry_id = entry.entry_id
        self._issues = issues
        self._failures = hass.data.setdefault(_FAILURES, {})

    @callback
    def link_changed(self, state: LinkState, error: ConnectError | None) -> None:
        """Handle a change of the link."""
        match error:
            case CertificateInvalid():
                self._failed(state, Issue.CERTIFICATE_INVALID, Issue.TLS_FAILED, str(error))
            case TlsFailed():
                self._failed(state, Issue.TLS_FAILED, Issue.CERTIFICATE_INVALID, str(error))
            case _ if state is LinkState.ONLINE or isinstance(error, _BEHIND_TLS):
                self._failures.pop(self._entry_id, None)
                self._issues.delete(Issue.CERTIFICATE_INVALID)
                self._issues.delete(Issue.TLS_FAILED)

    def _failed(self, state: LinkState, issue: Issue, other: Issue, reason: str) -> None:
        if state is not LinkState.BACKING_OFF:  # the error of the last attempt accompanies the next one
            return
        failures = self._failures[self._entry_id] = self._failures.get(self._entry_id, 0) + 1
        if failures >= FAILURES_FOR_ISSUE:
            self._issues.delete(other)
            self._issues.create(issue, reason=reason)
