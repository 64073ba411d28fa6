"""Files that devices upload over MQTT (docs/protocol.md §12.9)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
import secrets

from .clock import now_ms

KEPT_MS = 24 * 3600 * 1000
"""How long an upload that is not finished can be continued."""


@dataclass(slots=True, eq=False)
class Upload:
    """A file, as far as it has arrived; `size` is None if the device does not know it before."""

    name: str
    size: int | None
    checksum: str | None
    """CRC-64 in decimal or hexadecimal digits, if the device wants the file to be checked."""
    init_uid: str
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    content: bytearray = field(default_factory=bytearray, repr=False)
    complete: bool = False
    created: int = field(default_factory=now_ms)

    @property
    def is_intact(self) -> bool:
        """Whether size and checksum are those that the device has announced."""
        if self.size is not None and len(self.content) != self.size:
            return False
        if self.checksum is None:
            return True
        crc = crc64(self.content)
        return self.checksum.lower() in (str(crc), f"{crc:x}", f"{crc:016x}")


class Uploads:
    """The uploads of one device, by their ids."""

    def __init__(self) -> None:
        """Start empty."""
        self._uploads: dict[str, Upload] = {}

    @property
    def files(self) -> list[Upload]:
        """The files that are complete."""
        return [upload for upload in self._uploads.values() if upload.complete]

    def add(self, upload: Upload) -> None:
        """Begin an upload; files and uploads with the same name are deleted."""
        for other in [one for one in self._uploads.values() if one.name == upload.name]:
            del self._uploads[other.id]
        self._uploads[upload.id] = upload

    def get(self, upload_id: str) -> Upload | None:
        """Return an upload, or a file by its id; an unfinished one that is too old is forgotten."""
        upload = self._uploads.get(upload_id)
        if upload is not None and not upload.complete and now_ms() - upload.created > KEPT_MS:
            del self._uploads[upload_id]
            return None
        return upload

    def named(self, name: str) -> Upload | None:
        """Return the file or the unfinished upload with a name."""
        for upload in list(self._uploads.values()):
            if upload.name == name:
                return self.get(upload.id)
        return None

    def remove(self, upload: Upload) -> None:
        """Forget an upload or a file."""
        del self._uploads[upload.id]


def crc16(data: Iterable[int]) -> int:
    """Return the CRC-16/IBM (ARC): polynomial 0x8005 reflected, starting with 0."""
    crc = 0
    for byte in data:
        crc = (crc >> 8) ^ CRC16[(crc ^ byte) & 0xFF]
    return crc


def crc64(data: Iterable[int]) -> int:
    """Return the CRC-64/XZ: the polynomial of ECMA-182 reflected, inverted before and after."""
    crc = MASK64
    for byte in data:
        crc = (crc >> 8) ^ CRC64[(crc ^ byte) & 0xFF]
    return crc ^ MASK64


def _table(polynomial: int) -> list[int]:
    table = []
    for entry in range(256):
        value = entry
        for _ in range(8):
            value = (value >> 1) ^ polynomial if value & 1 else value >> 1
        table.append(value)
    return table


MASK64 = 2**64 - 1
CRC16 = _table(0xA001)
CRC64 = _table(0xC96C5795D7870F42)
