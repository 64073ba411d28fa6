"""Texts about stored rows that cannot be read."""

from ..alink.foreign import Safe
from ..mapping.stored import Unreadable
from ..stored_faults import StoredFault
from .labels import Labels


def fault_text(labels: Labels, fault: StoredFault) -> str:
    """Return the name of a row, and why it cannot be read."""
    if isinstance(fault.fault, Unreadable):
        return labels.text("common.misfit", identifier=fault.name, reason=row_reason(labels, fault.fault))
    name = labels.text("common.stored_thing_model")
    problem = fault.fault.describe(labels.language)
    return labels.text("common.misfit", identifier=name, reason=Safe(f"{fault.fault.path}: {problem}"))


def unreadable_row(labels: Labels, row: Unreadable) -> str:
    """Return the identifier of a row, if it has one, and why it cannot be read."""
    reason = row_reason(labels, row)
    return labels.text("common.misfit", identifier=row.name, reason=reason) if row.name else reason


def row_reason(labels: Labels, row: Unreadable) -> str:
    """Return why a row cannot be read."""
    field = ".".join(row.path)
    if row.expected is None:
        return labels.text("common.row_unknown_field", field=field)
    expected = labels.text(f"common.expected_{row.expected}")
    return (
        labels.text("common.row_wrong_field", field=field, expected=expected)
        if field
        else labels.text("common.row_wrong", expected=expected)
    )
