"""The fields of an API call. A form has only text, JSON and Python have any type; both are read in the same way."""

import base64
from collections.abc import Mapping

from ..core.jsontext import JsonValue, NotJsonError, parse
from .errors import BAD_PARAMETER, NOT_BASE64, ApiError, missing


class Fields:
    """Reads fields by the types that the platform documents; raises ApiError for a field that does not fit."""

    def __init__(self, values: Mapping[str, JsonValue]) -> None:
        """Wrap the fields; a field that is null or empty counts as missing."""
        self._values = {name: value for name, value in values.items() if value is not None and value != ""}

    def text(self, name: str) -> str:
        """Return a mandatory text."""
        if (value := self.optional_text(name)) is None:
            raise missing(name)
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a text, or None if it is missing."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise ApiError(BAD_PARAMETER, f"{name} must be a text.")
        return value

    def optional(self, name: str) -> JsonValue:
        """Return a field as it was given, None if it is missing."""
        return self._values.get(name)

    def json(self, name: str) -> JsonValue:
        """Return a mandatory JSON value, given as JSON text or as a value."""
        if name not in self._values:
            raise missing(name)
        value = self._values[name]
        try:
            return parse(value) if isinstance(value, str) else value
        except NotJsonError as error:
            raise ApiError(BAD_PARAMETER, f"{name} is not JSON: {error}.") from None

    def json_object(self, name: str) -> dict[str, JsonValue]:
        """Return a mandatory JSON object."""
        value = self.json(name)
        if not isinstance(value, dict):
            raise ApiError(BAD_PARAMETER, f"{name} must be a JSON object.")
        return value

    def optional_json_object(self, name: str) -> dict[str, JsonValue]:
        """Return a JSON object, empty if it is missing."""
        return self.json_object(name) if name in self._values else {}

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number; it is mandatory without a default."""
        value = self._values.get(name, default)
        if value is None:
            raise missing(name)
        try:
            if isinstance(value, str | int) and not isinstance(value, bool):
                return int(value)
        except ValueError:
            pass
        raise ApiError(BAD_PARAMETER, f"{name} must be a whole number.")

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """Return a truth value, which forms write as a text."""
        value = self._values.get(name, default)
        truth = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
        if not isinstance(truth, bool):
            raise ApiError(BAD_PARAMETER, f"{name} must be true or false.")
        return truth

    def texts(self, name: str) -> list[str]:
        """Return a list of texts, given as a list, one text, or `name.1`, `name.2`, … as in the platform's forms."""
        value = self._values.get(name)
        numbers = sorted(
            int(key[len(name) + 1 :])
            for key in self._values
            if key.startswith(f"{name}.") and key[len(name) + 1 :].isdecimal()
        )
        numbered = [self._values[f"{name}.{number}"] for number in numbers]
        listed = numbered if value is None else value if isinstance(value, list) else [value]
        texts = [text for text in listed if isinstance(text, str)]
        if len(texts) != len(listed):
            raise ApiError(BAD_PARAMETER, f"{name} must be a list of texts.")
        return texts

    def objects(self, name: str) -> list[Fields]:
        """Return a list of objects, given as a list, as JSON, or as `name.1.field`, `name.2.field`, … in a form."""
        if name in self._values:
            listed = self.json(name)
            objects = [Fields(item) for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
            if not isinstance(listed, list) or len(objects) != len(listed):
                raise ApiError(BAD_PARAMETER, f"{name} must be a list of objects.")
            return objects
        numbered: dict[int, dict[str, JsonValue]] = {}
        for key, value in self._values.items():
            prefix, _, field = key.removeprefix(f"{name}.").partition(".")
            if key.startswith(f"{name}.") and prefix.isdecimal() and field:
                numbered.setdefault(int(prefix), {})[field] = value
        return [Fields(numbered[number]) for number in sorted(numbered)]

    def content(self, name: str) -> bytes:
        """Return the bytes of a mandatory Base64 text."""
        try:
            return base64.b64decode(self.text(name), validate=True)
        except ValueError:
            raise ApiError(NOT_BASE64) from None
