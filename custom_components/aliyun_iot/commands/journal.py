"""The last commands and their answers, for diagnostics and for the page of both sides."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Final

from homeassistant.util import dt as dt_util

from ..alink.codes import Code
from ..alink.command import Answer, Command
from ..alink.foreign import CUT
from ..alink.messages import JsonValue
from .outcome import MAX_MESSAGE, cut_text, shortened

MAX_ROWS: Final = 100
MAX_TARGETS: Final = 20
MAX_NAME: Final = 64
"""Limits of a row, besides its message and its values; together they keep the journal below a megabyte."""


@dataclass(frozen=True, slots=True)
class CommandDetails:
    """What a page shows of one command; diagnostics leave it out.

    `desired` is whether it was a desired value, `sync` whether a caller in the cloud waited, and `dry_run` whether nothing was
    done. `params` are masked and shortened, `size` is that of the whole message in bytes, and `entities` are those it is about.
    """

    desired: bool
    sync: bool
    dry_run: bool
    size: int
    params: JsonValue = None
    entities: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One command and its answer. `target` are the identifiers that it is about."""

    at: datetime
    kind: str
    id: str
    target: list[str]
    code: int
    message: str
    milliseconds: float
    details: CommandDetails | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the row without its details."""
        return {
            "at": self.at.isoformat(timespec="milliseconds"),
            "kind": str(self.kind),
            "id": self.id,
            "target": self.target,
            "code": self.code,
            "message": self.message,
            "milliseconds": self.milliseconds,
        }


class Journal:
    """Keeps the last commands of one device."""

    def __init__(self) -> None:
        """Start empty."""
        self.received = 0
        """Commands since the start."""
        self.refused = 0
        """Those of them that were refused or failed."""
        self._rows: list[JournalRow] = []

    def add(
        self,
        command: Command,
        answer: Answer,
        seconds: float,
        *,
        params: JsonValue = None,
        entities: Iterable[str] = (),
        dry_run: bool = False,
    ) -> None:
        """Add a command that was answered after so many seconds; `params` are masked."""
        self.received += 1
        self.refused += answer.code != Code.SUCCESS
        target = [command.identifier] if command.identifier else command.params
        names = [name for name in target if isinstance(name, str)] if isinstance(target, dict | list) else []
        details = CommandDetails(
            desired=not command.topic,
            sync=command.sync,
            dry_run=dry_run,
            size=len(command.payload),
            params=shortened(params),
            entities=[cut_text(each, MAX_NAME) for each in islice(entities, MAX_TARGETS)],
        )
        self._append(command.kind, names, answer.code, answer.message, command.id, seconds, details)

    def note(self, kind: str, target: Iterable[str], code: int, message: str) -> None:
        """Add a step that no command caused."""
        self._append(kind, target, code, message)

    def rows(self) -> list[JournalRow]:
        """Return the rows, the oldest first."""
        return list(self._rows)

    def _append(
        self,
        kind: str,
        target: Iterable[str],
        code: int,
        message: str,
        command_id: str = "",
        seconds: float = 0.0,
        details: CommandDetails | None = None,
    ) -> None:
        milliseconds = round(seconds * 1000, 1)
        names: list[str] = [cut_text(name, MAX_NAME) for name in islice(target, MAX_TARGETS + 1)]
        if len(names) > MAX_TARGETS:
            names[-1] = CUT
        command_id, message = cut_text(command_id, MAX_NAME), cut_text(message, MAX_MESSAGE)
        self._rows.append(JournalRow(dt_util.utcnow(), kind, command_id, names, code, message, milliseconds, details))
        del self._rows[:-MAX_ROWS]
