"""The rules for a file that the console imports, implemented from `docs/protocol.md` §8 and §14 only.

They are independent of the integration; `violations` takes plain JSON.
"""

from collections.abc import Iterator
import json
import re
from typing import Any

IDENTIFIER = re.compile(r"[A-Za-z0-9_]{1,50}")
MODULE = re.compile(r"[A-Za-z0-9_]{1,30}")
NAME = re.compile(r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_.-]{0,29}")
LABEL = re.compile(r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_-]{0,19}")
MODULE_NAME = re.compile(r"[A-Za-z0-9\u4e00-\u9fff_]{4,30}")
PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
RESERVED = {"set", "get", "post", "property", "event", "time", "value"}
NUMBERS = {"int", "float", "double"}
IN_STRUCT = {"int", "float", "double", "text", "date", "bool", "enum"}
IN_ARRAY = {"int", "float", "double", "text", "struct"}


def violations(text: str) -> list[str]:
    """Return what the platform would not accept in the file of one module."""
    document = json.loads(text)
    return [*_of_the_file(text, document), *_of_the_generated(document), *_of_the_features(document)]


def own(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Return the features of a kind, without those that the platform generates."""
    generated = {"properties": set(), "events": {"post"}, "services": {"set", "get"}}[kind]
    return [feature for feature in document[kind] if feature["identifier"] not in generated]


def _of_the_file(text: str, document: dict[str, Any]) -> Iterator[str]:
    if len(text.encode()) > 512 * 1024:
        yield "file larger than 512 KB"
    if len(json.dumps(document, ensure_ascii=False, separators=(",", ":"))) > 256 * 1024:
        yield "more than 256 K significant characters"
    if not document["schema"].startswith("https://"):
        yield "no schema"
    if not document["profile"].get("productKey"):
        yield "no product"
    if not MODULE.fullmatch(document.get("functionBlockId", "x")):
        yield "bad module"
    if not MODULE_NAME.fullmatch(document.get("functionBlockName", "name")):
        yield "bad name of a module"
    if sum(len(own(document, kind)) for kind in ("properties", "events", "services")) > 300:
        yield "more than 300 features"


def _of_the_generated(document: dict[str, Any]) -> Iterator[str]:
    readable = [{key: feature[key] for key in ("identifier", "name", "dataType")} for feature in document["properties"]]
    writable = [
        {key: feature[key] for key in ("identifier", "name", "dataType")}
        for feature in document["properties"]
        if feature["accessMode"] == "rw"
    ]
    wanted = {
        ("events", "post"): ("thing.event.property.post", "outputData", readable),
        ("services", "set"): ("thing.service.property.set", "inputData", writable),
        ("services", "get"): ("thing.service.property.get", "outputData", readable),
    }
    for (kind, identifier), (method, key, parameters) in wanted.items():
        found = [feature for feature in document[kind] if feature["identifier"] == identifier]
        if [(feature["method"], feature[key]) for feature in found] != [(method, parameters)]:
            yield f"generated {identifier}"
    for feature in document["services"]:
        if feature["identifier"] == "get" and feature["inputData"] != [
            each["identifier"] for each in document["properties"]
        ]:
            yield "generated get takes identifiers"


def _of_the_features(document: dict[str, Any]) -> Iterator[str]:
    for kind in ("properties", "events", "services"):
        identifiers = [feature["identifier"] for feature in own(document, kind)]
        names = [feature["name"] for feature in own(document, kind)]
        if len(set(identifiers)) < len(identifiers) or len(set(names)) < len(names):
            yield f"two of the {kind} have the same name or identifier"
        yield from (
            f"identifier {identifier}"
            for identifier in identifiers
            if not IDENTIFIER.fullmatch(identifier) or identifier in RESERVED
        )
        yield from (f"name {name!r}" for name in names if not NAME.fullmatch(name))
    for feature in document["properties"]:
        if (
            feature["accessMode"] not in ("r", "rw")
            or not isinstance(feature["required"], bool)
            or len(feature["desc"]) > 100
        ):
            yield f"{feature['identifier']}: access, required or description"
        yield from (f"{feature['identifier']}: {fault}" for fault in _of_the_type(feature["dataType"]))


def _of_the_type(data_type: dict[str, Any]) -> Iterator[str]:
    kind, specs = data_type["type"], data_type["specs"]
    match kind:
        case "int" | "float" | "double":
            yield from _of_the_number(kind, specs)
        case "bool":
            if specs.keys() != {"0", "1"}:
                yield "bool without both labels"
            yield from _of_the_labels(specs)
        case "enum":
            if not 1 <= len(specs) <= 100 or not all(re.fullmatch(r"0|-?[1-9][0-9]{0,9}", key) for key in specs):
                yield "enum items"
            yield from _of_the_labels(specs)
        case "text":
            if not 0 < int(specs["length"]) <= 10240:
                yield "text length"
        case "date":
            if specs not in ({}, []):
                yield "date specs"
        case "struct":
            if not 1 <= len(specs) <= 50:
                yield "struct members"
            for key in ("identifier", "name"):
                if len({member[key] for member in specs}) < len(specs):
                    yield f"two members with the same {key}"
            for member in specs:
                if not NAME.fullmatch(member["name"]):
                    yield f"name {member['name']!r} of a member"
                if not IDENTIFIER.fullmatch(member["identifier"]) or member["dataType"]["type"] not in IN_STRUCT:
                    yield "struct member"
                yield from _of_the_type(member["dataType"])
        case "array":
            if not 1 <= int(specs["size"]) <= 512 or specs["item"]["type"] not in IN_ARRAY:
                yield "array"
            yield from _of_the_type(specs["item"])
        case _:
            yield f"type {kind}"


def _of_the_labels(specs: dict[str, Any]) -> Iterator[str]:
    yield from (f"label {label!r}" for label in specs.values() if not LABEL.fullmatch(label))
    if len(set(specs.values())) < len(specs):
        yield "two items with the same label"


def _of_the_number(kind: str, specs: dict[str, Any]) -> Iterator[str]:
    for key in ("min", "max", "step"):
        if key in specs and not (isinstance(specs[key], str) and PLAIN_NUMBER.fullmatch(specs[key])):
            yield f"{key} {specs[key]!r} is not plain"
    if ("min" in specs) != ("max" in specs):
        yield "half a range"
    elif "min" in specs:
        low, high = float(specs["min"]), float(specs["max"])
        if low >= high:
            yield "empty range"
        if "step" in specs and not 0 < float(specs["step"]) <= high - low:
            yield "step does not fit"
        if kind == "int" and (low < -(2**31) or high >= 2**31 or "." in specs["min"] + specs["max"]):
            yield "no 32 bits"
    if kind == "int" and "." in specs.get("step", ""):
        yield "step of an int"
