"""What the user has to do before a device can connect, as a reauthentication flow or a repair issue."""

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..alink.errors import ConnectError, CredentialsRefused, DeviceDeleted, DeviceDisabled, KickedOut, PacketRefused
from ..alink.link import LinkState
from ..alink.mqtt.pacing import SHORT_LIVED
from .issues import Issue, Issues

STABLE_AFTER = SHORT_LIVED + 5.0
"""Seconds online after which the other client counts as gone; before, it may be about to reconnect."""


class ConnectionIssues:
    """Creates and deletes the issues about the connection of one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, issues: Issues) -> None:
        """Start without a connection."""
        self._hass = hass
        self._entry = entry
        self._issues = issues
        self._was_online = False
        self._refused_packets = 0
        self._end_timer: CALLBACK_TYPE | None = None

    @callback
    def link_changed(self, state: LinkState, error: ConnectError | None) -> None:
        """Handle a change of the link."""
        self.stop()
        if state is LinkState.ONLINE:
            self._connected()
        elif state is LinkState.BACKING_OFF and isinstance(error, KickedOut):
            self._issues.create(Issue.KICKED_OUT)
        elif state is LinkState.BACKING_OFF and isinstance(error, PacketRefused):
            self._refused_packets += 1
            if self._refused_packets > 1:
                self._issues.create(Issue.PACKET_REFUSED, reason=error.describe(self._hass.config.language))
        elif state is LinkState.AUTH_FAILED and isinstance(error, CredentialsRefused):
            self._refused(error)

    @callback
    def stop(self) -> None:
        """End the timer."""
        if self._end_timer:
            self._end_timer()
            self._end_timer = None

    def _connected(self) -> None:
        self._was_online = True
        self._issues.delete(Issue.DEVICE_DISABLED)
        self._issues.delete(Issue.DEVICE_DELETED)

        @callback
        def stable(_: object) -> None:
            self._end_timer = None
            self._issues.delete(Issue.KICKED_OUT)
            self._issues.delete(Issue.PACKET_REFUSED)

        self._end_timer = async_call_later(self._hass, STABLE_AFTER, stable)
        # Another secret is not needed any more.
        for flow in self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH}):
            self._hass.config_entries.flow.async_abort(flow["flow_id"])

    def _refused(self, error: CredentialsRefused) -> None:
        """Report why, if the cloud has said so. When the first connection fails, the set-up asks for another secret."""
        if isinstance(error, DeviceDisabled):
            self._issues.create(Issue.DEVICE_DISABLED)
            return
        if isinstance(error, DeviceDeleted):
            self._issues.create(Issue.DEVICE_DELETED)
        if self._was_online:
            self._entry.async_start_reauth(self._hass)
