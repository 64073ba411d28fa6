"""Upload of files over MQTT (docs/protocol.md §12.9). The codes from 78117 are those that the C SDK 4 knows."""

from collections.abc import Mapping

from ..core.codes import text_of
from ..core.jsontext import JsonValue, NotJsonError, parse
from ..core.uploads import Upload, crc16
from .uplink import Answer, RejectedError, Uplink, answer, read_object, read_text, rejected

FILE_BYTES = 16 * 1024 * 1024
NAME_BYTES = 128
CHUNK = range(256, 128 * 1024 + 1)
STRATEGIES = {"overwrite", "append", "reject"}
UNKNOWN_SIZE = -1
SEND_REPLY = "/sys/{pk}/{dn}/thing/file/upload/mqtt/send_reply"

TOO_LARGE = 78117
CHUNK_TOO_LARGE = 78118
WRONG_OFFSET = 78119
CHUNK_TOO_SMALL = 78120
BAD_CHUNK = 78121
NO_UPLOAD = 78122
SAME_NAME = 78123
FINISHED = 78124
BAD_FILE = 78125
REPEATED = 78126


def begin(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Begin an upload, or continue one with the same name if the strategy is `append`."""
    options = read_object(params)
    name, strategy = read_text(options, "fileName"), options.get("conflictStrategy", "overwrite")
    size, uid = options.get("fileSize", UNKNOWN_SIZE), options.get("initUid", "")
    mode, checksum = options.get("ficMode"), options.get("ficValue")
    if len(name.encode()) > NAME_BYTES or "/" in name or strategy not in STRATEGIES or not isinstance(uid, str):
        raise rejected(460)
    if not isinstance(size, int) or isinstance(size, bool) or (size < 1 and size != UNKNOWN_SIZE):
        raise rejected(460)
    if mode not in (None, "crc64") or (mode is None) != (checksum is None) or not isinstance(checksum, str | None):
        raise rejected(460)
    if not isinstance(options.get("extraParams", {}), dict):
        raise rejected(460)
    if size > FILE_BYTES:
        raise rejected(TOO_LARGE)
    uploads = uplink.device.uploads
    known = uploads.named(name)
    if known is not None and known.complete and strategy != "overwrite":
        raise rejected(SAME_NAME)
    again = known is not None and not known.complete and (strategy == "append" or (uid and known.init_uid == uid))
    if known is None or not again:
        known = Upload(name, None if size == UNKNOWN_SIZE else size, checksum, uid)
        uploads.add(known)
    return {
        "fileName": known.name,
        "fileSize": UNKNOWN_SIZE if known.size is None else known.size,
        "uploadId": known.id,
        "offset": len(known.content),
        "conflictStrategy": strategy,
    }


def cancel(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Forget an upload that is not finished."""
    upload = _find(uplink, read_text(read_object(params), "uploadId"))
    uplink.device.uploads.remove(upload)
    return {"uploadId": upload.id}


def take_chunk(uplink: Uplink) -> list[Answer]:
    """Take a part of a file: a JSON header behind its length, the bytes, and their CRC-16."""
    header: Mapping[str, JsonValue] = {}
    params: Mapping[str, JsonValue] = {}
    try:
        header, chunk, checksum = _split(uplink.payload)
        given = header.get("params")
        params = given if isinstance(given, dict) else {}
        if (code := uplink.platform.faults.take_answer_code()) is not None:
            raise rejected(code)
        complete = _append(uplink, params, chunk, checksum)
        code = 200
    except RejectedError as error:
        complete, code = False, error.code
    data = {key: params[key] for key in ("uploadId", "offset", "bSize") if key in params}
    reply: JsonValue = {
        "id": header.get("id", ""),
        "code": code,
        "message": text_of(code),
        "data": data | ({"complete": True} if complete else {}),
    }
    return [answer(uplink, SEND_REPLY, reply)]


def _append(uplink: Uplink, params: Mapping[str, JsonValue], chunk: bytes, checksum: int) -> bool:
    """Append a part of a file, and return whether the file is complete; raise RejectedError."""
    offset, size, last = params.get("offset"), params.get("bSize"), params.get("isComplete", False)
    upload = _find(uplink, read_text(params, "uploadId"))
    if not isinstance(offset, int) or size != len(chunk) or isinstance(size, bool) or not isinstance(last, bool):
        raise rejected(460)
    arrived = len(upload.content)
    last = last or (upload.size is not None and offset + len(chunk) >= upload.size)
    if len(chunk) >= CHUNK.stop:
        raise rejected(CHUNK_TOO_LARGE)
    if len(chunk) < CHUNK.start and not last:
        raise rejected(CHUNK_TOO_SMALL)
    if offset + len(chunk) <= arrived and chunk:
        raise rejected(REPEATED)
    if offset != arrived:
        raise rejected(WRONG_OFFSET)
    if crc16(chunk) != checksum:
        raise rejected(BAD_CHUNK)
    if arrived + len(chunk) > FILE_BYTES:
        raise rejected(TOO_LARGE)
    upload.content += chunk
    if last and not upload.is_intact:
        uplink.device.uploads.remove(upload)
        raise rejected(BAD_FILE)
    upload.complete = last
    return last


def _find(uplink: Uplink, upload_id: str) -> Upload:
    """Return an upload that is not finished; raise RejectedError."""
    if (upload := uplink.device.uploads.get(upload_id)) is None:
        raise rejected(NO_UPLOAD)
    if upload.complete:
        raise rejected(FINISHED)
    return upload


def _split(payload: bytes) -> tuple[Mapping[str, JsonValue], bytes, int]:
    """Return the header, the bytes and the checksum of a message; raise RejectedError."""
    length = int.from_bytes(payload[:2])
    try:
        header = parse(payload[2 : 2 + length])
    except NotJsonError:
        raise rejected(400) from None
    if not isinstance(header, dict) or len(payload) < length + 4:
        raise rejected(400)
    return header, payload[2 + length : -2], int.from_bytes(payload[-2:], "little")
