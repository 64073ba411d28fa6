"""How a device is doing, in one line."""

from datetime import datetime

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.util import dt as dt_util

from ..alink.foreign import Safe
from ..alink.link import LinkState
from ..exposures import exposed_bindings
from ..runtime import Runtime
from ..stored_device import thing_model_of
from .labels import Labels

_CHANGING = (ConfigEntryState.SETUP_IN_PROGRESS, ConfigEntryState.UNLOAD_IN_PROGRESS)


def device_status(labels: Labels, entry: ConfigEntry[Runtime]) -> Safe:
    """Return whether a device is connected or why not, and how many properties it has, are bound and have a problem."""
    model = thing_model_of(entry)
    parts = (
        connection_status(labels, entry),
        labels.counted("common.status_model", len(model.properties))
        if model
        else labels.text("common.status_no_model"),
        labels.text("common.panel_bound", count=str(len(exposed_bindings(entry)))),
        *_problems(labels, entry),
    )
    return Safe(" · ".join(parts))


def connection_status(labels: Labels, entry: ConfigEntry[Runtime]) -> Safe:
    """Return whether a device is connected, and since when or why not."""
    if entry.state in _CHANGING:
        return labels.text("common.status_connecting")
    if entry.state is not ConfigEntryState.LOADED:
        return _because(labels, labels.text("common.panel_not_set_up"), setup_reason(labels, entry))
    runtime = entry.runtime_data
    if runtime.online_since:
        return labels.text("common.status_online", since=_moment(runtime.online_since))
    error = runtime.link.last_error
    reason = labels.text(f"exceptions.{error.key}.message") if error else None
    if runtime.link.state is LinkState.CONNECTING and not reason:
        return labels.text("common.status_connecting")
    return _because(labels, labels.text("common.panel_offline"), reason)


def setup_reason(labels: Labels, entry: ConfigEntry) -> str:
    """Return why an entry is not set up, in the language of the labels; empty if nothing is known."""
    key = f"exceptions.{entry.error_reason_translation_key}.message"
    return labels.text(key) if entry.error_reason_translation_key and labels.has(key) else entry.reason or ""


def _problems(labels: Labels, entry: ConfigEntry[Runtime]) -> tuple[Safe, ...]:
    if entry.state is not ConfigEntryState.LOADED:
        return ()
    count = len(entry.runtime_data.device.problems())
    return (labels.counted("common.status_problems", count) if count else labels.text("common.panel_no_problems"),)


def _moment(moment: datetime) -> str:
    """Return a moment without what is the same today."""
    local = dt_util.as_local(moment)
    return f"{local:%H:%M}" if local.date() == dt_util.now().date() else f"{local:%Y-%m-%d %H:%M}"


def _because(labels: Labels, state: Safe, reason: str | None) -> Safe:
    return labels.text("common.misfit", identifier=state, reason=reason) if reason else state
