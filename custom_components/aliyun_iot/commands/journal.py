"""The last commands and what became of them, for diagnostics."""

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from homeassistant.util import dt as dt_util

from ..alink.codes import Code
from ..alink.command import Answer, Command
from .outcome import MESSAGE_LENGTH

LENGTH = 100


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One command and its outcome."""

    at: str
    kind: str
    id: str
    target: list[str]
    code: int
    message: str
    milliseconds: float


class Journal:
    """Remembers the last commands of one device."""

    def __init__(self) -> None:
        """Start empty."""
        self.received = 0
        """How many commands there were since the start."""
        self.refused = 0
        """How many of them were refused or failed."""
        self._rows: deque[JournalRow] = deque(maxlen=LENGTH)

    def add(self, command: Command, answer: Answer, duration: float) -> None:
        """Remember a command that took `duration` seconds."""
        self.received += 1
        self.refused += answer.code != Code.SUCCESS
        self._rows.append(
            JournalRow(
                at=dt_util.utcnow().isoformat(timespec="milliseconds"),
                kind=command.kind,
                id=command.id,
                target=_targets(command),
                code=answer.code,
                message=answer.message[:MESSAGE_LENGTH],
                milliseconds=round(duration * 1000, 1),
            )
        )

    def note(self, kind: str, target: Iterable[str], code: int, message: str) -> None:
        """Remember a step that was nobody's command."""
        self._rows.append(
            JournalRow(
                at=dt_util.utcnow().isoformat(timespec="milliseconds"),
                kind=kind,
                id="",
                target=list(target),
                code=code,
                message=message[:MESSAGE_LENGTH],
                milliseconds=0.0,
            )
        )

    def rows(self) -> list[dict[str, object]]:
        """Return the last commands, oldest first."""
        return [asdict(row) for row in self._rows]


def _targets(command: Command) -> list[str]:
    """Return the identifiers that a command is about; their values are nobody's business in diagnostics."""
    if command.identifier:
        return [command.identifier]
    match command.params:
        case dict() as values:
            return list(values)
        case list() as identifiers:
            return [str(one) for one in identifiers]
        case _:
            return []
