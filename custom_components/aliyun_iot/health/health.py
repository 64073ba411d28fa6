"""What the user has to know about the state of a device: one object that watches everything that is its own.

What concerns the connection, which several devices may share, is in `link_health.py`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..alink.model.thing_model import ThingModel
from ..bound import BoundProperties
from ..mapping.unreportable import Unreportable
from ..reports.losses import Loss
from ..reports.outbox import Refusal
from ..stored_device import StoredDevice
from ..stored_faults import StoredFault
from .binding_issues import BindingIssues
from .issues import Affected, Issue, Issues
from .loss_watch import LossWatch
from .mismatch import Mismatch
from .overload import Overload
from .refusals import Refusals
from .unreportable_watch import UnreportableWatch


class Health:
    """Watches one device and creates its repair issues."""

    def __init__(self, hass: HomeAssistant, device: StoredDevice) -> None:
        """Judge no values before `start`."""
        self._issues = Issues(hass, device)
        self._overload = Overload(hass, device, self._issues)
        self._mismatch = Mismatch(hass, device, self._issues)
        self._refusals = Refusals(hass, device, self._issues)
        self._losses = LossWatch(hass, device, self._issues)
        self._bindings = BindingIssues(hass, device, self._issues)
        self._unreportable = UnreportableWatch(hass, device, self._issues, lambda: self._mismatch.misfits)

    @callback
    def start(self) -> None:
        """Start to judge values and to miss entities; called once Home Assistant has started."""
        self._bindings.start()
        self._unreportable.start()

    async def stop(self) -> None:
        """End all timers; the issues are deleted when the entry is unloaded, except for those that the user confirms."""
        self._bindings.stop()
        self._refusals.stop()
        self._overload.stop()
        self._unreportable.stop()
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

    @callback
    def conditions_changed(self, conditions: Mapping[str, str]) -> None:
        """Report why conditions cannot be used, by the identifier of what they guard, "" for all commands."""
        self._bindings.conditions_changed(conditions)

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
