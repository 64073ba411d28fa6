"""Everything stored for a device that this version cannot read, which is a problem of each such row only."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry

from .alink.errors import ThingModelError
from .const import (
    CONF_THING_MODEL,
    OWN,
    SUBENTRY_EVENT,
    SUBENTRY_EXPOSURE,
    SUBENTRY_RULE,
    SUBENTRY_SERVICE,
    SUBENTRY_SUB_DEVICE,
)
from .exposures import name_in_title, rows_of, subentries_of
from .mapping.binding import ServiceBinding
from .mapping.event_binding import EventBinding
from .mapping.rule import Rule
from .mapping.stored import Unreadable
from .settings import read_settings
from .stored_device import sub_devices_of
from .sub_device_row import sub_device_row

type Fault = Unreadable | ThingModelError


@dataclass(frozen=True, slots=True)
class StoredFault:
    """Something that cannot be read.

    `kind` is `option` or the type of its subentry. `name` is the name of the option, the identifier of the row, or else the
    name of the subentry.
    """

    kind: str
    name: str
    fault: Fault

    def __str__(self) -> str:
        """Return what it is and why, in English."""
        reason = self.fault.reason if isinstance(self.fault, Unreadable) else self.fault
        return f"{self.kind} {self.name}: {reason}"


def stored_faults(
    entry: ConfigEntry, model_faults: Sequence[ThingModelError] = (), owner: str = OWN
) -> list[StoredFault]:
    """Return what cannot be read of a device of an entry; `model_faults` are those of the stored thing model.

    Settings belong to the entry's own device, and so does a row that does not say whose it is.
    """
    settings = () if owner else read_settings(entry.options)[1]
    return [
        *(StoredFault("option", row.name, row) for row in settings),
        *(StoredFault("option", CONF_THING_MODEL, fault) for fault in model_faults),
        *_unreadable_rows(entry, owner),
    ]


def _unreadable_rows(entry: ConfigEntry, owner: str) -> Iterator[StoredFault]:
    for subentry in subentries_of(entry, owner):
        for row in _ROWS.get(subentry.subentry_type, _no_rows)(subentry):
            if isinstance(row, Unreadable):
                yield StoredFault(subentry.subentry_type, row.name or name_in_title(subentry), row)
    # Without its names a sub-device does not run, so the entry's own device says so.
    for device in sub_devices_of(entry) if owner == OWN else ():
        subentry = entry.subentries[device.owner]
        if isinstance(row := sub_device_row(subentry), Unreadable):
            yield StoredFault(subentry.subentry_type, row.name or name_in_title(subentry), row)


def _no_rows(_: ConfigSubentry) -> list[object]:
    """Return no rows: a later version may have other types of subentries."""
    return []


_ROWS: Final[Mapping[str, Callable[[ConfigSubentry], Sequence[object]]]] = {
    SUBENTRY_EXPOSURE: rows_of,
    SUBENTRY_SUB_DEVICE: rows_of,
    SUBENTRY_SERVICE: lambda subentry: [ServiceBinding.from_stored(subentry.data)],
    SUBENTRY_EVENT: lambda subentry: [EventBinding.from_stored(subentry.data)],
    SUBENTRY_RULE: lambda subentry: [Rule.from_stored(subentry.data)],
}
"""How the rows of each type of subentry are read."""
