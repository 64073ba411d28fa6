"""The mapping of one device as a document: to be kept, read, edited, and taken to another installation.

It names entities by their ids and holds nothing that belongs to one device or product: no triple, no endpoint, no thing
model. Its bindings, services, events and rules are checked by the schemas that check stored ones. The same mapping always makes the
same document, whatever order it was made in.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields
from enum import StrEnum
import json
from math import isfinite
import re
from types import MappingProxyType
from typing import Any, Final, Self

from homeassistant.core import valid_entity_id
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..binding import ACTIONS, Access, Binding, Conversion, ServiceBinding
from ..event_binding import EventBinding
from ..fields import Expected, expectations
from ..selection import Target
from .fault import DocumentError, Fault, FaultKind, Path, readable, wrong_value
from .rules import SIDES, DocumentedRule
from .text import MAX_DEPTH

FORMAT: Final = "aliyun_iot_mapping"
VERSION: Final = 1
NO_ENTITY_HEADING: Final = "no_entity"
"""Heads the bindings that no entity stands behind; an entity id has a dot."""

_SECTIONS: Final = ("format", "version", "bindings", "services", "events", "rules")
_TARGET: Final = dict.fromkeys((each.name for each in fields(Target)), Expected.NAMES) | {
    "entity_id": Expected.ENTITIES
}
_EXPECTED: Final[Mapping[str, Mapping[str, Expected]]] = {
    "bindings": expectations(Binding),
    "services": expectations(ServiceBinding),
    "events": expectations(EventBinding),
    "rules": {
        **dict.fromkeys(SIDES, Expected.BLOCK),
        "hidden_too": Expected.FLAG,
        "diagnostic_too": Expected.FLAG,
    },
}
"""What is expected in each field of a section, in words for people instead of the schemas' words for programmers."""

_NESTED: Final = {"conversion": expectations(Conversion), **dict.fromkeys(SIDES, _TARGET)}
"""The same for the blocks within a section."""


