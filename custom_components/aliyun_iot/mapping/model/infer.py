"""The data type and the identifier for an aspect of an entity that no thing model defines."""

from collections.abc import Collection, Mapping, Sequence
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
from ...alink.model.numeric import to_bound
from ..aspect import Aspect, Kind, Range, Refused
from ..attributes import device_class
from ..binding import NO_CONVERSION, Conversion
from ..scaling import has_formula, noise_free
from ..units import Convert, converter, same
from ..validators import RESERVED_IDENTIFIERS

IDENTIFIER_LENGTH = 50
STATE_BYTES = 4 * 255
"""The maximum length of a state in Home Assistant is 255 characters, of up to four bytes each."""

ENUM_ITEMS = 100
"""The maximum number of items of an enum on the platform (`docs/protocol.md` §14)."""

TEXT_BYTES = 10240
"""The maximum length of a text on the platform (`docs/protocol.md` §14)."""

_MACHINE_MADE = re.compile(r"(?=[0-9a-f]*[0-9])[0-9a-f]{8,}|0x[0-9a-f]+")
"""A serial number or an address in an entity id, which doesn't describe the entity."""

_BYTE = IntType(0, 255, 1)
_DEGREES = DoubleType(-180, 180, 1e-6, "°")
_COLOR = StructType({name: Field(name, name, _BYTE) for name in ("Red", "Green", "Blue")})
_LOCATION = StructType({name: Field(name, name, _DEGREES) for name in ("Longitude", "Latitude")})


def infer_data_type(aspect: Aspect, state: State, conversion: Conversion = NO_CONVERSION) -> DataType:
    """Return the data type for the values of an aspect of this entity, after its conversion.

    It is one that the platform accepts (`docs/protocol.md` §8.2 and §14). The items of an enum are the entity's options
    in their order; an entity without options, or with too many, gets a text. The same arguments return the same object,
    because this is called for every value of a property without a thing model.
    """
    if conversion.template:
        return TextType(TEXT_BYTES)
    if conversion.options and not (aspect.kind is Kind.BOOL and {0, 1}.issuperset(conversion.options.values())):
        return _mapped(tuple(conversion.options.items()))
    match aspect.kind:
        case Kind.RAW:
            return infer_raw_type(aspect.read(state), conversion)
        case Kind.BOOL:
            return _bool(aspect.words)
        case Kind.NUMBER:
            unit = "" if conversion.same_unit and conversion.unit else aspect.unit(state) or ""
            limits = aspect.range(state) or _OPEN
            return _number(limits, unit, conversion.unit, _formula(conversion), device_class(state))
        case Kind.ENUM:
            return _enum(aspect.options(state))
        case Kind.COLOR:
            return aspect.data_type or _COLOR
        case Kind.DATE:
            return DateType()
        case Kind.LOCATION:
            return _LOCATION
        case Kind.TEXT:
            return TextType(STATE_BYTES)


def infer_raw_type(value: object, conversion: Conversion = NO_CONVERSION) -> DataType:
    """Return the data type for a value whose type neither the entity nor a thing model defines."""
    if conversion.options:
        return _mapped(tuple(conversion.options.items()))
    match value:
        case bool():
            return _bool(("off", "on"))
        case int() if INT_MIN <= value <= INT_MAX and not has_formula(conversion) and not conversion.unit:
            return IntType()
        case int() | float():
            return DoubleType(unit=conversion.unit)
        case list() | Mapping():
            return _shared_type([value])
        case _:
            return TextType(TEXT_BYTES)


def _shared_type(values: Sequence[object]) -> DataType:
    """Return the type of several values: structures and lists by their parts, numbers with decimals if one has some.

    Otherwise the first value decides.
    """
    rows = [value for value in values if isinstance(value, Mapping)]
    if rows and len(rows) == len(values) and all(row.keys() == rows[0].keys() for row in rows):
        return StructType({key: Field(key, key, _shared_type([row[key] for row in rows])) for key in rows[0]})
    lists = [value for value in values if isinstance(value, list)]
    if lists and len(lists) == len(values):
        return ArrayType(None, _shared_type([item for items in lists for item in items]))
    types = [infer_raw_type(value) for value in values] or [TextType(TEXT_BYTES)]
    numeric = all(isinstance(one, IntType | DoubleType) for one in types)
    return next((one for one in types if numeric and isinstance(one, DoubleType)), types[0])


_OPEN = Range(None, None)


def _formula(conversion: Conversion) -> tuple[float, float] | None:
    return (conversion.scale, conversion.offset) if has_formula(conversion) else None


