"""The preview of changes to many bindings: the bindings, their problems, what is left out and why, and what is posted.

There can be hundreds of bindings, so long lists are collapsed. They are written as HTML without blank lines, because the
frontend renders the parts between blank lines separately, and would end a list at the first one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from html import escape
from itertools import batched
import json

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ..alink.errors import InvalidValue
from ..alink.foreign import Safe, safe
from ..alink.model.thing_model import ThingModel
from ..alink.samples import Sample, property_params
from ..bound import BoundProperty, bind
from ..exposures import exposed_bindings, resolve_entity
from ..mapping.aspect import Refused
from ..mapping.binding import Binding
from ..mapping.check import check
from ..mapping.domains import aspect_of
from ..mapping.rule import Rule
from ..mapping.selection import survey
from ..mapping.suggest.suggestions import Obstacle, Unmatched, unmatched
from ..reports.lanes import VALUES_PER_POST
from ..risk import risk_in
from ..rule_sub_devices import SubDeviceChanges
from ..stored_device import StoredDevice
from ..sub_device_row import NewSubDevice
from .labels import Labels
from .markdown import Markdown

MAX_UNFOLDED = 20
"""A longer list is collapsed at first."""


@callback
def preview_of_sub_devices(labels: Labels, entry: ConfigEntry, rule_id: str, changes: SubDeviceChanges) -> Markdown:
    """Return what these changes would do to the sub-devices that a rule makes."""
    bindings: dict[str, list[str]] = {"added": [], "released": []}
    for owner, change in changes.bindings.items():
        device = StoredDevice(entry, owner)
        for key, rows in (("added", change.added), ("released", change.released)):
            bindings[key] += [f"{device.title} · {row.identifier}" for row in rows if row.rule == rule_id]
    made = [device for device in changes.made if device.bindings[0].rule == rule_id]
    chapters = [
        _list(labels, "preview_sub_devices_made", [_new_sub_device(labels, device) for device in made]),
        _list(labels, "preview_sub_devices_removed", [StoredDevice(entry, owner).title for owner in changes.removed]),
        *(_list(labels, f"preview_{key}", rows) for key, rows in bindings.items()),
        labels.text("common.preview_sub_devices_beyond", count=str(changes.beyond)) if changes.beyond else "",
    ]
    return Markdown("\n\n".join(chapter for chapter in chapters if chapter))


def _new_sub_device(labels: Labels, device: NewSubDevice) -> str:
    identifiers = labels.listed([binding.identifier for binding in device.bindings])
    return f"{device.row.device_name} · {device.title} · {identifiers}"


@callback
def preview(
    labels: Labels,
    entry: ConfigEntry,
    model: ThingModel | None,
    rule: Rule,
    added: Collection[Binding],
    released: Collection[Binding],
) -> Markdown:
    """Return what these changes by a rule would do."""
    samples: dict[str, Sample] = {}
    silent: list[str] = []
    problems: list[str] = []
    for bound in bind(labels.hass, added, model).by_identifier.values():
        problems += _problems(labels, bound)
        if bound.binding.access.reports:
            sample = _sample(labels, bound)
            if isinstance(sample, Sample):
                samples[bound.identifier] = sample
            elif sample:
                problems.append(_misfit(labels, bound, sample))
            else:
                silent.append(labels.binding(bound.binding, model))
    chapters = [
        _list(labels, "preview_added", [labels.binding(binding, model) for binding in added]),
        _list(labels, "preview_released", [labels.binding(binding, model) for binding in released]),
        _list(labels, "preview_problems", problems),
        *([] if rule.product_key else _left_out(labels, entry, model, rule, added)),
        _list(labels, "preview_silent", silent),
        *_posts(labels, samples),
    ]
    return Markdown("\n\n".join(chapter for chapter in chapters if chapter))


def _problems(labels: Labels, bound: BoundProperty) -> list[str]:
    state = labels.hass.states.get(bound.entity_id)
    if state is None:
        return []
    return [
        _misfit(
            labels,
            bound,
            labels.text(f"options.error.{problem.key}", **labels.problem(problem, bound.aspect, bound.model)),
        )
        for problem in check(bound.binding, bound.aspect, bound.model, state, risk_in(labels.hass))
    ]


def _misfit(labels: Labels, bound: BoundProperty, reason: str) -> str:
    return labels.text("common.misfit", identifier=bound.identifier, reason=reason)


def _sample(labels: Labels, bound: BoundProperty) -> Sample | str | None:
    """Return the sample that would be posted now, the reason why there can't be one, or None without a value."""
    state = labels.hass.states.get(bound.entity_id)
    try:
        return bound.sample(state, dt_util.utcnow()) if state else None
    except (Refused, InvalidValue) as err:
        return labels.reason(err)


