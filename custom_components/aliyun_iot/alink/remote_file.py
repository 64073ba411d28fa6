"""A file that the cloud offers: where it is, how large, and the digest to check (docs/protocol.md §12.2, §12.4)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final

from .codes import Code
from .errors import MessageError
from .messages import JsonValue
from .model.numeric import to_whole

if TYPE_CHECKING:
    from hashlib import _Hash

MAX_URL: Final = 2048

_DIGEST_LENGTHS: Final = {"sha256": 64, "md5": 32}
_HEX: Final = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to download.

    `size` is in bytes, `digest` in lower-case hex by `method` (`sha256` or `md5`). The URL contains a key for the download.
    """

    url: str = field(repr=False)
    size: int
    digest: str
    method: str

    def hasher(self) -> _Hash:
        """Return a new object that computes the digest."""
        return hashlib.new(self.method, usedforsecurity=False)

    def is_matched(self, hasher: _Hash) -> bool:
        """Return whether what was fed to `hasher` is the file."""
        return hmac.compare_digest(hasher.hexdigest(), self.digest)


def read_file(data: Mapping[str, JsonValue], size_field: str) -> RemoteFile:
    """Read the description of a file; raises MessageError.

    `size_field` names the member with the size. A SHA-256 is used if it is given, an MD5 otherwise.
    """
    url, size = data.get("url"), to_whole(data.get(size_field))
    method = str(data.get("signMethod", "")).lower().replace("-", "")
    digest = data.get("sign")
    if method == "md5" and isinstance(data.get("md5"), str):
        digest = data["md5"]
    if not isinstance(url, str) or not url or len(url) > MAX_URL or not url.isascii():
        raise invalid("the address of the file is missing or invalid")
    if size is None or size < 0:
        raise invalid("the size of the file is missing")
    length = _DIGEST_LENGTHS.get(method)
    if length is None:
        raise invalid("the digest of the file has an unknown method")
    if not isinstance(digest, str) or len(digest) != length or not _HEX.fullmatch(digest.lower()):
        raise invalid("the digest of the file is missing or malformed")
    return RemoteFile(url, size, digest.lower(), method)


def invalid(problem: str) -> MessageError:
    """Return the error for a message whose content is not as documented."""
    return MessageError(None, problem, Code.PARAMETER_ERROR)