@lru_cache(maxsize=64)
def _bool(words: tuple[str, str]) -> DataType:
    return BoolType(dict(enumerate(words)))


@lru_cache(maxsize=512)
def _enum(options: tuple[str, ...]) -> DataType:
    return EnumType(dict(enumerate(options))) if 0 < len(options) <= ENUM_ITEMS else TextType(STATE_BYTES)


@lru_cache(maxsize=512)
def _mapped(options: tuple[tuple[str, int | str], ...]) -> DataType:
    """Return the type for the right side of an explicit map: an enum if all are integers, else text."""
    items: dict[int, str] = {}
    for name, target in options:
        if not isinstance(target, int):
            return TextType(STATE_BYTES)
        items.setdefault(target, name)
    return EnumType(items)


@lru_cache(maxsize=1024)
def _number(
    limits: Range, unit: str, wanted: str, formula: tuple[float, float] | None, device_class: str | None
) -> DataType:
    """Return a number type, with a range only if both limits are known, and a step only if it is within the range.

    A formula, or the conversion from the entity's unit to the wanted one, is applied to all three.
    """
    result_unit = wanted or ("" if formula else unit)
    low, high, step = to_bound(limits.min), to_bound(limits.max), to_bound(limits.step)
    if low is None or high is None or low >= high:
        return DoubleType(unit=result_unit)
    if formula or (unit and wanted and not same(unit, wanted)):
        convert = _formula_of(*formula) if formula else converter(unit, wanted, device_class)
        if convert is None:
            return DoubleType(unit=result_unit)
        try:
            low, high, step = _converted(low, high, step, convert)
        except Refused, OverflowError:  # too large
            return DoubleType(unit=result_unit)
        if low >= high or to_bound(low) is None or to_bound(high) is None:
            return DoubleType(unit=result_unit)
    if step is None or not 0 < step <= high - low:
        return DoubleType(low, high, None, result_unit)
    whole = low.is_integer() and high.is_integer() and step.is_integer()
    if whole and low >= INT_MIN and high <= INT_MAX:
        return IntType(int(low), int(high), int(step), result_unit)
    return DoubleType(low, high, step, result_unit)


def _formula_of(scale: float, offset: float) -> Convert:
    return lambda value: value * scale + offset


def _converted(low: float, high: float, step: float | None, convert: Convert) -> tuple[float, float, float | None]:
    """Return the limits and the step after a conversion.

    If they have many decimals, as limits in °F have in °C, they are widened to multiples of a power of ten near the
    converted step, because values are rounded to the decimals of the step.
    """
    ends = sorted(noise_free(convert(end)) for end in (low, high))
    if not step:
        return ends[0], ends[1], None
    exact = noise_free((ends[1] - ends[0]) * step / (high - low))
    if exact <= 0:  # too small for a step
        return ends[0], ends[1], None
    fine = 10.0 ** floor(log10(exact))
    digit = min(1.0, fine if noise_free(exact / fine).is_integer() else fine / 10)
    if all(noise_free(number / digit).is_integer() for number in (exact, *ends)):
        return ends[0], ends[1], exact
    return noise_free(floor(ends[0] / fine) * fine), noise_free(ceil(ends[1] / fine) * fine), noise_free(fine)


def generate_identifier(aspect: Aspect, state: State, taken: Collection[str]) -> str:
    """Return a free identifier: the standard one of the aspect, else with the name of the entity appended.

    It complies with `docs/protocol.md` §8.3: at most 50 letters, digits and underscores, none of the reserved words.
    """
    standard = next(iter(aspect.identifiers_for(state)), None)
    entity = _latin_name(state)
    specific = f"{standard or aspect.key}_{entity}"
    candidates = [standard, specific] if standard else [entity, specific]
    numbered = (_shortened(specific, f"_{number}") for number in range(2, len(taken) + 3))
    return next(
        identifier
        for identifier in chain(map(_shortened, candidates), numbered)
        if identifier not in taken and identifier not in RESERVED_IDENTIFIERS
    )


def _latin_name(state: State) -> str:
    """Return the name of an entity in Latin letters: its object id, or its name if only that describes it.

    Home Assistant makes object ids from names, with pinyin for Chinese; some integrations make them from addresses.
    """
    if not _MACHINE_MADE.search(state.object_id):
        return state.object_id
    name = slugify(state.name)
    return state.object_id if name == "unknown" or _MACHINE_MADE.search(name) else name


def _shortened(text: str, ending: str = "") -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", text)[: IDENTIFIER_LENGTH - len(ending)] + ending
