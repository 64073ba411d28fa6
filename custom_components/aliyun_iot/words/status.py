"""How a device is doing, in one line."""

from homeassistant.config_entries import ConfigEntry, ConfigEntryState

from ..alink.foreign import Safe
from ..alink.link import LinkState
from ..runtime import Runtime
from .labels import Labels


def device_status(labels: Labels, entry: ConfigEntry[Runtime]) -> Safe:
    """Return whether a device is connected or why not, and how many properties it has, are bound and have a problem."""
    if entry.state is not ConfigEntryState.LOADED:
        return _because(labels, labels.text("common.panel_not_set_up"), entry.reason)
    link, device = entry.runtime_data.link, entry.runtime_data.device
    if link.state is LinkState.ONLINE:
        connection = labels.text("common.panel_online")
    else:
        reason = labels.text(f"exceptions.{link.last_error.key}.message") if link.last_error else None
        connection = _because(labels, labels.text("common.panel_offline"), reason)
    model, problems = device.model, len(device.problems())
    parts = (
        connection,
        labels.text("common.panel_model_properties", count=str(len(model.properties)))
        if model
        else labels.text("common.panel_no_model"),
        labels.text("common.panel_bound", count=str(len(device.bound.by_identifier))),
        labels.text("common.panel_problems", count=str(problems))
        if problems
        else labels.text("common.panel_no_problems"),
    )
    return Safe(" · ".join(parts))


def _because(labels: Labels, state: Safe, reason: str | None) -> Safe:
    return labels.text("common.misfit", identifier=state, reason=reason) if reason else state
