"""What a thing model would say, where there is none: a data type and an identifier for an aspect of an entity."""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from itertools import chain
from math import ceil, floor, log10
import re

from homeassistant.core import State
from homeassistant.util import slugify

from ...alink.model.datatypes import (
    INT_MAX,
    INT_MIN,
    ArrayType,
    BoolType,
    DataType,
    DateType,
    DoubleType,
    EnumType,
    Field,
    IntType,
    StructType,
    TextType,
)
from ..aspect import Aspect, Kind, Range, Refused
from ..attributes import device_class
from ..binding import NO_CONVERSION, Conversion
from ..scaling import TEMPERATURE_DIFFERENCE, has_formula, noise_free
from ..units import converter
from ..validators import RESERVED_IDENTIFIERS

IDENTIFIER_LENGTH = 50
STATE_LENGTH = 255
"""No state of Home Assistant is longer."""

ENUM_ITEMS = 100
"""More items than this the platform does not take (`docs/protocol.md` §14)."""

FORBIDDEN_IDENTIFIERS = RESERVED_IDENTIFIERS | {"event", "property"}
"""The documentation of ThingModelJson reserves two words more than that of the TSL does."""

_MACHINE_MADE = re.compile(r"(?=[0-9a-f]*[0-9])[0-9a-f]{8,}|0x[0-9a-f]+")
"""A serial number or an address in an entity id, which tells nobody what it is."""

TEXT_LENGTH = 10240
"""No text of a thing model is longer (`docs/protocol.md` §14)."""

_BYTE = IntType(0, 255, 1)
_DEGREES = DoubleType(-180, 180, 1e-6, "°")
_COLOR = StructType({name: Field(name, name, _BYTE) for name in ("Red", "Green", "Blue")})
_LOCATION = StructType({name: Field(name, name, _DEGREES) for name in ("Longitude", "Latitude")})


def infer_data_type(aspect: Aspect, state: State, conversion: Conversion = NO_CONVERSION) -> DataType:
    """Return the data type that fits what the aspect holds on this entity, after its conversion.

    It is one that the platform takes (`docs/protocol.md` §8.2 and §14). The items of an enumeration are the entity's
    options in their order; an entity that names no options, or too many, gets text.
    Equal questions get the same object: this is asked for every value of a property without a thing model.
    """
    if conversion.template:
        return TextType(TEXT_LENGTH)
    if conversion.options and not (aspect.kind is Kind.BOOL and {0, 1}.issuperset(conversion.options.values())):
        return _named(tuple(conversion.options.items()))
    match aspect.kind:
        case Kind.RAW:
            return infer_raw_type(aspect.read(state), conversion)
        case Kind.BOOL:
            return _bool(aspect.words)
        case Kind.NUMBER:
            difference = device_class(state) == TEMPERATURE_DIFFERENCE
            unit = aspect.unit(state) or ""
            return _number(
                aspect.range(state) or _OPEN, unit, conversion.unit, _formula(conversion), difference=difference
            )
        case Kind.ENUM:
            return _enum(aspect.options(state))
        case Kind.COLOR:
            return aspect.data_type or _COLOR
        case Kind.DATE:
            return DateType()
        case Kind.LOCATION:
            return _LOCATION
        case Kind.TEXT:
            return TextType(STATE_LENGTH)


def infer_raw_type(value: object, conversion: Conversion = NO_CONVERSION) -> DataType:
    """Return the data type of a value as it is: what neither an entity nor a thing model tells the type of."""
    if conversion.options:
        return _named(tuple(conversion.options.items()))
    match value:
        case bool():
            return _bool(("off", "on"))
        case int() if INT_MIN <= value <= INT_MAX and not has_formula(conversion) and not conversion.unit:
            return IntType()
        case int() | float():
            return DoubleType(unit=conversion.unit)
        case list():
            return ArrayType(None, infer_raw_type(value[0] if value else None))
        case Mapping():
            return StructType({key: Field(key, key, infer_raw_type(member)) for key, member in value.items()})
        case _:
            return TextType(TEXT_LENGTH)


_OPEN = Range(None, None)


def _formula(conversion: Conversion) -> tuple[float, float] | None:
    return (conversion.scale, conversion.offset) if has_formula(conversion) else None


@lru_cache(maxsize=64)
def _bool(words: tuple[str, str]) -> DataType:
    return BoolType(dict(enumerate(words)))


