"""Files that the platform serves to devices: configurations, firmware, files of jobs (docs/protocol.md §12)."""

from dataclasses import dataclass, field
import hashlib
import secrets
import time

VALID_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file, whose URL is valid for a day; `until` is in Unix seconds."""

    name: str
    content: bytes = field(repr=False)
    path: str
    until: float
    server: Files = field(repr=False)

    @property
    def url(self) -> str:
        """Where to download it."""
        return self.server.base + self.path

    @property
    def sha256(self) -> str:
        """The SHA-256 of the content, in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def md5(self) -> str:
        """The MD5 of the content, in hexadecimal digits."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()


class Files:
    """All files, by the path of their URL."""

    def __init__(self) -> None:
        """Start empty."""
        self.base = ""
        """What URLs begin with, `https://127.0.0.1:8443`; known once the simulator has started."""
        self._files: dict[str, ServedFile] = {}

    def add(self, name: str, content: bytes) -> ServedFile:
        """Serve a file on a new URL."""
        path = f"/files/{secrets.token_hex(12)}/{name}"
        self._files[path] = ServedFile(name, content, path, time.time() + VALID_SECONDS, self)
        return self._files[path]

    def find(self, path: str) -> ServedFile | None:
        """Return the file of a path, unless it is not valid any more."""
        file = self._files.get(path)
        return file if file is not None and time.time() < file.until else None
