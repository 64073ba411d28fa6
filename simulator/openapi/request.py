"""A request of an application over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from ..core.jsontext import JsonValue


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request as it arrived.

    The official SDKs send their parameters in the query, scripts also in the body (docs/protocol.md §20.1).
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Their names are in lower case."""
    body: bytes
    content: Mapping[str, JsonValue]
    """The fields in the body: a form, whose values are texts, or a JSON object."""

    @property
    def fields(self) -> Mapping[str, JsonValue]:
        """The parameters of query and body together."""
        return {**self.query, **self.content}

    @property
    def parameters(self) -> Mapping[str, str] | None:
        """The parameters of query and form, None if some are not texts and so cannot be part of a signature."""
        fields = self.fields
        return cast("Mapping[str, str]", fields) if all(isinstance(value, str) for value in fields.values()) else None

    @property
    def action(self) -> str:
        """The name of the action: a header with signature V3, a parameter otherwise."""
        return self._common("x-acs-action", "Action")

    @property
    def version(self) -> str:
        """The version of the API, empty if it is not given."""
        return self._common("x-acs-version", "Version")

    def _common(self, header: str, field: str) -> str:
        value = self.headers.get(header) or self.fields.get(field)
        return value if isinstance(value, str) else ""