def _left_out(
    labels: Labels, entry: ConfigEntry, model: ThingModel | None, rule: Rule, added: Iterable[Binding]
) -> Iterable[str]:
    """Yield a list for each reason why a part of the selection is not bound."""
    hass = labels.hass
    found = survey(hass, rule.selection)
    explained = {
        (entity_id, binding.aspect)
        for binding in (*exposed_bindings(entry), *added)
        if (entity_id := resolve_entity(hass, binding.entity))
    }
    unticked: dict[str, list[str]] = defaultdict(list)
    for reference, aspect_key in sorted(rule.left_out):
        entity_id = resolve_entity(hass, reference)
        if entity_id in found.selected and (aspect := aspect_of(entity_id, aspect_key)):
            explained.add((entity_id, aspect_key))
            unticked[entity_id].append(labels.aspect(aspect))
    yield _list(labels, "preview_unticked", _entity_rows(labels, unticked))
    states = [state for entity_id in found.selected if (state := hass.states.get(entity_id))]
    by_obstacle: dict[Obstacle, list[Unmatched]] = defaultdict(list)
    for row in unmatched(states, model, explained, risk_in(hass)):
        by_obstacle[row.obstacle].append(row)
    holders = {binding.identifier: binding for binding in (*exposed_bindings(entry), *added)}
    for obstacle in Obstacle:
        yield _list(labels, f"unmatched_{obstacle}", _unmatched_rows(labels, by_obstacle[obstacle], model, holders))
    for reason, entity_ids in (
        ("hidden", found.hidden),
        ("diagnostic", found.diagnostic),
        ("excluded", found.excluded),
        ("unsupported", found.unsupported),
        ("stateless", found.stateless),
    ):
        yield _list(labels, f"preview_{reason}", [_named(labels, entity_id) for entity_id in entity_ids])


def _unmatched_rows(
    labels: Labels, rows: Iterable[Unmatched], model: ThingModel | None, holders: Mapping[str, Binding]
) -> list[str]:
    """Return a row for each entity, with its aspects, the properties that they would be bound to, and who has them."""
    by_entity: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        definition = model.properties.get(row.identifier) if model and row.identifier else None
        aspect = labels.aspect(row.aspect)
        target = f" → {labels.property(row.identifier, definition)}" if definition else ""
        if row.units:
            aspect, target = (f"{name} ({unit})" for name, unit in zip((aspect, target), row.units, strict=True))
        if row.obstacle is Obstacle.TAKEN and (holder := holders.get(row.identifier)):
            target = labels.text("common.taken_by", target=target, holder=labels.source(holder))
        by_entity[row.entity_id].append(f"{aspect}{target}")
    return _entity_rows(labels, by_entity)


def _entity_rows(labels: Labels, by_entity: Mapping[str, Iterable[str]]) -> list[str]:
    return [Safe(f"{labels.entity(entity_id)} · {labels.listed(aspects)}") for entity_id, aspects in by_entity.items()]


def _named(labels: Labels, entity_id: str) -> str:
    name = labels.entity(entity_id)
    return name if name == entity_id else f"{name} ({entity_id})"


def _posts(labels: Labels, samples: Mapping[str, Sample]) -> Iterable[str]:
    """Yield the messages that would be posted, with one property per line."""
    params = property_params(samples)
    messages = list(batched(params.items(), VALUES_PER_POST, strict=False))
    for number, message in enumerate(messages, 1):
        rows = ",\n".join(
            f"  {_html(safe(f'{json.dumps(identifier)}: {json.dumps(value, ensure_ascii=False)}'))}"
            for identifier, value in message
        )
        summary = labels.text(
            "common.preview_post", number=str(number), messages=str(len(messages)), count=str(len(message))
        )
        yield _foldable(summary, f"<pre><code>{{\n{rows}\n}}</code></pre>", len(message))


def _list(labels: Labels, key: str, rows: Collection[str]) -> str:
    if not rows:
        return ""
    items = "".join(f"<li>{_html(row)}</li>" for row in rows)
    return _foldable(labels.text(f"common.{key}", count=str(len(rows))), f"<ul>{items}</ul>", len(rows))


def _foldable(summary: str, content: str, rows: int) -> str:
    state = " open" if rows <= MAX_UNFOLDED else ""
    return f"<details{state}><summary>{_html(summary)}</summary>{content}</details>"


def _html(text: str) -> str:
    """Return a text as HTML, also where a browser's Markdown renderer would look for links in it."""
    return escape(safe(text), quote=False).replace("](", "]&#40;")