@dataclass(frozen=True, slots=True)
class Document:
    """A mapping: bindings, services and events by identifier, rules by name. An event may have several sources.

    Entities are named by their entity ids where they have one, and the rule of a binding by its name.
    """

    bindings: Mapping[str, Binding] = field(default_factory=dict)
    services: Mapping[str, ServiceBinding] = field(default_factory=dict)
    rules: Mapping[str, DocumentedRule] = field(default_factory=dict)
    events: Mapping[str, tuple[EventBinding, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        bindings: Iterable[Binding],
        services: Iterable[ServiceBinding] = (),
        rules: Mapping[str, DocumentedRule] = MappingProxyType({}),
        events: Iterable[EventBinding] = (),
    ) -> Self:
        """Return the document of a mapping; of several bindings of one property the first, which is the one that works."""
        first: dict[str, Binding] = {}
        for binding in bindings:
            first.setdefault(binding.identifier, binding)
        return cls(first, {one.identifier: one for one in services}, dict(rules), _by_identifier(events))

    @classmethod
    def parse(cls, data: object) -> Self:
        """Return the document that data describe; raises DocumentError with all its faults."""
        reading = _Reading()
        plain = reading.plain(data, ())
        reading.finish()
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise DocumentError([Fault(FaultKind.NOT_A_MAPPING, placeholders={"format": FORMAT})])
        _check_version(plain.get("version"))
        reading.sections(plain)
        rules = dict(reading.rules(plain))
        read = cls(
            {one.identifier: one for one in reading.bindings(plain)},
            {one.identifier: one for one in reading.services(plain)},
            rules,
            _by_identifier(reading.events(plain)),
        )
        reading.finish()
        return read

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON and YAML can hold and `parse` takes: without defaults, in a fixed order."""
        grouped: dict[str, list[dict[str, Any]]] = {}
        for binding in sorted(
            self.bindings.values(), key=lambda one: (one.entity or NO_ENTITY_HEADING, one.identifier)
        ):
            row = {
                name: str(value) if isinstance(value, StrEnum) else value for name, value in binding.as_dict().items()
            }
            grouped.setdefault(row.pop("entity") or NO_ENTITY_HEADING, []).append(row)
        services = {}
        for identifier, service in sorted(self.services.items()):
            services[identifier] = service.as_dict()
            del services[identifier]["identifier"]
        events = {}
        for identifier, sources in sorted(self.events.items()):
            events[identifier] = [one.as_dict() for one in sources]
            for row in events[identifier]:
                del row["identifier"]
        sections = {
            "bindings": grouped,
            "services": services,
            "events": events,
            "rules": {name: rule.as_dict() for name, rule in sorted(self.rules.items())},
        }
        return {"format": FORMAT, "version": VERSION, **{name: part for name, part in sections.items() if part}}


class _Reading:
    """One reading of a document, which goes on after a fault to find the others."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def finish(self) -> None:
        """Raise DocumentError if there was anything wrong so far."""
        if self._faults:
            raise DocumentError(self._faults)

    def plain(self, value: object, path: Path) -> object:
        """Return a value in Python's own types, so that it can be stored as JSON; anything else is a fault."""
        if len(path) > MAX_DEPTH:
            self._faults.append(Fault(FaultKind.TOO_DEEP, path[:4]))
            return None
        match value:
            case None | bool():
                return value
            case int() if -(2**63) <= value < 2**63:
                return int(value)
            case float() if isfinite(value):
                return float(value)
            case str() if _is_unicode(value):
                return str(value)
            case list():
                return [self.plain(item, (*path, position)) for position, item in enumerate(value)]
            case dict():
                return {self._plain_key(key, path): self.plain(item, (*path, str(key))) for key, item in value.items()}
        self._wrong(path, Expected.PLAIN, value)
        return None

    def _plain_key(self, key: object, path: Path) -> object:
        if isinstance(key, str) and _is_unicode(key):
            return str(key)
        # The left side of an option may be a number, or on and off, which YAML reads as a bool.
        if not (path[-2:] == ("conversion", "options") and isinstance(key, bool | int | float)):
            self._wrong(path, Expected.TEXT, key)
        return key

    def sections(self, document: Mapping[str, Any]) -> None:
        """Note what a document has no place for."""
        self._faults += [Fault(FaultKind.UNKNOWN_KEY, (key,)) for key in document if key not in _SECTIONS]

    def bindings(self, document: Mapping[str, Any]) -> Iterator[Binding]:
        """Yield the sound bindings."""
        seen: dict[str, Path] = {}
        for entity, rows in self._section(document, "bindings"):
            path: Path = ("bindings", entity)
            reference = "" if entity == NO_ENTITY_HEADING else entity
            if reference and not _is_reference(reference):
                self._wrong(path, Expected.ENTITY, entity)
            elif not isinstance(rows, list):
                self._wrong(path, Expected.LIST, rows)
            else:
                for position, row in enumerate(rows):
                    binding = self._binding(reference, row, (*path, position))
                    if binding and binding.rule and binding.rule not in (document.get("rules") or ()):
                        placeholders = {"found": binding.rule}
                        self._faults.append(Fault(FaultKind.UNKNOWN_RULE, (*path, position), placeholders=placeholders))
                    elif binding and self._is_first(binding.identifier, (*path, position), seen):
                        yield binding

    def services(self, document: Mapping[str, Any]) -> Iterator[ServiceBinding]:
        """Yield the sound services."""
        for identifier, block in self._section(document, "services"):
            path: Path = ("services", identifier)
            if not isinstance(block, dict):
                self._wrong(path, Expected.BLOCK, block)
                continue
            row = {**block, "identifier": identifier}
            try:
                service = ServiceBinding.from_dict(row)
            except vol.Invalid as err:
                self._note(err, path, row)
            else:
                if service.script and not _is_reference(service.script):
                    self._wrong((*path, "script"), Expected.ENTITY, service.script)
                elif self._can_run(service.actions, path) and self._can_check(service.condition, path):
                    yield service

    def events(self, document: Mapping[str, Any]) -> Iterator[EventBinding]:
        """Yield the sound events."""
        for identifier, rows in self._section(document, "events"):
            path: Path = ("events", identifier)
            if not isinstance(rows, list):
                self._wrong(path, Expected.LIST, rows)
                continue
            for position, row in enumerate(rows):
                if event := self._event(identifier, row, (*path, position)):
                    yield event

    def rules(self, document: Mapping[str, Any]) -> Iterator[tuple[str, DocumentedRule]]:
        """Yield the sound rules with their names."""
        for name, block in self._section(document, "rules"):
            path: Path = ("rules", name)
            if not isinstance(block, dict):
                self._wrong(path, Expected.BLOCK, block)
            elif self._are_entity_aspects(block.get("left_out", {}), (*path, "left_out")):
                try:
                    yield name, DocumentedRule.from_dict(block)
                except vol.Invalid as err:
                    self._note(err, path, block)

    def _are_entity_aspects(self, block: object, path: Path) -> bool:
        if not isinstance(block, dict):
            self._wrong(path, Expected.BLOCK, block)
            return False
        faults = len(self._faults)
        for entity, aspects in block.items():
            if not _is_reference(entity):
                self._wrong((*path, entity), Expected.ENTITY, entity)
            elif not isinstance(aspects, list) or not all(isinstance(one, str) and one for one in aspects):
                self._wrong((*path, entity), Expected.NAMES, aspects)
        return len(self._faults) == faults

    def _section(self, document: Mapping[str, Any], name: str) -> Iterable[tuple[str, Any]]:
        block = document.get(name)
        if isinstance(block, dict):
            return block.items()
        if block is not None:
            self._wrong((name,), Expected.BLOCK, block)
        return ()

    def _binding(self, entity: str, row: object, path: Path) -> Binding | None:
        if not isinstance(row, dict):
            self._wrong(path, Expected.BLOCK, row)
            return None
        if "entity" in row:
            self._faults.append(Fault(FaultKind.UNKNOWN_KEY, (*path, "entity")))
            return None
        try:
            binding = Binding.from_dict({**row, "entity": entity})
        except vol.Invalid as err:
            self._note(err, path, row)
            return None
        return binding if self._can_run(binding.actions, path) and self._can_check(binding.condition, path) else None

    def _event(self, identifier: str, block: object, path: Path) -> EventBinding | None:
        if not isinstance(block, dict):
            self._wrong(path, Expected.BLOCK, block)
            return None
        row = {**block, "identifier": identifier}
        try:
            event = EventBinding.from_dict(row)
        except vol.Invalid as err:
            self._note(err, path, row)
            return None
        if event.entity and not _is_reference(event.entity):
            self._wrong((*path, "entity"), Expected.ENTITY, event.entity)
            return None
        return event if self._can_trigger(event.triggers, path) else None

    def _can_trigger(self, triggers: list[dict[str, Any]], path: Path) -> bool:
        """Tell whether triggers are written as Home Assistant wants them."""
        try:
            cv.TRIGGER_SCHEMA(deepcopy(triggers))
        except vol.Invalid as err:
            self._wrong((*path, "triggers"), Expected.TRIGGERS, str(err))
            return False
        return True

    def _can_run(self, actions: list[dict[str, Any]], path: Path) -> bool:
        """Tell whether actions are written as Home Assistant wants them; whether they are there is found out later."""
        try:
            cv.SCRIPT_SCHEMA(deepcopy(actions))
        except vol.Invalid as err:
            self._wrong((*path, "actions"), Expected.ACTIONS, str(err))
            return False
        return True

    def _can_check(self, condition: list[dict[str, Any]], path: Path) -> bool:
        """Tell whether a condition is written as Home Assistant wants it."""
        try:
            cv.CONDITIONS_SCHEMA(deepcopy(condition))
        except vol.Invalid as err:
            self._wrong((*path, "condition"), Expected.CONDITION, str(err))
            return False
        return True

    def _is_first(self, identifier: str, path: Path, seen: dict[str, Path]) -> bool:
        first = seen.setdefault(identifier, path)
        if first is path:
            return True
        placeholders = {"identifier": identifier, "other": readable(first)}
        self._faults.append(Fault(FaultKind.IDENTIFIER_TWICE, path, placeholders=placeholders))
        return False

    def _note(self, error: vol.Invalid, path: Path, row: Mapping[str, Any]) -> None:
        """Note what a schema found in a block, by where it found it: the block itself, a field of it, or deeper."""
        for one in getattr(error, "errors", [error]):
            inner = tuple(part if isinstance(part, int) else str(part) for part in one.path)
            block, name, expected = row, str(inner[0]) if inner else "", _EXPECTED[str(path[0])]
            if name in _NESTED and len(inner) > 1:
                block, name, expected = row[name], str(inner[1]), _NESTED[name]
            if name not in block and path[0] == "services":
                # Neither of the two is there, or both are, which the schema blames on a name of its own.
                self._wrong(path, Expected.RUN, row)
            elif name not in block and path[0] == "events":
                self._wrong(path, Expected.SOURCE, row)
            elif name == "entity" and path[0] == "bindings":
                self._wrong((*path, "aspect"), Expected.WITHOUT_ENTITY, row["aspect"])
            elif name == "access" and row.get("aspect") == ACTIONS:
                self._wrong((*path, "access"), Expected.CONTROL, row.get("access", Access.REPORT))
            elif name not in block:
                self._faults.append(Fault(FaultKind.MISSING, path, placeholders={"found": name}))
            elif name not in expected:
                self._faults.append(Fault(FaultKind.UNKNOWN_KEY, (*path, *inner)))
            else:
                self._wrong((*path, *inner), expected[name], block[name])

    def _wrong(self, path: Path, expected: Expected, found: object) -> None:
        self._faults.append(wrong_value(path, expected, found))


def _check_version(version: object) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DocumentError([wrong_value(("version",), Expected.VERSION, version)])
    if version > VERSION:
        raise DocumentError([Fault(FaultKind.NEWER, placeholders={"found": str(version), "newest": str(VERSION)})])


def _by_identifier(events: Iterable[EventBinding]) -> dict[str, tuple[EventBinding, ...]]:
    """Return events by identifier, and those of one in an order that doesn't depend on that in which they were made."""
    grouped: dict[str, list[EventBinding]] = {}
    for event in events:
        grouped.setdefault(event.identifier, []).append(event)
    return {
        identifier: tuple(sorted(rows, key=lambda one: json.dumps(one.as_dict(), sort_keys=True)))
        for identifier, rows in grouped.items()
    }


def _is_reference(text: str) -> bool:
    """Tell whether this is an entity id, or an id of the entity registry."""
    return valid_entity_id(text) or re.fullmatch("[0-9a-f]{32}", text) is not None


def _is_unicode(text: str) -> bool:
    """Tell whether a text has no halves of characters, which can't be stored."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
