"""The thing model of a product as it is edited and published (docs/protocol.md §20.5).

Devices use the published model. An edit changes a draft, which is checked as the console would, and publishing makes it the
model of all devices of the product.
"""

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field

from .clock import now_ms
from .jsontext import JsonValue
from .model_rules import check

DEFAULT = ""
"""The identifier of the module that every product has."""
SCHEMA = "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json"
KINDS = ("properties", "events", "services")
GENERATED = {"properties": (), "events": ("post",), "services": ("set", "get")}
SIMPLE = {"identifier", "dataType", "inputData", "outputData"}
"""What a simplified TSL has of a feature and of a parameter."""

type Module = dict[str, JsonValue]
type Feature = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version of the thing model that was published; `created` is in milliseconds."""

    number: str
    description: str
    created: int
    modules: Mapping[str, Module]


@dataclass(slots=True)
class ModelDraft:
    """The thing model that is being edited, and the versions that were published."""

    product_key: str
    modules: dict[str, Module]
    """By the identifier of the module."""
    versions: list[ModelVersion] = field(default_factory=list)

    @classmethod
    def of(cls, product_key: str, document: JsonValue) -> ModelDraft:
        """Begin with a TSL document, or a list of module documents, or none."""
        modules = {DEFAULT: _empty(product_key)}
        for module in document if isinstance(document, list) else [document]:
            if isinstance(module, dict):
                identifier = str(module.get("functionBlockId") or DEFAULT)
                modules[identifier] = deepcopy(module) | {"profile": _profile(product_key)}
        return cls(product_key, modules)

    def edit(self, identifier: str, name: str | None, change: Callable[[Module], None]) -> None:
        """Change a module, which is made with this name if it does not exist; raises ThingModelError and changes nothing."""
        module = deepcopy(self.modules.get(identifier)) or _empty(self.product_key)
        if identifier != DEFAULT:
            module["functionBlockId"] = identifier
            module["functionBlockName"] = name or module.get("functionBlockName")
        change(module)
        check(module)
        _complete(module)
        self.modules[identifier] = module

    def remove(self, identifier: str) -> None:
        """Remove a module; of the default one, all features."""
        del self.modules[identifier]
        self.modules.setdefault(DEFAULT, _empty(self.product_key))

    def publish(self, number: str | None, description: str) -> JsonValue:
        """Keep a version, and return its document: one module, or a list."""
        modules = deepcopy(self.modules)
        self.versions.append(ModelVersion(number or str(now_ms()), description, now_ms(), modules))
        return modules[DEFAULT] if len(modules) == 1 else list[JsonValue](modules.values())


def replace_features(module: Module, document: Module) -> None:
    """Take all features of another module, in which an empty list may be missing, or be an empty object."""
    for kind in KINDS:
        features = document.get(kind)
        module[kind] = [] if features is None or features == {} else features


def add_features(module: Module, features: Mapping[str, list[JsonValue]]) -> None:
    """Add features; raise ThingModelError for their own faults, whose places are those in `features`."""
    check({**module, **features})
    for kind in KINDS:
        module[kind] = [*_features(module, kind), *features[kind]]


def replace_feature(module: Module, identifier: str, features: Mapping[str, list[JsonValue]]) -> bool:
    """Put one feature in the place of another one of its kind; return False if there is none with this identifier."""
    check({**module, **features})
    found = False
    for kind, (new, *_) in ((kind, features[kind]) for kind in KINDS if features[kind]):
        old = _features(module, kind)
        found |= any(feature["identifier"] == identifier for feature in old)
        module[kind] = [new if feature["identifier"] == identifier else feature for feature in old]
    return found


def remove_features(module: Module, identifiers: Mapping[str, Collection[JsonValue]]) -> None:
    """Remove features by their kinds and identifiers; those that do not exist are ignored."""
    for kind, removed in identifiers.items():
        module[kind] = [feature for feature in _features(module, kind) if feature["identifier"] not in removed]


def simplified(module: Module) -> JsonValue:
    """Return a TSL with only the identifiers and data types of features and parameters."""
    shown = {key: value for key, value in module.items() if key not in KINDS}
    return shown | {kind: [_simple(feature) for feature in _features(module, kind)] for kind in KINDS}


def _simple(entry: Feature) -> JsonValue:
    reduced: Feature = {}
    for key in entry.keys() & SIMPLE:
        value = entry[key]
        reduced[key] = (
            [_simple(item) if isinstance(item, dict) else item for item in value] if isinstance(value, list) else value
        )
    return reduced


def _empty(product_key: str) -> Module:
    return {"schema": SCHEMA, "profile": _profile(product_key)} | {kind: [] for kind in KINDS}


def _profile(product_key: str) -> JsonValue:
    return {"version": "1.0", "productKey": product_key}


def _features(module: Module, kind: str) -> list[Feature]:
    listed = module.get(kind)
    return [feature for feature in listed if isinstance(feature, dict)] if isinstance(listed, list) else []


def _complete(module: Module) -> None:
    """Add the methods of all features, and the generated members of a module with properties (§8.1)."""
    block = module.get("functionBlockId")
    prefix = f"{block}:" if block else ""
    for kind, generated in GENERATED.items():
        module[kind] = [feature for feature in _features(module, kind) if feature["identifier"] not in generated]
    for event in _features(module, "events"):
        event["method"] = f"thing.event.{prefix}{event['identifier']}.post"
    for service in _features(module, "services"):
        service["method"] = f"thing.service.{prefix}{service['identifier']}"
    if not (properties := _features(module, "properties")):
        return
    readable = [_parameter(feature) for feature in properties]
    writable = [_parameter(feature) for feature in properties if feature["accessMode"] == "rw"]
    identifiers = [feature["identifier"] for feature in properties]
    path = f"{prefix}property"
    post = _generated("post", f"thing.event.{path}.post", type="info", outputData=readable)
    set_service = _generated("set", f"thing.service.{path}.set", callType="async", inputData=writable, outputData=[])
    get_service = _generated(
        "get", f"thing.service.{path}.get", callType="async", inputData=identifiers, outputData=readable
    )
    module["events"] = [post, *_features(module, "events")]
    module["services"] = [set_service, get_service, *_features(module, "services")]


def _parameter(feature: Feature) -> JsonValue:
    return {key: feature.get(key) for key in ("identifier", "name", "dataType")}


def _generated(identifier: str, method: str, **more: JsonValue) -> Feature:
    feature: Feature = {
        "identifier": identifier,
        "name": identifier,
        "required": True,
        "desc": f"property {identifier}",
    }
    return {**feature, "method": method, **more}
