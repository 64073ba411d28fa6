"""Stored rows, which are read one by one: a row that this version cannot read is a problem of that row only.

A row may have been written by a later version, or damaged by hand. It does not work until a version reads it or the user
removes it, and it is stored again exactly as it was whenever something beside it is changed. So does a row with a field that
this version does not know: the field may restrict what the cloud can do, or change what the values mean.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import voluptuous as vol

from .fields import Expected

type Expectations = Expected | Mapping[str, Expectations]
"""What is expected, in a block for each field by its name; the key "" is for the whole block."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that cannot be read, as it is stored.

    `name` is its identifier, empty if it has none. `path` leads to the field that is wrong, empty if the whole row is;
    `expected` is what should be there, None for a field that this version does not know. `reason` is the message of the
    schema (English).
    """

    raw: object
    name: str
    path: tuple[str, ...]
    expected: Expected | None
    reason: str


def read_row[Row](
    from_dict: Callable[[Mapping[str, Any]], Row], raw: object, expectations: Expectations
) -> Row | Unreadable:
    """Return what a stored row describes, or why it cannot be read; `from_dict` may raise `vol.Invalid`."""
    if not isinstance(raw, Mapping):
        return Unreadable(raw, "", (), Expected.BLOCK, f"expected a mapping, not {type(raw).__name__}")
    try:
        return from_dict(raw)
    except vol.Invalid as err:
        return _unreadable(raw, _first(getattr(err, "errors", [err]), expectations), expectations)


def _first(errors: Sequence[vol.Invalid], expectations: Expectations) -> vol.Invalid:
    """Return the error of the first field in the order of the row; voluptuous reports missing fields in the order of a set."""
    order = {} if isinstance(expectations, Expected) else {name: at for at, name in enumerate(expectations)}
    return min(errors, key=lambda error: order.get(str(error.path[0]), len(order)) if error.path else -1)


def _unreadable(raw: Mapping[str, Any], error: vol.Invalid, expectations: Expectations) -> Unreadable:
    name = raw.get("identifier")
    path = tuple(str(part) for part in error.path)
    return Unreadable(raw, name if isinstance(name, str) else "", path, _expected(path, expectations), str(error))


def _expected(path: tuple[str, ...], expectations: Expectations) -> Expected | None:
    """Return what is expected at a path, or in the list or block that it leads into; None for an unknown field."""
    for part in path:
        if isinstance(expectations, Expected):
            return expectations
        if part not in expectations:
            return None
        expectations = expectations[part]
    if isinstance(expectations, Expected):
        return expectations
    whole = expectations.get("")
    return whole if isinstance(whole, Expected) else Expected.BLOCK


class Unchanged:
    """The data of a subentry as a key: they are replaced when something changes, and never modified."""

    __slots__ = ("data",)

    def __init__(self, data: Mapping[str, Any]) -> None:
        """Keep the data, so that their id stays theirs."""
        self.data = data

    def __hash__(self) -> int:
        """Return a hash by identity."""
        return id(self.data)

    def __eq__(self, other: object) -> bool:
        """Return whether both have the very same data."""
        return isinstance(other, Unchanged) and other.data is self.data


def same_objects(some: Sequence[object], others: Sequence[object]) -> bool:
    """Return whether both are the very same objects in the same order, which is much faster than comparing what is stored."""
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))
