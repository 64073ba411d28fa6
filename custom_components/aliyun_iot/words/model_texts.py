"""Texts about thing models: what changes from one to another."""

from collections.abc import Iterable, Sequence
from typing import Final

from ..alink.foreign import Safe, safe
from ..alink.model.changes import Feature, ModelChange
from ..alink.model.datatypes import Field
from ..alink.model.thing_model import Event, Property
from ..log_text import first_of
from . import markdown
from .labels import Labels
from .markdown import Markdown, code, escaped, paragraphs

MAX_LISTED: Final = 20
"""Lines of a list; the rest is only counted."""


def changes_in_words(labels: Labels, changes: Sequence[ModelChange]) -> Markdown:
    """Return what is new, gone and changed as Markdown lists."""
    new = [_described(labels, change.after) for change in changes if change.after and not change.before]
    gone = [_named(change.before) for change in changes if change.before and not change.after]
    changed = [
        text
        for change in changes
        if change.before and change.after and (text := _changed(labels, change.before, change.after))
    ]
    parts = [
        labels.markdown(f"common.model_{key}", list=bullets(labels, lines))
        for key, lines in (("new", new), ("gone", gone), ("changed", changed))
        if lines
    ]
    return paragraphs(parts or [labels.text("common.model_same")])


def bullets(labels: Labels, lines: Sequence[str]) -> Markdown:
    """Return the first `MAX_LISTED` lines as a Markdown list, and the number of the others."""
    return markdown.bullets(first_of(lines, MAX_LISTED, labels.language))


def _described(labels: Labels, feature: Feature) -> Markdown:
    _, *details = _details(labels, feature)
    return labels.markdown("common.model_feature", feature=_named(feature), details=labels.listed(details))


def _changed(labels: Labels, before: Feature, after: Feature) -> str:
    """Return the old and the new details of a feature, empty if they are equal."""
    pairs = zip(_details(labels, before), _details(labels, after), strict=True)
    differing = [(old, new) for old, new in pairs if old != new]
    if not differing:
        return ""
    change = Safe(f"{labels.listed(old for old, _ in differing)} → {labels.listed(new for _, new in differing)}")
    return labels.markdown("common.model_feature", feature=_named(after), details=change)


def _details(labels: Labels, feature: Feature) -> tuple[str, ...]:
    """Return the name of a feature followed by its other details; as many for each feature of a kind."""
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


def _parameters(labels: Labels, fields: Iterable[Field]) -> Safe:
    described = (Safe(f"{safe(one.identifier)} {labels.values(one.data_type)}") for one in fields)
    return Safe(f"({labels.listed(described)})")


def _named(feature: Feature) -> Markdown:
    name = "" if feature.name == feature.identifier else f" {escaped(feature.name)}"
    return Markdown(f"{code(feature.identifier)}{name}")
