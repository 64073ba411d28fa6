"""The last commands and their answers, for diagnostics."""

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from homeassistant.util import dt as dt_util

from ..alink.codes import Code
from ..alink.command import Answer, Command
from ..alink.foreign import CUT
from .outcome import MAX_MESSAGE, cut_text

MAX_ROWS: Final = 100
MAX_TARGETS: Final = 20
MAX_NAME: Final = 64
"""Limits of a row, besides the characters of its message; together they keep the journal below a megabyte."""


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One command and its answer. `target` are the identifiers that it is about; their values are private."""

    at: datetime
    kind: str
    id: str
    target: list[str]
    code: int
    message: str
    milliseconds: float


class Journal:
    """Keeps the last commands of one device."""

    def __init__(self) -> None:
        """Start empty."""
        self.received = 0
        """Commands since the start."""
        self.refused = 0
        """Those of them that were refused or failed."""
        self._rows: deque[JournalRow] = deque(maxlen=MAX_ROWS)

    def add(self, command: Command, answer: Answer, seconds: float) -> None:
        """Add a command that was answered after so many seconds."""
        self.received += 1
        self.refused += answer.code != Code.SUCCESS
        target = [command.identifier] if command.identifier else command.params
        names = [name for name in target if isinstance(name, str)] if isinstance(target, dict | list) else []
        self.note(command.kind, names, answer.code, answer.message, command_id=command.id, seconds=seconds)

    def note(
        self, kind: str, target: Iterable[str], code: int, message: str, *, command_id: str = "", seconds: float = 0.0
    ) -> None:
        """Add a row; without `command_id` and `seconds` a step that no command caused."""
        milliseconds = round(seconds * 1000, 1)
        names: list[str] = [cut_text(name, MAX_NAME) for name in islice(target, MAX_TARGETS + 1)]
        if len(names) > MAX_TARGETS:
            names[-1] = CUT
        command_id, message = cut_text(command_id, MAX_NAME), cut_text(message, MAX_MESSAGE)
        self._rows.append(JournalRow(dt_util.utcnow(), kind, command_id, names, code, message, milliseconds))

    def rows(self) -> list[dict[str, object]]:
        """Return the rows, the oldest first."""
        return [asdict(row) | {"at": row.at.isoformat(timespec="milliseconds")} for row in self._rows]
