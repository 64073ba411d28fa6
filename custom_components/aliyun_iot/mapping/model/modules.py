"""Thing models as files that the console imports: one complete document for each module (`docs/protocol.md` §8.1)."""

import json
from typing import Final

from ...alink.messages import JsonValue
from ...alink.model.changes import Feature
from ...alink.model.thing_model import SCHEMA, Property, ThingModel, split_identifier
from ...alink.model.tsl import MAX_DOCUMENT

DEFAULT_MODULE: Final = ""
_SEPARATOR: Final = ", "


def modules_of(model: ThingModel) -> list[str]:
    """Return the modules that a thing model has something in, the default one, called "", first."""
    identifiers = (*model.properties, *model.events, *model.services)
    found = dict.fromkeys(split_identifier(identifier)[0] for identifier in identifiers)
    return sorted(found, key=bool) or [DEFAULT_MODULE]


def module_document(model: ThingModel, module: str) -> dict[str, JsonValue]:
    """Return the document of one module, with the members that the platform generates for its properties."""
    properties = [one for identifier, one in model.properties.items() if split_identifier(identifier)[0] == module]
    events = [one.to_tsl() for identifier, one in model.events.items() if split_identifier(identifier)[0] == module]
    services = [one.to_tsl() for identifier, one in model.services.items() if split_identifier(identifier)[0] == module]
    generated_event, generated_services = _generated(properties) if properties else ([], [])
    block: dict[str, JsonValue] = {"functionBlockId": module, "functionBlockName": module} if module else {}
    return {
        "schema": SCHEMA,
        "profile": {"productKey": model.product_key} if model.product_key else {},
        **block,
        "properties": [one.to_tsl() for one in properties],
        "events": [*generated_event, *events],
        "services": [*generated_services, *services],
    }


def document_text(document: dict[str, JsonValue]) -> str:
    """Return a document as text: indented for people, unless it would be larger than the platform takes."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return text if len(text.encode()) <= MAX_DOCUMENT else json.dumps(document, ensure_ascii=False)


def feature_size(feature: Feature) -> int:
    """Return how many characters a feature adds to the document of its module, the generated members included."""
    size = len(json.dumps(feature.to_tsl(), ensure_ascii=False)) + len(_SEPARATOR)
    if isinstance(feature, Property):
        size += (3 if feature.writable else 2) * len(json.dumps(_parameter(feature), ensure_ascii=False) + _SEPARATOR)
        size += len(json.dumps(feature.identifier) + _SEPARATOR)
    return size


def _generated(properties: list[Property]) -> tuple[list[JsonValue], list[JsonValue]]:
    """Return the event `post`, and the services `set` and `get`."""
    writable = [_parameter(one) for one in properties if one.writable]
    readable = [_parameter(one) for one in properties]
    post: JsonValue = {
        "identifier": "post",
        "name": "post",
        "type": "info",
        "required": True,
        "desc": "属性上报",
        "method": "thing.event.property.post",
        "outputData": readable,
    }
    change: JsonValue = {
        "identifier": "set",
        "name": "set",
        "callType": "async",
        "required": True,
        "desc": "属性设置",
        "method": "thing.service.property.set",
        "inputData": writable,
        "outputData": [],
    }
    ask: JsonValue = {
        "identifier": "get",
        "name": "get",
        "callType": "async",
        "required": True,
        "desc": "属性获取",
        "method": "thing.service.property.get",
        "inputData": [split_identifier(one.identifier)[1] for one in properties],
        "outputData": readable,
    }
    return [post], [change, ask]


def _parameter(one: Property) -> JsonValue:
    return {
        "identifier": split_identifier(one.identifier)[1],
        "name": one.name,
        "dataType": one.data_type.to_tsl(),
    }
