"""Files that devices have uploaded (docs/protocol.md §12.9)."""

from ..core.uploads import Upload
from .call import Answer, Call
from .errors import NO_SUCH_FILE, ApiError
from .pages import page
from .times import utc

MAX_PAGE = 50


async def list_files(call: Call) -> Answer:
    """Return the files of a device, by pages."""
    files = page(call.fields, call.device().uploads.files, size=MAX_PAGE, limit=MAX_PAGE)
    return files.counts() | {"Data": {"FileSummary": [_row(file) for file in files.entries]}}


async def query_file(call: Call) -> Answer:
    """Return one file, and where it can be downloaded."""
    file = _file(call)
    url = call.platform.files.add(file.name, bytes(file.content)).url
    return {"Data": _row(file) | {"DownloadUrl": url}}


async def delete_file(call: Call) -> Answer:
    """Delete one file."""
    call.device().uploads.remove(_file(call))
    return {}


def _row(file: Upload) -> Answer:
    return {
        "FileId": file.id,
        "Name": file.name,
        "Size": str(len(file.content)),
        "UtcCreatedOn": utc(file.created),
    }


def _file(call: Call) -> Upload:
    file = call.device().uploads.get(call.fields.text("FileId"))
    if file is None or not file.complete:
        raise ApiError(NO_SUCH_FILE)
    return file
