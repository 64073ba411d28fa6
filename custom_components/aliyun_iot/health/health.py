"""What the user has to know about the state of a device: one object that watches everything."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..alink.errors import ConnectError
from ..alink.link import Link, LinkState
from ..alink.model.thing_model import ThingModel
from ..bound import BoundProperties
from ..mapping.unreportable import Unreportable
from ..reports.losses import Loss
from ..reports.outbox import Refusal
from ..stored_faults import StoredFault
from ..traffic_log import TrafficLog
from .binding_issues import BindingIssues
from .clock_watch import ClockWatch
from .connection_issues import ConnectionIssues
from .issues import Affected, Issue, Issues
from .loss_watch import LossWatch
from .mismatch import Mismatch
from .overload import Overload
from .quota import Quota
from .refusals import Refusals
from .subscription_watch import SubscriptionWatch
from .throttling import Throttling
from .tls_watch import TlsWatch
from .unreportable_watch import UnreportableWatch


class Health:
    """Watches one device and creates its repair issues."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        link: Link,
        log: TrafficLog,
        busiest: Callable[[int], Iterable[tuple[str, int]]],
    ) -> None:
        """Nothing is sent before `start`; `busiest` is as for `Quota`."""
        self._issues = Issues(hass, entry)
        self._connection = ConnectionIssues(hass, entry, self._issues)
        self._tls = TlsWatch(hass, entry, self._issues)
        self._clock = ClockWatch(hass, entry, self._issues, link)
        self._throttling = Throttling(hass, entry, self._issues)
        self._overload = Overload(hass, entry, self._issues)
        self._mismatch = Mismatch(hass, entry, self._issues)
        self._refusals = Refusals(hass, entry, self._issues)
        self._losses = LossWatch(hass, entry, self._issues)
        self._quota = Quota(hass, entry, self._issues, log, busiest)
        self._bindings = BindingIssues(hass, entry, self._issues)
        self._subscriptions = SubscriptionWatch(hass, entry, self._issues, link)
        self._unreportable = UnreportableWatch(hass, entry, self._issues, lambda: self._mismatch.misfits)

    @callback
    def start(self) -> None:
        """Start to compare clocks and messages, to judge values and to miss entities; called once Home Assistant has started."""
        self._clock.start()
        self._quota.start()
        self._bindings.start()
        self._unreportable.start()

    async def stop(self) -> None:
        """End all timers; the issues are deleted when the entry is unloaded, except for those that the user confirms."""
        self._bindings.stop()
        self._clock.stop()
        self._connection.stop()
        self._throttling.stop()
        self._refusals.stop()
        self._overload.stop()
        self._unreportable.stop()
        self._quota.stop()
        await self._losses.stop()

    @callback
    def follow(
        self,
        bound: BoundProperties,
        services: Iterable[str],
        model: ThingModel | None,
        faults: Sequence[StoredFault],
        conditions: Mapping[str, str],
    ) -> None:
        """Watch these bindings from now on; `faults` and `conditions` are as for `BindingIssues`."""
        self._mismatch.examine(bound, services, model)
        self._refusals.follow(bound, model)
        self._losses.follow(bound, model)
        self._unreportable.follow(bound, model)
        self._bindings.follow(faults, conditions)
        self._quota.examine()

    def affected(self, issue: Issue) -> Affected:
        """Return what an issue is about, unless that can be seen from the bindings themselves."""
        match issue:
            case Issue.PROPERTY_REJECTED:
                return self._refusals.affected
            case Issue.PROPERTY_UNREPORTABLE:
                return self._unreportable.affected
            case Issue.THING_MODEL_MISMATCH:
                return self._mismatch.affected
        return Affected()

    async def compare_clocks(self) -> None:
        """Compare the clocks now."""
        await self._clock.compare()

    @callback
    def conditions_changed(self, conditions: Mapping[str, str]) -> None:
        """Report why conditions cannot be used, by the identifier of what they guard, "" for all commands."""
        self._bindings.conditions_changed(conditions)

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

    @callback
    def command_refused(self) -> None:
        """Handle a command that was refused because there are too many."""
        self._overload.command_refused()

    @callback
    def refusals_changed(self, refusals: Mapping[str, Refusal]) -> None:
        """Handle other refused properties than before, or other reasons."""
        self._mismatch.refusals_changed(refusals)
        self._refusals.changed(refusals)

    @callback
    def unreportable_changed(self, read: Callable[[], Mapping[str, Unreportable]]) -> None:
        """Handle other values than before that cannot be sent; `read` returns why, by property."""
        self._unreportable.changed(read)

    @callback
    def losses_changed(self, losses: Mapping[str, Loss]) -> None:
        """Report samples and events that the cloud refused for good."""
        self._losses.changed(losses)

    @callback
    def samples_dropped(self, capacity: int) -> None:
        """Report samples that are lost for good; the issue stays until the user confirms it."""
        self._issues.create(Issue.BUFFER_OVERFLOW, capacity=f"{capacity:,}", since=f"{dt_util.now():%Y-%m-%d %H:%M}")

    @callback
    def events_dropped(self, count: int) -> None:
        """Report events that are lost for good; the issue stays until the user confirms it."""
        self._issues.create(Issue.EVENTS_DROPPED, count=f"{count:,}", since=f"{dt_util.now():%Y-%m-%d %H:%M}")
