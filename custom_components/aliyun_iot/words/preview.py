"""What saving would do, in words: every binding, what is wrong with it, what is left out and why, and what would be posted.

A house has hundreds of bindings, so long lists are folded. They are written as HTML, each without a blank line in it: the
browser renders what is between blank lines separately, and a list that is torn apart can't be folded.
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
from .labels import Labels

UNFOLDED = 20
"""Rows of a list that are shown without being asked for."""


@callback
def preview(
    labels: Labels,
    entry: ConfigEntry,
    model: ThingModel | None,
    rule: Rule,
    added: Collection[Binding],
    released: Collection[Binding],
) -> str:
    """Return what saving these changes by a rule would do, as Markdown in the user's language."""
    bound = bind(labels.hass, added, model)
    samples: dict[str, Sample] = {}
    silent: list[str] = []
    problems: list[str] = []
    for one in bound.by_identifier.values():
        problems += _problems(labels, one)
        if one.binding.access.reports:
            sample = _sample(labels, one)
            if isinstance(sample, Sample):
                samples[one.identifier] = sample
            elif sample:
                problems.append(_about(labels, one, sample))
            else:
                silent.append(labels.binding(one.binding, model))
    chapters = [
        _list(labels, "preview_added", [labels.binding(binding, model) for binding in added]),
        _list(labels, "preview_released", [labels.binding(binding, model) for binding in released]),
        _list(labels, "preview_problems", problems),
        *_left_out(labels, entry, model, rule, added),
        _list(labels, "preview_silent", silent),
        *_posts(labels, samples),
    ]
    return "\n\n".join(chapter for chapter in chapters if chapter)


def _problems(labels: Labels, one: BoundProperty) -> list[str]:
    state = labels.hass.states.get(one.entity_id)
    if state is None:
        return []
    return [
        _about(
            labels, one, labels.text(f"options.error.{problem.key}", **labels.problem(problem, one.aspect, one.model))
        )
        for problem in check(one.binding, one.aspect, one.model, state)
    ]


def _about(labels: Labels, one: BoundProperty, reason: str) -> str:
    return labels.text("common.misfit", identifier=one.identifier, reason=reason)


def _sample(labels: Labels, one: BoundProperty) -> Sample | str | None:
    """Return what would be posted now, why that is impossible, or nothing when the entity says nothing."""
    state = labels.hass.states.get(one.entity_id)
    try:
        return one.sample(state, dt_util.utcnow()) if state else None
    except (Refused, InvalidValue) as err:
        return labels.reason(err)


def _left_out(
    labels: Labels, entry: ConfigEntry, model: ThingModel | None, rule: Rule, added: Iterable[Binding]
) -> Iterable[str]:
    """Yield a list for each reason for which something of the selection is not bound."""
    hass = labels.hass
    found = survey(hass, rule.selection)
    settled = {
        (entity_id, binding.aspect)
        for binding in (*exposed_bindings(entry), *added)
        if (entity_id := resolve_entity(hass, binding.entity))
    }
    unticked: dict[str, list[str]] = defaultdict(list)
    for facet in sorted(rule.left_out):
        entity_id = resolve_entity(hass, facet.entity)
        if entity_id in found.selected and (aspect := aspect_of(entity_id, facet.aspect)):
            settled.add((entity_id, facet.aspect))
            unticked[entity_id].append(labels.aspect(aspect))
    yield _list(labels, "preview_unticked", _entity_rows(labels, unticked))
    states = [state for entity_id in found.selected if (state := hass.states.get(entity_id))]
    by_reason: dict[Obstacle, list[Unmatched]] = defaultdict(list)
    for one in unmatched(states, model, settled):
        by_reason[one.obstacle].append(one)
    for obstacle in Obstacle:
        yield _list(labels, f"unmatched_{obstacle}", _unmatched_rows(labels, by_reason[obstacle], model))
    for reason, entity_ids in (
        ("hidden", found.hidden),
        ("diagnostic", found.diagnostic),
        ("excluded", found.excluded),
        ("unsupported", found.unsupported),
        ("stateless", found.stateless),
    ):
        yield _list(labels, f"preview_{reason}", [_named(labels, entity_id) for entity_id in entity_ids])


def _unmatched_rows(labels: Labels, rows: Iterable[Unmatched], model: ThingModel | None) -> list[str]:
    """Return a row for each entity, with the aspects and the properties that they would have been."""
    by_entity: dict[str, list[str]] = defaultdict(list)
    for one in rows:
        definition = model.properties.get(one.identifier) if model and one.identifier else None
        target = f" → {labels.property(one.identifier, definition)}" if definition else ""
        by_entity[one.entity_id].append(f"{labels.aspect(one.aspect)}{target}")
    return _entity_rows(labels, by_entity)


def _entity_rows(labels: Labels, by_entity: Mapping[str, Iterable[str]]) -> list[str]:
    return [f"{labels.entity(entity_id)} · {labels.listed(aspects)}" for entity_id, aspects in by_entity.items()]


def _named(labels: Labels, entity_id: str) -> str:
    name = labels.entity(entity_id)
    return name if name == entity_id else f"{name} ({entity_id})"


def _posts(labels: Labels, samples: Mapping[str, Sample]) -> Iterable[str]:
    """Yield the messages that would be posted, each with one property in a line."""
    params = property_params(samples)
    messages = list(batched(params.items(), VALUES_PER_POST, strict=False))
    for number, message in enumerate(messages, 1):
        rows = ",\n".join(
            f"  {json.dumps(identifier)}: {json.dumps(value, ensure_ascii=False)}" for identifier, value in message
        )
        summary = labels.text(
            "common.preview_post", number=str(number), messages=str(len(messages)), count=str(len(message))
        )
        yield _folded(summary, f"<pre><code>{{\n{_inert(rows)}\n}}</code></pre>", len(message))


def _list(labels: Labels, key: str, rows: Collection[str]) -> str:
    if not rows:
        return ""
    items = "".join(f"<li>{_inert(row)}</li>" for row in rows)
    return _folded(labels.text(f"common.{key}", count=str(len(rows))), f"<ul>{items}</ul>", len(rows))


def _folded(summary: str, content: str, rows: int) -> str:
    state = " open" if rows <= UNFOLDED else ""
    return f"<details{state}><summary>{_inert(summary)}</summary>{content}</details>"


def _inert(text: str) -> str:
    """Return text that the browser shows as it is; blank lines would end the list that it is in."""
    return escape("\n".join(line for line in text.splitlines() if line.strip()), quote=False)
