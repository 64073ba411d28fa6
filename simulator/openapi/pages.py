"""Answers by pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from ..core.jsontext import JsonValue
from .errors import BAD_PAGE, ApiError
from .fields import Fields


@dataclass(frozen=True, slots=True)
class Page[Entry]:
    """A page of some entries; the first has the number 1."""

    entries: Sequence[Entry]
    number: int
    size: int
    total: int

    def counts(self, number: str = "CurrentPage") -> dict[str, JsonValue]:
        """Return the fields that describe the page; `number` is the name of its number, which differs."""
        return {
            "Total": self.total,
            "PageSize": self.size,
            "PageCount": ceil(self.total / self.size),
            number: self.number,
        }


def page[Entry](
    fields: Fields, entries: Sequence[Entry], *, size: int, limit: int, number: str = "CurrentPage"
) -> Page[Entry]:
    """Return the page that `PageSize` (by default `size`, at most `limit`) and the field `number` select; raise ApiError."""
    wanted, size = fields.integer(number, 1), fields.integer("PageSize", size)
    if wanted < 1 or size not in range(1, limit + 1):
        raise ApiError(BAD_PAGE, f"{number} is 1 or more, PageSize 1 to {limit}.")
    return Page(entries[(wanted - 1) * size : wanted * size], wanted, size, len(entries))
