"""What the user has to do before a device can connect: asked in a flow, or told as a repair issue."""

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ..alink.errors import ConnectError, CredentialsRefused, DeviceDeleted, DeviceDisabled, KickedOut
from ..alink.link import LinkState
from ..alink.mqtt.pacing import SHORT_LIVED
from .issues import Issue, Issues

PROOF = SHORT_LIVED + 5.0
"""Seconds that a connection has to live before the other client is taken for gone; until then it may only be on its way."""


class ConnectionIssues:
    """Follows the link of one device; what is solved disappears by itself."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Belong to the device of an entry."""
        self._hass = hass
        self._entry = entry
        self._issues = Issues(hass, entry)
        self._was_online = False
        self._proof: CALLBACK_TYPE | None = None

    @callback
    def link_changed(self, state: LinkState, error: ConnectError | None) -> None:
        """Take note of a change of the link."""
        self._end_proof()
        if state is LinkState.ONLINE:
            self._connected()
        elif state is LinkState.BACKING_OFF and isinstance(error, KickedOut):
            self._issues.tell(Issue.KICKED_OUT)
        elif state is LinkState.AUTH_FAILED and isinstance(error, CredentialsRefused):
            self._refused(error)

    @callback
    def stop(self) -> None:
        """Wait for nothing any more; what is told is withdrawn when the entry is unloaded."""
        self._end_proof()

    def _connected(self) -> None:
        self._was_online = True
        self._issues.solved(Issue.DEVICE_DISABLED)
        self._issues.solved(Issue.DEVICE_DELETED)

        @callback
        def proven(_: object) -> None:
            self._proof = None
            self._issues.solved(Issue.KICKED_OUT)

        self._proof = async_call_later(self._hass, PROOF, proven)
        # Nobody needs to answer the question for another secret now.
        for flow in self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH}):
            self._hass.config_entries.flow.async_abort(flow["flow_id"])

    def _refused(self, error: CredentialsRefused) -> None:
        """Say why, as far as the cloud has told; a first connection that fails is reported by the set-up itself."""
        if isinstance(error, DeviceDisabled):
            self._issues.tell(Issue.DEVICE_DISABLED)
            return
        if isinstance(error, DeviceDeleted):
            self._issues.tell(Issue.DEVICE_DELETED)
        if self._was_online:
            self._entry.async_start_reauth(self._hass)

    def _end_proof(self) -> None:
        if self._proof:
            self._proof()
            self._proof = None
