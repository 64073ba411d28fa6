"""What has become of the first values of new bindings."""

from collections.abc import Collection

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import callback

from ..alink.link import LinkState
from ..runtime import Runtime
from .labels import Labels
from .markdown import Markdown, paragraphs
from .model_texts import bullets


@callback
def taken_text(labels: Labels, entry: ConfigEntry[Runtime], identifiers: Collection[str]) -> Markdown:
    """Return how many of these properties are bound, and of how many the cloud took the value; the others with the reasons."""
    bound = labels.markdown("common.done_bound", bound=str(len(identifiers)))
    if entry.state is not ConfigEntryState.LOADED or entry.runtime_data.link.state is not LinkState.ONLINE:
        return paragraphs((bound, labels.text("common.bound_offline")))
    device = entry.runtime_data.device
    problems = device.problems(labels.language)
    status = device.reporter.outbox.status
    unsent = device.reporter.outbox.unsent
    others = [key for key in identifiers if key not in problems]
    taken = [key for key in others if key in status and status[key].accepted]
    waiting = [key for key in others if key in unsent]
    silent = len(others) - len({*taken, *waiting})
    refused = [
        labels.text("common.misfit", identifier=key, reason=problems[key]) for key in identifiers if key in problems
    ]
    parts = (
        labels.markdown("common.done_bound_taken", bound=str(len(identifiers)), taken=str(len(taken))),
        labels.markdown("common.bound_refused", list=bullets(labels, refused)) if refused else "",
        labels.text("common.bound_waiting", list=labels.listed(waiting)) if waiting else "",
        labels.text("common.bound_silent", count=str(silent)) if silent else "",
    )
    return paragraphs(parts)
