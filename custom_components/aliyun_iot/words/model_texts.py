"""Thing models in words: what one defines, and what differs from the one before."""

from collections.abc import Iterable, Sequence
from typing import Final

from ..alink.model.changes import Feature, ModelChange
from ..alink.model.datatypes import Field
from ..alink.model.thing_model import Event, Property
from .labels import Labels

LISTED: Final = 20
"""More of a kind are only counted: a page is no place to read a whole thing model."""


def changes_in_words(labels: Labels, changes: Sequence[ModelChange]) -> str:
    """Return what is new, gone and changed as lists for a page."""
    new = [_whole(labels, one.after) for one in changes if one.after and not one.before]
    gone = [_named(one.before) for one in changes if one.before and not one.after]
    changed = [text for one in changes if one.before and one.after and (text := _step(labels, one.before, one.after))]
    parts = [
        labels.text(f"common.model_{key}", list=bullets(labels, lines))
        for key, lines in (("new", new), ("gone", gone), ("changed", changed))
        if lines
    ]
    return "\n\n".join(parts) or labels.text("common.model_same")


def bullets(labels: Labels, lines: Sequence[str]) -> str:
    """Return lines as a list, of which only the beginning is shown if it is long."""
    shown = [f"- {line}" for line in lines[:LISTED]]
    if len(lines) > LISTED:
        shown.append(f"- {labels.text('common.model_more', count=str(len(lines) - LISTED))}")
    return "\n".join(shown)


def _whole(labels: Labels, feature: Feature) -> str:
    _, *facets = _facets(labels, feature)
    return labels.text("common.model_feature", feature=_named(feature), facets=_joined(facets))


def _step(labels: Labels, before: Feature, after: Feature) -> str:
    """Return what changed of a feature, nothing if it is only its description."""
    pairs = zip(_facets(labels, before), _facets(labels, after), strict=True)
    differing = [(old, new) for old, new in pairs if old != new]
    if not differing:
        return ""
    step = f"{_joined(old for old, _ in differing)} → {_joined(new for _, new in differing)}"
    return labels.text("common.model_feature", feature=_named(after), facets=step)


def _facets(labels: Labels, feature: Feature) -> tuple[str, ...]:
    """Return the name of a feature and what else matters of it, one text for each facet."""
    if isinstance(feature, Property):
        access = f"{'r' if feature.readable else ''}{'w' if feature.writable else ''}"
        return feature.name, labels.values(feature.data_type), labels.text(f"common.model_access_{access}")
    if isinstance(feature, Event):
        return feature.name, feature.type.value, _parameters(labels, feature.output.values())
    return (
        feature.name,
        labels.text("common.model_sync" if feature.sync else "common.model_async"),
        _parameters(labels, feature.input.values()),
        _parameters(labels, feature.output.values()),
    )


def _parameters(labels: Labels, fields: Iterable[Field]) -> str:
    return f"({_joined(f'{one.identifier} {labels.values(one.data_type)}' for one in fields)})"


def _named(feature: Feature) -> str:
    return f"`{feature.identifier}`" + (f" {feature.name}" if feature.name != feature.identifier else "")


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(texts)
