"""A thing model generated from bindings: the definition of each property and its module.

It complies with `docs/protocol.md` §8 and §14, and with two rules from the documentation of ThingModelJson: names consist
of letters, digits, `-`, `_` and `.`, and are unique among the features of a product.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, count
import re
from typing import Final

from homeassistant.util import slugify

from ...alink.model.changes import Feature
from ...alink.model.datatypes import (
    INT_MAX,
    INT_MIN,
    ArrayType,
    BoolType,
    DataType,
    EnumType,
    Field,
    IntType,
    StructType,
    TextType,
)
from ...alink.model.thing_model import Property, ThingModel, split_identifier
from ..binding import Binding
from .infer import ENUM_ITEMS, IDENTIFIER_LENGTH, TEXT_BYTES
from .labels import changes_in_words, legal_labels
from .modules import feature_size

NAME_LENGTH: Final = 30
ARRAY_ELEMENTS: Final = 512
STRUCT_MEMBERS: Final = 50
MODULE_FEATURES: Final = 300
MODULE_SIZE: Final = 250 * 1024
"""Maximum characters of the features of one module: the platform accepts 256 K for the whole module."""

_WORD = re.compile(r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_.-]*")
_IDENTIFIER = re.compile(rf"[A-Za-z0-9_]{{1,{IDENTIFIER_LENGTH}}}")
_IN_STRUCT: Final = frozenset({"int", "float", "double", "text", "date", "bool", "enum"})
_IN_ARRAY: Final = frozenset({"int", "float", "double", "text", "struct"})


def define(binding: Binding, data_type: DataType, name: str) -> Property:
    """Return the definition of a bound property; it is always readable, because the platform requires that.

    Its description says which labels had to be changed.
    """
    accepted = importable(data_type)
    description = ""
    if isinstance(data_type, EnumType) and isinstance(accepted, EnumType):
        description = changes_in_words(data_type.items, accepted.items)
    return Property(
        identifier=binding.identifier,
        name=name,
        writable=binding.access.controls,
        readable=True,
        required=False,
        data_type=accepted,
        description=description,
    )


def importable(data_type: DataType) -> DataType:
    """Return the nearest data type that the platform accepts; a structure that it doesn't accept becomes JSON text."""
    match data_type:
        case TextType(length):
            return TextType(min(length or TEXT_BYTES, TEXT_BYTES))
        case EnumType(items) if not items:
            return IntType(INT_MIN, INT_MAX, 1)
        case EnumType(items) if len(items) > ENUM_ITEMS:
            return TextType(TEXT_BYTES)
        case EnumType(items):
            return EnumType(legal_labels(items))
        case BoolType(labels):
            return BoolType(legal_labels(labels))
        case IntType() if data_type.step is None:
            return replace(data_type, step=1)
        case StructType(members):
            fields = _named({key: importable(field.data_type) for key, field in members.items()}, members)
            allowed = all(
                _IDENTIFIER.fullmatch(key) and field.data_type.type in _IN_STRUCT for key, field in fields.items()
            )
            return StructType(fields) if allowed and 0 < len(fields) <= STRUCT_MEMBERS else TextType(TEXT_BYTES)
        case ArrayType(size, item):
            element = importable(item)
            allowed = element.type in _IN_ARRAY and element.type == item.type
            return ArrayType(min(size or ARRAY_ELEMENTS, ARRAY_ELEMENTS), element) if allowed else TextType(TEXT_BYTES)
        case _:
            return data_type


def _named(types: Mapping[str, DataType], members: Mapping[str, Field]) -> dict[str, Field]:
    """Return the members of a structure with names that the platform accepts, no two equal."""
    fields: dict[str, Field] = {}
    for key, data_type in types.items():
        name = feature_name(members[key].name, "", key, {field.name for field in fields.values()})
        fields[key] = Field(key, name, data_type)
    return fields


def feature_name(entity: str, aspect: str, identifier: str, taken: Collection[str]) -> str:
    """Return a free name for a property: the name of the entity and, unless empty, of the aspect.

    If it is too long, the end of the entity's name is cut off; if it is taken, a number is appended; if no character is
    allowed in a name, it is the identifier, and if that consists of underscores, a word.
    """
    entity, aspect = _plain(entity), _plain(aspect)
    if not entity and not aspect:
        entity = _plain(split_identifier(identifier)[1]) or "feature"
    return next(
        name
        for number in range(1, len(taken) + 2)
        if (name := _joined(entity, aspect, "" if number == 1 else str(number))) not in taken
    )


def _plain(text: str) -> str:
    """Return text without characters that are not allowed in a name; other letters become Latin ones."""
    return "_".join(_WORD.findall("".join(map(_letter, text))))


@lru_cache(maxsize=1024)
def _letter(character: str) -> str:
    if character.isascii() or _WORD.fullmatch(character):
        return character
    return " " if (letter := slugify(character)) == "unknown" else letter


def _joined(entity: str, aspect: str, number: str) -> str:
    # Chinese words need no separator.
    separator = "_" if entity and aspect.isascii() and aspect else ""
    ending = f"{separator}{aspect}"[:NAME_LENGTH]
    if number:
        ending = f"{ending[: NAME_LENGTH - len(number) - 1]}_{number}"
    return (entity[: NAME_LENGTH - len(ending)].rstrip("_.-") + ending).lstrip("_.-")


@dataclass(slots=True)
class _Module:
    """The number of features of a module, and the characters of its document."""

    features: int = 0
    size: int = 0

    def takes(self, size: int) -> bool:
        """Return whether another feature fits."""
        return self.features < MODULE_FEATURES and self.size + size <= MODULE_SIZE

    def add(self, size: int) -> None:
        """Count a feature."""
        self.features += 1
        self.size += size


def overflow(model: ThingModel, fixed: Collection[str]) -> dict[str, str]:
    """Return new identifiers for the properties that don't fit into the default module, by their present identifiers.

    They are moved to further modules, the first of which is `module_2`. Identifiers in `fixed` are already defined in
    the cloud and are not changed; of the others, the first ones stay in the default module.
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
    for prop in movable:
        size = feature_size(prop)
        if modules[""].takes(size):
            modules[""].add(size)
            continue
        module = next(
            name
            for number in count(2)
            if modules.setdefault(name := f"module_{number}", _Module()).takes(size)
            and f"{name}:{prop.identifier}" not in model.properties
        )
        modules[module].add(size)
        renamed[prop.identifier] = f"{module}:{prop.identifier}"
    return renamed


def rename(model: ThingModel, renamed: Mapping[str, str]) -> ThingModel:
    """Return a thing model in which some properties have other identifiers."""
    properties: Iterable[Property] = (
        replace(prop, identifier=renamed.get(prop.identifier, prop.identifier)) for prop in model.properties.values()
    )
    return replace(model, properties={prop.identifier: prop for prop in properties})
