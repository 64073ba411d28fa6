"""Diagnostics of an entry, without its identity and without the user's own actions."""

from dataclasses import asdict
import time
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.core import HomeAssistant

from .cloud_device import CloudDevice
from .const import (
    CONF_BINDINGS,
    CONF_CA,
    CONF_COMMAND_CONDITION,
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_PRODUCT_KEY,
    CONF_THING_MODELS,
)
from .exposures import absence, bindings_of, exposures_of, references, service_bindings
from .flows.binding_fields import CONF_ACTIONS, CONF_CONDITION
from .health.issues import issues_of
from .reports.reporter import Reporter
from .runtime import AliyunConfigEntry, Runtime
from .stored_device import sub_devices_of
from .sub_device_row import SubDeviceRow, stored_secrets, sub_device_row

COUNTED = {CONF_ACTIONS, CONF_COMMAND_CONDITION, CONF_CONDITION}
"""Lists written by the user, which may contain codes. Only their length is included."""
TO_REDACT = {CONF_PRODUCT_KEY, CONF_DEVICE_NAME, CONF_DEVICE_SECRET, CONF_CA}


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: AliyunConfigEntry) -> dict[str, Any]:
    """Return the configuration and the state of an entry."""
    runtime = entry.runtime_data
    link = runtime.link
    found = {
        "entry": {
            "data": async_redact_data(entry.data, TO_REDACT),
            "options": _counted({key: value for key, value in entry.options.items() if key != CONF_THING_MODELS}),
            "exposures": [
                {CONF_BINDINGS: [_counted(binding.as_dict()) for binding in bindings_of(subentry)]}
                for subentry in exposures_of(entry)
            ],
            "services": {key: _counted(binding.as_dict()) for key, binding in service_bindings(entry).items()},
            "unreadable": [str(fault) for fault in runtime.device.faults],
        },
        "link": {
            "state": link.state,
            "last_error": str(link.last_error) if link.last_error else None,
            "host": link.config.endpoint.host,
            "port": link.config.endpoint.port,
            "refused_subscriptions": sorted(link.refused_filters),
        },
        "thing_model": {
            "properties": list(runtime.device.model.properties),
            "events": list(runtime.device.model.events),
            "services": list(runtime.device.model.services),
        }
        if runtime.device.model
        else None,
        "bindings": {
            "working": {bound.identifier: bound.entity_id for bound in runtime.device.bound.by_identifier.values()},
            "problems": {key: str(broken) for key, broken in runtime.device.bound.problems.items()},
            "absent": _absent(hass, entry),
            "unusable_conditions": dict(runtime.device.commander.policy.unusable_conditions),
        },
        "reporter": {
            "counters": asdict(runtime.device.reporter.counters),
            "buffered": runtime.device.reporter.buffered,
            "samples": len(runtime.device.reporter.history),
            "unreadable_rows": runtime.device.unreadable_rows,
            "room_for_samples": runtime.device.reporter.history.capacity,
            "refusals": {
                key: asdict(refusal) | {"value": runtime.device.reporter.outbox.private.masked(key, refusal.value)}
                for key, refusal in runtime.device.reporter.outbox.refusals.items()
            },
            "losses": {key: asdict(loss) for key, loss in runtime.device.reporter.losses.by_identifier.items()},
            "unreportable": {key: why.describe() for key, why in runtime.device.unreportable().items()},
            "properties": {
                prop.identifier: _delivery(runtime.device.reporter, prop.identifier)
                for prop in runtime.device.bound.by_identifier.values()
                if prop.reports
            },
        },
        "events": {
            "counters": asdict(runtime.device.event_queue.counters),
            "problems": dict(runtime.device.events.problems),
        },
        "commands": [row.as_json() for row in runtime.device.commander.journal.rows()],
        "command_counters": {
            "received": runtime.device.commander.journal.received,
            "refused": runtime.device.commander.journal.refused,
        },
        "issues": [
            {
                "issue": issue.translation_key,
                "severity": issue.severity,
                "facts": dict(issue.translation_placeholders or {}),
            }
            for issue in issues_of(hass, entry.entry_id)
        ],
        "paused": runtime.device.loops.paused(),
        "sub_devices": [_sub_device(runtime, device) for device in runtime.sub_devices.running.values()],
    }
    # The product key is part of a region's host name, and error messages may quote the user's input.
    secrets = stored_secrets(entry)
    quoted = [repr(secret)[1:-1] for secret in secrets]
    identity = [*secrets, *quoted, entry.data[CONF_PRODUCT_KEY], entry.data[CONF_DEVICE_NAME]]
    rows = [
        row
        for device in sub_devices_of(entry)
        if isinstance(row := sub_device_row(entry.subentries[device.owner]), SubDeviceRow)
    ]
    identity += sorted({row.product_key for row in rows})
    # An issue names the sub-devices that it is about.
    names = sorted({row.device_name for row in rows}, key=len, reverse=True)
    return {key: _scrub(part, [*identity, *names] if key == "issues" else identity) for key, part in found.items()}


def _sub_device(runtime: Runtime, device: CloudDevice) -> dict[str, Any]:
    """Return the state of a sub-device, without anything that says which device of the cloud it is."""
    state = runtime.sub_devices.state(device.stored.owner)
    return {
        "title": device.stored.title,
        "state": state.state if state else None,
        "wanted": state.wanted if state else None,
        "error": state.error.code if state and state.error else None,
        "bound": {bound.identifier: bound.entity_id for bound in device.bound.by_identifier.values()},
        "problems": device.problems(),
        "counters": asdict(device.reporter.counters),
        "commands": {"received": device.commander.journal.received, "refused": device.commander.journal.refused},
        "unreadable": [str(fault) for fault in device.faults],
    }


def _absent(hass: HomeAssistant, entry: AliyunConfigEntry) -> dict[str, str]:
    """Return why the entities and scripts behind properties, services and events are not there."""
    return {identifier: why for identifier, reference in references(entry) if (why := absence(hass, reference))}


def _delivery(reporter: Reporter, identifier: str) -> dict[str, Any]:
    """Return what has become of the values of a property, without the values."""
    present, status = reporter.status(identifier)
    return {
        "has_value": present is not None,
        "in_cloud": present is not None and status.accepted is not None and present.value == status.accepted.value,
        "waiting": identifier in reporter.outbox.waiting,
        "sending": status.sending is not None,
        "resting": status.rests,
        "refusals_in_a_row": status.refusal.count if status.refusal else 0,
        "why_not": status.why_not(),
        "seconds_since_sent": _seconds_since(status.sent_at),
        "seconds_since_accepted": _seconds_since(status.accepted_at),
    }


def _seconds_since(moment: float | None) -> float | None:
    return None if moment is None else round(time.monotonic() - moment, 1)


def _counted(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the number of its actions and conditions in place of them."""
    return {key: _count(value) if key in COUNTED else value for key, value in row.items()}


def _count(value: object) -> int | str:
    return len(value) if isinstance(value, list) else type(value).__name__


def _scrub(value: Any, secrets: list[str]) -> Any:
    """Replace every occurrence of the secrets in keys and values, within longer strings as well."""
    match value:
        case str():
            for secret in secrets:
                value = value.replace(secret, REDACTED)
            return value
        case dict():
            return {_scrub(key, secrets): _scrub(inner, secrets) for key, inner in value.items()}
        case list() | tuple():
            return [_scrub(inner, secrets) for inner in value]
        case _:
            return value
