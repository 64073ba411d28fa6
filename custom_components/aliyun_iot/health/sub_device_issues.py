"""The issues about sub-devices that the cloud does not let online: one for each cause, which names them and the cure.

A house may have a thousand of them, and one mistake in the console concerns all of a product. So there is one issue for a
cause, not for a device.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Final

from homeassistant.core import HomeAssistant, callback

from ..alink.auth import Identity
from ..alink.gateway import Gateway
from ..alink.sub_device import SubDevice
from ..stored_device import StoredDevice, sub_devices_of
from ..sub_device_row import identities_of
from .issues import Issue, Issues, listed
from .paced import Paced

ISSUE_OF: Final = {
    "secret_refused": Issue.SUB_DEVICE_SECRET_REFUSED,
    "deleted": Issue.SUB_DEVICE_DELETED,
    "disabled": Issue.SUB_DEVICE_DISABLED,
    "not_in_topology": Issue.SUB_DEVICE_NOT_IN_TOPOLOGY,
    "held_elsewhere": Issue.SUB_DEVICE_HELD_ELSEWHERE,
    "bound_elsewhere": Issue.SUB_DEVICE_BOUND_ELSEWHERE,
    "registration_refused": Issue.SUB_DEVICE_REGISTRATION_REFUSED,
    "product_unknown": Issue.SUB_DEVICE_PRODUCT_UNKNOWN,
    "gateway_full": Issue.GATEWAY_FULL,
    "not_a_gateway": Issue.NOT_A_GATEWAY,
    "refused": Issue.SUB_DEVICE_REFUSED,
}
"""The issue for each key of a `SubDeviceError`."""

SUB_DEVICE_ISSUES: Final = frozenset(ISSUE_OF.values())


class SubDeviceIssues:
    """Creates and deletes the issues of the sub-devices of one gateway."""

    def __init__(
        self,
        hass: HomeAssistant,
        stored: StoredDevice,
        gateway: Callable[[], Gateway],
        title: Callable[[Identity], str],
    ) -> None:
        """`title` returns the name that people know a sub-device by."""
        self._hass = hass
        self._stored = stored
        self._issues = Issues(hass, stored)
        self._gateway = gateway
        self._title = title
        self._known: dict[Identity, Issue | None] = {}
        self._orphans: frozenset[str] = frozenset()
        self._started = False
        self._shown: set[Issue] = set()
        self._paced = Paced(hass, stored.entry, self._update)

    @callback
    def start(self) -> None:
        """Show what there is."""
        self._started = True
        self._paced.soon()

    @callback
    def stop(self) -> None:
        """End the timer."""
        self._started = False
        self._paced.stop()

    @callback
    def changed(self, sub: SubDevice) -> None:
        """Handle another state of a sub-device, which mostly is no other problem."""
        issue = _issue_of(sub.error)
        if self._known.get(sub.identity) is not issue:
            self._known[sub.identity] = issue
            self._look_again()

    @callback
    def stored_changed(self) -> None:
        """Handle sub-devices that were added or removed, here or what they stand for."""
        present = self._gateway().sub_devices.keys()
        gone = self._known.keys() - present
        for identity in gone:
            del self._known[identity]
        orphans = frozenset(self.owners_of(Issue.SUB_DEVICE_WITHOUT_DEVICE))
        if gone or orphans != self._orphans:
            self._orphans = orphans
            self._look_again()

    def _look_again(self) -> None:
        if self._started:
            self._paced.soon()

    @callback
    def owners_of(self, issue: Issue) -> list[str]:
        """Return the owners of the sub-devices that an issue is about."""
        if issue is Issue.SUB_DEVICE_WITHOUT_DEVICE:
            devices = sub_devices_of(self._stored.entry)
            return [device.owner for device in devices if device.has_lost_its_device(self._hass)]
        refused = {sub.identity for sub in self._gateway().sub_devices.values() if _issue_of(sub.error) is issue}
        return [owner for identity, owner in identities_of(self._stored.entry).items() if identity in refused]

    async def _update(self) -> None:
        found: defaultdict[Issue, list[str]] = defaultdict(list)
        for sub in self._gateway().sub_devices.values():
            if sub.error and (issue := _issue_of(sub.error)):
                code = f" ({sub.error.code})" if issue is Issue.SUB_DEVICE_REFUSED else ""
                found[issue].append(f"{self._title(sub.identity)} · {sub.identity.device_name}{code}")
        for owner in self.owners_of(Issue.SUB_DEVICE_WITHOUT_DEVICE):
            found[Issue.SUB_DEVICE_WITHOUT_DEVICE].append(StoredDevice(self._stored.entry, owner).title)
        for issue in self._shown - found.keys():
            self._issues.delete(issue)
        self._shown = set(found)
        for issue, names in found.items():
            rows = listed(sorted(names), self._hass.config.language)
            self._issues.create(issue, count=str(len(names)), devices=rows)


def _issue_of(error: object) -> Issue | None:
    key = getattr(error, "key", None)
    return ISSUE_OF.get(key) if isinstance(key, str) else None
