"""What a repair issue is about and can be removed: bindings, and bound services, events and rules."""

from collections.abc import Collection, Iterator

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .const import OWN, SUBENTRY_EVENT, SUBENTRY_RULE, SUBENTRY_SERVICE
from .exposures import Absence, absence, exposures_of, keyed_rows, remove_rows
from .health.issues import Issue
from .mapping.binding import Binding, ServiceBinding
from .mapping.event_binding import EventBinding
from .mapping.rule import Rule
from .mapping.stored import Unreadable
from .runtime import AliyunConfigEntry
from .words.fault_texts import unreadable_row
from .words.labels import Labels

type Stored = Binding | ServiceBinding | EventBinding | Rule | Unreadable

_ABSENCES = {Issue.ENTITY_GONE: Absence.REMOVED, Issue.ENTITY_DISABLED: Absence.DISABLED}


@callback
def affected_rows(
    hass: HomeAssistant, labels: Labels, entry: AliyunConfigEntry, issue: Issue, owner: str = OWN
) -> dict[str, str]:
    """Return the names of what an issue of a device is about, by the keys for `remove_affected`."""
    if (device := entry.runtime_data.cloud_device(owner)) is None:
        return {}
    affected = device.health.affected(issue)

    def concerned(row: Stored) -> bool:
        match row:
            case Unreadable():
                return issue is Issue.ROWS_UNREADABLE
            case Binding(identifier=identifier, entity=reference):
                among = identifier in affected.properties
            case ServiceBinding(identifier=identifier, script=reference):
                among = identifier in affected.services
            case EventBinding(entity=reference):
                among = False
            case _:
                return False
        return among or bool(reference and issue in _ABSENCES and absence(hass, reference) is _ABSENCES[issue])

    model = device.model
    rows: dict[str, str] = {}
    for key, row, subentry in _rows(entry, owner):
        if concerned(row):
            match row:
                case Binding():
                    rows[key] = labels.binding(row, model)
                case Unreadable(name=name) if name:
                    rows[key] = unreadable_row(labels, row)
                case _:
                    rows[key] = subentry.title
    return rows


@callback
def remove_affected(hass: HomeAssistant, entry: AliyunConfigEntry, keys: Collection[str], owner: str = OWN) -> None:
    """Remove rows of what is bound of a device, and whole subentries."""
    remove_rows(hass, entry, exposures_of(entry, owner), keys)
    for subentry_id in [key for key in keys if key in entry.subentries]:
        hass.config_entries.async_remove_subentry(entry, subentry_id)


def _rows(entry: AliyunConfigEntry, owner: str) -> Iterator[tuple[str, Stored, ConfigSubentry]]:
    """Yield everything that is stored in subentries for a device, with its key."""
    for subentry in exposures_of(entry, owner):
        for key, row in keyed_rows(subentry):
            yield key, row, subentry
    for subentry in entry.subentries.values():
        if subentry.data.get("owner", OWN) != owner:
            continue
        match subentry.subentry_type:
            case str(kind) if kind == SUBENTRY_SERVICE:
                yield subentry.subentry_id, ServiceBinding.from_stored(subentry.data), subentry
            case str(kind) if kind == SUBENTRY_EVENT:
                yield subentry.subentry_id, EventBinding.from_stored(subentry.data), subentry
            case str(kind) if kind == SUBENTRY_RULE:
                yield subentry.subentry_id, Rule.from_stored(subentry.data), subentry
