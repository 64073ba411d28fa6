"""Looks for secrets in what could have taken one: logs, files, frames, pages.

A secret is found as it is, and as texts usually have it: as JSON, Python or HTML write it, also one inside another, in an
address, in Base64, also as a part of something longer, and in hexadecimal digits. Upper and lower case do not matter.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
import html
import json
import os
from pathlib import Path
import re
import subprocess
import tempfile
from typing import Final
from urllib.parse import quote, quote_plus

from simulator import Simulator

SIGNATURE = re.compile(rb'"sign": *"([^"]+)"')

SHORTEST = 8
"""Characters; anything shorter is a part of other texts by chance."""


class SecretSearch:
    """Secrets, each with a name that says what it is."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """Take the names by secret; raises ValueError for a secret that is too short to be searched for."""
        if short := [name for secret, name in secrets.items() if len(secret) < SHORTEST]:
            raise ValueError(f"too short: {short}")
        self._names = {spelling: name for secret, name in secrets.items() for spelling in spellings(secret)}

    def found_in(self, content: str | bytes | Path) -> set[str]:
        """Return the names of the secrets in a content, or in a file.

        Of two that overlap, one is found. `grep` searches, because thousands of texts are sought in hundreds of megabytes.
        """
        with tempfile.NamedTemporaryFile() as patterns:
            patterns.write("\n".join(self._names).encode())
            patterns.flush()
            found = subprocess.run(  # noqa: S603 - no part of it comes from elsewhere
                ["/usr/bin/env", "grep", "-a", "-o", "-h", "-i", "-F", "-f", patterns.name, "--", *_file(content)],
                input=None if isinstance(content, Path) else content.encode() if isinstance(content, str) else content,
                capture_output=True,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
            )
        if found.returncode not in (0, 1):
            raise OSError(found.stderr.decode(errors="replace"))
        return {self._names[line.decode("latin-1").lower()] for line in found.stdout.splitlines()}


def secrets_of(cloud: Simulator) -> dict[str, str]:
    """Return what nobody but the owners may know of a cloud, each with a name: secrets, and what was signed with them."""
    signed = {
        signature.decode(): f"signature on {message.topic}"
        for message in cloud.wire
        for signature in SIGNATURE.findall(message.payload)
    }
    return signed | {secret: str(of) for secret, of in cloud.secrets.items()}


def _file(content: str | bytes | Path) -> list[str]:
    return [str(content)] if isinstance(content, Path) else []


def spellings(secret: str) -> set[str]:
    """Return how a secret may be written, in lower case."""
    octets = secret.encode()
    written = {write(secret) for write in (*_AGAIN, *_ONCE)} | {secret, octets.hex(), octets.hex(" ")}
    written |= {write(spelling) for spelling in written for write in _AGAIN}
    for encoded in _in_base64(octets):
        written |= {encoded, encoded.replace("+", "-").replace("/", "_"), quote(encoded, safe="")}
    return {spelling.lower() for spelling in written}


_AGAIN: Final[tuple[Callable[[str], str], ...]] = (
    lambda text: json.dumps(text)[1:-1],
    lambda text: repr(text)[1:-1],
    html.escape,
    lambda text: html.escape(text, quote=False),
)
"""Notations in which there are also texts that have been written before: JSON in JSON, or the `repr` of something in JSON."""

_ONCE: Final[tuple[Callable[[str], str], ...]] = (lambda text: quote(text, safe=""), quote, quote_plus)


def _in_base64(octets: bytes) -> Iterator[str]:
    """Yield what Base64 makes of octets wherever they are in something longer, without the digits that depend on the rest."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + octets).decode().rstrip("=")
        whole = (before + len(octets)) * 8 // 6
        yield encoded[-(-before * 8 // 6) : whole]
