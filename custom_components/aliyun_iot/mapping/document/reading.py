"""Reading of a document's data: every row is validated, and all faults are collected."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from math import isfinite
import re
from typing import Any, Final

from homeassistant.core import valid_entity_id
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ...alink.sub_device import MAX_SUB_DEVICES
from ..binding import ACTIONS, Access, Binding, Conversion, ServiceBinding
from ..event_binding import EventBinding
from ..fields import Expected, expectations
from ..selection import TARGET_EXPECTATIONS
from .fault import DocumentError, Fault, FaultKind, Path, readable, wrong_value
from .rules import SIDES, DocumentedRule
from .sub_device import ENTITY_PART, SECRETS, DocumentedSubDevice
from .text import MAX_DEPTH

NO_ENTITY_HEADING: Final = "no_entity"
"""The heading of bindings without an entity; an entity id has a dot."""

_OF_A_DEVICE: Final = ("bindings", "services", "events")
"""The sections that each device has."""

_SECTIONS: Final = ("format", "version", *_OF_A_DEVICE, "rules", "sub_devices")

_EXPECTED: Final[Mapping[str, Mapping[str, Expected]]] = {
    "bindings": expectations(Binding),
    "services": expectations(ServiceBinding),
    "events": expectations(EventBinding),
    "rules": {
        **dict.fromkeys(SIDES, Expected.BLOCK),
        "hidden_too": Expected.FLAG,
        "diagnostic_too": Expected.FLAG,
        "product_key": Expected.WORD,
    },
    "sub_devices": expectations(DocumentedSubDevice),
}
"""What is expected in each field of a section, for texts that replace voluptuous' messages."""

_NESTED: Final = {"conversion": expectations(Conversion), **dict.fromkeys(SIDES, TARGET_EXPECTATIONS)}
"""The same for the blocks within a section."""


