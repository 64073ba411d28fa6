"""Names that people choose (docs/protocol.md §2.3, §12.1, §20.4)."""

import re

DEVICE_NAME = re.compile(r"[A-Za-z0-9\-_@.:]{4,32}")
TAG_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
WORDS = re.compile(r"[A-Za-z0-9_\u3040-\u30ff\u4e00-\u9fff]+")


def is_device_name(text: str) -> bool:
    """Return whether a device can have this name."""
    return DEVICE_NAME.fullmatch(text) is not None


def is_tag_key(text: str) -> bool:
    """Return whether a tag can have this key."""
    return TAG_KEY.fullmatch(text) is not None


def is_product_name(text: str) -> bool:
    """Return whether a product can have this name."""
    return WORDS.fullmatch(text) is not None and 4 <= _width(text) <= 30


def is_nickname(text: str) -> bool:
    """Return whether a device can have this nickname."""
    return WORDS.fullmatch(text) is not None and 4 <= _width(text) <= 64


def _width(text: str) -> int:
    """Return the length, in which a Chinese or Japanese character counts as two."""
    return sum(1 if character.isascii() else 2 for character in text)
