"""The data types of a thing model, each with its form in Python and on the wire (`docs/protocol.md` §4.1 and §8.2).

    type           Python                    wire
    int            int                       integer number, 32 bits
    float, double  float                     number with a decimal: 10.0
    bool           bool                      0 or 1
    enum           int, the key of the item  integer number
    text           str                       string, measured in bytes of UTF-8
    date           datetime in UTC           string with milliseconds since 1970
    struct         dict                      object with exactly the members
    array          list                      array

`encode` turns Python into wire and is strict; `decode` turns wire into Python and accepts the variants that clouds send, such
as numbers in strings. Both check the range and raise `InvalidValue`. The step of a number is only described: neither side
enforces it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sized
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import math
from typing import ClassVar, Final, override

from ..errors import InvalidValue
from ..i18n import is_chinese, labelled, number_in_words
from ..messages import JsonValue, byte_length, is_unicode
from .numeric import plain, to_number, to_whole

type Value = bool | int | float | str | datetime | list[Value] | dict[str, Value]
"""A property value in Python."""

INT_MIN: Final = -(2**31)
INT_MAX: Final = 2**31 - 1
SINGLE_MAX: Final = (2 - 2**-23) * 2.0**127

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_FIRST_DATE: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LAST_DATE: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND

_LIKE_SECONDS: Final = range(10**9, 10**10)
"""Numbers that are taken for seconds since 1970: those of the years 2001 to 2286, and as milliseconds of the spring of 1970."""

_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}


class DataType(ABC):
    """A data type; `type` is its name in the thing model, `code` the cloud's reply to a value that does not fit."""

    __slots__ = ()

    type: ClassVar[str]
    code: ClassVar[int]

    @abstractmethod
    def encode(self, value: object, path: str = "") -> JsonValue:
        """Return the wire form of a Python value; raises `InvalidValue`, which names `path`."""

    @abstractmethod
    def decode(self, raw: object, path: str = "") -> Value:
        """Return the Python form of a wire value; raises `InvalidValue`, which names `path`."""

    @abstractmethod
    def describe(self, language: str = "en") -> str:
        """Describe the valid values, in simplified Chinese for a `language` that starts with `zh`, otherwise in English."""

    def to_tsl(self) -> dict[str, JsonValue]:
        """Return the `dataType` object of a thing model."""
        return {"type": self.type, "specs": self._specs()}

    @abstractmethod
    def _specs(self) -> JsonValue:
        """Return the `specs` of the `dataType` object."""

    def _misfit(self, path: str, got: object, *, wrong_type: bool = True) -> InvalidValue:
        return InvalidValue(path, self.describe, got, self.code, wrong_type=wrong_type)


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a structure, or a parameter of an event or a service."""

    identifier: str
    name: str
    data_type: DataType

    def to_tsl(self) -> dict[str, JsonValue]:
        """Return its object in the document of a thing model."""
        return {"identifier": self.identifier, "name": self.name, "dataType": self.data_type.to_tsl()}


class _NumericType[Number: float](DataType):
    """A type whose values are numbers; a number in a string is accepted on the wire only."""

    __slots__ = ()

    @override
    def encode(self, value: object, path: str = "") -> Number:
        if isinstance(value, str):
            raise self._misfit(path, value)
        return self.decode(value, path)

    @override
    @abstractmethod
    def decode(self, raw: object, path: str = "") -> Number: ...


@dataclass(frozen=True, slots=True)
class IntType(_NumericType[int]):
    """A whole number of 32 bits."""

    type = "int"
    code = 6306

    min: int = INT_MIN
    max: int = INT_MAX
    step: int | None = None
    unit: str = ""

    @override
    def decode(self, raw: object, path: str = "") -> int:
        number = to_whole(raw)
        if number is None or not self.min <= number <= self.max:
            raise self._misfit(path, raw, wrong_type=number is None)
        return number

    @override
    def describe(self, language: str = "en") -> str:
        lower = None if self.min == INT_MIN else self.min
        upper = None if self.max == INT_MAX else self.max
        return number_in_words(("integer", "整数"), (lower, upper), self.step, self.unit, language)

    @override
    def _specs(self) -> JsonValue:
        return _number_specs(self.min, self.max, self.step, self.unit)


@dataclass(frozen=True, slots=True)
class _RealType(_NumericType[float]):
    """A number with decimals; a bound is None when the thing model has none."""

    limit: ClassVar[float]
    names: ClassVar[tuple[str, str]]

    min: float | None = None
    max: float | None = None
    step: float | None = None
    unit: str = ""

    @override
    def decode(self, raw: object, path: str = "") -> float:
        number = to_number(raw)
        if number is None:
            raise self._misfit(path, raw)
        bounds = (-self.limit if self.min is None else self.min, self.limit if self.max is None else self.max)
        if abs(number) > self.limit or not bounds[0] <= number <= bounds[1]:
            raise self._misfit(path, raw, wrong_type=False)
        return number

    @override
    def describe(self, language: str = "en") -> str:
        return number_in_words(self.names, (self.min, self.max), self.step, self.unit, language)

    @override
    def _specs(self) -> JsonValue:
        return _number_specs(self.min, self.max, self.step, self.unit)


@dataclass(frozen=True, slots=True)
class FloatType(_RealType):
    """A number of single precision."""

    type = "float"
    code = 6307
    limit = SINGLE_MAX
    names = ("number", "浮点数")


@dataclass(frozen=True, slots=True)
class DoubleType(_RealType):
    """A number of double precision."""

    type = "double"
    code = 6322
    limit = math.inf
    names = ("double-precision number", "双精度浮点数")


@dataclass(frozen=True, slots=True)
class BoolType(DataType):
    """A boolean; `labels` are those of 0 and 1."""

    type = "bool"
    code = 6308

    labels: Mapping[int, str] = field(default_factory=dict)

    @override
    def encode(self, value: object, path: str = "") -> int:
        if isinstance(value, bool | int) and value in (0, 1):
            return int(value)
        raise self._misfit(path, value)

    @override
    def decode(self, raw: object, path: str = "") -> bool:
        if isinstance(raw, bool | int | float) and raw in (0, 1):
            return bool(raw)
        if isinstance(raw, str) and (truth := _TRUTHS.get(raw.lower())) is not None:
            return truth
        raise self._misfit(path, raw)

    @override
    def describe(self, language: str = "en") -> str:
        no, yes = (labelled(key, self.labels.get(key, ""), language) for key in (0, 1))
        return f"布尔值：{no}、{yes}" if is_chinese(language) else f"{no} or {yes}"

    @override
    def _specs(self) -> JsonValue:
        return {str(key): label for key, label in self.labels.items()}


@dataclass(frozen=True, slots=True)
class EnumType(_NumericType[int]):
    """The key of one of `items`, whose values are labels; without items any key is valid."""

    type = "enum"
    code = 6309

    items: Mapping[int, str] = field(default_factory=dict)

    @override
    def decode(self, raw: object, path: str = "") -> int:
        key = to_whole(raw)
        if key is None or not INT_MIN <= key <= INT_MAX or (self.items and key not in self.items):
            raise self._misfit(path, raw, wrong_type=key is None)
        return key

    @override
    def describe(self, language: str = "en") -> str:
        items = [labelled(key, label, language) for key, label in self.items.items()]
        if is_chinese(language):
            return f"以下之一：{'、'.join(items)}" if items else "枚举项的整数编号"
        return f"one of {', '.join(items)}" if items else "integer key of an item"

    @override
    def _specs(self) -> JsonValue:
        return {str(key): label for key, label in self.items.items()}


@dataclass(frozen=True, slots=True)
class TextType(DataType):
    """Text of at most `length` bytes in UTF-8; None for no limit."""

    type = "text"
    code = 6310

    length: int | None = None

    @override
    def encode(self, value: object, path: str = "") -> str:
        if not isinstance(value, str) or not is_unicode(value):
            raise self._misfit(path, value)
        if self.length is not None and byte_length(value) > self.length:
            raise self._misfit(path, value, wrong_type=False)
        return value

    @override
    def decode(self, raw: object, path: str = "") -> str:
        return self.encode(raw, path)

    @override
    def describe(self, language: str = "en") -> str:
        if is_chinese(language):
            return "文本" if self.length is None else f"文本，最多 {self.length} 字节"
        return "text" if self.length is None else f"text of at most {self.length} bytes"

    @override
    def _specs(self) -> JsonValue:
        return {} if self.length is None else {"length": str(self.length)}


@dataclass(frozen=True, slots=True)
class DateType(DataType):
    """A point in time, exact to the millisecond; `encode` also takes milliseconds since 1970.

    A number that looks like seconds is refused: it would silently become a day in 1970.
    """

    type = "date"
    code = 6311

    @override
    def encode(self, value: object, path: str = "") -> str:
        if isinstance(value, datetime) and value.tzinfo is not None:
            return str((value - _EPOCH) // _MILLISECOND)
        if isinstance(value, str):
            raise self._misfit(path, value)
        return str(self._milliseconds(value, path))

    @override
    def decode(self, raw: object, path: str = "") -> datetime:
        return _EPOCH + self._milliseconds(raw, path) * _MILLISECOND

    def _milliseconds(self, raw: object, path: str) -> int:
        number = to_whole(raw)
        if number is None or number in _LIKE_SECONDS or not _FIRST_DATE <= number <= _LAST_DATE:
            raise self._misfit(path, raw, wrong_type=number is None)
        return number

    @override
    def describe(self, language: str = "en") -> str:
        return "时间（UTC 毫秒数，13 位）" if is_chinese(language) else "time in UTC milliseconds (13 digits)"

    @override
    def _specs(self) -> JsonValue:
        return {}


@dataclass(frozen=True, slots=True)
class StructType(DataType):
    """A structure, with all of its members and no others."""

    type = "struct"
    code = 6312

    members: Mapping[str, Field]

    @override
    def encode(self, value: object, path: str = "") -> dict[str, JsonValue]:
        if not isinstance(value, Mapping) or value.keys() != self.members.keys():
            raise self._misfit(path, value)
        return {key: member.data_type.encode(value[key], _below(path, key)) for key, member in self.members.items()}

    @override
    def decode(self, raw: object, path: str = "") -> dict[str, Value]:
        if not isinstance(raw, dict) or raw.keys() != self.members.keys():
            raise self._misfit(path, raw)
        return {key: member.data_type.decode(raw[key], _below(path, key)) for key, member in self.members.items()}

    @override
    def describe(self, language: str = "en") -> str:
        members = [labelled(key, member.data_type.describe(language), language) for key, member in self.members.items()]
        if is_chinese(language):
            return f"结构体：{'、'.join(members)}"
        return f"structure of {', '.join(members)}"

    @override
    def _specs(self) -> JsonValue:
        return [member.to_tsl() for member in self.members.values()]


@dataclass(frozen=True, slots=True)
class ArrayType(DataType):
    """At most `size` elements of one type; None for no limit."""

    type = "array"
    code = 6324

    size: int | None
    item: DataType

    @override
    def encode(self, value: object, path: str = "") -> list[JsonValue]:
        if not isinstance(value, list | tuple):
            raise self._misfit(path, value)
        self._check_size(value, path)
        return [self.item.encode(element, f"{path}[{index}]") for index, element in enumerate(value)]

    @override
    def decode(self, raw: object, path: str = "") -> list[Value]:
        if not isinstance(raw, list):
            raise self._misfit(path, raw)
        self._check_size(raw, path)
        return [self.item.decode(element, f"{path}[{index}]") for index, element in enumerate(raw)]

    def _check_size(self, elements: Sized, path: str) -> None:
        if self.size is not None and len(elements) > self.size:
            raise self._misfit(path, elements, wrong_type=False)

    @override
    def describe(self, language: str = "en") -> str:
        item = self.item.describe(language)
        if is_chinese(language):
            return f"数组：{item}" if self.size is None else f"数组，最多 {self.size} 个元素：{item}"
        return f"list of: {item}" if self.size is None else f"list of at most {self.size}: {item}"

    @override
    def _specs(self) -> JsonValue:
        size: dict[str, JsonValue] = {} if self.size is None else {"size": str(self.size)}
        return {**size, "item": self.item.to_tsl()}


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _number_specs(lower: float | None, upper: float | None, step: float | None, unit: str) -> dict[str, JsonValue]:
    numbers = {"min": lower, "max": upper, "step": step}
    specs: dict[str, JsonValue] = {key: plain(number) for key, number in numbers.items() if number is not None}
    return {**specs, "unit": unit} if unit else specs
