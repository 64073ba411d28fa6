"""The fields of an API call: a form has only text, JSON and Python have any type; both are read alike."""

import base64
from collections.abc import Mapping

from .errors import BAD_PARAMETER, NOT_BASE64, ApiError, missing
from .jsontext import JsonValue, NotJsonError, parse


class Fields:
    """Reads fields by the types that the platform documents, and raises ApiError where that fails."""

    def __init__(self, values: Mapping[str, JsonValue]) -> None:
        """Wrap the fields; one that is null or empty counts as not there."""
        self._values = {name: value for name, value in values.items() if value is not None and value != ""}

    def text(self, name: str) -> str:
        """Return a mandatory text."""
        if (value := self.optional_text(name)) is None:
            raise missing(name)
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, None when it is not there."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise ApiError(BAD_PARAMETER, f"{name} is a text.")
        return value

    def json(self, name: str) -> JsonValue:
        """Return a mandatory JSON value, given as JSON text or as it is."""
        if name not in self._values:
            raise missing(name)
        value = self._values[name]
        try:
            return parse(value) if isinstance(value, str) else value
        except NotJsonError as error:
            raise ApiError(BAD_PARAMETER, f"{name} is no JSON: {error}.") from None

    def json_object(self, name: str) -> dict[str, JsonValue]:
        """Return a mandatory JSON object."""
        value = self.json(name)
        if not isinstance(value, dict):
            raise ApiError(BAD_PARAMETER, f"{name} is a JSON object.")
        return value

    def optional_json_object(self, name: str) -> dict[str, JsonValue]:
        """Return a JSON object, an empty one when it is not there."""
        return self.json_object(name) if name in self._values else {}

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number; without a default it is mandatory."""
        value = self._values.get(name, default)
        if value is None:
            raise missing(name)
        try:
            if isinstance(value, str | int) and not isinstance(value, bool):
                return int(value)
        except ValueError:
            pass
        raise ApiError(BAD_PARAMETER, f"{name} is a whole number.")

    def texts(self, name: str) -> list[str]:
        """Return a list of texts: a list, one text, or `name.1`, `name.2`, … as the platform's forms have it."""
        value = self._values.get(name)
        numbered = [self._values[key] for key in sorted(self._values) if key.startswith(f"{name}.")]
        listed = numbered if value is None else value if isinstance(value, list) else [value]
        texts = [text for text in listed if isinstance(text, str)]
        if len(texts) != len(listed):
            raise ApiError(BAD_PARAMETER, f"{name} is a list of texts.")
        return texts

    def content(self, name: str) -> bytes:
        """Return the bytes of a mandatory Base64 text."""
        try:
            return base64.b64decode(self.text(name), validate=True)
        except ValueError:
            raise ApiError(NOT_BASE64) from None
