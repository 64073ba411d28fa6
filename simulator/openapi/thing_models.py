"""Thing models of products: edited, published, and returned in both forms (docs/protocol.md §20.5).

An edit changes a draft; publishing makes it the model of all devices of the product. What the console refuses is refused here,
with its place.
"""

from collections.abc import Callable, Mapping
import re

from ..core.jsontext import JsonValue, NotJsonError, dump, parse
from ..core.model_draft import (
    DEFAULT,
    KINDS,
    ModelDraft,
    Module,
    add_features,
    remove_features,
    replace_feature,
    replace_features,
    simplified,
)
from ..core.product import Product
from ..core.thing_model import ThingModel, ThingModelError
from ..core.thing_model_json import from_tsl, to_tsl
from .call import Answer, Call
from .errors import (
    ALREADY_PUBLISHED,
    BAD_PARAMETER,
    BAD_THING_MODEL,
    NO_SUCH_FEATURE,
    NO_SUCH_MODEL_VERSION,
    NO_SUCH_MODULE,
    NO_THING_MODEL,
    ApiError,
    missing,
)

FEATURES_PER_CALL = 10
MODEL_VERSION = re.compile(r"[A-Za-z0-9.]{1,16}")


async def import_tsl(call: Call) -> Answer:
    """Replace a module by `TslStr`, a TSL document; the module is the default one without `FunctionBlockId`."""
    document = _parse(call, "TslStr")
    _edit(call, lambda module: replace_features(module, document))
    return {}


async def create(call: Call) -> Answer:
    """Add the features of `ThingModelJson`."""
    features = _features(call)
    _edit(call, lambda module: add_features(module, features))
    return {}


async def update(call: Call) -> Answer:
    """Replace the feature `Identifier` by the one of `ThingModelJson`; without either, only the name of a module."""
    if call.fields.optional("Identifier") is None and call.fields.optional("ThingModelJson") is None:
        _module_name(call)
        _edit(call, lambda _: None)
        return {}
    identifier, features = call.fields.text("Identifier"), _features(call)
    if sum(map(len, features.values())) != 1:
        raise ApiError(BAD_PARAMETER, "ThingModelJson has one feature.")

    def change(module: Module) -> None:
        if not replace_feature(module, identifier, features):
            raise ApiError(NO_SUCH_FEATURE, identifier)

    _edit(call, change)
    return {}


async def delete(call: Call) -> Answer:
    """Remove `PropertyIdentifier.N`, `EventIdentifier.N` and `ServiceIdentifier.N`; without any, the module, or everything."""
    fields = call.fields
    names = ("PropertyIdentifier", "EventIdentifier", "ServiceIdentifier")
    removed = {kind: fields.texts(name) for kind, name in zip(KINDS, names, strict=True)}
    if sum(map(len, removed.values())) > FEATURES_PER_CALL:
        raise ApiError(BAD_PARAMETER, f"At most {FEATURES_PER_CALL} features can be removed in a call.")
    draft, block = _editable(call), fields.optional_text("FunctionBlockId")
    if block is not None and block not in draft.modules:
        raise ApiError(NO_SUCH_MODULE, block)
    if any(removed.values()):
        _edit(call, lambda module: remove_features(module, removed))
        return {}
    for identifier in [block] if block is not None else list(draft.modules):
        draft.remove(identifier)
    return {}


async def publish_model(call: Call) -> Answer:
    """Make the draft the thing model of all devices of the product, as `ModelVersion`."""
    product, draft = call.product(), _editable(call)
    version = call.fields.optional_text("ModelVersion")
    if version is not None and not MODEL_VERSION.fullmatch(version):
        raise ApiError(BAD_PARAMETER, "ModelVersion has 1 to 16 letters, digits and periods.")
    if version in {known.number for known in draft.versions}:
        raise ApiError(BAD_PARAMETER, f"The version {version} exists already.")
    publish(call, product, draft, version, call.fields.optional_text("Description") or "")
    return {}


def publish(call: Call, product: Product, draft: ModelDraft, version: str | None, description: str) -> None:
    """Publish a draft."""
    document = draft.publish(version, description)
    model = ThingModel.parse(document, strict_values=call.platform.options.strict_values)
    product.thing_model = model
    for device in call.platform.registry.of_product(product.key):
        device.thing_model = model


async def list_versions(call: Call) -> Answer:
    """Return the versions that were published, the newest first."""
    rows: list[JsonValue] = [
        {"ModelVersion": version.number, "Description": version.description, "GmtCreate": version.created}
        for version in reversed(_draft(call, call.product()).versions)
    ]
    return {"Data": {"ModelVersions": rows}}


async def query(call: Call) -> Answer:
    """Return the draft, or the version `ModelVersion`, as `ThingModelJson`."""
    return _as_json(call, _chosen(call, published=False))


async def query_published(call: Call) -> Answer:
    """Return the published thing model, or the version `ModelVersion`, as `ThingModelJson`."""
    return _as_json(call, _chosen(call, published=True))


