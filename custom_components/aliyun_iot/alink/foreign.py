"""Foreign text made safe: what a host, a thing model or an exception says is one short line of printable characters.

A line break would forge a line of the log, a mark for the direction of text reorders what people read, an escape sequence
drives a terminal, and a megabyte fills a page. So nothing that somebody else wrote is logged or shown before it has passed
`safe`: `logger_of` does that with everything that is logged, `AlinkError` with its own text, `i18n.phrase` with the details
of a phrase. What renders Markdown escapes it as well (`words/markdown.py`).
"""

from collections.abc import Callable, Iterator
import logging
from typing import Final
import unicodedata

MAX_TEXT: Final = 200
"""Characters of a foreign text that are shown."""

CUT: Final = "…"


class Safe(str):
    """A text that is safe to log and to show, because it was made so or consists of such texts."""

    __slots__ = ()


def safe(text: object, most: int = MAX_TEXT) -> Safe:
    """Return a text as one line of at most `most` printable characters; a `Safe` one as it is."""
    if isinstance(text, Safe):
        return text
    whole = str(text)
    if isinstance(whole, Safe):  # the text of an error
        return whole
    line = whole[: 4 * most]  # a longer one is cut anyway
    if not line.isprintable():
        line = " ".join("".join(map(_printable, line)).split())
    if len(line) > most or len(whole) > 4 * most:
        line = f"{line[: most - len(CUT)]}{CUT}"
    return Safe(line)


def safe_lines(text: str) -> Safe:
    """Return a text of several lines, such as a traceback; each is indented, so that none looks like a line of the log."""
    return Safe("\n".join(f"    {safe(line.lstrip())}" for line in text.splitlines()))


def logger_of(name: str) -> logging.Logger:
    """Return the logger of a module: everything that is logged with it is safe."""
    logger = logging.getLogger(name)
    logger.addFilter(_make_safe)
    return logger


def collect_records(name: str, handler: logging.Handler) -> Callable[[], None]:
    """Pass what the modules of a package log on to a handler, after it was made safe; return a function that ends it."""
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    return lambda: logger.removeHandler(handler)


def _make_safe(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(_safe_argument(argument) for argument in record.args)
    if record.exc_info and (error := record.exc_info[1]):
        record.exc_info = (type(error), _safe_exception(error), error.__traceback__)
    return True


def _safe_argument(argument: object) -> object:
    return argument if isinstance(argument, int | float) or argument is None else safe(argument)


def _safe_exception(error: BaseException) -> BaseException:
    """Return an exception, or its likeness if one of its texts is not safe."""
    return error if all(text == safe(text) for text in _texts(error)) else _likeness(error)


def _texts(error: BaseException) -> Iterator[str]:
    """Yield the texts of which a traceback consists."""
    yield str(error)
    yield from getattr(error, "__notes__", ())
    for other in (_before(error), *_members(error)):
        if other:
            yield from _texts(other)


def _likeness(error: BaseException) -> Exception:
    """Return an exception with the same name, traceback, causes and members, whose texts are safe."""
    likeness: Exception
    if members := _members(error):
        likeness = ExceptionGroup(safe(error), [_likeness(member) for member in members])
    else:
        likeness = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})(safe(error))
    likeness.__traceback__ = error.__traceback__
    likeness.__cause__ = _likeness(before) if (before := _before(error)) else None
    return likeness


def _before(error: BaseException) -> BaseException | None:
    return error.__cause__ or error.__context__


def _members(error: BaseException) -> tuple[BaseException, ...]:
    return error.exceptions if isinstance(error, BaseExceptionGroup) else ()


def _printable(character: str) -> str:
    """Return a character, a blank for one that separates or controls, nothing for one that only formats."""
    if character.isprintable():
        return character
    return " " if unicodedata.category(character) in ("Cc", "Zs", "Zl", "Zp") else ""
