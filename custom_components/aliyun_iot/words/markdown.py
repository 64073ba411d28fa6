"""Markdown for pages and repair issues, in which foreign text is only text.

Home Assistant renders the descriptions of pages and issues as Markdown: a name from a thing model or a reason of the cloud
could add images, links and headings. So what is shown there is either `Markdown`, built by the functions of this module, or is
escaped. Only what would be markup is escaped, because the same placeholders appear in titles and errors, which are plain text.
"""

from collections.abc import Iterable, Mapping
import re
from typing import Final

from ..alink.foreign import Safe, safe


class Markdown(Safe):
    """Markdown of our own; the foreign texts in it are escaped."""

    __slots__ = ()


_MARKUP: Final = re.compile(
    r"[\\`*<]|~(?=.*~)"  # code, emphasis, HTML
    r"|\](?=[(\[])|!(?=\[)|^\[(?=[^\]]*\]:)"  # links and images
    r"|(?<![^\W_])_|_(?![^\W_])"  # emphasis, but not `snake_case`
    r"|&(?=#|\w+;)"  # entities
    r"|:(?=//)|(?<=www)\.|@(?=[\w-]+\.)"  # addresses that become links
    r"|^(?:#+(?= |$)|>|[+-](?= |$)|={2,}|-{2,}|\d+(?=[.)] ))"  # headings, quotes and lists
)


def escaped(text: object) -> Markdown:
    """Return Markdown that shows a text as it is, after it was made safe; Markdown is returned unchanged."""
    return text if isinstance(text, Markdown) else Markdown(_MARKUP.sub(_escape, safe(text)))


def filled(template: str, parts: Mapping[str, object]) -> Markdown:
    """Return a template of our own, which is Markdown, with its braces filled by escaped parts."""
    return Markdown(template.format(**{key: escaped(part) for key, part in parts.items()}))


def code(text: object) -> Markdown:
    """Return a text as code."""
    return Markdown(f"`{safe(text).replace('`', "'")}`")


def bullets(lines: Iterable[object]) -> Markdown:
    """Return lines as a list."""
    return Markdown("\n".join(f"- {escaped(line)}" for line in lines))


def paragraphs(parts: Iterable[object]) -> Markdown:
    """Return the parts that are not empty as paragraphs."""
    return Markdown("\n\n".join(escaped(part) for part in parts if part))


def joined(parts: Iterable[object], joint: str) -> Markdown:
    """Return parts on one line."""
    return Markdown(joint.join(escaped(part) for part in parts))


def placeholders(texts: Mapping[str, str] | None) -> dict[str, str] | None:
    """Return the placeholders of a page or an issue, which are Markdown or escaped."""
    return None if texts is None else {key: str(escaped(text)) for key, text in texts.items()}


def _escape(match: re.Match[str]) -> str:
    found = match[0]
    return f"{found}\\" if found.isdigit() else f"\\{found}"
