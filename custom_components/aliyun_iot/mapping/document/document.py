"""The mapping of one device as a document, to be kept, read, edited and taken to another installation.

It refers to entities by their ids and contains nothing of the device itself or its product: no triple, no endpoint, no thing
model. Of sub-devices it has the names, since a sub-device is found by them, but no secrets. Its bindings, services, events
and rules are validated like stored ones. The same mapping always gives the same document, in whatever order it was made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
import json
from types import MappingProxyType
from typing import Any, Final, Self

from ..binding import Binding, ServiceBinding
from ..event_binding import EventBinding
from ..fields import Expected
from .fault import DocumentError, Fault, FaultKind, wrong_value
from .reading import NO_ENTITY_HEADING, Reading
from .rules import DocumentedRule
from .sub_device import DocumentedSubDevice

FORMAT: Final = "aliyun_iot_mapping"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Document:
    """A mapping: bindings, services and events by identifier, rules by name. An event may have several sources.

    Entities are referred to by their entity ids, if they have one, and the rule of a binding by its name.
    """

    bindings: Mapping[str, Binding] = field(default_factory=dict)
    services: Mapping[str, ServiceBinding] = field(default_factory=dict)
    rules: Mapping[str, DocumentedRule] = field(default_factory=dict)
    events: Mapping[str, tuple[EventBinding, ...]] = field(default_factory=dict)
    sub_devices: Mapping[str, DocumentedSubDevice] | None = None
    """The sub-devices by name, None if the document says nothing about them."""

    mappings: Mapping[str, Document] = field(default_factory=dict)
    """The mapping of each sub-device: bindings, services and events."""

    @classmethod
    def of(
        cls,
        bindings: Iterable[Binding],
        services: Iterable[ServiceBinding] = (),
        rules: Mapping[str, DocumentedRule] = MappingProxyType({}),
        events: Iterable[EventBinding] = (),
    ) -> Self:
        """Return the document of a mapping; of several bindings of one property only the first, which is the one in use."""
        first: dict[str, Binding] = {}
        for binding in bindings:
            first.setdefault(binding.identifier, binding)
        return cls(first, {service.identifier: service for service in services}, dict(rules), _by_identifier(events))

    @classmethod
    def parse(cls, data: object) -> Self:
        """Return the document that data describe; raises DocumentError with all its faults."""
        reading = Reading()
        plain = reading.plain(data, ())
        reading.finish()
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise DocumentError([Fault(FaultKind.NOT_A_MAPPING, placeholders={"format": FORMAT})])
        _check_version(plain.get("version"))
        reading.sections(plain)
        rules = dict(reading.rules(plain))
        read = cls._of_a_device(reading, plain)
        sub_devices = list(reading.sub_devices(plain, cls._of_a_device))
        reading.finish()
        return replace(
            read,
            rules=rules,
            sub_devices=None if plain.get("sub_devices") is None else {each.name: each for each, _ in sub_devices},
            mappings={each.name: mapping for each, mapping in sub_devices},
        )

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON and YAML can hold and `parse` takes: without defaults, in a fixed order."""
        sections: dict[str, Any] = {
            **self.device_sections(),
            "rules": {name: rule.as_dict() for name, rule in sorted(self.rules.items())},
        }
        data = {"format": FORMAT, "version": VERSION, **{name: part for name, part in sections.items() if part}}
        if self.sub_devices is not None:
            data["sub_devices"] = [
                {**sub_device.as_dict(), **self.mappings.get(name, Document()).device_sections()}
                for name, sub_device in sorted(self.sub_devices.items())
            ]
        return data

    @classmethod
    def _of_a_device(cls, reading: Reading, plain: Mapping[str, Any]) -> Self:
        """Return what the sections of one device describe."""
        return cls(
            {binding.identifier: binding for binding in reading.bindings(plain)},
            {service.identifier: service for service in reading.services(plain)},
            events=_by_identifier(reading.events(plain)),
        )

    def device_sections(self) -> dict[str, Any]:
        """Return the sections of one device that are not empty."""
        grouped: dict[str, list[dict[str, Any]]] = {}
        for binding in sorted(self.bindings.values(), key=lambda each: (_heading(each), each.identifier)):
            row = {
                name: str(value) if isinstance(value, StrEnum) else value for name, value in binding.as_dict().items()
            }
            del row["entity"]
            grouped.setdefault(_heading(binding), []).append(row)
        services = {}
        for identifier, service in sorted(self.services.items()):
            services[identifier] = service.as_dict()
            del services[identifier]["identifier"]
        events = {}
        for identifier, sources in sorted(self.events.items()):
            events[identifier] = [source.as_dict() for source in sources]
            for row in events[identifier]:
                del row["identifier"]
        sections = {
            "bindings": grouped,
            "services": services,
            "events": events,
        }
        return {name: part for name, part in sections.items() if part}


def _heading(binding: Binding) -> str:
    return binding.entity or NO_ENTITY_HEADING


def _check_version(version: object) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DocumentError([wrong_value(("version",), Expected.VERSION, version)])
    if version > VERSION:
        raise DocumentError([Fault(FaultKind.NEWER, placeholders={"found": str(version), "newest": str(VERSION)})])


def _by_identifier(events: Iterable[EventBinding]) -> dict[str, tuple[EventBinding, ...]]:
    """Return the events by identifier, the sources of one event in an order that depends only on their data."""
    grouped: dict[str, list[EventBinding]] = {}
    for event in events:
        grouped.setdefault(event.identifier, []).append(event)
    return {
        identifier: tuple(sorted(rows, key=lambda row: json.dumps(row.as_dict(), sort_keys=True)))
        for identifier, rows in grouped.items()
    }
