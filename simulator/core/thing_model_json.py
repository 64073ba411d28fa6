"""The other form of thing models, `ThingModelJson`, which the API takes and returns besides the TSL (docs/protocol.md §20.5).

Types are in capitals; `dataSpecs` has the numbers of a type, `dataSpecsList` its items or members. What is missing or has
another type becomes null or a text in the TSL, where the rules of the console refuse it with its place.
"""

from collections.abc import Mapping

from .jsontext import JsonValue
from .thing_model import ThingModelError

NUMBERS = ("min", "max", "step", "unit", "unitName")
ACCESS = {"READ_ONLY": "r", "READ_WRITE": "rw"}
EVENT_TYPES = {"INFO_EVENT_TYPE": "info", "ALERT_EVENT_TYPE": "alert", "ERROR_EVENT_TYPE": "error"}
CALL_TYPES = {"ASYNC": "async", "SYNC": "sync"}

type Entry = Mapping[str, JsonValue]


def to_tsl(document: Entry) -> dict[str, list[JsonValue]]:
    """Return properties, events and services as in a TSL; raise ThingModelError, which names the place."""
    return {
        "properties": [_read_property(entry, path) for entry, path in _entries(document, "properties", "")],
        "events": [_read_event(entry, path) for entry, path in _entries(document, "events", "")],
        "services": [_read_service(entry, path) for entry, path in _entries(document, "services", "")],
    }


def from_tsl(module: Entry, product_key: str) -> dict[str, JsonValue]:
    """Return properties, events and services of a module without its generated members."""
    generated = {"post", "set", "get"}

    def written(kind: str) -> list[Entry]:
        return [
            entry for entry in _listed(module.get(kind)) if kind == "properties" or entry["identifier"] not in generated
        ]

    common: Entry = {"productKey": product_key, "custom": True}
    return {
        "properties": [{**common, **_write_property(entry)} for entry in written("properties")],
        "events": [{**common, **_write_event(entry)} for entry in written("events")],
        "services": [{**common, **_write_service(entry)} for entry in written("services")],
    }


def _read_property(entry: Entry, path: str) -> JsonValue:
    return {
        **_read_feature(entry, "name"),
        "accessMode": _named(ACCESS, entry.get("rwFlag")),
        "dataType": _read_type(entry, "dataType", path),
    }


def _read_event(entry: Entry, path: str) -> JsonValue:
    key = "outputData" if "outputData" in entry else "outputdata"
    return {
        **_read_feature(entry, "eventName"),
        "type": _named(EVENT_TYPES, entry.get("eventType")),
        "outputData": _read_parameters(entry, key, path),
    }


def _read_service(entry: Entry, path: str) -> JsonValue:
    return {
        **_read_feature(entry, "serviceName"),
        "callType": _named(CALL_TYPES, entry.get("callType")),
        "inputData": _read_parameters(entry, "inputParams", path),
        "outputData": _read_parameters(entry, "outputParams", path),
    }


def _read_feature(entry: Entry, name: str) -> dict[str, JsonValue]:
    feature = {
        "identifier": entry.get("identifier"),
        "name": entry.get(name),
        "required": entry.get("required", False),
    }
    if (description := entry.get("description")) is not None:
        feature["desc"] = description
    return feature


def _read_parameters(owner: Entry, key: str, path: str) -> JsonValue:
    return [
        {
            "identifier": entry.get("identifier"),
            "name": entry.get("name"),
            "dataType": _read_type(entry, "dataType", place),
        }
        for entry, place in _entries(owner, key, f"{path}.")
    ]


def _read_type(owner: Entry, key: str, path: str) -> JsonValue:
    """Return the data type of an entry, whose name is in the field `key`."""
    named = owner.get(key)
    kind = named.lower() if isinstance(named, str) else named
    numbers = owner.get("dataSpecs")
    specs: Entry = numbers if isinstance(numbers, dict) else {}
    listed = _entries(owner, "dataSpecsList", f"{path}.")
    match kind:
        case "int" | "float" | "double":
            return {
                "type": kind,
                "specs": {name: _text(specs[name]) for name in NUMBERS if specs.get(name) is not None},
            }
        case "bool" | "enum":
            items = {str(_text(item.get("value"))): item.get("name") for item, _ in listed}
            if len(items) < len(listed):
                raise ThingModelError(f"{path}.dataSpecsList: two items have the same value")
            return {"type": kind, "specs": items}
        case "text":
            return {"type": kind, "specs": {"length": _text(specs.get("length"))}}
        case "struct":
            members: list[JsonValue] = [
                {
                    "identifier": member.get("identifier"),
                    "name": member.get("childName", member.get("name")),
                    "dataType": _read_type(member, "childDataType", place),
                }
                for member, place in listed
            ]
            return {"type": kind, "specs": members}
        case "array":
            item = _read_type(specs, "childDataType", f"{path}.dataSpecs")
            return {"type": kind, "specs": {"size": _text(specs.get("size")), "item": item}}
        case _:
            return {"type": kind, "specs": {}}


