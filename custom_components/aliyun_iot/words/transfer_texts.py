"""What an import tells people: the faults of a document, what it would change, and what of it can't work here yet."""

from collections.abc import Iterator
from typing import Any

from homeassistant.core import callback

from ..alink.model.thing_model import ThingModel
from ..mapping.binding import Binding, ServiceBinding
from ..mapping.document.difference import AnyItemChange, Difference
from ..mapping.document.fault import DocumentError, Fault
from ..mapping.event_binding import EventBinding
from ..mapping.generic import aspect_for
from ..transfer import ImportPlan
from .labels import Labels
from .misfits import reasons
from .model_texts import bullets


def faults_text(labels: Labels, error: DocumentError) -> str:
    """Return what is wrong with a document, a line for each fault; of very many only the first."""
    return bullets(labels, [_fault(labels, one) for one in error.faults])


@callback
def changes_text(labels: Labels, planned: Difference, model: ThingModel | None) -> str:
    """Return what an import would change, beginning with what somebody should think about twice."""
    changes = {
        "import_added": [_item(labels, one, model) for one in planned.all if one.before is None],
        "import_changed": [_item(labels, one, model) for one in planned.all if one.before and one.after],
        "import_removed": [_item(labels, one, model) for one in planned.all if one.after is None],
    }
    parts = [labels.text(f"common.{key}", list=bullets(labels, lines)) for key, lines in changes.items() if lines]
    if risky := risks(labels, planned, model):
        # Of these none is left out, however many there are.
        parts.insert(0, labels.text("common.import_risky", list="\n".join(f"- {line}" for line in risky)))
    return "\n\n".join(parts)


@callback
def risks(labels: Labels, planned: Difference, model: ThingModel | None) -> list[str]:
    """Return a line for each thing that the cloud could do afterwards and can't now."""
    return [_risk(labels, one, model) for one in planned.risky]


@callback
def warnings(labels: Labels, plan: ImportPlan, model: ThingModel | None) -> list[str]:
    """Return a line for each thing in an import that won't work here, or not yet."""
    lines = [labels.text("common.import_stranger", name=_one_line(name)) for name in plan.missing]
    for binding in (one.after for one in plan.difference.bindings if one.after):
        if aspect_for(binding, binding.entity) is None:
            unknown = labels.text(
                "options.error.aspect_not_supported", entity_id=binding.entity, aspect=_one_line(binding.aspect)
            )
            lines.append(labels.text("common.misfit", identifier=binding.identifier, reason=unknown))
        lines += reasons(labels, binding, model)
    if model:
        lines += [
            labels.text("common.unknown_service", identifier=one.name)
            for one in plan.difference.services
            if one.after and one.name not in model.services
        ]
        lines += [
            labels.text("common.unknown_event", identifier=one.name)
            for one in plan.difference.events
            if one.after and one.name not in model.events
        ]
    return lines


def warnings_text(labels: Labels, lines: list[str]) -> str:
    """Return the warnings as part of a page, nothing where there are none."""
    return labels.text("common.import_warnings", list=bullets(labels, lines)) if lines else ""


def _fault(labels: Labels, fault: Fault) -> str:
    placeholders = {key: _one_line(text) for key, text in fault.placeholders.items()}
    if fault.expected:
        placeholders["expected"] = labels.text(f"common.expected_{fault.expected}")
    return labels.text(
        f"common.fault_{fault.kind}", path=_one_line(fault.where), line=str(fault.line or ""), **placeholders
    )


def _item(labels: Labels, change: AnyItemChange, model: ThingModel | None) -> str:
    match change.after or change.before:
        case Binding() as binding:
            return labels.binding(binding, model)
        case ServiceBinding() as service:
            return labels.text("common.import_service", identifier=service.identifier, run=_run(service))
        case tuple() as events:
            sources = [_source(labels, one) for one in events]
            return labels.text("common.import_event", identifier=change.name, sources=labels.listed(sources))
        case _:
            return labels.text("common.import_rule", name=_one_line(change.name))


def _risk(labels: Labels, change: AnyItemChange, model: ThingModel | None) -> str:
    text = _item(labels, change, model)
    if isinstance(change.after, Binding) and change.after.actions:
        return f"{text}: {_run(change.after)}"
    return text


def _run(binding: Binding | ServiceBinding) -> str:
    """Return what is run: a script, or all actions, scenes and actions of devices in a sequence, however deep."""
    if isinstance(binding, ServiceBinding) and binding.script:
        return binding.script
    return ", ".join(dict.fromkeys(f"`{_one_line(name)}`" for name in _action_names(binding.actions))) or "…"


def _source(labels: Labels, event: EventBinding) -> str:
    """Return what an event comes from: an entity, or triggers."""
    if event.entity:
        return labels.entity(event.entity)
    return labels.listed(f"`{_one_line(str(one.get('trigger', one.get('platform', '…'))))}`" for one in event.triggers)


def _action_names(sequence: Any) -> Iterator[str]:
    match sequence:
        case dict():
            yield from (sequence[key] for key in ("action", "service", "scene") if isinstance(sequence.get(key), str))
            if "device_id" in sequence and "type" in sequence:
                yield f"{sequence.get('domain')}.{sequence['type']}"
            for part in sequence.values():
                yield from _action_names(part)
        case list():
            for part in sequence:
                yield from _action_names(part)


def _one_line(text: str) -> str:
    """Return a text of a document on one line, so that it can't pass for a part of the page."""
    return " ".join(text.split())
