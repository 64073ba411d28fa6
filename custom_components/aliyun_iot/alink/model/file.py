"""Files of thing models as the console exports them: JSON, or a ZIP archive with a JSON file for each module."""

from io import BytesIO
from typing import Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from ..errors import ThingModelError
from . import faults
from .thing_model import ThingModel
from .tsl import MAX_DOCUMENT, read_document

MAX_FILE: Final = 16 * MAX_DOCUMENT
"""Bytes of the largest file that is read, and of all files in an archive."""

_ZIP: Final = b"PK\x03\x04"


def parse_file(content: bytes) -> ThingModel:
    """Return the thing model in the content of a file; raises `ThingModelError`. A large archive takes long."""
    if len(content) > MAX_FILE:
        raise ThingModelError("", faults.TOO_LONG, size=len(content), limit=MAX_FILE)
    return ThingModel.parse(_unpacked(content) if content.startswith(_ZIP) else content)


def _unpacked(content: bytes) -> list[object]:
    """Return the modules in an archive, in the order of their names."""
    modules: list[object] = []
    try:
        with ZipFile(BytesIO(content)) as archive:
            members = sorted(filter(_is_model, archive.infolist()), key=lambda member: member.filename)
            if (size := sum(member.file_size for member in members)) > MAX_FILE:
                raise ThingModelError("", faults.TOO_LONG, size=size, limit=MAX_FILE)
            for member in members:
                document = read_document(archive.read(member)).value
                modules += document if isinstance(document, list) else [document]
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as err:  # damaged, or with a password
        raise ThingModelError("", faults.BAD_ARCHIVE) from err
    if not modules:
        raise ThingModelError("", faults.EMPTY_ARCHIVE)
    return modules


def _is_model(member: ZipInfo) -> bool:
    """Return whether a member is a JSON file, and not one of those that macOS adds."""
    *folders, name = member.filename.split("/")
    return name.lower().endswith(".json") and not name.startswith(".") and "__MACOSX" not in folders
