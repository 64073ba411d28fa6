"""DeviceNames for devices of Home Assistant: legal, unique, and always the same for the same device."""

from collections import Counter
from collections.abc import Collection, Mapping
import hashlib
import re
from typing import Final

from homeassistant.util import slugify

LONGEST: Final = 32
SHORTEST: Final = 4
"""Lengths of a DeviceName (docs/protocol.md §2.3)."""

ENDING: Final = 5
"""Characters that tell devices with the same name apart."""


def propose_names(titles: Mapping[str, str], taken: Collection[str] = ()) -> dict[str, str]:
    """Return a DeviceName for each title, by key: its words in Latin letters, Chinese as pinyin, as in entity ids.

    Devices with one title get an ending that depends on their key only, so that a name does not change when another device
    comes or goes.
    """
    words = {key: _words(title) for key, title in titles.items()}
    counted = Counter(words.values())
    names = {
        key: word if counted[word] == 1 and word not in taken and len(word) >= SHORTEST else _with_ending(word, key)
        for key, word in words.items()
    }
    used = set(taken)
    for key, name in names.items():
        number = 0
        while names[key] in used:  # two endings are the same by chance
            number += 1
            names[key] = _with_ending(name, f"{key}{number}")
        used.add(names[key])
    return names


def _words(title: str) -> str:
    latin = slugify(title, separator="-")
    return re.sub(r"[^A-Za-z0-9-]", "", "" if latin == "unknown" else latin)[:LONGEST].strip("-")


def _with_ending(word: str, key: str) -> str:
    ending = hashlib.sha256(key.encode()).hexdigest()[:ENDING]
    return f"{word[: LONGEST - ENDING - 1].strip('-')}-{ending}" if word else f"ha-{ending}"
