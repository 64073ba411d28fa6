"""What of a command everybody in the house may see: short, and without what its name calls a secret.

States and the logbook are open to every user and are kept for days. Automations get the whole command.
"""

from collections.abc import Mapping
import re
from textwrap import shorten
from typing import Any, Final

from ..alink.errors import InvalidValue

HIDDEN: Final = "**"

LONGEST_TEXT: Final = 100
MOST_PARTS: Final = 50
DEEPEST: Final = 4

_SECRET = re.compile(
    r"(?i:passw(or)?d|passcode|passphrase|secret|token|credential)"
    r"|(?:^|_)(?i:pin)(?:$|_|(?i:code))|Pin(?:Code)?$|PIN"
)


def complaint(err: InvalidValue) -> str:
    """Return what is wrong with a value, without the value where its name calls it a secret."""
    return f"{err.path}: wanted {err.wanted('en')}" if _SECRET.search(err.path) else str(err)


def shown(name: str, value: Any, depth: int = 0) -> Any:
    """Return a value of a property or a parameter as it may be shown; `name` is its identifier."""
    if _SECRET.search(name):
        return HIDDEN
    match value:
        case str():
            return shorten(value, LONGEST_TEXT, placeholder="…")
        case Mapping() | list() if depth == DEEPEST:
            return "…"
        case Mapping():
            return {key: shown(str(key), one, depth + 1) for key, one in list(value.items())[:MOST_PARTS]}
        case list():
            return [shown("", one, depth + 1) for one in value[:MOST_PARTS]]
        case _:
            return value
