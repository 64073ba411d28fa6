"""The transcript of the conversation: what happened on both sides, in order, and the expectations."""

import os
import sys

from .lines import CLOUD, DOWN, HOME, UP, Line
from .words import Language, Words

WIDTH = 110

_BOLD, _GREEN, _RED, _BLUE, _YELLOW = 1, 32, 31, 36, 33
_COLORS = {CLOUD: _BLUE, DOWN: _BLUE, UP: _YELLOW, HOME: _YELLOW}


class Transcript:
    """Prints lines. Those of a step are sorted before they are printed, since the two sides report at different speeds."""

    def __init__(self, language: Language) -> None:
        """Lines are printed at once until the first step begins."""
        self.failures: list[str] = []
        self.expectations = 0
        self._language = language
        self._colored = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._steps = 0
        self._waiting: list[tuple[float, Line]] | None = None
        self._latest = 0.0

    def say(self, words: Words) -> None:
        """Print a text."""
        self._print(words.text(self._language))

    def step(self, title: Words) -> None:
        """Begin a step of the conversation."""
        self._steps += 1
        heading = f"── {self._steps}. {title.text(self._language)} "
        self._print(f"\n{self._color(heading, _BOLD)}{'─' * max(3, WIDTH - len(heading))}")
        self._waiting = []
        self._latest = 0.0

    def add(self, line: Line) -> None:
        """Add a line of this process.

        A message to the house is placed directly after the line before it: it is recorded after it was sent, when Home
        Assistant may already have acted on it.
        """
        if line.mark != DOWN:
            self._latest = max(self._latest, line.at)
        self._add(self._latest, line)

    def add_by_time(self, line: Line) -> None:
        """Add a line of Home Assistant, placed by its time."""
        self._add(line.at, line)

    def expect(self, fulfilled: bool, words: Words) -> None:  # noqa: FBT001 - reads as a sentence where it is called
        """Print the lines so far, and then the expectation and whether it is fulfilled."""
        self.flush()
        text = words.text(self._language)
        self.expectations += 1
        if not fulfilled:
            self.failures.append(f"{self._steps}. {text}")
        self._print(f"  {self._color('✔', _GREEN) if fulfilled else self._color('✘', _RED)} {text}")

    def flush(self) -> None:
        """Print the waiting lines, sorted by time."""
        for _, line in sorted(self._waiting or [], key=lambda row: row[0]):
            self._show(line)
        if self._waiting:
            self._waiting = []

    def go_live(self) -> None:
        """Print lines at once from now on."""
        self.flush()
        self._waiting = None

    def _add(self, at: float, line: Line) -> None:
        if self._waiting is None:
            self._show(line)
        else:
            self._waiting.append((at, line))

    def _show(self, line: Line) -> None:
        self._print(f"  {self._color(f'{line.mark:8}', _COLORS[line.mark])} {line.text}")

    def _color(self, text: str, color: int) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._colored else text

    def _print(self, text: str) -> None:
        print(text, flush=True)  # noqa: T201 - the output of the demo