@lru_cache(maxsize=512)
def _enum(options: tuple[str, ...]) -> DataType:
    return EnumType(dict(enumerate(options))) if 0 < len(options) <= ENUM_ITEMS else TextType(STATE_LENGTH)


@lru_cache(maxsize=512)
def _named(options: tuple[tuple[str, int | str], ...]) -> DataType:
    """Return the type of the right side of an explicit map: an item for each number, or text."""
    items: dict[int, str] = {}
    for name, target in options:
        if not isinstance(target, int):
            return TextType(STATE_LENGTH)
        items.setdefault(target, name)
    return EnumType(items)


@lru_cache(maxsize=1024)
def _number(
    limits: Range, unit: str, wanted: str, formula: tuple[float, float] | None, *, difference: bool
) -> DataType:
    """Return a number type whose range, if it has any, has two ends and a step that fits between them.

    A formula, or the way from the entity's unit to the one that is wanted, is applied to all three.
    """
    convert = _conversion(unit, wanted, formula, difference=difference)
    unit = wanted or ("" if formula else unit)
    low, high, step = limits.min, limits.max, limits.step
    if low is None or high is None or low >= high:
        return DoubleType(unit=unit)
    if convert:
        try:
            low, high, step = _converted(low, high, step, convert)
        except Refused, OverflowError:  # beyond all numbers
            return DoubleType(unit=unit)
        if low >= high:
            return DoubleType(unit=unit)
    if step is None or not 0 < step <= high - low:
        return DoubleType(low, high, None, unit)
    whole = low.is_integer() and high.is_integer() and step.is_integer()
    if whole and low >= INT_MIN and high <= INT_MAX:
        return IntType(int(low), int(high), int(step), unit)
    return DoubleType(low, high, step, unit)


def _conversion(
    unit: str, wanted: str, formula: tuple[float, float] | None, *, difference: bool
) -> Callable[[float], float] | None:
    if formula:
        scale, offset = formula
        return lambda value: value * scale + offset
    return converter(unit, wanted, difference=difference) if unit and wanted else None


def _converted(
    low: float, high: float, step: float | None, convert: Callable[[float], float]
) -> tuple[float, float, float | None]:
    """Return limits after a conversion.

    Where they come out odd, as those in °F do in °C, they are widened to whole steps of a decimal that is as fine as the
    step has become: values are rounded to its digits.
    """
    ends = sorted(noise_free(convert(end)) for end in (low, high))
    if not step:
        return ends[0], ends[1], None
    exact = noise_free((ends[1] - ends[0]) * step / (high - low))
    if exact <= 0:  # too close together to tell a step
        return ends[0], ends[1], None
    fine = 10.0 ** floor(log10(exact))
    digit = min(1.0, fine if noise_free(exact / fine).is_integer() else fine / 10)
    if all(noise_free(number / digit).is_integer() for number in (exact, *ends)):
        return ends[0], ends[1], exact
    return noise_free(floor(ends[0] / fine) * fine), noise_free(ceil(ends[1] / fine) * fine), noise_free(fine)


def generate_identifier(aspect: Aspect, state: State, taken: Collection[str]) -> str:
    """Return a free identifier: the standard one of the aspect, else with the name of the entity behind it.

    It satisfies `docs/protocol.md` §8.3: letters, digits and underscores, at most 50, none of the reserved words.
    """
    standard = next(iter(aspect.identifiers_for(state)), None)
    entity = _latin_name(state)
    specific = f"{standard or aspect.key}_{entity}"
    candidates = [standard, specific] if standard else [entity, specific]
    numbered = (_shortened(specific, f"_{number}") for number in range(2, len(taken) + 3))
    return next(
        identifier
        for identifier in chain(map(_shortened, candidates), numbered)
        if identifier not in taken and identifier not in FORBIDDEN_IDENTIFIERS
    )


def _latin_name(state: State) -> str:
    """Return what an entity is called in Latin letters: its object id, or its name if that alone tells what it is.

    Home Assistant makes object ids of names, Chinese ones by pinyin; integrations also make them of addresses.
    """
    if not _MACHINE_MADE.search(state.object_id):
        return state.object_id
    name = slugify(state.name)
    return state.object_id if name == "unknown" or _MACHINE_MADE.search(name) else name


def _shortened(text: str, ending: str = "") -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", text)[: IDENTIFIER_LENGTH - len(ending)] + ending
