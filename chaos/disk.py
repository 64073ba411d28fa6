"""The disk of the house, which can be full or read-only for what the integration stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
import errno
import os
from typing import Any
from unittest.mock import patch

from homeassistant.helpers import storage
from homeassistant.util.file import WriteError

from custom_components.aliyun_iot.const import DOMAIN


class DiskFault(StrEnum):
    """Why a disk takes nothing."""

    FULL = "full"
    READ_ONLY = "read-only"


class Disk:
    """The disk; only the files of the integration are concerned, so that Home Assistant's own errors stay errors."""

    def __init__(self) -> None:
        """Start with a disk that works."""
        self.fault: DiskFault | None = None
        self.refused = 0
        """Writes and removals that have failed."""

    @contextmanager
    def used(self) -> Iterator[None]:
        """Let Home Assistant use this disk for the duration of the context."""
        write, unlink = storage.write_utf8_file_atomic, os.unlink

        def write_or_fail(filename: str, *contents: Any, **more: Any) -> None:
            if self.fault and DOMAIN in filename:
                self.refused += 1
                if self.fault is DiskFault.FULL:
                    raise WriteError(OSError(errno.ENOSPC, "No space left on device"))
                raise OSError(errno.EROFS, "Read-only file system")
            write(filename, *contents, **more)

        def unlink_or_fail(path: Any, *args: Any, **more: Any) -> None:
            if self.fault is DiskFault.READ_ONLY and DOMAIN in str(path) and ".storage" in str(path):
                self.refused += 1
                raise OSError(errno.EROFS, "Read-only file system")
            unlink(path, *args, **more)

        with patch.object(storage, "write_utf8_file_atomic", write_or_fail), patch.object(os, "unlink", unlink_or_fail):
            yield
