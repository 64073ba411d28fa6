"""Readers for the JSON of a thing model: nodes with their path, and data types (`docs/protocol.md` §8).

There are two notations. The TSL, which the console exports, nests a `dataType` object with `type` and `specs`. The platform's
API (`ThingModelJson`, https://help.aliyun.com/en/iot/developer-reference/data-structure-of-thingmodeljson) writes the type in
capitals, with `dataSpecs` or `dataSpecsList` beside it, also inside structures and arrays. Both are read, whatever the case
of their keys and wherever an object or a list is written as JSON text; unknown fields are ignored.
"""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import json
import re
from typing import Final

from ..errors import ThingModelError
from ..i18n import Words
from ..messages import is_unicode
from . import faults
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
from .numeric import to_bound, to_number, to_whole

MAX_DOCUMENT: Final = 512 * 1024
"""Bytes of the largest thing model that the platform accepts (`docs/protocol.md` §14)."""

_MAX_WRAPPERS: Final = 8
_MODEL_KEYS: Final = frozenset({"schema", "profile", "properties", "events", "services", "functionblocks"})
"""An object with any of them, in any case, is a thing model."""

_WRAPPER_KEYS: Final = ("data", "thingmodeljson", "thingmodel", "tslstr", "tsl", "result", "body")
"""The members of replies that contain a thing model, in lower case."""

_MAX_DEPTH: Final = 4
"""Nested data types; the platform allows two levels of arrays and structures."""

_KNOWN_TYPES: Final[Words] = (
    "int, float, double, bool, enum, text, date, struct or array",
    "int、float、double、bool、enum、text、date、struct、array",
)
_TRUTHS: Final[Mapping[object, int]] = {False: 0, True: 1, "false": 0, "true": 1}
_NO_UNIT: Final = frozenset({"", "无", "无单位", "none", "null", "n/a", "-", "--", "/", "1"})

