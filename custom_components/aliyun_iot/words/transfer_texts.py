"""Texts about an import: the faults of a document, its changes, risks and warnings."""

from collections.abc import Callable, Iterator
from typing import Any

from homeassistant.core import callback

from ..alink.model.thing_model import ThingModel
from ..mapping.binding import Binding, ServiceBinding
from ..mapping.document.difference import AnyItemChange, Difference
from ..mapping.document.fault import DocumentError, Fault
from ..mapping.document.sub_device import ENTITY_PART, DocumentedSubDevice
from ..mapping.event_binding import EventBinding
from ..mapping.generic import aspect_for
from ..transfer import ImportPlan
from . import markdown
from .labels import Labels
from .markdown import Markdown, code, escaped, joined, paragraphs
from .misfits import reasons
from .model_texts import bullets

type Models = Callable[[str | None], ThingModel | None]
"""Returns the thing model of a product, None if there is none; without a ProductKey that of the entry's own device."""


def faults_text(labels: Labels, error: DocumentError) -> Markdown:
    """Return the faults of a document as a list, shortened if it is long."""
    return bullets(labels, [_fault(labels, fault) for fault in error.faults])


@callback
def changes_text(labels: Labels, planned: Difference, models: Models) -> Markdown:
    """Return what an import would change, first the risky changes and the sub-devices that would be removed."""
    changes: dict[str, list[str]] = {"import_added": [], "import_changed": [], "import_removed": []}
    gone: list[str] = []
    for sub_device, part in planned.devices:
        model = models(sub_device.product_key if sub_device else None)
        for change in part.own:
            kind = "import_added" if change.before is None else "import_changed" if change.after else "import_removed"
            is_gone = change.after is None and isinstance(change.before, DocumentedSubDevice)
            (gone if is_gone else changes[kind]).append(_of_device(labels, sub_device, _item(labels, change, model)))
    parts = [labels.markdown(f"common.{key}", list=bullets(labels, lines)) for key, lines in changes.items() if lines]
    # These lists are never shortened.
    if gone:
        parts.insert(0, labels.markdown("common.import_sub_devices_removed", list=markdown.bullets(gone)))
    if risky := risks(labels, planned, models):
        parts.insert(0, labels.markdown("common.import_risky", list=markdown.bullets(risky)))
    return paragraphs(parts)


@callback
def risks(labels: Labels, planned: Difference, models: Models) -> list[Markdown]:
    """Return a line for each change that would let the cloud do more than now; nothing in it is left out."""
    lines: list[Markdown] = []
    for sub_device, part in planned.devices:
        model = models(sub_device.product_key if sub_device else None)
        lines += [escaped(_of_device(labels, sub_device, _risk(labels, each, model))) for each in part.own_risky]
    return lines


@callback
def warnings(labels: Labels, plan: ImportPlan, models: Models) -> list[str]:
    """Return a line for each item of an import that does not work in this installation, or not yet."""
    lines: list[str] = [labels.text("common.import_stranger", name=name) for name in plan.missing]
    lines += [labels.text("common.import_replaces", name=name) for name in plan.replaced]
    if plan.itself:
        lines.append(labels.text("common.import_itself", name=plan.itself))
    for sub_device, part in plan.difference.devices:
        model = models(sub_device.product_key if sub_device else None)
        lines += [_of_device(labels, sub_device, line) for line in _warnings(labels, part, model)]
    return lines


def _warnings(labels: Labels, part: Difference, model: ThingModel | None) -> list[str]:
    """Return the lines about the items of one device."""
    lines: list[str] = []
    for binding in (change.after for change in part.bindings if change.after):
        if aspect_for(binding, binding.entity) is None:
            unknown = labels.text(
                "options.error.aspect_not_supported", entity=labels.entity(binding.entity), aspect=binding.aspect
            )
            lines.append(labels.text("common.misfit", identifier=binding.identifier, reason=unknown))
        lines += reasons(labels, binding, model)
    if model:
        lines += [
            labels.text("common.unknown_service", identifier=change.name)
            for change in part.services
            if change.after and change.name not in model.services
        ]
        lines += [
            labels.text("common.unknown_event", identifier=change.name)
            for change in part.events
            if change.after and change.name not in model.events
        ]
    return lines


def warnings_text(labels: Labels, lines: list[str]) -> Markdown:
    """Return the warnings as a paragraph with a heading, or an empty text if there are none."""
    return labels.markdown("common.import_warnings", list=bullets(labels, lines)) if lines else Markdown()


def _fault(labels: Labels, fault: Fault) -> str:
    placeholders = dict(fault.placeholders)
    if fault.expected:
        placeholders["expected"] = labels.text(f"common.expected_{fault.expected}")
    return labels.text(f"common.fault_{fault.kind}", path=fault.where, line=str(fault.line or ""), **placeholders)


def _of_device(labels: Labels, sub_device: DocumentedSubDevice | None, line: str) -> str:
    """Return a line with the name of the sub-device that it is about, if it is about one."""
    if sub_device is None:
        return line
    template = labels.markdown if isinstance(line, Markdown) else labels.text
    return template("common.import_of_sub_device", name=sub_device.title or sub_device.name, item=line)


def _item(labels: Labels, change: AnyItemChange, model: ThingModel | None) -> str:
    match change.after or change.before:
        case Binding() as binding:
            return labels.binding(binding, model)
        case ServiceBinding() as service:
            return labels.markdown("common.import_service", identifier=service.identifier, run=_run(labels, service))
        case tuple() as events:
            sources = [_source(labels, event) for event in events]
            return labels.markdown("common.import_event", identifier=change.name, sources=joined(sources, labels.comma))
        case DocumentedSubDevice(title=title, name=name, stands_for=target):
            is_entity = target and target.part == ENTITY_PART
            shown = "–" if target is None else labels.entity(target.id) if is_entity else target.name or target.id
            return labels.text("common.import_sub_device", title=title or name, name=name, target=shown)
        case _:
            return labels.text("common.import_rule", name=change.name)


def _risk(labels: Labels, change: AnyItemChange, model: ThingModel | None) -> Markdown:
    text = escaped(_item(labels, change, model))
    if isinstance(change.after, Binding) and change.after.actions:
        return joined((text, _run(labels, change.after)), labels.colon)
    return text


def _run(labels: Labels, binding: Binding | ServiceBinding) -> Markdown:
    """Return what a binding runs: a script, or all actions, scenes and device actions of a sequence at any depth."""
    if isinstance(binding, ServiceBinding) and binding.script:
        return escaped(labels.entity(binding.script))
    return joined(dict.fromkeys(code(name) for name in _action_names(binding.actions)), labels.comma) or escaped("…")


def _source(labels: Labels, event: EventBinding) -> str:
    """Return the source of an event: an entity, or the types of its triggers."""
    if event.entity:
        return labels.entity(event.entity)
    kinds = (trigger.get("trigger", trigger.get("platform", "…")) for trigger in event.triggers)
    return joined(map(code, kinds), labels.comma)


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
