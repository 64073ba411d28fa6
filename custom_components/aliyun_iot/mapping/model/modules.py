"""Thing models as files that the console imports: one complete document for each module (`docs/protocol.md` §8.1)."""

from collections.abc import Mapping
import json
from typing import Final

from ...alink.messages import JsonValue
from ...alink.model.changes import Feature
from ...alink.model.thing_model import SCHEMA, Property, ThingModel, split_identifier
from ...alink.model.tsl import MAX_DOCUMENT

DEFAULT_MODULE: Final = ""
MODULE_LENGTH: Final = 30
MODULE_NAME_LENGTH: Final = 4
"""Maximum characters of the identifier of a module, and minimum characters of its name."""

_SEPARATOR: Final = ", "


def modules_of(model: ThingModel) -> list[str]:
    """Return the names of the modules of a thing model, the default one, "", first."""
    identifiers = (*model.properties, *model.events, *model.services)
    found = dict.fromkeys(split_identifier(identifier)[0] for identifier in identifiers)
    return sorted(found, key=bool) or [DEFAULT_MODULE]


def module_document(model: ThingModel, module: str) -> dict[str, JsonValue]:
    """Return the document of one module, with the members that the platform generates for its properties."""
    properties = _of_module(model.properties, module)
    events = [event.to_tsl() for event in _of_module(model.events, module)]
    services = [service.to_tsl() for service in _of_module(model.services, module)]
    generated_event, generated_services = _generated(properties) if properties else ([], [])
    block: dict[str, JsonValue] = (
        {"functionBlockId": module, "functionBlockName": module_name(module)} if module else {}
    )
    return {
        "schema": SCHEMA,
        "profile": {"productKey": model.product_key} if model.product_key else {},
        **block,
        "properties": [prop.to_tsl() for prop in properties],
        "events": [*generated_event, *events],
        "services": [*generated_services, *services],
    }


def module_name(module: str) -> str:
    """Return a name for a module: its identifier, or a longer name, because the console asks for four characters."""
    return module if len(module) >= MODULE_NAME_LENGTH else f"module_{module}"


def document_text(document: dict[str, JsonValue]) -> str:
    """Return a document as text: indented, unless it would then be too large for the platform."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return text if len(text.encode()) <= MAX_DOCUMENT else json.dumps(document, ensure_ascii=False)


def feature_size(feature: Feature) -> int:
    """Return the number of characters that a feature adds to its module's document, with the generated members."""
    size = len(json.dumps(feature.to_tsl(), ensure_ascii=False)) + len(_SEPARATOR)
    if isinstance(feature, Property):
        size += (3 if feature.writable else 2) * len(json.dumps(_parameter(feature), ensure_ascii=False) + _SEPARATOR)
        size += len(json.dumps(feature.identifier) + _SEPARATOR)
    return size


def _of_module[F: Feature](features: Mapping[str, F], module: str) -> list[F]:
    return [feature for identifier, feature in features.items() if split_identifier(identifier)[0] == module]


def _generated(properties: list[Property]) -> tuple[list[JsonValue], list[JsonValue]]:
    """Return the event `post`, and the services `set` and `get`."""
    writable = [_parameter(prop) for prop in properties if prop.writable]
    readable = [_parameter(prop) for prop in properties]
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
        "inputData": [split_identifier(prop.identifier)[1] for prop in properties],
        "outputData": readable,
    }
    return [post], [change, ask]


def _parameter(prop: Property) -> JsonValue:
    return {
        "identifier": split_identifier(prop.identifier)[1],
        "name": prop.name,
        "dataType": prop.data_type.to_tsl(),
    }
