"""Faults of a mapping document, with the place where the user can correct them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from textwrap import shorten

from ..fields import Expected

type Path = tuple[str | int, ...]
"""A path in a document; list positions count from 0 here, and from 1 in texts for people."""


class FaultKind(StrEnum):
    """The kinds of faults; the texts are `common.fault_…` in the translations."""

    ALIAS = "alias"
    EMPTY = "empty"
    IDENTIFIER_TWICE = "identifier_twice"
    KEY_TWICE = "key_twice"
    MISSING = "missing"
    NEWER = "newer"
    NOT_A_MAPPING = "not_a_mapping"
    NOT_TEXT = "not_text"
    SECRET = "secret"  # noqa: S105 - the key of a text
    SUB_DEVICE_TWICE = "sub_device_twice"
    SYNTAX = "syntax"
    TAB = "tab"
    TAG = "tag"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    TOO_MANY_SUB_DEVICES = "too_many_sub_devices"
    UNKNOWN_KEY = "unknown_key"
    UNKNOWN_RULE = "unknown_rule"
    WRONG_VALUE = "wrong_value"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: in a line of the text, or at a path of the document."""

    kind: FaultKind
    path: Path = ()
    line: int | None = None
    expected: Expected | None = None
    placeholders: Mapping[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The path in readable form, such as `bindings → light.lamp → 2 → scale`."""
        return readable(self.path)


def wrong_value(path: Path, expected: Expected, found: object) -> Fault:
    """Return the fault for a value that its field doesn't take."""
    placeholders = {"found": shorten(str(found), 200, placeholder="…")}
    return Fault(FaultKind.WRONG_VALUE, path, expected=expected, placeholders=placeholders)


class DocumentError(ValueError):
    """A document can't be used, and no part of it was. `faults` are all that were found, at least one."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults."""
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.where or fault.line or ''} {fault.kind}".strip() for fault in self.faults))


def readable(path: Path) -> str:
    """Return a path with positions that count from 1."""
    return " → ".join(str(part + 1) if isinstance(part, int) else part for part in path)
