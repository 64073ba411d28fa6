"""A thing model of what is bound: the definition of each property, and what goes into which module.

What is generated keeps the rules of `docs/protocol.md` §8 and §14, and two of the documentation of ThingModelJson: names
are made of letters, digits, `-`, `_` and `.`, and no two features of a product have the same one.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, count
import re
from typing import Final

from homeassistant.util import slugify

from ...alink.model.changes import Feature
from ...alink.model.datatypes import INT_MAX, INT_MIN, ArrayType, DataType, EnumType, IntType, StructType, TextType
from ...alink.model.thing_model import Property, ThingModel, split_identifier
from ..binding import Binding
from .infer import ENUM_ITEMS, IDENTIFIER_LENGTH, TEXT_LENGTH
from .modules import feature_size

NAME_LENGTH: Final = 30
ARRAY_ELEMENTS: Final = 512
STRUCT_MEMBERS: Final = 50
MODULE_FEATURES: Final = 300
MODULE_SIZE: Final = 250 * 1024
"""Characters of the features of one module: 256 K of them may be significant, those of its frame included."""

_WORD = re.compile(r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_.-]*")
_IDENTIFIER = re.compile(rf"[A-Za-z0-9_]{{1,{IDENTIFIER_LENGTH}}}")
_IN_STRUCT: Final = frozenset({"int", "float", "double", "text", "date", "bool", "enum"})
_IN_ARRAY: Final = frozenset({"int", "float", "double", "text", "struct"})


def define(binding: Binding, data_type: DataType, name: str) -> Property:
    """Return the definition of a bound property; one that is only controlled can be read too, since none can't."""
    return Property(
        identifier=binding.identifier,
        name=name,
        writable=binding.access.controls,
        readable=True,
        required=False,
        data_type=importable(data_type),
    )


def importable(data_type: DataType) -> DataType:
    """Return the nearest data type that the platform takes; what it can't structure becomes JSON in a text."""
    match data_type:
        case TextType(length):
            return TextType(min(length or TEXT_LENGTH, TEXT_LENGTH))
        case EnumType(items) if not items:
            return IntType(INT_MIN, INT_MAX, 1)
        case EnumType(items) if len(items) > ENUM_ITEMS:
            return TextType(TEXT_LENGTH)
        case IntType() if data_type.step is None:
            return replace(data_type, step=1)
        case StructType(members):
            fields = {key: replace(one, data_type=importable(one.data_type)) for key, one in members.items()}
            allowed = all(
                _IDENTIFIER.fullmatch(key) and one.data_type.type in _IN_STRUCT for key, one in fields.items()
            )
            return StructType(fields) if allowed and 0 < len(fields) <= STRUCT_MEMBERS else TextType(TEXT_LENGTH)
        case ArrayType(size, item):
            element = importable(item)
            allowed = element.type in _IN_ARRAY and element.type == item.type
            return ArrayType(min(size or ARRAY_ELEMENTS, ARRAY_ELEMENTS), element) if allowed else TextType(TEXT_LENGTH)
        case _:
            return data_type


def feature_name(entity: str, facet: str, identifier: str, taken: Collection[str]) -> str:
    """Return a free name for a property: that of the entity and, if there is one, of its facet.

    What is too long loses the end of the entity's name; what is taken already gets a number; what has nothing in it
    that a name may have becomes the identifier.
    """
    entity, facet = _plain(entity), _plain(facet)
    if not entity and not facet:
        entity = _plain(split_identifier(identifier)[1])
    return next(
        name
        for number in range(1, len(taken) + 2)
        if (name := _joined(entity, facet, "" if number == 1 else str(number))) not in taken
    )


def _plain(text: str) -> str:
    """Return text with nothing in it that a name may not have; foreign letters become Latin ones."""
    return "_".join(_WORD.findall("".join(map(_letter, text))))


@lru_cache(maxsize=1024)
def _letter(character: str) -> str:
    if character.isascii() or _WORD.fullmatch(character):
        return character
    return " " if (letter := slugify(character)) == "unknown" else letter


def _joined(entity: str, facet: str, number: str) -> str:
    # Chinese words need nothing between them.
    joint = "_" if entity and facet.isascii() and facet else ""
    ending = f"{joint}{facet}"[:NAME_LENGTH]
    if number:
        ending = f"{ending[: NAME_LENGTH - len(number) - 1]}_{number}"
    return (entity[: NAME_LENGTH - len(ending)].rstrip("_.-") + ending).lstrip("_.-")


@dataclass(slots=True)
class _Module:
    """How full a module is: features, and characters of its document."""

    features: int = 0
    size: int = 0

    def takes(self, size: int) -> bool:
        """Tell whether another feature fits."""
        return self.features < MODULE_FEATURES and self.size + size <= MODULE_SIZE

    def add(self, size: int) -> None:
        """Count a feature."""
        self.features += 1
        self.size += size


def overflow(model: ThingModel, fixed: Collection[str]) -> dict[str, str]:
    """Return the new identifiers of the properties for which the default module has no room, by their present ones.

    They go into modules of their own, the first of which is `module_2`. Identifiers in `fixed` are known to the cloud
    and stay; of the others, those that come first do.
    """
    modules: dict[str, _Module] = {"": _Module()}
    movable: list[Property] = []
    features: Iterable[Feature] = chain(model.properties.values(), model.events.values(), model.services.values())
    for feature in features:
        module, _ = split_identifier(feature.identifier)
        if isinstance(feature, Property) and not module and feature.identifier not in fixed:
            movable.append(feature)
        else:
            modules.setdefault(module, _Module()).add(feature_size(feature))
    renamed: dict[str, str] = {}
    for one in movable:
        size = feature_size(one)
        if modules[""].takes(size):
            modules[""].add(size)
            continue
        module = next(
            name
            for number in count(2)
            if modules.setdefault(name := f"module_{number}", _Module()).takes(size)
            and f"{name}:{one.identifier}" not in model.properties
        )
        modules[module].add(size)
        renamed[one.identifier] = f"{module}:{one.identifier}"
    return renamed


def rename(model: ThingModel, renamed: Mapping[str, str]) -> ThingModel:
    """Return a thing model in which some properties have other identifiers."""
    properties: Iterable[Property] = (
        replace(one, identifier=renamed.get(one.identifier, one.identifier)) for one in model.properties.values()
    )
    return replace(model, properties={one.identifier: one for one in properties})
