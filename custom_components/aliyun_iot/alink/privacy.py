"""Private values: passwords, PINs, codes and keys, which only the actions and automations of the user get.

The event bus, states, the logbook, the log, repair issues and diagnostics are read by many people and kept for days, and the
cloud may log what a device answers. A value is private if its name says so: that of its property, parameter or member, its
name in the thing model, or that of the service it is an input of.
"""

import base64
from collections.abc import Iterable, Iterator
import html
import json
import re
from typing import Any, Final
from urllib.parse import quote

HIDDEN: Final = "**"

WITHHELD: Final = "the text is withheld, because it contains a private value"

SHORT: Final = 4
"""Characters of a private text below which it counts only as a word of its own: `1` is a part of too much."""

PREFIX: Final = 8
"""Characters from the beginning of a private text that give it away: error texts are often cut."""

_PRIVATE: Final = re.compile(
    r"(?i:passw(?:or)?d|pass[ _-]?(?:code|phrase|key)|pwd|secret|token|credential"
    r"|(?:access|alarm|arm|auth|disarm|door|entry|gate|guest|keypad|lock|master|open|safety|security|unlock|user"
    r"|verification|verify)[ _-]?codes?(?![a-z])"
    r"|(?:access|api|encryption|network|private|session|shared|wifi)[ _-]?keys?(?![a-z]))"
    r"|PIN|Pin(?:Code)?(?![A-Za-z0-9])|(?<![A-Za-z0-9])(?i:pin)(?![A-Za-z0-9])|(?<![A-Za-z0-9])(?i:pin[ _-]?code)"
    r"|(?:OTP|PSK|CVV)|(?:Otp|Psk|Cvv)(?![a-z])|(?<![A-Za-z0-9])(?:otp|psk|cvv)(?![A-Za-z0-9])"
    r"|(?:^|[.:\]])(?i:code)$"
    r"|密码|密碼|口令|密钥|密鑰|秘钥|验证码|驗證碼|令牌|凭证|凭据|开锁码|开门码"
)

_CREDENTIALS: Final = re.compile(
    r"(?<=://)[^\s'\"<>]{1,128}(?=@)"
    r"|(?P<header>(?i:\b(?:authorization|cookie|x-[a-z-]{0,20}(?:auth|key|token)))['\"]?\s?[:=]\s?['\"]?)[^'\"\r\n]+"
    r"|(?P<scheme>(?i:\bbearer ))[\w.~+/=-]{8,}"
    r"|(?P<name>(?<![\w-])(?i:[a-z0-9_-]{0,40}(?:token|passphrase|password|passwd|psk|pwd|secret|key|auth|sig(?:nature)?))"
    r"(?:=|['\"]\s?[:=]\s?)"
    r"|(?i:\b[a-z0-9_-]{0,40}(?:token|passphrase|password|passwd|psk|pwd|secret)|密码|密碼|口令|密钥|令牌)\s?[:：=]\s?)"
    r"(?:'[^']*'|\"[^\"]*\"|[^\s&;'\")，；。]+)"
)
"""What texts contain of credentials: a name and password before the host of an address, the headers of a request, and what
stands after a name, in the query of an address, in a structure or in a sentence."""

_PARTED: Final = (dict, list, tuple)

_LEVELS: Final = re.compile(r"[.\[\]]+")


def is_private_name(name: str) -> bool:
    """Return whether a name says that its value is private; an identifier, the path of a member, or a name for people."""
    return bool(_PRIVATE.search(name))


def without_credentials(text: str) -> str:
    """Return a text without the credentials in it, such as in `http://admin:hunter2@camera/?token=1a2b`."""
    return _CREDENTIALS.sub(lambda found: f"{found['header'] or found['scheme'] or found['name'] or ''}{HIDDEN}", text)


class PrivateNames:
    """Knows which values of a device are private."""

    def __init__(self, identifiers: Iterable[str] = ()) -> None:
        """Take `identifiers` as private that do not look so, because the thing model calls them a password for example."""
        self._identifiers = frozenset(identifiers)

    def __contains__(self, name: str) -> bool:
        """Return whether the value with this identifier or path is private."""
        return is_private_name(name) or not self._identifiers.isdisjoint(_LEVELS.split(name))

    def masked(self, name: str, value: Any) -> Any:
        """Return a value without what is private in it."""
        if name in self:
            return HIDDEN
        match value:
            case dict():
                return {key: self.masked(str(key), inner) for key, inner in value.items()}
            case list() | tuple():
                return [self.masked("", inner) if isinstance(inner, _PARTED) else inner for inner in value]
            case _:
                return value

    def is_private(self, name: str, value: object = None) -> bool:
        """Return whether a value is private, or a member of it."""
        return bool(self.masked(name, value) != value)

    def private_parts(self, name: str, value: object, *, whole: bool = False) -> Iterator[object]:
        """Yield what is private in a value, down to numbers and texts; all of it if it is private as a whole."""
        whole = whole or name in self
        match value:
            case dict():
                for key, inner in value.items():
                    yield from self.private_parts(str(key), inner, whole=whole)
            case list() | tuple():
                for inner in value:
                    yield from self.private_parts("", inner, whole=whole)
            case None | bool() | "":
                return
            case _ if whole:
                yield value


BY_NAME_ALONE: Final = PrivateNames()
"""For values of which no thing model says anything."""


class Secrets:
    """The private values of one command, which no text that leaves the command may contain."""

    def __init__(self, parts: Iterable[object] = ()) -> None:
        """Start with these parts of private values."""
        self._texts: set[str] = set()
        self.add(parts)

    def add(self, parts: Iterable[object]) -> None:
        """Add parts of private values."""
        for part in parts:
            self._texts.update(_spellings(part))

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._texts)

    def appear_in(self, text: str) -> bool:
        """Return whether a text contains one of them, also partly or encoded."""
        if not self._texts:
            return False
        folded = text.casefold()
        return any(_contains(folded, secret) for secret in self._texts)

    def withheld(self, text: str) -> str:
        """Return a text, or a sentence in its place if it contains one of them."""
        return WITHHELD if self.appear_in(text) else text

    def removed(self, value: Any) -> Any:
        """Return a value in which each text that contains one of them is withheld."""
        if not self._texts:
            return value
        match value:
            case str():
                return self.withheld(value)
            case dict():
                return {key: self.removed(inner) for key, inner in value.items()}
            case list():
                return [self.removed(inner) for inner in value]
            case _:
                return value


def _spellings(part: object) -> set[str]:
    """Return how a private value may stand in a text: as it is, as Python or JSON write it, or encoded."""
    text = str(part)
    spellings = {text, repr(text)[1:-1], json.dumps(text)[1:-1], quote(text, safe=""), html.escape(text)}
    if isinstance(part, float):
        spellings.add(f"{part:g}")
    if len(text) >= SHORT and text.isprintable():
        spellings.add(base64.b64encode(text.encode(errors="replace")).decode().rstrip("="))
    return {spelling.casefold() for spelling in spellings}


def _contains(text: str, secret: str) -> bool:
    if len(secret) >= SHORT:
        return secret[:PREFIX] in text
    return bool(re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", text))
