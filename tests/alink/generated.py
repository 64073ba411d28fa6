"""Strategies for JSON, data types, their values, and whole thing models."""

from datetime import UTC, datetime, timedelta
import string
from typing import Any

from hypothesis import strategies as st

from custom_components.aliyun_iot.alink.model.datatypes import (
    INT_MAX,
    INT_MIN,
    SINGLE_MAX,
    ArrayType,
    BoolType,
    DataType,
    DateType,
    DoubleType,
    EnumType,
    Field,
    FloatType,
    IntType,
    StructType,
    TextType,
    Value,
)
from custom_components.aliyun_iot.alink.model.numeric import to_bound
from custom_components.aliyun_iot.alink.model.thing_model import Event, EventType, Property, Service, ThingModel

INTEGERS = st.integers(-(2**63) + 1, 2**63 - 1)
JSON_SCALARS = st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON_VALUES = st.recursive(
    JSON_SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

MODEL_KEYS = st.sampled_from(
    ["profile", "properties", "events", "services", "functionBlocks", "data", "identifier", "dataType", "type", "specs"]
)
LIKE_A_MODEL = st.recursive(
    JSON_VALUES | st.sampled_from(["A", "int", "struct", "array", "enum"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MODEL_KEYS, inner, max_size=4),
    max_leaves=12,
)

INTEGERS = st.integers(INT_MIN, INT_MAX)
LABELS = st.text(max_size=8)
NAMES = st.text(min_size=1, max_size=8).filter(str.strip)
UNITS = st.sampled_from(["", "%", "°C", "kWh"])
GENERATED = {"set", "get", "post"}
IDENTIFIERS = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=8).filter(
    lambda identifier: identifier not in GENERATED
)
MODULES = st.sampled_from(["", "", "light", "Meter_1"])


@st.composite
def _int_types(draw: st.DrawFn) -> IntType:
    low, high = sorted((draw(INTEGERS), draw(INTEGERS)))
    return IntType(low, high, draw(st.none() | st.integers(1, 100)), draw(UNITS))


@st.composite
def _real_types[Real: (FloatType, DoubleType)](draw: st.DrawFn, real: type[Real], limit: float) -> Real:
    numbers = st.floats(-limit, limit).filter(lambda number: to_bound(number) is not None)
    low, high = sorted((draw(numbers), draw(numbers)))
    return real(
        draw(st.sampled_from([low, None])),
        draw(st.sampled_from([high, None])),
        draw(st.none() | st.floats(0.001, 10)),
        draw(UNITS),
    )


SCALAR_TYPES: st.SearchStrategy[DataType] = st.one_of(
    _int_types(),
    _real_types(FloatType, SINGLE_MAX),
    _real_types(DoubleType, 1e300),
    st.dictionaries(st.sampled_from([0, 1]), LABELS).map(BoolType),
    st.dictionaries(INTEGERS, LABELS, max_size=5).map(EnumType),
    (st.none() | st.integers(0, 20)).map(TextType),
    st.just(DateType()),
)


def _fields(data_types: st.SearchStrategy[DataType], max_size: int = 4) -> st.SearchStrategy[dict[str, Field]]:
    return st.dictionaries(IDENTIFIERS, st.tuples(NAMES, data_types), max_size=max_size).map(
        lambda drawn: {key: Field(key, name, data_type) for key, (name, data_type) in drawn.items()}
    )


STRUCT_TYPES = _fields(SCALAR_TYPES).map(StructType)
DATA_TYPES: st.SearchStrategy[DataType] = st.one_of(
    SCALAR_TYPES,
    STRUCT_TYPES,
    st.builds(ArrayType, st.none() | st.integers(0, 5), SCALAR_TYPES | STRUCT_TYPES),
)


def values_of(data_type: DataType) -> st.SearchStrategy[Value]:
    """Return a strategy for the Python values that fit a data type."""
    match data_type:
        case IntType():
            return st.integers(data_type.min, data_type.max)
        case FloatType() | DoubleType():
            limit = SINGLE_MAX if isinstance(data_type, FloatType) else 1e300
            return st.floats(
                -limit if data_type.min is None else data_type.min, limit if data_type.max is None else data_type.max
            )
        case BoolType():
            return st.booleans()
        case EnumType():
            return st.sampled_from(sorted(data_type.items)) if data_type.items else INTEGERS
        case TextType():
            length = 40 if data_type.length is None else data_type.length
            return st.text(max_size=10).map(lambda text: text.encode()[:length].decode(errors="ignore"))
        case DateType():
            # Numbers that look like seconds can be written, but are not read.
            milliseconds = st.integers(-(10**12), 10**9 - 1) | st.integers(10**10, 10**14)
            return milliseconds.map(lambda number: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number))
        case StructType():
            return st.fixed_dictionaries({key: values_of(part.data_type) for key, part in data_type.members.items()})
        case ArrayType():
            return st.lists(values_of(data_type.item), max_size=3 if data_type.size is None else data_type.size)
    raise NotImplementedError(data_type)


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[DataType, Value]:
    """Draw a data type and a value that fits it."""
    data_type = draw(DATA_TYPES)
    return data_type, draw(values_of(data_type))


@st.composite
def _full_identifiers(draw: st.DrawFn) -> str:
    module, identifier = draw(MODULES), draw(IDENTIFIERS)
    return f"{module}:{identifier}" if module else identifier


@st.composite
def thing_models(draw: st.DrawFn) -> ThingModel:
    """Draw a thing model, parts of which may be in custom modules."""
    identifiers = st.lists(_full_identifiers(), unique=True, max_size=3)
    access = st.sampled_from([(False, True), (True, True), (True, False)])
    properties = {
        key: Property(key, draw(NAMES), *draw(access), draw(st.booleans()), draw(DATA_TYPES), draw(LABELS))
        for key in draw(identifiers)
    }
    events = {
        key: Event(key, draw(NAMES), draw(st.sampled_from(EventType)), draw(_fields(DATA_TYPES, 2)))
        for key in draw(identifiers)
    }
    services = {
        key: Service(
            key, draw(NAMES), draw(st.booleans()), draw(_fields(SCALAR_TYPES, 2)), draw(_fields(SCALAR_TYPES, 2))
        )
        for key in draw(identifiers)
    }
    return ThingModel(draw(st.sampled_from([None, "a1HomeGw001"])), properties, events, services)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Return every container of a document, with each of its keys or indices."""
    keys = list(node) if isinstance(node, dict) else list(range(len(node))) if isinstance(node, list) else []
    return [(node, key) for key in keys] + [place for key in keys for place in places(node[key])]
