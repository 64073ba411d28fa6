"""Which item of a property stands for which option of an entity, or for yes and no: told by the labels."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ..model.labels import marked_label, plain_label
from .synonyms import GEARS, NEAR, bare, core, gear, meaning

type Items = tuple[tuple[int, str], ...]
"""The items of a bool or an enum with their labels."""

type Reading = Callable[[str], str | None]

OPPOSITES: Final = frozenset({"off", "on", "closed", "open", "no", "yes", "locked", "unlocked"})


def _itself(word: str) -> str:
    return word


_READINGS: Final[tuple[tuple[Reading, Reading], ...]] = (
    (_itself, _itself),
    (marked_label, _itself),
    (plain_label, _itself),
    (bare, bare),
    (meaning, meaning),
    (core, core),
)
"""How an option and a label are compared: first exactly, as in a generated thing model, last by their meaning."""


@lru_cache(maxsize=1024)
def pair(options: tuple[str, ...], items: Items, *, near: bool = True) -> dict[str, int]:
    """Return the item for each option that has exactly one: with its name or label, or the only one of the same meaning.

    With `near`, what is left is paired by related meanings, and gears with a name by their order. No two options share an
    item, so a value converted to the other side and back is the same.
    """
    pairs: dict[str, int] = {}
    for read_option, read_label in _READINGS:
        _add(pairs, options, items, read_option, read_label)
    if near:
        for group in NEAR:
            in_group = _in_group(group)
            _add(pairs, options, items, in_group, in_group)
        pairs |= _gears_in_order(
            tuple(option for option in options if option not in pairs),
            {key: label for key, label in items if key not in pairs.values()},
        )
    return pairs


def _add(
    pairs: dict[str, int], options: Iterable[str], items: Items, read_option: Reading, read_label: Reading
) -> None:
    """Add the free options and items that are the only ones that are read alike."""
    by_option = _grouped((read_option(option), option) for option in options if option not in pairs)
    by_item = _grouped((read_label(label), key) for key, label in items if key not in pairs.values())
    for name, same_options in by_option.items():
        same_items = by_item.get(name, [])
        if name not in (None, "") and len(same_options) == len(same_items) == 1:
            pairs[same_options[0]] = same_items[0]


def _grouped[Name, Member](named: Iterable[tuple[Name, Member]]) -> dict[Name, list[Member]]:
    groups: dict[Name, list[Member]] = {}
    for name, member in named:
        groups.setdefault(name, []).append(member)
    return groups


@lru_cache(maxsize=64)
def _in_group(group: tuple[str, ...]) -> Reading:
    return lambda word: group[0] if meaning(word) in group else None


def _gears_in_order(options: tuple[str, ...], labels: Mapping[int, str]) -> dict[str, int]:
    """Return the items of gears that have a name on one side and a number on the other, if both have as many of them."""
    for named, numbered in ((_by_name, _by_number), (_by_number, _by_name)):
        ranked_options = named({option: option for option in options})
        ranked_items = numbered(labels)
        if ranked_options and len(ranked_options) == len(ranked_items):
            return dict(zip(ranked_options, ranked_items, strict=True))
    return {}


def _by_name[Key](labels: Mapping[Key, str]) -> list[Key]:
    """Return the gears with a name in their order; empty if there are fewer than two, or two with the same name."""
    ranks = {key: GEARS.index(word) for key, label in labels.items() if (word := meaning(label)) in GEARS}
    return sorted(ranks, key=ranks.__getitem__) if 2 <= len(set(ranks.values())) == len(ranks) else []


def _by_number[Key](labels: Mapping[Key, str]) -> list[Key]:
    """Return the gears from 1 to the last one in their order; empty if one of them is missing."""
    numbers = {key: number for key, label in labels.items() if (number := gear(label)) is not None}
    complete = sorted(numbers.values()) == list(range(1, len(numbers) + 1))
    return sorted(numbers, key=numbers.__getitem__) if complete else []


@dataclass(frozen=True, slots=True)
class YesAndNo:
    """The items for no and yes; `told` is whether the labels name them, and not just fail to contradict."""

    no: int
    yes: int
    told: bool


@lru_cache(maxsize=1024)
def no_and_yes(
    words: tuple[str, str], items: Items, says: Callable[[str], bool | None] | None = None
) -> YesAndNo | None:
    """Return the items for two opposite words: by their labels, else 0 and 1; None if the labels don't tell.

    `says` returns whether a label that is none of the words means yes or no. Labels that are another pair of opposites
    don't tell: whether an open switch means a locked door is up to the user.
    """
    found = _named_items(words, items, says)
    match found, [key for key, _ in items]:
        case [int() as no, int() as yes], _:
            return YesAndNo(no, yes, told=True)
        case [int() as no, None], [first, second]:
            return _inferred(no, second if no == first else first, dict(items), told_yes=False)
        case [None, int() as yes], [first, second]:
            return _inferred(second if yes == first else first, yes, dict(items), told_yes=True)
        case _, keys if any(meaning(label) in OPPOSITES for _, label in items):
            return None
        case _, keys if not keys or sorted(keys) == [0, 1]:
            blank = all(bare(label) in ("", str(key)) for key, label in items)
            return YesAndNo(0, 1, told=blank)
        case _:
            return None


def _named_items(words: tuple[str, str], items: Items, says: Callable[[str], bool | None] | None) -> list[int | None]:
    """Return the items that are named for no and for yes: by the words, by what the aspect says, by related meanings."""
    pairs = pair(words, items, near=False)
    found = [pairs.get(word) for word in words]
    said = {key: says(label) for key, label in items} if says else {}
    for answer, item in enumerate(found):
        if item is None:
            found[answer] = _only(key for key, yes in said.items() if yes is bool(answer) and key not in found)
    related = pair(words, items)
    for answer, item in enumerate(found):
        if item is None and (candidate := related.get(words[answer])) not in found:
            found[answer] = candidate
    return found


def _only(keys: Iterable[int]) -> int | None:
    found = list(keys)
    return found[0] if len(found) == 1 else None


def _inferred(no: int, yes: int, labels: Mapping[int, str], *, told_yes: bool) -> YesAndNo:
    """Return both items if only one has a label for it; if the other label means something else, it is not told."""
    other = labels[no if told_yes else yes]
    return YesAndNo(no, yes, told=meaning(other) is None)
