"""Reading the JSON of a thing model: where one is in the document, and the data types (`docs/protocol.md` §8).

Two notations are in use. The TSL proper, which the console exports, nests a `dataType` object with `type` and `specs`. The
platform's API (`ThingModelJson`, https://help.aliyun.com/en/iot/developer-reference/data-structure-of-thingmodeljson) names
the type in capitals and puts `dataSpecs` or `dataSpecsList` beside it. Both are understood; unknown fields are ignored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import json
import re
from typing import Final

from .datatypes import (
    INT_MAX,
    INT_MIN,
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
)
from .errors import ThingModelError
from .messages import is_unicode
from .numeric import to_number, to_whole

MAX_DOCUMENT: Final = 512 * 1024
"""Bytes of the largest thing model that the platform takes (`docs/protocol.md` §14)."""

_MAX_WRAPPERS: Final = 5
MODEL_KEYS: Final = frozenset({"schema", "profile", "properties", "events", "services", "functionBlocks"})
"""Any of them makes an object a thing model."""

_WRAPPER_KEYS: Final = ("data", "Data", "ThingModelJson", "thingModelJson", "TslStr", "tslStr")

_MAX_DEPTH: Final = 4
"""Data types inside one another; the platform allows two levels of array and structure."""

_IDENTIFIER = re.compile(r"([\w-]{1,64}:)?[\w-]{1,64}")


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the document and the path to it, such as `properties[3].dataType`."""

    value: object
    path: str

    def error(self, problem: str) -> ThingModelError:
        """Return the error that says what is wrong here."""
        return ThingModelError(self.path, problem)

    def __getitem__(self, key: str) -> Node:
        """Return a member, which has the value None if it is absent; raises `ThingModelError` if this is no object."""
        if not isinstance(self.value, Mapping):
            raise self.error(f"must be an object, not {self.kind}")
        return Node(self.value.get(key), f"{self.path}.{key}" if self.path else key)

    def first(self, *keys: str) -> Node:
        """Return the first of several members that is there, or the absent first one."""
        members = [self[key] for key in keys]
        return next((member for member in members if member.value is not None), members[0])

    def elements(self) -> Iterator[Node]:
        """Yield the elements of a list; an absent list has none. Raises `ThingModelError` for anything else."""
        if self.value is None:
            return
        if not isinstance(self.value, list):
            raise self.error(f"must be a list, not {self.kind}")
        for index, element in enumerate(self.value):
            yield Node(element, f"{self.path}[{index}]")

    def text(self, default: str = "") -> str:
        """Return a text meant for people; anything else counts as absent."""
        return self.value if isinstance(self.value, str) and is_unicode(self.value) else default

    @property
    def kind(self) -> str:
        """What JSON calls the value."""
        match self.value:
            case None:
                return "nothing"
            case bool():
                return "true or false"
            case int() | float():
                return "a number"
            case str():
                return "text"
            case list():
                return "a list"
            case _:
                return "an object"


def read_document(document: object) -> Node:
    """Return the thing model in `document`: a JSON text or its content, also inside the reply that delivered it.

    Raises `ThingModelError` without a path when there is no object or list in it.
    """
    for _ in range(_MAX_WRAPPERS):
        if isinstance(document, str | bytes | bytearray):
            document = _read_json(document)
        elif isinstance(document, Mapping) and not document.keys() & MODEL_KEYS:
            key = next((key for key in _WRAPPER_KEYS if document.get(key) is not None), None)
            if key is None:
                break
            document = document[key]
        else:
            break
    node = Node(document, "")
    if not isinstance(document, Mapping | list):
        raise node.error(f"a thing model is an object, not {node.kind}")
    return node


def _read_json(text: str | bytes | bytearray) -> object:
    try:
        content = text.encode() if isinstance(text, str) else text
        decoded = content.decode("utf-8-sig")
    except UnicodeError as err:
        raise ThingModelError("", "this is not text in UTF-8") from err
    if len(content) > MAX_DOCUMENT:
        raise ThingModelError("", f"this has {len(content)} bytes; a thing model has at most {MAX_DOCUMENT}")
    try:
        return json.loads(decoded)
    except json.JSONDecodeError as err:
        raise ThingModelError("", f"this is not JSON: {err.msg} at line {err.lineno}, column {err.colno}") from err
    except RecursionError as err:
        raise ThingModelError("", "this is nested too deeply") from err
    except ValueError as err:  # Python converts at most some thousand digits
        raise ThingModelError("", "a number in this is too long") from err


def read_identifier(node: Node) -> str:
    """Return an identifier, with the module in front if it is written so; raises `ThingModelError`."""
    if node.value is None:
        raise node.error("is missing")
    if not isinstance(node.value, str) or not _IDENTIFIER.fullmatch(node.value):
        raise node.error("must be letters, digits and underscores")
    return node.value


