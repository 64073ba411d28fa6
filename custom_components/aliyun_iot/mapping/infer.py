"""What a thing model would say, where there is none: a data type and an identifier for an aspect of an entity."""

from collections.abc import Collection
import re

from homeassistant.core import State

from ..alink.datatypes import BoolType, DataType, DateType, DoubleType, EnumType, Field, IntType, StructType, TextType
from .aspect import Aspect, Kind, Range
from .binding import RESERVED_IDENTIFIERS

IDENTIFIER_LENGTH = 50
STATE_LENGTH = 255
"""No state of Home Assistant is longer."""


def infer_data_type(aspect: Aspect, state: State) -> DataType:
    """Return the data type that fits what the aspect holds on this entity.

    The items of an enumeration are the entity's options in their order; an entity that names no options gets text.
    """
    match aspect.kind:
        case Kind.BOOL:
            return BoolType(dict(enumerate(aspect.words)))
        case Kind.NUMBER:
            return _number(aspect.range(state) or Range(None, None), aspect.unit(state) or "")
        case Kind.ENUM:
            options = aspect.options(state)
            return EnumType(dict(enumerate(options))) if options else TextType(STATE_LENGTH)
        case Kind.COLOR:
            byte = IntType(0, 255, 1)
            return StructType({name: Field(name, name, byte) for name in ("Red", "Green", "Blue")})
        case Kind.DATE:
            return DateType()
        case Kind.LOCATION:
            degrees = DoubleType(-180, 180, 1e-6, "°")
            return StructType({name: Field(name, name, degrees) for name in ("Longitude", "Latitude")})
        case Kind.TEXT | Kind.RAW:
            return TextType(STATE_LENGTH)


def _number(limits: Range, unit: str) -> DataType:
    low, high, step = limits.min, limits.max, limits.step
    if low is not None and high is not None and step and low.is_integer() and high.is_integer() and step.is_integer():
        return IntType(int(low), int(high), int(step), unit)
    return DoubleType(low, high, step, unit)


def generate_identifier(aspect: Aspect, state: State, taken: Collection[str]) -> str:
    """Return a free identifier: the standard one of the aspect, else with the object id of the entity behind it.

    It satisfies `docs/protocol.md` §8.3: letters, digits and underscores, at most 50, none of the reserved words.
    """
    standard = next(iter(aspect.identifiers_for(state)), None)
    specific = f"{standard or aspect.key}_{state.object_id}"
    candidates = [standard, specific] if standard else [state.object_id, specific]
    numbered = (_shortened(specific, f"_{number}") for number in range(2, len(taken) + 3))
    return next(
        identifier
        for identifier in (*(_shortened(candidate) for candidate in candidates), *numbered)
        if identifier not in taken and identifier not in RESERVED_IDENTIFIERS
    )


def _shortened(text: str, ending: str = "") -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", text)[: IDENTIFIER_LENGTH - len(ending)] + ending