async def get_tsl(call: Call) -> Answer:
    """Return the draft, or the version `ModelVersion`, as a TSL; with `Simple` only identifiers and data types."""
    return _as_tsl(call, _chosen(call, published=False))


async def get_tsl_published(call: Call) -> Answer:
    """Return the published thing model, or the version `ModelVersion`, as a TSL; with `Simple` only the essentials."""
    return _as_tsl(call, _chosen(call, published=True))


def _draft(call: Call, product: Product) -> ModelDraft:
    """Return the draft; at first, that is the model that the product, or its first device with a model, has now."""
    if product.draft is None:
        models = [
            product.thing_model,
            *(device.thing_model for device in call.platform.registry.of_product(product.key)),
        ]
        if (model := next(filter(None, models), None)) is None:
            raise ApiError(NO_THING_MODEL)
        product.draft = ModelDraft.of(product.key, model.document)
    return product.draft


def _editable(call: Call) -> ModelDraft:
    product = call.product()
    if product.published:
        raise ApiError(ALREADY_PUBLISHED, "Call CancelReleaseProduct first.")
    return _draft(call, product)


def _edit(call: Call, change: Callable[[Module], None]) -> None:
    """Change the module of the call; raise ApiError with the place of what the console refuses."""
    draft, name = _editable(call), call.fields.optional_text("FunctionBlockName")
    identifier = call.fields.optional_text("FunctionBlockId")
    if identifier is None and name is not None:
        raise missing("FunctionBlockId")
    if identifier is not None and identifier not in draft.modules:
        name = _module_name(call)
    try:
        draft.edit(identifier or DEFAULT, name, change)
    except ThingModelError as error:
        raise ApiError(BAD_THING_MODEL, str(error)) from None


def _module_name(call: Call) -> str:
    return call.fields.text("FunctionBlockName")


def _parse(call: Call, field: str) -> Module:
    """Return a thing model of a field, JSON; raise ApiError with the place of a syntax error."""
    value = call.fields.optional(field)
    if value is None:
        raise missing(field)
    try:
        document = parse(value) if isinstance(value, str) else value
    except NotJsonError as error:
        raise ApiError(BAD_THING_MODEL, f"{field} is not JSON: {error}.") from None
    if not isinstance(document, dict):
        raise ApiError(BAD_THING_MODEL, f"{field} must be a JSON object.")
    return document


def _features(call: Call) -> Mapping[str, list[JsonValue]]:
    try:
        features = to_tsl(_parse(call, "ThingModelJson"))
    except ThingModelError as error:
        raise ApiError(BAD_THING_MODEL, str(error)) from None
    if not 0 < sum(map(len, features.values())) <= FEATURES_PER_CALL:
        raise ApiError(BAD_PARAMETER, f"ThingModelJson has 1 to {FEATURES_PER_CALL} features.")
    return features


def _chosen(call: Call, *, published: bool) -> tuple[Mapping[str, Module], Answer]:
    """Return the modules that a query is for, and what describes their version, if it is a published one."""
    product = call.product()
    draft, number = _draft(call, product), call.fields.optional_text("ModelVersion")
    if number is not None:
        if (version := next((known for known in draft.versions if known.number == number), None)) is None:
            raise ApiError(NO_SUCH_MODEL_VERSION, number)
    elif not published:
        return draft.modules, {}
    elif draft.versions:
        version = draft.versions[-1]
    elif product.thing_model is not None:
        return ModelDraft.of(product.key, product.thing_model.document).modules, {}
    else:
        raise ApiError(NO_SUCH_MODEL_VERSION, "The thing model was never published.")
    return version.modules, {"_ppk": {"version": version.number, "description": version.description}}


def _module(call: Call, modules: Mapping[str, Module]) -> Module:
    identifier = call.fields.optional_text("FunctionBlockId")
    if (module := modules.get(identifier or DEFAULT)) is None:
        raise ApiError(NO_SUCH_MODULE, identifier or "")
    return module


def _as_json(call: Call, chosen: tuple[Mapping[str, Module], Answer]) -> Answer:
    (modules, version), key = chosen, call.product().key
    module = _module(call, modules)
    document: Answer = {**version, "productKey": key, **from_tsl(module, key)}
    if "functionBlockId" in module:
        document |= {"identifier": module["functionBlockId"], "name": module["functionBlockName"]}
    elif len(modules) > 1:
        document["functionBlocks"] = [
            {"productKey": key, **{name: other[name] for name in ("functionBlockId", "functionBlockName")}}
            for identifier, other in modules.items()
            if identifier != DEFAULT
        ]
    return {"ProductKey": key, "Data": {"ThingModelJson": dump(_in_order(document))}}


def _as_tsl(call: Call, chosen: tuple[Mapping[str, Module], Answer]) -> Answer:
    module = _module(call, chosen[0])
    document = simplified(module) if call.fields.boolean("Simple") else module
    return {"Data": {"TslStr": dump(document), "TslUri": ""}}


def _in_order(value: JsonValue) -> JsonValue:
    """Return a value whose fields are in alphabetical order, as on the platform."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    return [_in_order(item) for item in value] if isinstance(value, list) else value