def read_fields(parameters: Node) -> dict[str, Field]:
    """Return the parameters of an event or a service by identifier; raises `ThingModelError`."""
    return _read_fields(parameters, 0)


def read_data_type(element: Node) -> DataType:
    """Return the data type of a property or parameter; raises `ThingModelError`."""
    return _read_data_type(*_locate(element), 0)


def _read_fields(parameters: Node, depth: int) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for element in parameters.elements():
        identifier = read_identifier(element["identifier"])
        if identifier in fields:
            raise element["identifier"].error(f"{identifier!r} appears twice")
        name = element.first("name", "childName").text(identifier)
        fields[identifier] = Field(identifier, name, _read_data_type(*_locate(element), depth))
    return fields


def _locate(element: Node) -> tuple[Node, Node]:
    """Return the name of an element's type and its specs, in whichever notation they are."""
    if isinstance(element["dataType"].value, Mapping):
        return element["dataType"]["type"], element["dataType"]["specs"]
    if element["childDataType"].value is not None:
        return element["childDataType"], element.first("childSpecsDTO", "childEnumSpecsDTO")
    return element["dataType"], element.first("dataSpecs", "dataSpecsList")


def _read_data_type(name: Node, specs: Node, depth: int) -> DataType:
    if depth > _MAX_DEPTH:
        raise name.error("is nested too deeply")
    if name.value is None:
        raise name.error("is missing")
    match name.value.lower() if isinstance(name.value, str) else None:
        case "int" | "int32":
            return _read_int(_object(specs))
        case "float":
            return FloatType(*_read_range(_object(specs)))
        case "double":
            return DoubleType(*_read_range(_object(specs)))
        case "bool":
            return BoolType({key: label for key, label in _read_labels(specs).items() if key in (0, 1)})
        case "enum":
            return EnumType(_read_labels(specs))
        case "text":
            return TextType(_read_count(_object(specs)["length"]))
        case "date":
            return DateType()
        case "struct":
            return StructType(_read_fields(specs, depth + 1))
        case "array":
            return _read_array(_object(specs), depth)
    known = "int, float, double, bool, enum, text, date, struct or array"
    raise name.error(f"must be {known}, not {name.text()[:40]!r}" if name.text() else f"must be {known}")


def _object(specs: Node) -> Node:
    """Return specs as an object: what has none may be written as an empty list or not at all."""
    return Node({}, specs.path) if specs.value is None or specs.value == [] else specs


def _read_int(specs: Node) -> IntType:
    lower, upper, step, unit = _read_range(specs)
    for key, number in (("min", lower), ("max", upper), ("step", step)):
        if number is not None and not number.is_integer():
            raise specs[key].error("must be a whole number")
    return IntType(
        min=INT_MIN if lower is None else _clamp(int(lower)),
        max=INT_MAX if upper is None else _clamp(int(upper)),
        step=None if step is None else int(step),
        unit=unit,
    )


def _clamp(bound: int) -> int:
    """Return a bound as far as 32 bits reach: models of other platforms count to 4294967295."""
    return min(max(bound, INT_MIN), INT_MAX)


def _read_range(specs: Node) -> tuple[float | None, float | None, float | None, str]:
    """Return minimum, maximum, step and unit of a number."""
    lower, upper, step = (_read_number(specs[key]) for key in ("min", "max", "step"))
    if lower is not None and upper is not None and lower > upper:
        raise specs["min"].error("is greater than max")
    return lower, upper, step, specs["unit"].text()


def _read_number(node: Node) -> float | None:
    if node.value is None or node.value == "":
        return None
    number = to_number(node.value)
    if number is None:
        raise node.error("must be a number")
    return number


def _read_count(node: Node) -> int | None:
    number = _read_number(node)
    if number is None:
        return None
    if number < 0 or not number.is_integer():
        raise node.error("must be a whole number of at least 0")
    return int(number)


def _read_labels(specs: Node) -> dict[int, str]:
    """Return the labels of numbered items: an object from number to label, or a list of objects with value and name."""
    if isinstance(specs.value, list):
        items = [(element["value"].value, element["name"]) for element in specs.elements()]
    elif isinstance(members := _object(specs).value, Mapping):
        items = [(key, Node(label, specs.path)) for key, label in members.items()]
    else:
        raise specs.error(f"must be an object, not {specs.kind}")
    labels: dict[int, str] = {}
    for key, label in items:
        number = to_whole(key)
        if number is None or not INT_MIN <= number <= INT_MAX:
            raise specs.error("must number its items by integers")
        if number in labels:
            raise specs.error(f"has two items numbered {number}")
        labels[number] = label.text()
    return labels


def _read_array(specs: Node, depth: int) -> ArrayType:
    size = _read_count(specs["size"])
    if specs["childDataType"].value is not None:
        item = specs["childDataType"], specs["dataSpecsList"]
    else:
        item = specs["item"]["type"], specs["item"]["specs"]
    return ArrayType(size, _read_data_type(*item, depth + 1))
