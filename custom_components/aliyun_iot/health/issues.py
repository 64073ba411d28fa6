"""The repair issues of a device: which there are, how severe they are, and when they are deleted.

The code that finds a problem creates its issue, and deletes it when the cause has gone. The issues of a device that does not
run any more are deleted as well, since nothing would find out that they are solved; those that the user confirms stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import DOMAIN
from ..ha_internals import on_entry_changed, registered_issues
from ..log_text import first_of
from ..stored_device import StoredDevice
from ..words.markdown import Markdown, bullets, placeholders

MAX_LISTED: Final = 10
"""Rows of a list in the text of an issue; the others are counted."""


class Issue(StrEnum):
    """A problem that the user has to solve; the value is its translation key."""

    BUFFER_OVERFLOW = "buffer_overflow"
    CERTIFICATE_INVALID = "certificate_invalid"
    CLOCK_SKEW = "clock_skew"
    COMMANDS_REFUSED = "commands_refused"
    CONDITION_UNUSABLE = "condition_unusable"
    DEVICE_DELETED = "device_deleted"
    DEVICE_DISABLED = "device_disabled"
    ENTITY_DISABLED = "entity_disabled"
    ENTITY_GONE = "entity_gone"
    EVENTS_DROPPED = "events_dropped"
    GATEWAY_FULL = "gateway_full"
    KICKED_OUT = "kicked_out"
    LOOP = "loop"
    MAPPING_OFFERED = "mapping_offered"
    NOT_A_GATEWAY = "not_a_gateway"
    PACKET_REFUSED = "packet_refused"
    PROPERTY_REJECTED = "property_rejected"
    PROPERTY_UNREPORTABLE = "property_unreportable"
    QUOTA = "quota"
    RATE_LIMIT = "rate_limit"
    REFUSED_FOR_GOOD = "refused_for_good"
    ROWS_UNREADABLE = "rows_unreadable"
    SUBSCRIPTIONS_REFUSED = "subscriptions_refused"
    SUB_DEVICE_BOUND_ELSEWHERE = "sub_device_bound_elsewhere"
    SUB_DEVICE_DELETED = "sub_device_deleted"
    SUB_DEVICE_DISABLED = "sub_device_disabled"
    SUB_DEVICE_HELD_ELSEWHERE = "sub_device_held_elsewhere"
    SUB_DEVICE_NOT_IN_TOPOLOGY = "sub_device_not_in_topology"
    SUB_DEVICE_PRODUCT_UNKNOWN = "sub_device_product_unknown"
    SUB_DEVICE_REFUSED = "sub_device_refused"
    SUB_DEVICE_REGISTRATION_REFUSED = "sub_device_registration_refused"
    SUB_DEVICE_SECRET_REFUSED = "sub_device_secret_refused"  # noqa: S105 - a translation key
    SUB_DEVICE_WITHOUT_DEVICE = "sub_device_without_device"
    THING_MODEL_MISMATCH = "thing_model_mismatch"
    TLS_FAILED = "tls_failed"


@dataclass(frozen=True, slots=True)
class _Behavior:
    """How severe an issue is, and what the user can do about it in Repairs.

    One that is `confirmed` stays until the user confirms it, also over restarts; one with a `fix` has a fix flow
    (`repairs.py`).
    """

    severity: ir.IssueSeverity
    confirmed: bool = False
    fix: bool = False


_BEHAVIORS: Final[Mapping[Issue, _Behavior]] = {
    Issue.BUFFER_OVERFLOW: _Behavior(ir.IssueSeverity.WARNING, confirmed=True),
    Issue.CERTIFICATE_INVALID: _Behavior(ir.IssueSeverity.ERROR, fix=True),
    Issue.CLOCK_SKEW: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.COMMANDS_REFUSED: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.CONDITION_UNUSABLE: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.DEVICE_DELETED: _Behavior(ir.IssueSeverity.ERROR),
    Issue.DEVICE_DISABLED: _Behavior(ir.IssueSeverity.ERROR, fix=True),
    Issue.ENTITY_DISABLED: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.ENTITY_GONE: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.EVENTS_DROPPED: _Behavior(ir.IssueSeverity.WARNING, confirmed=True),
    Issue.GATEWAY_FULL: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.KICKED_OUT: _Behavior(ir.IssueSeverity.ERROR, fix=True),
    Issue.LOOP: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.MAPPING_OFFERED: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.NOT_A_GATEWAY: _Behavior(ir.IssueSeverity.ERROR, fix=True),
    Issue.PACKET_REFUSED: _Behavior(ir.IssueSeverity.ERROR, fix=True),
    Issue.PROPERTY_REJECTED: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.PROPERTY_UNREPORTABLE: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.QUOTA: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.RATE_LIMIT: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.REFUSED_FOR_GOOD: _Behavior(ir.IssueSeverity.WARNING, confirmed=True),
    Issue.ROWS_UNREADABLE: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.SUBSCRIPTIONS_REFUSED: _Behavior(ir.IssueSeverity.ERROR, fix=True),
    Issue.SUB_DEVICE_BOUND_ELSEWHERE: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.SUB_DEVICE_DELETED: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.SUB_DEVICE_DISABLED: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.SUB_DEVICE_HELD_ELSEWHERE: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.SUB_DEVICE_NOT_IN_TOPOLOGY: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.SUB_DEVICE_PRODUCT_UNKNOWN: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.SUB_DEVICE_REFUSED: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.SUB_DEVICE_REGISTRATION_REFUSED: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.SUB_DEVICE_SECRET_REFUSED: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.SUB_DEVICE_WITHOUT_DEVICE: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.THING_MODEL_MISMATCH: _Behavior(ir.IssueSeverity.WARNING, fix=True),
    Issue.TLS_FAILED: _Behavior(ir.IssueSeverity.ERROR, fix=True),
}


@dataclass(frozen=True, slots=True)
class Affected:
    """The identifiers of the properties and services that an issue is about."""

    properties: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()


class Issues:
    """The issues of one device."""

    def __init__(self, hass: HomeAssistant, device: StoredDevice) -> None:
        """Create the issues of this device."""
        self._hass = hass
        self._device = device

    @callback
    def create(self, issue: Issue, identifier: str = "", **facts: str) -> None:
        """Create an issue, or update the facts in its text; the name of the device is one of them.

        With an `identifier` the issue is about this property, and others may have the same one.
        """
        behavior = _BEHAVIORS[issue]
        about = {"identifier": identifier} if identifier else {}
        device = {"entry_id": self._device.entry.entry_id, "owner": self._device.owner}
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._id(issue, identifier),
            data={**device, "issue": issue.value, **about} if behavior.fix else None,
            is_fixable=behavior.confirmed or behavior.fix,
            is_persistent=behavior.confirmed,
            severity=behavior.severity,
            translation_key=issue,
            translation_placeholders=placeholders({"device": self._device.title, **about, **facts}),
        )

    @callback
    def delete(self, issue: Issue, identifier: str = "") -> None:
        """Delete an issue, if there is one."""
        ir.async_delete_issue(self._hass, DOMAIN, self._id(issue, identifier))

    def _id(self, issue: Issue, identifier: str) -> str:
        return "_".join(filter(None, (issue, self._device.key, identifier)))


def listed(rows: Sequence[str], language: str) -> Markdown:
    """Return rows as a list in the text of an issue, which is cut after `MAX_LISTED` of them."""
    return bullets(first_of(rows, MAX_LISTED, language))


@callback
def issues_of(hass: HomeAssistant, key: str) -> list[ir.IssueEntry]:
    """Return the active issues of a device by its key, or of all devices of an entry by its id."""
    return [issue for issue in _known(hass, key) if issue.active]


@callback
def async_delete_issues_when_unloaded(hass: HomeAssistant) -> None:
    """Delete the issues of a device when its entry is unloaded, or its set-up has failed and is not tried again."""

    @callback
    def changed(entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN and entry.state in (ConfigEntryState.NOT_LOADED, ConfigEntryState.SETUP_ERROR):
            for issue in issues_of(hass, entry.entry_id):
                if not issue.is_persistent:
                    ir.async_delete_issue(hass, DOMAIN, issue.issue_id)

    on_entry_changed(hass, changed)


@callback
def async_remove_issues(hass: HomeAssistant, key: str) -> None:
    """Delete all issues of a removed device or entry, ignored ones included; `key` is as for `issues_of`."""
    for issue in _known(hass, key):
        ir.async_delete_issue(hass, DOMAIN, issue.issue_id)


def _known(hass: HomeAssistant, key: str) -> list[ir.IssueEntry]:
    return [issue for issue in registered_issues(hass) if key in issue.issue_id]
