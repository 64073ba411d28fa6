"""What the user has to know about the state of a connection: one object that watches everything that its devices share."""

from collections.abc import Callable, Iterable

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from ..alink.errors import ConnectError
from ..alink.link import Link, LinkState
from ..stored_device import StoredDevice
from ..traffic_log import TrafficLog
from .clock_watch import ClockWatch
from .connection_issues import ConnectionIssues
from .issues import Issues
from .quota import Quota
from .subscription_watch import SubscriptionWatch
from .throttling import Throttling
from .tls_watch import TlsWatch


class LinkHealth:
    """Watches the connection of one entry and creates its repair issues, which name the entry's own device."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        link: Link,
        log: TrafficLog,
        busiest: Callable[[int], Iterable[tuple[str, int]]],
    ) -> None:
        """Nothing is sent before `start`; `busiest` is as for `Quota`."""
        issues = Issues(hass, StoredDevice(entry))
        self._connection = ConnectionIssues(hass, entry, issues)
        self._tls = TlsWatch(hass, entry, issues)
        self._clock = ClockWatch(hass, entry, issues, link)
        self._throttling = Throttling(hass, entry, issues)
        self._quota = Quota(hass, entry, issues, log, busiest)
        self._subscriptions = SubscriptionWatch(hass, entry, issues, link)

    @callback
    def start(self) -> None:
        """Start to compare clocks and messages; called once Home Assistant has started."""
        self._clock.start()
        self._quota.start()

    @callback
    def stop(self) -> None:
        """End all timers."""
        self._clock.stop()
        self._connection.stop()
        self._throttling.stop()
        self._quota.stop()

    async def compare_clocks(self) -> None:
        """Compare the clocks now."""
        await self._clock.compare()

    @callback
    def settings_changed(self) -> None:
        """Handle other settings than before."""
        self._quota.examine()

    @callback
    def link_changed(self, state: LinkState, error: ConnectError | None) -> None:
        """Handle a change of the link."""
        self._connection.link_changed(state, error)
        self._tls.link_changed(state, error)
        self._subscriptions.update()
        if state is LinkState.ONLINE:
            self._clock.connected()

    @callback
    def subscriptions_changed(self) -> None:
        """Handle other subscriptions than before."""
        self._subscriptions.update()

    @callback
    def code_received(self, code: int) -> None:
        """Handle the code of a reply."""
        self._clock.code_received(code)
        self._throttling.code_received(code)
