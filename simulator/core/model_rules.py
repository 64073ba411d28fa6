"""The console's rules for a thing model (docs/protocol.md §8, §14).

`ThingModel.parse` takes every document that it can read, as a device does. The console, where products are edited, is stricter:
it refuses names, labels, ranges and sizes that break the rules. `check` refuses the same.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import re

from .jsontext import JsonValue, dump
from .thing_model import ThingModelError

FILE_BYTES = 512 * 1024
SIGNIFICANT_CHARACTERS = 256 * 1024
FEATURES = 300
PARAMETERS = 100
STRUCT_MEMBERS = 50
ENUM_ITEMS = 100
TEXT_BYTES = 10240
ARRAY_ELEMENTS = 512
DESCRIPTION = 100
SHOWN = 3
"""Number of violations that an error lists."""

RESERVED = frozenset({"set", "get", "post", "property", "event", "time", "value"})
GENERATED = {"properties": frozenset[str](), "events": frozenset({"post"}), "services": frozenset({"set", "get"})}
SIMPLE_TYPES = frozenset({"int", "float", "double", "bool", "enum", "text", "date"})
ITEM_TYPES = frozenset({"int", "float", "double", "text", "struct"})
PROPERTY_TYPES = SIMPLE_TYPES | {"struct", "array"}

IDENTIFIER = re.compile(r"[A-Za-z0-9_]{1,50}")
MODULE = re.compile(r"[A-Za-z0-9_]{1,30}")
MODULE_NAME = re.compile(r"[A-Za-z0-9\u3040-\u30ff\u4e00-\u9fff_]{4,30}")
NAME = re.compile(r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_.-]{0,29}")
LABEL = re.compile(r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_-]{0,19}")
INTEGER = re.compile(r"0|-?[1-9][0-9]{0,9}")
DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
INT_RANGE = range(-(2**31), 2**31)


@dataclass(frozen=True, slots=True)
class Violation:
    """A place in the document, such as `properties[3].dataType.specs.2`, and which rule it breaks."""

    path: str
    problem: str

    def __str__(self) -> str:
        """Return both as the text of an error."""
        return f"{self.path}: {self.problem}" if self.path else self.problem


def check(document: JsonValue) -> None:
    """Raise ThingModelError, which names the first places, if the console refuses a module or one of a list of modules."""
    found = violations(document)
    if not found:
        return
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    raise ThingModelError("; ".join(map(str, found[:SHOWN])) + more)


def violations(document: JsonValue) -> list[Violation]:
    """Return everything that the console refuses in a module, or in a list of modules."""
    if isinstance(document, list):
        return [found for index, module in enumerate(document) for found in _of_module(module, f"[{index}]")]
    return list(_of_module(document, ""))


def _of_module(module: JsonValue, path: str) -> Iterator[Violation]:
    if not isinstance(module, dict):
        yield Violation(path, "a thing model must be a JSON object")
        return
    text = dump(module)
    if len(text.encode()) > FILE_BYTES or len(text) > SIGNIFICANT_CHARACTERS:
        yield Violation(path, f"a file has at most {FILE_BYTES} bytes and {SIGNIFICANT_CHARACTERS} characters")
    profile = module.get("profile")
    if not isinstance(profile, dict) or not isinstance(profile.get("productKey"), str) or not profile["productKey"]:
        yield Violation(_below(path, "profile.productKey"), "the product is missing")
    if "functionBlockId" in module:
        yield from _of_text(module, "functionBlockId", MODULE, path)
        yield from _of_text(module, "functionBlockName", MODULE_NAME, path)
    count = 0
    for kind, generated in GENERATED.items():
        place = _below(path, kind)
        features = [
            (feature, where)
            for feature, where in _objects(module.get(kind), place)
            if _choice(feature.get("identifier")) not in generated
        ]
        count += len(features)
        yield from _not_objects(module.get(kind), place)
        yield from _repeated(features, place)
        for feature, where in features:
            yield from _of_feature(feature, where)
            match kind:
                case "properties":
                    yield from _of_property(feature, where)
                case "events":
                    yield from _of_event(feature, where)
                case _:
                    yield from _of_service(feature, where)
    if count > FEATURES:
        yield Violation(path, f"a module has at most {FEATURES} features, not {count}")


def _of_feature(feature: Mapping[str, JsonValue], path: str) -> Iterator[Violation]:
    yield from _of_text(feature, "identifier", IDENTIFIER, path)
    yield from _of_text(feature, "name", NAME, path)
    if _choice(feature.get("identifier")) in RESERVED:
        yield Violation(f"{path}.identifier", f"{feature['identifier']} is reserved")
    description = feature.get("desc")
    if description is not None and (not isinstance(description, str) or len(description) > DESCRIPTION):
        yield Violation(f"{path}.desc", f"a description has at most {DESCRIPTION} characters")
    if not isinstance(feature.get("required", False), bool):
        yield Violation(f"{path}.required", "must be true or false")


def _of_property(feature: Mapping[str, JsonValue], path: str) -> Iterator[Violation]:
    yield from _of_choice(feature, "accessMode", ("r", "rw"), path)
    yield from _of_data_type(feature.get("dataType"), f"{path}.dataType", PROPERTY_TYPES)


def _of_event(feature: Mapping[str, JsonValue], path: str) -> Iterator[Violation]:
    yield from _of_choice(feature, "type", ("info", "alert", "error"), path)
    yield from _of_parameters(feature.get("outputData"), f"{path}.outputData", PROPERTY_TYPES, PARAMETERS)


def _of_service(feature: Mapping[str, JsonValue], path: str) -> Iterator[Violation]:
    yield from _of_choice(feature, "callType", ("async", "sync"), path)
    for key in ("inputData", "outputData"):
        yield from _of_parameters(feature.get(key), f"{path}.{key}", PROPERTY_TYPES, PARAMETERS)


def _of_parameters(listed: JsonValue, path: str, types: frozenset[str], limit: int) -> Iterator[Violation]:
    """Yield the violations of the parameters of an event or a service, or of the members of a struct."""
    yield from _not_objects(listed, path)
    parameters = list(_objects(listed, path))
    if len(parameters) > limit:
        yield Violation(path, f"at most {limit} are allowed, not {len(parameters)}")
    yield from _repeated(parameters, path)
    for parameter, where in parameters:
        yield from _of_text(parameter, "identifier", IDENTIFIER, where)
        yield from _of_text(parameter, "name", NAME, where)
        yield from _of_data_type(parameter.get("dataType"), f"{where}.dataType", types)


def _of_data_type(data_type: JsonValue, path: str, types: frozenset[str]) -> Iterator[Violation]:
    if not isinstance(data_type, dict) or _choice(data_type.get("type")) not in types:
        yield Violation(f"{path}.type", f"must be one of {', '.join(sorted(types))}")
        return
    specs, place = data_type.get("specs"), f"{path}.specs"
    match data_type["type"], specs:
        case "date", _ if not specs:
            pass
        case "int" | "float" | "double" as kind, dict():
            yield from _of_number(str(kind), specs, place)
        case "int" | "float" | "double", None:
            pass
        case "bool", dict():
            if specs.keys() != {"0", "1"}:
                yield Violation(place, "a bool has the items 0 and 1")
            yield from _of_labels(specs, place)
        case "enum", dict():
            yield from _of_items(specs, place)
        case "text", dict():
            yield from _of_count(specs, "length", TEXT_BYTES, place)
        case "struct", list():
            if not specs:
                yield Violation(place, "a struct has at least one member")
            yield from _of_parameters(specs, place, SIMPLE_TYPES, STRUCT_MEMBERS)
        case "array", dict():
            yield from _of_count(specs, "size", ARRAY_ELEMENTS, place)
            yield from _of_data_type(specs.get("item"), f"{place}.item", ITEM_TYPES)
        case kind, _:
            yield Violation(place, f"does not describe a {kind}")


def _of_number(kind: str, specs: Mapping[str, JsonValue], path: str) -> Iterator[Violation]:
    numbers: dict[str, float] = {}
    for key in ("min", "max", "step"):
        written = specs.get(key)
        if written is None:
            continue
        pattern = INTEGER if kind == "int" else DECIMAL
        if not isinstance(written, str) or not pattern.fullmatch(written):
            yield Violation(f"{path}.{key}", f"must be a text with a plain {kind}, not {dump(written)}")
        elif kind == "int" and int(written) not in INT_RANGE:
            yield Violation(f"{path}.{key}", f"{written} has more than 32 bits")
        else:
            numbers[key] = float(written)
    if ("min" in specs) != ("max" in specs):
        yield Violation(path, "a range has min and max")
    if "step" in numbers and numbers["step"] <= 0:
        yield Violation(f"{path}.step", "must be greater than 0")
    if "min" in numbers and "max" in numbers:
        size = numbers["max"] - numbers["min"]
        if size <= 0:
            yield Violation(f"{path}.min", "must be less than max")
        elif numbers.get("step", 0) > size:
            yield Violation(f"{path}.step", "must not be greater than the range")


def _of_items(specs: Mapping[str, JsonValue], path: str) -> Iterator[Violation]:
    if not 1 <= len(specs) <= ENUM_ITEMS:
        yield Violation(path, f"an enum has 1 to {ENUM_ITEMS} items, not {len(specs)}")
    for key in specs:
        if not INTEGER.fullmatch(key) or int(key) not in INT_RANGE:
            yield Violation(f"{path}.{key}", "the value of an item must be an integer of 32 bits")
    yield from _of_labels(specs, path)


def _of_labels(labels: Mapping[str, JsonValue], path: str) -> Iterator[Violation]:
    for key, label in labels.items():
        if not isinstance(label, str) or not LABEL.fullmatch(label):
            yield Violation(
                f"{path}.{key}",
                f"{dump(label)} must be 1 to 20 Chinese characters, letters, digits, _ or -, and not begin with the last two",
            )
    for label, count in Counter(label for label in labels.values() if isinstance(label, str)).items():
        if count > 1:
            yield Violation(path, f"{count} items are called {dump(label)}")


def _of_count(specs: Mapping[str, JsonValue], key: str, limit: int, path: str) -> Iterator[Violation]:
    written = specs.get(key)
    if not isinstance(written, str) or not INTEGER.fullmatch(written) or not 1 <= int(written) <= limit:
        yield Violation(f"{path}.{key}", f"must be a text with an integer from 1 to {limit}")


def _of_text(owner: Mapping[str, JsonValue], key: str, pattern: re.Pattern[str], path: str) -> Iterator[Violation]:
    text = owner.get(key)
    if not isinstance(text, str) or not pattern.fullmatch(text):
        yield Violation(_below(path, key), f"{dump(text)} is not allowed as {key}")


def _of_choice(owner: Mapping[str, JsonValue], key: str, choices: tuple[str, ...], path: str) -> Iterator[Violation]:
    if owner.get(key) not in choices:
        yield Violation(f"{path}.{key}", f"must be {' or '.join(choices)}")


def _choice(value: JsonValue) -> str | None:
    """Return a text as it is, and None for what can't be one of several texts."""
    return value if isinstance(value, str) else None


def _repeated(features: list[tuple[dict[str, JsonValue], str]], path: str) -> Iterator[Violation]:
    for key in ("identifier", "name"):
        counts = Counter(str(feature.get(key)) for feature, _ in features)
        yield from (Violation(path, f"{count} have the {key} {text}") for text, count in counts.items() if count > 1)


def _objects(listed: JsonValue, path: str) -> Iterator[tuple[dict[str, JsonValue], str]]:
    for index, element in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(element, dict):
            yield element, f"{path}[{index}]"


def _not_objects(listed: JsonValue, path: str) -> Iterator[Violation]:
    if listed is not None and not isinstance(listed, list):
        yield Violation(path, "must be a list")
    for index, element in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(element, dict):
            yield Violation(f"{path}[{index}]", "must be an object")


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
