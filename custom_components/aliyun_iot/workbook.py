"""The first sheet of an Excel workbook (.xlsx), as far as a list needs it: the texts and numbers of its cells.

A workbook is an archive of XML files. Libraries make a table as large as the sheet claims to be, one of 1.3 GB for a file of
1.4 kB. This takes no more memory than `MAX_UNPACKED` allows, whatever a file claims.
"""

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
import posixpath
import re
from typing import Final
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile
import zlib

MAX_UNPACKED: Final = 4 * 1024 * 1024
"""Bytes of each file in the archive; a sheet with 2,000 devices has 0.6 MB."""

MAX_COLUMNS: Final = 64
"""Columns that are read; cells beyond them are left out."""

MAX_TEXT: Final = 32_767
"""Characters that Excel allows in a cell."""

_WORKBOOK: Final = "xl/workbook.xml"
_STRINGS: Final = "xl/sharedStrings.xml"

type Row = tuple[int, list[str]]
"""The number of a row, and its cells from the first column on."""


class WorkbookError(Exception):
    """A file that is not a workbook, is damaged or encrypted, or contains what no workbook does."""


class WorkbookTooLarge(WorkbookError):  # noqa: N818 - named after what happened
    """A workbook that is larger unpacked than is read."""


def read_workbook(content: bytes) -> Iterator[Row]:
    """Return the rows of the first sheet that are not empty; raises WorkbookError. Blocking."""
    try:
        with ZipFile(BytesIO(content)) as archive:
            shared = _shared_strings(_unpacked(archive, _STRINGS)) if _STRINGS in archive.namelist() else []
            rows = _cells(_unpacked(archive, _first_sheet(archive)), shared)
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error) as err:
        raise WorkbookError("the archive is damaged or encrypted") from err
    except (expat.ExpatError, KeyError, IndexError, ValueError) as err:
        raise WorkbookError("the archive is not a workbook") from err
    return ((number, [cells.get(at, "") for at in range(max(cells) + 1)]) for number, cells in sorted(rows.items()))


def _unpacked(archive: ZipFile, name: str) -> bytes:
    if archive.getinfo(name).compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise WorkbookError("the archive is compressed as no workbook is")
    with archive.open(name) as file:
        content = file.read(MAX_UNPACKED + 1)
    if len(content) > MAX_UNPACKED:
        raise WorkbookTooLarge(f"{name} has more than {MAX_UNPACKED} bytes")
    return content


def _first_sheet(archive: ZipFile) -> str:
    """Return the name of the file with the first sheet."""
    ids: list[str] = []
    targets: dict[str, str] = {}

    def sheet(name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet":
            ids.append(attributes["id"])

    def relationship(name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship":
            targets[attributes["Id"]] = attributes["Target"]

    _walk(_unpacked(archive, _WORKBOOK), sheet)
    _walk(_unpacked(archive, "xl/_rels/workbook.xml.rels"), relationship)
    return posixpath.normpath(posixpath.join("/xl", targets[ids[0]])).lstrip("/")


def _shared_strings(content: bytes) -> list[str]:
    texts: list[str] = []
    phonetic = False

    def start(name: str, _attributes: Mapping[str, str]) -> None:
        nonlocal phonetic
        if name == "si":
            texts.append("")
        phonetic = name == "rPh" or (phonetic and name == "t")

    def end(name: str, text: str) -> None:
        if name == "t" and not phonetic:
            texts[-1] = _checked(texts[-1] + text)

    _walk(content, start, end)
    return texts


def _cells(content: bytes, shared: list[str]) -> dict[int, dict[int, str]]:
    """Return the cells that have a value, by row and column."""
    rows: dict[int, dict[int, str]] = {}
    row, column, kind, value = 0, -1, "", ""

    def start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal row, column, kind, value
        if name == "row":
            row, column = int(attributes.get("r", row + 1)), -1
        elif name == "c":
            column = _column(attributes["r"]) if "r" in attributes else column + 1
            kind, value = attributes.get("t", ""), ""

    def end(name: str, text: str) -> None:
        nonlocal value
        if name == "v":
            value = shared[int(text)] if kind == "s" else _checked(text)
        elif name == "t":
            value = _checked(value + text)
        elif name == "c" and value and column < MAX_COLUMNS:
            rows.setdefault(row, {})[column] = value

    _walk(content, start, end)
    return rows


def _column(reference: str) -> int:
    """Return the number of the column in the reference of a cell: 0 for A1, 27 for AB5."""
    letters = re.match(r"[A-Z]{1,3}", reference)
    if letters is None:
        raise ValueError(reference)
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _checked(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise WorkbookTooLarge("a cell has too much text")
    return text


def _walk(
    content: bytes,
    start: Callable[[str, Mapping[str, str]], None],
    end: Callable[[str, str], None] = lambda _name, _text: None,
) -> None:
    """Call `start` with the name and the attributes of each element, and `end` with its name and its own text.

    No tree is made of the document, and it must not define entities.
    """
    text: list[str] = []

    def started(name: str, attributes: Mapping[str, str]) -> None:
        text.clear()
        start(_local(name), {_local(key): value for key, value in attributes.items()})

    def ended(name: str) -> None:
        end(_local(name), "".join(text))
        text.clear()

    def refuse(*_: object) -> None:
        raise WorkbookError("a workbook has no document type")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.CharacterDataHandler = text.append
    parser.Parse(content, True)  # noqa: FBT003


def _local(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition(" ")[2]