def _write_property(entry: Entry) -> Entry:
    access = next(name for name, mode in ACCESS.items() if mode == entry.get("accessMode", "r"))
    return {**_write_feature(entry, "name"), "rwFlag": access, **_write_type(entry["dataType"], "dataType")}


def _write_event(entry: Entry) -> Entry:
    kind = next(name for name, kind in EVENT_TYPES.items() if kind == entry.get("type", "info"))
    return {
        **_write_feature(entry, "eventName"),
        "eventType": kind,
        "outputData": _write_parameters(entry.get("outputData"), "PARAM_OUTPUT"),
    }


def _write_service(entry: Entry) -> Entry:
    return {
        **_write_feature(entry, "serviceName"),
        "callType": "SYNC" if entry.get("callType") == "sync" else "ASYNC",
        "inputParams": _write_parameters(entry.get("inputData"), "PARAM_INPUT"),
        "outputParams": _write_parameters(entry.get("outputData"), "PARAM_OUTPUT"),
    }


def _write_feature(entry: Entry, name: str) -> Entry:
    feature: dict[str, JsonValue] = {
        "identifier": entry["identifier"],
        name: entry.get("name"),
        "required": entry.get("required", False),
    }
    if entry.get("desc"):
        feature["description"] = entry["desc"]
    return feature


def _write_parameters(listed: JsonValue, direction: str) -> JsonValue:
    return [
        {
            "identifier": entry["identifier"],
            "name": entry.get("name"),
            "direction": direction,
            "paraOrder": order,
            "custom": True,
            **_write_type(entry["dataType"], "dataType"),
        }
        for order, entry in enumerate(_listed(listed))
    ]


def _write_type(data_type: JsonValue, key: str) -> Entry:
    """Return the fields that describe a data type, the name of which is in the field `key`."""
    if not isinstance(data_type, dict):
        raise ThingModelError("a data type is an object")
    kind, specs = str(data_type["type"]).upper(), data_type.get("specs")
    described: Entry = specs if isinstance(specs, dict) else {}
    match kind:
        case "BOOL" | "ENUM":
            items: list[JsonValue] = [
                {"dataType": kind, "custom": True, "name": label, "value": int(value)}
                for value, label in described.items()
            ]
            return {key: kind, "dataSpecsList": items}
        case "STRUCT":
            members: list[JsonValue] = [
                {
                    "dataType": kind,
                    "identifier": member["identifier"],
                    "name": member.get("name"),
                    "childName": member.get("name"),
                    **_write_type(member["dataType"], "childDataType"),
                }
                for member in _listed(specs)
            ]
            return {key: kind, "dataSpecsList": members}
        case "ARRAY":
            numbers: Entry = {"dataType": kind, "custom": True, "size": _number(described.get("size"))}
            return {key: kind, "dataSpecs": {**numbers, **_write_type(described.get("item"), "childDataType")}}
        case "TEXT":
            return {
                key: kind,
                "dataSpecs": {"dataType": kind, "custom": True, "length": _number(described.get("length"))},
            }
        case _:
            return {key: kind, "dataSpecs": {"dataType": kind, "custom": True, **described}}


def _named(names: Mapping[str, str], name: JsonValue) -> JsonValue:
    return names.get(name, name) if isinstance(name, str) else name


def _text(value: JsonValue) -> JsonValue:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _number(value: JsonValue) -> JsonValue:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _entries(owner: Entry, key: str, prefix: str) -> list[tuple[Entry, str]]:
    """Return the objects of a list and their places; raise ThingModelError if it is not a list of objects."""
    listed = owner.get(key)
    entries = [
        (entry, f"{prefix}{key}[{index}]")
        for index, entry in enumerate(listed if isinstance(listed, list) else [])
        if isinstance(entry, dict)
    ]
    if listed and (not isinstance(listed, list) or len(entries) != len(listed)):
        raise ThingModelError(f"{prefix}{key}: must be a list of objects")
    return list[tuple[Entry, str]](entries)


def _listed(listed: JsonValue) -> list[Entry]:
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
