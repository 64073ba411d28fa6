"""Lines of the log about many things at once: a whole house may have the same problem."""

from collections.abc import Sequence
from typing import Final

from .alink.foreign import Safe, safe

MAX_LOGGED: Final = 5
"""Things in one line."""


def some_of(texts: Sequence[str]) -> Safe:
    """Return texts joined for a line of the log; of very many only the first and the number of the others."""
    more = f" and {len(texts) - MAX_LOGGED} more" if len(texts) > MAX_LOGGED else ""
    return Safe(f"{', '.join(safe(text) for text in texts[:MAX_LOGGED])}{more}")
