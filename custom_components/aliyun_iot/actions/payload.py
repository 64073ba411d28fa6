"""Bytes in the data of an action, written as text, in hexadecimal or in Base64."""

import base64
from collections.abc import Callable
import json

from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from .call import misuse

ATTR_FORMAT = "format"

_DECODERS: dict[str, Callable[[str], bytes]] = {
    "hex": bytes.fromhex,
    "base64": lambda text: base64.b64decode(text, validate=True),
    "text": str.encode,
}


def payload_text(value: object) -> str:
    """Validate a payload; raises vol.Invalid.

    Home Assistant turns a template that renders JSON into an object or a list, which is turned back into JSON.
    """
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else cv.string(value)


def format_field(default: str) -> dict[vol.Marker, object]:
    """Return the field for the format of a payload."""
    return {vol.Optional(ATTR_FORMAT, default=default): vol.In(_DECODERS)}


def payload_bytes(text: str, text_format: str) -> bytes:
    """Return the decoded bytes; raises ServiceValidationError."""
    try:
        return _DECODERS[text_format](text)
    except ValueError as err:
        raise misuse("invalid_raw", format=text_format) from err
