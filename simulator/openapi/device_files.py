"""Files that devices have uploaded (docs/protocol.md §12.9)."""

from math import ceil

from ..core.jsontext import JsonValue
from ..core.uploads import Upload
from .call import Answer, Call
from .errors import BAD_PAGE, NO_SUCH_FILE, ApiError
from .ota import utc

MAX_PAGE = 50


async def list_files(call: Call) -> Answer:
    """Return the files of a device, by pages."""
    files = call.device().uploads.files
    page, size = call.fields.integer("CurrentPage", 1), call.fields.integer("PageSize", MAX_PAGE)
    if page < 1 or size not in range(1, MAX_PAGE + 1):
        raise ApiError(BAD_PAGE, f"CurrentPage is 1 or more, PageSize 1 to {MAX_PAGE}.")
    rows: list[JsonValue] = [_row(file) for file in files[(page - 1) * size : page * size]]
    return {
        "Total": len(files),
        "PageSize": size,
        "PageCount": ceil(len(files) / size),
        "CurrentPage": page,
        "Data": {"FileSummary": rows},
    }


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
