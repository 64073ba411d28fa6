"""The platform's check of values against a thing model (docs/protocol.md §4.1, §7, §8).

It follows the documentation and is strict, so that a device that passes here also passes on the platform: `true` instead of
1, and a struct without one of its members are refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from .jsontext import JsonValue

type Spec = Mapping[str, JsonValue]
"""A `dataType` of the TSL document: {"type": …, "specs": …}."""

PARAMS_NOT_EXIST = 6304
PROPERTY_NOT_EXIST = 6320
ARRAY_EXPECTED = 6328
TYPE_CODES = {
    "int": 6306,
    "float": 6307,
    "bool": 6308,
    "enum": 6309,
    "text": 6310,
    "date": 6311,
    "struct": 6312,
    "double": 6322,
    "array": 6324,
}
INT_RANGE = range(-(2**31), 2**31)


class ThingModelError(ValueError):
    """The TSL document cannot be used."""


class BadValueError(Exception):
    """A value does not fit. The text is worded as the platform's, `code` is from docs/protocol.md §7.2."""

    def __init__(self, code: int, problem: str, path: str) -> None:
        """`path` is the place of the problem, such as `RGBColor.Red` or `ZoneLevels[3]`."""
        super().__init__(f"tsl parse: {problem} -> {path}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Property:
    """A property of the thing model."""

    identifier: str
    name: str
    writable: bool
    data_type: Spec


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the thing model; `kind` is info, alert or error, `output` has the data types of its output."""

    identifier: str
    name: str
    kind: str
    output: Mapping[str, Spec]


@dataclass(frozen=True, slots=True)
class Service:
    """A service of the thing model; the caller of a `sync` service waits for the answer."""

    identifier: str
    name: str
    sync: bool


@dataclass(frozen=True, slots=True)
class ThingModel:
    """A TSL document. Identifiers of members of custom modules have the prefix `module:` (§4.2)."""

    document: JsonValue
    properties: Mapping[str, Property]
    events: Mapping[str, Event]
    services: Mapping[str, Service]
    strict_values: bool = False
    """Whether a float must have a decimal point: 21.0, not 21. Whether the platform insists is not known (§19)."""

    @classmethod
    def parse(cls, document: JsonValue, *, strict_values: bool = False) -> ThingModel:
        """Read a TSL document or a list of module documents; raise ThingModelError."""
        properties: dict[str, Property] = {}
        events: dict[str, Event] = {}
        services: dict[str, Service] = {}
        for module in document if isinstance(document, list) else [document]:
            if not isinstance(module, dict):
                raise ThingModelError("a thing model must be a JSON object")
            prefix = f"{module['functionBlockId']}:" if module.get("functionBlockId") else ""
            for entry in _members(module, "properties"):
                name = prefix + _text(entry, "identifier")
                writable = "w" in _text(entry, "accessMode", "r")
                properties[name] = Property(name, _text(entry, "name", name), writable, _data_type(entry))
            for entry in _members(module, "events"):
                name = prefix + _text(entry, "identifier")
                output = {_text(field, "identifier"): _data_type(field) for field in _members(entry, "outputData")}
                events[name] = Event(name, _text(entry, "name", name), _text(entry, "type", "info"), output)
            for entry in _members(module, "services"):
                name = prefix + _text(entry, "identifier")
                services[name] = Service(name, _text(entry, "name", name), entry.get("callType") == "sync")
        return cls(document, properties, events, services, strict_values)

    def check_property(self, identifier: str, value: JsonValue) -> None:
        """Raise BadValueError unless the property exists and the value fits it."""
        if (known := self.properties.get(identifier)) is None:
            raise BadValueError(PROPERTY_NOT_EXIST, "params not exist", identifier)
        check_value(known.data_type, value, identifier, strict=self.strict_values)

    def check_output(self, event: Event, output: Mapping[str, JsonValue]) -> None:
        """Raise BadValueError unless every output parameter of an event exists and fits."""
        for identifier, value in output.items():
            if (data_type := event.output.get(identifier)) is None:
                raise BadValueError(PARAMS_NOT_EXIST, "params not exist", identifier)
            check_value(data_type, value, identifier, strict=self.strict_values)


def _members(owner: Mapping[str, JsonValue], key: str) -> Iterable[dict[str, JsonValue]]:
    members = owner.get(key) or []
    if not isinstance(members, list):
        raise ThingModelError(f"{key} must be a list")
    # The generated service `get` has identifiers where others have objects; they are not needed here.
    return [member for member in members if isinstance(member, dict)]


def _text(entry: Mapping[str, JsonValue], key: str, default: str | None = None) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str):
        raise ThingModelError(f"{key} of a member is missing or not a text")
    return value


def _data_type(entry: Mapping[str, JsonValue]) -> Spec:
    data_type = entry.get("dataType")
    if not isinstance(data_type, dict) or data_type.get("type") not in TYPE_CODES:
        raise ThingModelError(f"{_text(entry, 'identifier')} has no known data type")
    return data_type


def check_value(data_type: Spec, value: JsonValue, path: str, *, strict: bool = True) -> None:
    """Raise BadValueError unless the value fits the data type (§8.2); `strict` is that of ThingModel.strict_values."""
    kind = cast("str", data_type["type"])
    specs = data_type.get("specs")
    code = TYPE_CODES[kind]
    match kind, value:
        case _, bool() | None:
            raise BadValueError(code, f"data type is not {kind}", path)
        case "int", int():
            if value not in INT_RANGE:
                raise BadValueError(code, "data type is not int", path)
            _check_range(code, specs, value, path)
        case "float" | "double", float():
            _check_range(code, specs, value, path)
        case "float" | "double", int() if not strict:
            _check_range(code, specs, value, path)
        case "bool", int():
            if value not in (0, 1):
                raise BadValueError(code, f"{code} bool value is not 0 or 1", path)
        case "enum", int():
            if isinstance(specs, dict) and specs and str(value) not in specs:
                raise BadValueError(code, f"{code} enum value {value} is not in the enumeration", path)
        case "text", str():
            length = _number(specs, "length")
            # A Chinese character has three bytes (§8.2).
            if length is not None and len(value.encode(errors="surrogatepass")) > length:
                raise BadValueError(code, f"{code} text is longer than {length:g} bytes", path)
        case "date", str():
            if not value.isascii() or not value.isdigit():
                raise BadValueError(code, "data type is not date", path)
        case "struct", dict():
            _check_struct(code, specs, value, path, strict=strict)
        case "array", list():
            _check_array(code, specs, value, path, strict=strict)
        case "array", _:
            raise BadValueError(ARRAY_EXPECTED, "data type is not array", path)
        case _:
            raise BadValueError(code, f"data type is not {kind}", path)


def _check_range(code: int, specs: JsonValue, value: float, path: str) -> None:
    low, high = _bound(specs, "min"), _bound(specs, "max")
    if (low is not None and value < low) or (high is not None and value > high):
        limits = " to ".join("" if limit is None else f"{limit:g}" for limit in (low, high))
        raise BadValueError(code, f"{code} value is not in the range {limits}", path)


def _check_struct(code: int, specs: JsonValue, value: Mapping[str, JsonValue], path: str, *, strict: bool) -> None:
    listed = specs if isinstance(specs, list) else []
    members = {_text(member, "identifier"): member for member in listed if isinstance(member, dict)}
    for identifier in value:
        if identifier not in members:
            raise BadValueError(code, "params not exist", f"{path}.{identifier}")
    for identifier, member in members.items():
        if identifier not in value:
            raise BadValueError(code, f"{code} struct member is missing", f"{path}.{identifier}")
        check_value(_data_type(member), value[identifier], f"{path}.{identifier}", strict=strict)


def _check_array(code: int, specs: JsonValue, value: list[JsonValue], path: str, *, strict: bool) -> None:
    size = _number(specs, "size")
    if size is not None and len(value) > size:
        raise BadValueError(code, f"{code} array has more than {size:g} elements", path)
    item = specs.get("item") if isinstance(specs, dict) else None
    if isinstance(item, dict) and item.get("type") in TYPE_CODES:
        for index, element in enumerate(value):
            check_value(item, element, f"{path}[{index}]", strict=strict)


def _bound(specs: JsonValue, key: str) -> float | None:
    """Return a minimum or maximum; those of the types float and double themselves, such as 4.9E-324, are none."""
    bound = _number(specs, key)
    return bound if bound is not None and (bound == 0 or 1.2e-38 < abs(bound) < 3.4e38) else None


def _number(specs: JsonValue, key: str) -> float | None:
    """Return a limit, or None if there is none; the TSL writes numbers as strings."""
    try:
        return float(cast("str", specs.get(key))) if isinstance(specs, dict) else None
    except TypeError, ValueError:
        return None