class Reading:
    """One reading of a document. It continues after a fault, to find all of them; methods yield only valid items."""

    def __init__(self, at: Path = ()) -> None:
        """Start without faults; `at` is where the data are in the document."""
        self._at = at
        self._faults: list[Fault] = []

    def finish(self) -> None:
        """Raise DocumentError if there were any faults so far."""
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

    def sections(self, document: Mapping[str, Any]) -> None:
        """Add a fault for each unknown section."""
        self._refuse_secrets(document, ())
        known = (*_SECTIONS, *SECRETS)
        self._faults += [Fault(FaultKind.UNKNOWN_KEY, (key,)) for key in document if key not in known]

    def bindings(self, document: Mapping[str, Any]) -> Iterator[Binding]:
        """Yield the bindings."""
        seen: dict[str, Path] = {}
        rules = document.get("rules")
        known = rules if isinstance(rules, dict | list) else ()
        for entity, rows in self._section(document, "bindings"):
            path: Path = ("bindings", entity)
            reference = "" if entity == NO_ENTITY_HEADING else entity
            if reference and not _is_reference(reference):
                self._wrong(path, Expected.ENTITY, entity)
                continue
            for row_path, row in self._rows(rows, path):
                binding = self._binding(reference, row, row_path)
                if binding and binding.rule and binding.rule not in known:
                    placeholders = {"found": binding.rule}
                    self._faults.append(Fault(FaultKind.UNKNOWN_RULE, row_path, placeholders=placeholders))
                elif binding and self._is_first(binding.identifier, row_path, seen):
                    yield binding

    def services(self, document: Mapping[str, Any]) -> Iterator[ServiceBinding]:
        """Yield the services."""
        for identifier, block in self._section(document, "services"):
            path: Path = ("services", identifier)
            service = self._read(ServiceBinding.from_dict, block, path, {"identifier": identifier})
            if service is None:
                continue
            if service.script and not _is_reference(service.script):
                self._wrong((*path, "script"), Expected.ENTITY, service.script)
            elif self._can_run(service.actions, path) and self._can_check(service.condition, path):
                yield service

    def events(self, document: Mapping[str, Any]) -> Iterator[EventBinding]:
        """Yield the events."""
        for identifier, rows in self._section(document, "events"):
            for path, row in self._rows(rows, ("events", identifier)):
                event = self._read(EventBinding.from_dict, row, path, {"identifier": identifier})
                if event is None:
                    continue
                if event.entity and not _is_reference(event.entity):
                    self._wrong((*path, "entity"), Expected.ENTITY, event.entity)
                elif self._is_valid(cv.TRIGGER_SCHEMA, event.triggers, (*path, "triggers"), Expected.TRIGGERS):
                    yield event

    def rules(self, document: Mapping[str, Any]) -> Iterator[tuple[str, DocumentedRule]]:
        """Yield the rules with their names."""
        for name, block in self._section(document, "rules"):
            path: Path = ("rules", name)
            if isinstance(block, dict) and not self._are_entity_aspects(block.get("left_out", {}), (*path, "left_out")):
                continue
            if rule := self._read(DocumentedRule.from_dict, block, path):
                yield name, rule

    def sub_devices[Part](
        self, document: Mapping[str, Any], read: Callable[[Reading, Mapping[str, Any]], Part]
    ) -> Iterator[tuple[DocumentedSubDevice, Part]]:
        """Yield the sub-devices, each with what `read` returns for its own sections."""
        rows = document.get("sub_devices")
        if isinstance(rows, list) and len(rows) > MAX_SUB_DEVICES:
            limit = {"count": f"{len(rows):,}", "limit": f"{MAX_SUB_DEVICES:,}"}
            self._faults.append(Fault(FaultKind.TOO_MANY_SUB_DEVICES, ("sub_devices",), placeholders=limit))
            return
        rules = document.get("rules")
        making = [
            name
            for name, rule in (rules.items() if isinstance(rules, dict) else ())
            if isinstance(rule, dict) and "product_key" in rule
        ]
        seen: dict[str, Path] = {}
        for path, block in self._rows([] if rows is None else rows, ("sub_devices",)):
            if not isinstance(block, dict):
                self._wrong(path, Expected.BLOCK, block)
                continue
            self._refuse_secrets(block, path)
            names = {key: value for key, value in block.items() if key not in (*_OF_A_DEVICE, *SECRETS)}
            sub_device = self._read(DocumentedSubDevice.from_dict, names, path)
            inner = Reading(path)
            # Only a rule that makes sub-devices can have made their bindings.
            part = read(inner, {**{key: block[key] for key in _OF_A_DEVICE if key in block}, "rules": making})
            self._faults += [replace(fault, path=(*path, *fault.path)) for fault in inner._faults]
            if sub_device is None:
                continue
            target = sub_device.stands_for
            if target and target.part == ENTITY_PART and not _is_reference(target.id):
                self._wrong((*path, "stands_for"), Expected.ENTITY, target.id)
            elif (first := seen.setdefault(sub_device.name, path)) is not path:
                placeholders = {"name": sub_device.name, "other": readable(first)}
                self._faults.append(Fault(FaultKind.SUB_DEVICE_TWICE, path, placeholders=placeholders))
            else:
                yield sub_device, part

    def _refuse_secrets(self, block: Mapping[str, Any], path: Path) -> None:
        self._faults += [Fault(FaultKind.SECRET, (*path, key)) for key in SECRETS if key in block]

    def _section(self, document: Mapping[str, Any], name: str) -> Iterable[tuple[str, Any]]:
        block = document.get(name)
        if isinstance(block, dict):
            return block.items()
        if block is not None:
            self._wrong((name,), Expected.BLOCK, block)
        return ()

    def _rows(self, rows: object, path: Path) -> Iterator[tuple[Path, object]]:
        if not isinstance(rows, list):
            self._wrong(path, Expected.LIST, rows)
            return
        for position, row in enumerate(rows):
            yield (*path, position), row

    def _binding(self, entity: str, row: object, path: Path) -> Binding | None:
        if isinstance(row, dict) and "entity" in row:
            self._faults.append(Fault(FaultKind.UNKNOWN_KEY, (*path, "entity")))
            return None
        binding = self._read(Binding.from_dict, row, path, {"entity": entity})
        if binding is None:
            return None
        return binding if self._can_run(binding.actions, path) and self._can_check(binding.condition, path) else None

    def _read[Item](
        self,
        from_dict: Callable[[Mapping[str, Any]], Item],
        block: object,
        path: Path,
        heading: Mapping[str, Any] | None = None,
    ) -> Item | None:
        """Return the item of a block; `heading` are the fields that the document has above the block."""
        if not isinstance(block, dict):
            self._wrong(path, Expected.BLOCK, block)
            return None
        try:
            return from_dict({**block, **(heading or {})})
        except vol.Invalid as err:
            self._add_schema_faults(err, path, block)
            return None

    def _add_schema_faults(self, error: vol.Invalid, path: Path, block: Mapping[str, Any]) -> None:
        """Add the faults that a schema found in a block: in the block itself, in a field, or deeper."""
        for each in getattr(error, "errors", [error]):
            inner = tuple(part if isinstance(part, int) else str(part) for part in each.path)
            found, name, expected = block, str(inner[0]) if inner else "", _EXPECTED[str(path[0])]
            if name in _NESTED and len(inner) > 1:
                found, name, expected = block[name], str(inner[1]), _NESTED[name]
            match path[0], name:
                case "services", "":
                    self._wrong(path, Expected.RUN, block)
                case "events", "":
                    self._wrong(path, Expected.SOURCE, block)
                case (("services" | "events"), "identifier"):
                    self._wrong((*path, name), Expected.IDENTIFIER, path[1])
                case "bindings", "entity":
                    self._wrong((*path, "aspect"), Expected.WITHOUT_ENTITY, block["aspect"])
                case _, "access" if block.get("aspect") == ACTIONS:
                    self._wrong((*path, "access"), Expected.CONTROL, block.get("access", Access.REPORT))
                case _ if name not in found:
                    self._faults.append(Fault(FaultKind.MISSING, path, placeholders={"found": name}))
                case _ if name not in expected:
                    self._faults.append(Fault(FaultKind.UNKNOWN_KEY, (*path, *inner)))
                case _:
                    self._wrong((*path, *inner), expected[name], found[name])

    def _are_entity_aspects(self, block: object, path: Path) -> bool:
        if not isinstance(block, dict):
            self._wrong(path, Expected.BLOCK, block)
            return False
        faults = len(self._faults)
        for entity, aspects in block.items():
            if not _is_reference(entity):
                self._wrong((*path, entity), Expected.ENTITY, entity)
            elif not isinstance(aspects, list) or not all(isinstance(aspect, str) and aspect for aspect in aspects):
                self._wrong((*path, entity), Expected.NAMES, aspects)
        return len(self._faults) == faults

    def _can_run(self, actions: list[dict[str, Any]], path: Path) -> bool:
        """Return whether the syntax of actions is valid; whether the actions exist is checked elsewhere."""
        return self._is_valid(cv.SCRIPT_SCHEMA, actions, (*path, "actions"), Expected.ACTIONS)

    def _can_check(self, condition: list[dict[str, Any]], path: Path) -> bool:
        return self._is_valid(cv.CONDITIONS_SCHEMA, condition, (*path, "condition"), Expected.CONDITION)

    def _is_valid(
        self, schema: Callable[[Any], object], value: list[dict[str, Any]], path: Path, expected: Expected
    ) -> bool:
        try:
            schema(deepcopy(value))
        except vol.Invalid as err:
            self._wrong(path, expected, str(err))
            return False
        return True

    def _is_first(self, identifier: str, path: Path, seen: dict[str, Path]) -> bool:
        first = seen.setdefault(identifier, path)
        if first is path:
            return True
        placeholders = {"identifier": identifier, "other": readable((*self._at, *first))}
        self._faults.append(Fault(FaultKind.IDENTIFIER_TWICE, path, placeholders=placeholders))
        return False

    def _plain_key(self, key: object, path: Path) -> object:
        if isinstance(key, str) and _is_unicode(key):
            return str(key)
        # The left side of an option may be a number, or on and off, which YAML reads as a bool.
        if not (path[-2:] == ("conversion", "options") and isinstance(key, bool | int | float)):
            self._wrong(path, Expected.TEXT, key)
        return key

    def _wrong(self, path: Path, expected: Expected, found: object) -> None:
        self._faults.append(wrong_value(path, expected, found))


def _is_reference(text: str) -> bool:
    """Return whether this is an entity id, or an id of the entity registry."""
    return valid_entity_id(text) or re.fullmatch("[0-9a-f]{32}", text) is not None


def _is_unicode(text: str) -> bool:
    """Return whether a text has no lone surrogates, which can't be stored."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
