"""The search for secrets finds them however they are written; so a run in which it finds nothing says something."""

import base64
from collections.abc import Callable
import html
import json
from pathlib import Path
import secrets
from urllib.parse import quote, quote_plus

import pytest

from .secret_search import SecretSearch

HEX = "c0ffee00c0ffee00c0ffee00c0ffee00"
AWKWARD = 'q"u\\o+t/e<&>%=d'


@pytest.mark.parametrize("secret", [HEX, AWKWARD], ids=["hex", "awkward"])
@pytest.mark.parametrize(
    "written",
    [
        str,
        str.upper,
        str.encode,
        json.dumps,
        repr,
        html.escape,
        lambda secret: f"<pre>{html.escape(secret, quote=False)}</pre>",
        quote_plus,
        lambda secret: json.dumps({"message": f"wanted a number, got {secret!r}"}),
        lambda secret: html.escape(json.dumps({"deviceSecret": secret})),
        lambda secret: json.dumps({"text": json.dumps({"deviceSecret": secret})}),
        lambda secret: f"https://host/?secret={quote(secret, safe='')}&x=1",
        lambda secret: base64.b64encode(secret.encode()).decode(),
        lambda secret: base64.b64encode(f"ab{secret}".encode()),
        lambda secret: f"Basic {base64.b64encode(f'u:{secret}:more'.encode()).decode()}",
        lambda secret: base64.urlsafe_b64encode(f"x{secret}".encode()),
        lambda secret: secret.encode().hex(" "),
        lambda secret: f"{secret.encode()!r}",
        lambda secret: f"SQLite\0\1\2{secret}\xff".encode("latin-1"),
    ],
)
def test_found_however_it_is_written(secret: str, written: Callable[[str], str | bytes]) -> None:
    """In a text or in octets."""
    search = SecretSearch({secret: "mine", "0123456789abcdef": "another"})
    content = written(secret)
    longer = b"before " + content + b" after" if isinstance(content, bytes) else f"before {content} after"
    assert search.found_in(content) == search.found_in(longer) == {"mine"}


def test_nothing_is_found_where_there_is_nothing() -> None:
    """A part of a secret is none, and neither is a text that looks like one."""
    search = SecretSearch({HEX: "hex", AWKWARD: "awkward"})
    assert search.found_in(HEX[:-1] + "1" + AWKWARD[1:]) == set()
    assert SecretSearch({}).found_in(HEX) == set()


def test_each_of_many_is_found(tmp_path: Path) -> None:
    """In one content, and in a file."""
    many = {secrets.token_hex(16): str(number) for number in range(200)}
    (tmp_path / "log").write_text(" ".join(many))
    assert SecretSearch(many).found_in(tmp_path / "log") == set(many.values())


def test_file_that_is_not_there_is_no_file_without_secrets(tmp_path: Path) -> None:
    """It is an error."""
    with pytest.raises(OSError, match="No such file"):
        SecretSearch({HEX: "hex"}).found_in(tmp_path / "log")


def test_secret_that_everything_contains_is_refused() -> None:
    """It would be found everywhere."""
    with pytest.raises(ValueError, match="tiny"):
        SecretSearch({"1234567": "tiny"})
