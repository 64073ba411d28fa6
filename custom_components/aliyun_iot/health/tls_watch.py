"""A cloud that can't be talked to in confidence: expired or unknown certificates, or no TLS at all.

A single failure may be the login page of a network, so it takes several in a row. A set-up that fails is tried again by
Home Assistant with everything made anew; so what is counted belongs to the installation.
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

PATIENCE: Final = 3
"""Failures in a row, which take seconds while the link is up, half a minute while the set-up is tried again."""

_BEHIND_TLS: Final = (ClientRejected, CredentialsRefused, ServerUnavailable)
"""Failures that only somebody can cause with whom one talks already."""

_FAILURES: HassKey[dict[str, int]] = HassKey(f"{DOMAIN}_tls_failures")


class TlsWatch:
    """Counts the failures of one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, issues: Issues) -> None:
        """Go on counting where an earlier attempt to set the device up has stopped."""
        self._entry_id = entry.entry_id
        self._issues = issues
        self._failures = hass.data.setdefault(_FAILURES, {})

    @callback
    def link_changed(self, state: LinkState, error: ConnectError | None) -> None:
        """Take note of a change of the link."""
        match error:
            case CertificateInvalid():
                self._failed(state, Issue.CERTIFICATE_INVALID, Issue.TLS_FAILED, str(error))
            case TlsFailed():
                self._failed(state, Issue.TLS_FAILED, Issue.CERTIFICATE_INVALID, str(error))
            case _ if state is LinkState.ONLINE or isinstance(error, _BEHIND_TLS):
                self._failures.pop(self._entry_id, None)
                self._issues.solved(Issue.CERTIFICATE_INVALID)
                self._issues.solved(Issue.TLS_FAILED)

    def _failed(self, state: LinkState, issue: Issue, other: Issue, reason: str) -> None:
        if state is not LinkState.BACKING_OFF:  # the error of the last attempt accompanies the next one
            return
        failures = self._failures[self._entry_id] = self._failures.get(self._entry_id, 0) + 1
        if failures >= PATIENCE:
            self._issues.solved(other)
            self._issues.tell(issue, reason=reason)