_IDENTIFIER = re.compile(r"([\w-]{1,64}:)?[\w-]{1,64}")


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the document and the path to it, such as `properties[3].dataType`."""

    value: object
    path: str

    def error(self, fault: Words, **details: object) -> ThingModelError:
        """Return the error for this place: one of `faults`, with the details for its braces."""
        return ThingModelError(self.path, fault, **details)

    def __getitem__(self, key: str) -> Node:
        """Return a member, with the value None if it is absent; raises `ThingModelError` if this is not an object.

        A key in another case, such as `outputdata`, is found as well.
        """
        members = self.unpacked()
        if not isinstance(members, Mapping):
            raise self.error(faults.NOT_AN_OBJECT, kind=self.kind)
        value = members.get(key)
        if value is None:
            key, value = _in_any_case(members, key)
        return Node(value, f"{self.path}.{key}" if self.path else key)

    def first(self, *keys: str) -> Node:
        """Return the first of these members that has content; if none has, the first of them."""
        members = [self[key] for key in keys]
        return next((member for member in members if member.has_content()), members[0])

    def has_content(self) -> bool:
        """Return whether this is neither absent nor empty.

        A `$ref` of Fastjson has none: it stands for an object that is written out beside it.
        """
        value = self.unpacked()
        return value not in (None, "", [], {}) and not (isinstance(value, Mapping) and "$ref" in value)

    def unpacked(self) -> object:
        """Return the value, or the object or list that it contains as JSON text."""
        if isinstance(self.value, str) and self.value.lstrip()[:1] in ("{", "["):
            try:
                return _read_json(self.value)
            except ThingModelError:
                return self.value
        return self.value

    def elements(self) -> Iterator[Node]:
        """Yield the elements of a list; nothing if it is absent, or `{}` or an empty text, which some programs write.

        Raises `ThingModelError` for anything else.
        """
        elements = self.unpacked()
        if elements in (None, {}, ""):
            return
        if not isinstance(elements, list):
            raise self.error(faults.NOT_A_LIST, kind=self.kind)
        for index, element in enumerate(elements):
            yield Node(element, f"{self.path}[{index}]")

    def text(self, default: str = "") -> str:
        """Return a text; anything else counts as absent."""
        return self.value if isinstance(self.value, str) and is_unicode(self.value) else default

    def name_of(self, identifier: str) -> str:
        """Return a name, the identifier if there is none."""
        return name if (name := self.text()).strip() else identifier

    @property
    def kind(self) -> Words:
        """The kind of the value, such as "a list"."""
        match self.value:
            case None:
                return faults.NOTHING
            case bool():
                return faults.TRUE_OR_FALSE
            case int() | float():
                return faults.A_NUMBER
            case str():
                return faults.TEXT
            case list():
                return faults.A_LIST
            case _:
                return faults.AN_OBJECT


def _in_any_case(members: Mapping[str, object], key: str) -> tuple[str, object]:
    """Return the key as it is written in some other case, and its value; None if it is absent."""
    wanted = key.lower()
    return next(
        ((name, value) for name, value in members.items() if value is not None and name.lower() == wanted), (key, None)
    )


def read_document(document: object) -> Node:
    """Return the thing model in `document`, a JSON text or its content, which may be inside a reply of the cloud.

    Raises `ThingModelError` without a path when there is no object or list in it.
    """
    for _ in range(_MAX_WRAPPERS):
        if isinstance(document, str | bytes | bytearray):
            document = _read_json(document)
        elif isinstance(document, Mapping) and not is_model(document):
            inner = _wrapped(document)
            if inner is None:
                break
            document = inner
        else:
            break
    node = Node(document, "")
    if not isinstance(document, Mapping | list):
        raise node.error(faults.NO_DOCUMENT, kind=node.kind)
    return node


def is_model(document: Mapping[str, object]) -> bool:
    """Return whether an object has any part of a thing model."""
    return any(value is not None and key.lower() in _MODEL_KEYS for key, value in document.items())


def _wrapped(reply: Mapping[str, object]) -> object:
    """Return what a reply contains: under one of the known keys, else the only object or list in it, else None."""
    members = {key.lower(): value for key, value in reply.items() if value is not None}
    for key in _WRAPPER_KEYS:
        if key in members:
            return members[key]
    inner = [value for value in members.values() if isinstance(Node(value, "").unpacked(), Mapping | list)]
    return inner[0] if len(inner) == 1 else None


def _read_json(text: str | bytes | bytearray) -> object:
    try:
        content = text.encode() if isinstance(text, str) else bytes(text)
        # Editors on Windows may save UTF-16, which begins with a byte order mark.
        encoding = "utf-16" if content[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"
        decoded = content.decode(encoding)
    except UnicodeError as err:
        raise ThingModelError("", faults.NOT_UTF8) from err
    if len(content) > MAX_DOCUMENT:
        raise ThingModelError("", faults.TOO_LONG, size=len(content), limit=MAX_DOCUMENT)
    try:
        return json.loads(decoded)
    except json.JSONDecodeError as err:
        raise ThingModelError("", faults.NOT_JSON, reason=err.msg, line=err.lineno, column=err.colno) from err
    except RecursionError as err:
        raise ThingModelError("", faults.TOO_DEEP) from err
    except ValueError as err:  # Python converts at most some thousand digits
        raise ThingModelError("", faults.LONG_NUMBER) from err


def read_identifier(node: Node) -> str:
    """Return an identifier, which may have a module prefix; raises `ThingModelError`."""
    if node.value is None:
        raise node.error(faults.MISSING)
    if not isinstance(node.value, str) or not _IDENTIFIER.fullmatch(node.value):
        raise node.error(faults.NO_IDENTIFIER)
    return node.value


def read_fields(parameters: Node) -> dict[str, Field]:
    """Return the parameters of an event or a service by identifier; raises `ThingModelError`."""
    return _read_fields(parameters, 0)


def read_data_type(element: Node) -> DataType:
    """Return the data type of a property or parameter; raises `ThingModelError`."""
    return _read_data_type(*_locate(element, "dataType"), 0)


def _read_fields(parameters: Node, depth: int) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    for element in parameters.elements():
        identifier = read_identifier(element["identifier"])
        if identifier in fields:
            raise element["identifier"].error(faults.TWICE, identifier=identifier)
        # In a ThingModelJson, `name` may be that of the structure.
        name = element.first("childName", "name").name_of(identifier)
        fields[identifier] = Field(identifier, name, _read_data_type(*_locate(element, "dataType"), depth))
    return fields


def _locate(element: Node, *keys: str) -> tuple[Node, Node]:
    """Return the name of an element's type, under one of the keys, and its specs, from either notation.

    In a ThingModelJson, a member of a structure and an array have the type of the structure or array in `dataType`, and
    that of the member or of the items in `childDataType`.
    """
    own = element["childDataType"]
    data_type = own if own.has_content() else element.first(*keys)
    if isinstance(data_type.unpacked(), Mapping):
        element, data_type = data_type, data_type.first("type", "dataType")
    return data_type, element.first("specs", "childSpecsDTO", "childEnumSpecsDTO", "dataSpecs", "dataSpecsList")


def _read_data_type(name: Node, specs: Node, depth: int) -> DataType:
    if depth > _MAX_DEPTH:
        raise name.error(faults.NESTED)
    if name.value is None:
        raise name.error(faults.MISSING)
    match name.value.strip().lower() if isinstance(name.value, str) else None:
        case "int" | "int32":
            return _read_int(_object(specs))
        case "float":
            return FloatType(*_read_range(_object(specs)))
        case "double":
            return DoubleType(*_read_range(_object(specs)))
        case "bool":
            return _read_bool(specs)
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
    found = name.text()[:40]
    raise name.error(faults.UNKNOWN_TYPE if found else faults.NO_TYPE, known=_KNOWN_TYPES, found=found)


def _object(specs: Node) -> Node:
    """Return specs as an object; empty ones may be absent, or written as an empty list or text."""
    return Node({}, specs.path) if specs.unpacked() in (None, [], "") else specs


def _read_int(specs: Node) -> IntType:
    lower, upper, step, unit = _read_range(specs)
    for key, number in (("min", lower), ("max", upper), ("step", step)):
        if number is not None and not number.is_integer():
            raise specs[key].error(faults.NOT_WHOLE)
    return IntType(
        min=INT_MIN if lower is None else _clamp(int(lower)),
        max=INT_MAX if upper is None else _clamp(int(upper)),
        step=None if step is None else int(step),
        unit=unit,
    )


def _clamp(bound: int) -> int:
    """Return a bound within 32 bits; models of other platforms have bounds such as 4294967295."""
    return min(max(bound, INT_MIN), INT_MAX)


def _read_range(specs: Node) -> tuple[float | None, float | None, float | None, str]:
    """Return minimum, maximum, step and unit of a number; a step of 0 or less is ignored."""
    lower, upper, step = (to_bound(_read_number(specs[key])) for key in ("min", "max", "step"))
    if lower is not None and upper is not None and lower > upper:
        raise specs["min"].error(faults.ABOVE_MAX)
    return lower, upper, step if step and step > 0 else None, _read_unit(specs)


def _read_unit(specs: Node) -> str:
    """Return the symbol of a unit, or its name where the document has no symbol."""
    written = (specs[key].text().strip() for key in ("unit", "unitName"))
    return next((unit for unit in written if unit.lower() not in _NO_UNIT), "")


def _read_number(node: Node) -> float | None:
    written = node.value.strip() if isinstance(node.value, str) else node.value
    if written is None or written == "":
        return None
    number = to_number(written)
    if number is None:
        raise node.error(faults.NOT_A_NUMBER)
    return number


def _read_count(node: Node) -> int | None:
    number = _read_number(node)
    if number is None:
        return None
    if number < 0 or not number.is_integer():
        raise node.error(faults.NO_COUNT)
    return int(number)


def _read_bool(specs: Node) -> BoolType:
    """Return a boolean with the labels of 0 and 1; other items of the specs are ignored."""
    labels: dict[int, str] = {}
    for key, label in _label_items(specs):
        written = key.value.lower() if isinstance(key.value, str) else key.value
        truth = _TRUTHS[written] if isinstance(written, bool | str) and written in _TRUTHS else to_whole(written)
        if truth in (0, 1):
            labels[truth] = label.text()
    return BoolType(labels)


def _read_labels(specs: Node) -> dict[int, str]:
    """Return the labels of the items of an enumeration by their keys."""
    labels: dict[int, str] = {}
    for key, label in _label_items(specs):
        number = to_whole(key.value.strip() if isinstance(key.value, str) else key.value)
        if number is None or not INT_MIN <= number <= INT_MAX:
            raise key.error(faults.NO_ITEM_NUMBER)
        if number in labels:
            raise specs.error(faults.ITEM_TWICE, number=number)
        labels[number] = label.text()
    return labels


def _label_items(specs: Node) -> Iterator[tuple[Node, Node]]:
    """Yield the key and the label of each item.

    Specs are an object of labels by key, a list of objects with value and name, or a list of labels whose keys count from 0.
    """
    if isinstance(specs.unpacked(), list):
        for index, element in enumerate(specs.elements()):
            if isinstance(element.value, str):
                yield Node(index, element.path), element
            else:
                yield element["value"], element.first("name", "label", "desc")
        return
    members = _object(specs)
    labels = members.unpacked()
    if not isinstance(labels, Mapping):
        raise specs.error(faults.NOT_AN_OBJECT, kind=specs.kind)
    for key in labels:
        label = members[key]
        yield Node(key, label.path), label


def _read_array(specs: Node, depth: int) -> ArrayType:
    size = _read_count(specs["size"])
    item = specs["item"]
    if isinstance(item.unpacked(), Mapping):
        located = _locate(item, "type", "dataType")
    elif item.value is not None:
        located = item, Node(None, item.path)
    elif specs["childDataType"].has_content():
        located = _locate(specs, "childDataType")
    else:
        raise item.error(faults.MISSING)
    return ArrayType(size, _read_data_type(*located, depth + 1))
