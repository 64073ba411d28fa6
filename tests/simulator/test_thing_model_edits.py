"""Thing models that are edited and published by applications, in both forms (docs/protocol.md §20.5)."""

from collections.abc import Callable
from copy import deepcopy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from simulator import CloudDevice, Simulator
from simulator.core.model_draft import ModelDraft
from simulator.core.thing_model_json import from_tsl, to_tsl

from .conftest import FIXTURES, Call, Connect
from .test_products import LAMP, Ask, ask

__all__ = ["ask"]

BAD = "iot.tsl.InvalidThingModel"
POWER = {
    "identifier": "Power",
    "name": "电源",
    "rwFlag": "READ_WRITE",
    "dataType": "BOOL",
    "dataSpecsList": [
        {"dataType": "BOOL", "name": "关", "value": 0},
        {"dataType": "BOOL", "name": "开", "value": 1},
    ],
}
LEVEL = {
    "identifier": "Level",
    "name": "Level",
    "rwFlag": "READ_ONLY",
    "dataType": "INT",
    "dataSpecs": {"dataType": "INT", "min": "0", "max": "9", "step": "1"},
    "required": True,
    "description": "how much",
}
FAULT = {
    "identifier": "Fault",
    "eventName": "Fault",
    "eventType": "ALERT_EVENT_TYPE",
    "outputData": [{"identifier": "Code", "name": "Code", **{key: LEVEL[key] for key in ("dataType", "dataSpecs")}}],
}
RUN = {"identifier": "Run", "serviceName": "Run", "callType": "SYNC", "inputParams": [], "outputParams": []}
FEATURES = {"properties": [POWER, LEVEL], "events": [FAULT], "services": [RUN]}

GENERATED = {"post", "set", "get"}

type Model = Callable[..., dict[str, Any]]


@pytest.fixture
async def key(ask: Ask) -> str:
    """A product with an empty thing model."""
    return (await ask("CreateProduct", **LAMP))["ProductKey"]


@pytest.fixture(scope="session")
def importable(tsl: dict[str, Any]) -> dict[str, Any]:
    """The thing model of the home gateway with names that the console takes, without generated members."""

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return [named(item) for item in value if not isinstance(item, dict) or item.get("name") not in GENERATED]
        if not isinstance(value, dict):
            return value
        if value.get("type") == "int":
            value = {"specs": {}} | value
        return {
            field: item.replace(" ", "_") if field == "name" and isinstance(item, str) else named(item)
            for field, item in value.items()
        }

    return named(tsl)


async def _tsl(ask: Ask, key: str, **fields: Any) -> dict[str, Any]:
    return json.loads((await ask("GetThingModelTsl", ProductKey=key, **fields))["Data"]["TslStr"])


async def _json(ask: Ask, key: str, **fields: Any) -> dict[str, Any]:
    return json.loads((await ask("QueryThingModel", ProductKey=key, **fields))["Data"]["ThingModelJson"])


def _identifiers(model: dict[str, Any]) -> dict[str, list[str]]:
    return {kind: [one["identifier"] for one in model[kind]] for kind in ("properties", "events", "services")}


async def test_an_imported_model_is_used_once_it_is_published(
    cloud: Simulator, ask: Ask, key: str, connect: Connect, tsl: dict[str, Any], importable: dict[str, Any]
) -> None:
    """By devices that exist and are online; what they ask for is what was imported."""
    secret = (await ask("RegisterDevice", ProductKey=key, DeviceName="lamp-1"))["Data"]["DeviceSecret"]
    device = await connect("lamp-1", product_key=key, secret=secret)
    post = {"Brightness": 5}
    assert (await device.ask("thing/event/property/post", post))["data"].keys() == {"Brightness"}
    await ask("ImportThingModelTsl", ProductKey=key, TslStr=json.dumps(importable, ensure_ascii=False))
    assert (await device.ask("thing/event/property/post", post))["data"].keys() == {"Brightness"}
    await ask("PublishThingModel", ProductKey=key, ModelVersion="1.2.3", Description="first")
    assert (await device.ask("thing/event/property/post", post))["data"] == {}
    document = (await device.ask("thing/dsltemplate/get", {}))["data"]
    assert document["profile"]["productKey"] == key
    for kind in ("properties", "events", "services"):
        assert document[kind] == (await _tsl(ask, key))[kind]
        methods = {one["identifier"]: one.get("method") for one in tsl[kind]}
        assert {one["identifier"]: one.get("method") for one in document[kind]} == methods
    second = (await ask("RegisterDevice", ProductKey=key, DeviceName="lamp-2"))["Data"]
    assert cloud.device(key, second["DeviceName"]).thing_model is cloud.device(key, "lamp-1").thing_model
    newest, first = (await ask("ListThingModelVersion", ProductKey=key))["Data"]["ModelVersions"]
    assert (newest["ModelVersion"], newest["Description"]) == ("1.2.3", "first")
    assert first["ModelVersion"].isdecimal()


async def test_features_are_added_replaced_and_removed(ask: Ask, key: str) -> None:
    """Of all kinds; the generated members follow."""
    await ask("CreateThingModel", ProductKey=key, ThingModelJson=json.dumps(FEATURES))
    assert _identifiers(await _json(ask, key)) == {
        "properties": ["Power", "Level"],
        "events": ["Fault"],
        "services": ["Run"],
    }
    tsl = await _tsl(ask, key)
    members = {one["identifier"]: one for kind in ("events", "services") for one in tsl[kind]}
    assert list(members) == ["post", "Fault", "set", "get", "Run"]
    assert [one["identifier"] for one in members["set"]["inputData"]] == ["Power"]
    assert members["get"]["inputData"] == ["Power", "Level"]
    assert (members["Run"]["callType"], members["Run"]["method"]) == ("sync", "thing.service.Run")

    renamed = {"properties": [POWER | {"identifier": "Switch", "name": "Switch"}]}
    await ask("UpdateThingModel", ProductKey=key, Identifier="Power", ThingModelJson=renamed)
    assert _identifiers(await _json(ask, key))["properties"] == ["Switch", "Level"]
    await ask("DeleteThingModel", ProductKey=key, **{"PropertyIdentifier.1": "Switch", "EventIdentifier.1": "Fault"})
    assert _identifiers(await _json(ask, key)) == {"properties": ["Level"], "events": [], "services": ["Run"]}
    assert "post" in _identifiers(await _tsl(ask, key))["events"]
    await ask("DeleteThingModel", ProductKey=key)
    assert _identifiers(await _tsl(ask, key)) == {"properties": [], "events": [], "services": []}


async def test_modules(cloud: Simulator, ask: Ask, key: str, connect: Connect) -> None:
    """A custom module is made with its name, has its own features, and is published with the default one."""
    battery = {"ProductKey": key, "FunctionBlockId": "battery"}
    named = battery | {"FunctionBlockName": "Battery"}
    await ask("CreateThingModel", ProductKey=key, ThingModelJson={"properties": [POWER]})
    await ask("CreateThingModel", **named, ThingModelJson=FEATURES)
    await ask("UpdateThingModel", **battery, FunctionBlockName="电池模块")
    model = await _json(ask, key)
    assert _identifiers(model)["properties"] == ["Power"]
    assert model["functionBlocks"] == [
        {"functionBlockId": "battery", "functionBlockName": "电池模块", "productKey": key}
    ]
    module = await _json(ask, key, FunctionBlockId="battery")
    assert (module["identifier"], module["name"]) == ("battery", "电池模块")
    tsl = await _tsl(ask, key, FunctionBlockId="battery")
    assert [one["method"] for one in tsl["services"]][-1] == "thing.service.battery:Run"
    await ask("PublishThingModel", ProductKey=key)
    secret = (await ask("RegisterDevice", ProductKey=key, DeviceName="lamp-1"))["Data"]["DeviceSecret"]
    device = await connect("lamp-1", product_key=key, secret=secret)
    posted = await device.ask("thing/event/property/post", {"Power": 1, "battery:Level": 3, "Level": 3})
    assert posted["data"].keys() == {"Level"}
    await ask("DeleteThingModel", **battery, **{"PropertyIdentifier.1": "Level"})
    assert _identifiers(await _json(ask, key, FunctionBlockId="battery"))["properties"] == ["Power"]
    await ask("DeleteThingModel", **battery)
    assert "functionBlocks" not in await _json(ask, key)
    published = json.loads(
        (await ask("QueryThingModelPublished", ProductKey=key, FunctionBlockId="battery"))["Data"]["ThingModelJson"]
    )
    assert _identifiers(published)["properties"] == ["Power", "Level"]


async def test_versions(ask: Ask, key: str) -> None:
    """The draft is what is being edited; versions stay as they were published."""
    await ask("CreateThingModel", ProductKey=key, ThingModelJson={"properties": [POWER]})
    await ask("PublishThingModel", ProductKey=key, ModelVersion="v1", Description="one")
    await ask("CreateThingModel", ProductKey=key, ThingModelJson={"properties": [LEVEL]})
    assert _identifiers(await _json(ask, key))["properties"] == ["Power", "Level"]
    assert "_ppk" not in await _json(ask, key)
    version = await _json(ask, key, ModelVersion="v1")
    assert version["_ppk"] == {"version": "v1", "description": "one"}
    answer = await ask("QueryThingModelPublished", ProductKey=key)
    assert answer["ProductKey"] == key
    assert json.loads(answer["Data"]["ThingModelJson"]) == version
    published = json.loads((await ask("GetThingModelTslPublished", ProductKey=key))["Data"]["TslStr"])
    assert published == await _tsl(ask, key, ModelVersion="v1")
    assert _identifiers(published)["properties"] == ["Power"]


async def test_simple_model(ask: Ask, key: str, tsl: dict[str, Any], importable: dict[str, Any]) -> None:
    """Only identifiers and data types."""
    await ask("ImportThingModelTsl", ProductKey=key, TslStr=importable)
    simple = await _tsl(ask, key, Simple="true")
    assert simple["properties"][0] == {key: tsl["properties"][0][key] for key in ("identifier", "dataType")}
    meter = next(one for one in simple["services"] if one["identifier"] == "ReadMeter")
    assert meter.keys() == {"identifier", "inputData", "outputData"}
    assert meter["inputData"][0].keys() == {"identifier", "dataType"}


async def test_model_given_to_a_device_is_shown(call: Call, gateway: CloudDevice, tsl: dict[str, Any]) -> None:
    """As with `--device PK,DN,SECRET,TSL.json`; until it is edited, it is also the published one."""
    for action in ("GetThingModelTsl", "GetThingModelTslPublished"):
        answer = await call(action)
        assert answer.get("Code") == ("" if action == "GetThingModelTsl" else "iot.tsl.NotExistedModelVersion")
    shown = json.loads((await call("GetThingModelTsl"))["Data"]["TslStr"])
    assert shown["properties"] == tsl["properties"]


async def test_model_of_a_product_is_shown(cloud: Simulator, ask: Ask, tsl: dict[str, Any]) -> None:
    """As with add_product()."""
    cloud.add_product("a1Product01", tsl)
    published = json.loads((await ask("GetThingModelTslPublished", ProductKey="a1Product01"))["Data"]["TslStr"])
    assert published["properties"] == tsl["properties"]
    assert (await ask("QueryProduct", ProductKey="a1Product01"))["Data"]["AliyunCommodityCode"] == "iothub_senior"


def test_form_of_the_features() -> None:
    """Written as documented."""
    assert from_tsl(to_tsl(FEATURES), "pk")["properties"][1] == {
        "productKey": "pk",
        "custom": True,
        "identifier": "Level",
        "name": "Level",
        "description": "how much",
        "required": True,
        "rwFlag": "READ_ONLY",
        "dataType": "INT",
        "dataSpecs": {"dataType": "INT", "custom": True, "min": "0", "max": "9", "step": "1"},
    }


@pytest.mark.parametrize("generated", [False, True])
def test_the_other_form_says_the_same(importable: dict[str, Any], *, generated: bool) -> None:
    """A thing model with every data type, to ThingModelJson and back."""
    tsl = json.loads((FIXTURES / "tsl-generated.json").read_text()) if generated else importable
    again = to_tsl(json.loads(json.dumps(from_tsl(tsl, "pk"))))
    draft = ModelDraft.of("pk", None)
    draft.edit("", None, lambda module: module.update(deepcopy(again)))
    for kind in ("properties", "events", "services"):
        found = {one["identifier"]: one for one in draft.modules[""][kind]}
        for feature in tsl[kind]:
            if feature["identifier"] not in GENERATED:
                said = {field: value for field, value in feature.items() if value != "" or field != "desc"}
                assert said.items() <= found[feature["identifier"]].items()


@pytest.mark.parametrize(
    ("features", "place"),
    [
        ({"properties": [POWER | {"identifier": "set"}]}, "properties[0].identifier: set is reserved"),
        ({"properties": [LEVEL, POWER | {"identifier": "a-b"}]}, "properties[1].identifier"),
        ({"properties": [POWER | {"identifier": []}]}, "properties[0].identifier"),
        ({"properties": [POWER | {"name": "-"}]}, "properties[0].name"),
        ({"properties": [POWER | {"rwFlag": "WRITE_ONLY"}]}, "properties[0].accessMode"),
        ({"properties": [POWER | {"dataType": "WORD"}]}, "properties[0].dataType.type"),
        ({"properties": [POWER | {"dataType": None}]}, "properties[0].dataType.type"),
        ({"properties": [POWER | {"dataType": []}]}, "properties[0].dataType.type"),
        ({"properties": [POWER | {"dataSpecsList": []}]}, "properties[0].dataType.specs"),
        (
            {"properties": [POWER | {"dataSpecsList": [POWER["dataSpecsList"][0]] * 2}]},
            "properties[0].dataSpecsList: two items have the same value",
        ),
        (
            {"properties": [POWER | {"dataSpecsList": [{"value": 0, "name": "a b"}, {"value": 1, "name": "c"}]}]},
            "properties[0].dataType.specs.0",
        ),
        ({"properties": [LEVEL | {"dataSpecs": {"min": "5", "max": "1"}}]}, "properties[0].dataType.specs.min"),
        ({"properties": [LEVEL | {"dataType": "TEXT", "dataSpecs": {"length": 20_000}}]}, "specs.length"),
        (
            {"properties": [LEVEL | {"dataType": "ARRAY", "dataSpecs": {"size": 3, "childDataType": "BOOL"}}]},
            "item.type",
        ),
        ({"properties": [LEVEL | {"dataType": "STRUCT", "dataSpecsList": [{"identifier": "a"}]}]}, "specs[0].name"),
        ({"properties": [LEVEL | {"dataType": "STRUCT", "dataSpecsList": [1]}]}, "properties[0].dataSpecsList"),
        ({"properties": {"a": 1}}, "properties: must be a list of objects"),
        ({"properties": [1]}, "properties: must be a list of objects"),
        ({"events": [FAULT | {"eventType": "PARTY"}]}, "events[0].type"),
        ({"events": [FAULT | {"outputData": [LEVEL, LEVEL]}]}, "events[0].outputData: 2 have the identifier Level"),
        ({"services": [RUN | {"callType": "LATER"}]}, "services[0].callType"),
        (
            {"services": [RUN | {"inputParams": [{"identifier": "A", "name": "A"}]}]},
            "services[0].inputData[0].dataType",
        ),
        ({"properties": [LEVEL | {"description": "x" * 101}]}, "properties[0].desc"),
        ({"properties": [POWER | {"identifier": "Kept"}]}, "properties: 2 have the identifier Kept"),
    ],
)
async def test_features_that_the_console_refuses(
    ask: Ask, cloud: Simulator, key: str, features: Any, place: str
) -> None:
    """With the place; the draft stays as it was, and an update is refused alike."""
    kept = {"properties": [LEVEL | {"identifier": "Kept", "name": "Kept"}]}
    await ask("CreateThingModel", ProductKey=key, ThingModelJson=kept)
    before = await _tsl(ask, key)
    calls: list[tuple[str, dict[str, str]]] = [("CreateThingModel", {})]
    if "Kept" not in place and all(len(entries) == 1 for entries in features.values()):
        calls.append(("UpdateThingModel", {"Identifier": "Kept"}))
    for action, more in calls:
        answer = await cloud.call(action, ProductKey=key, ThingModelJson=json.dumps(features), **more)
        assert (answer["Success"], answer["Code"]) == (False, BAD)
        assert place in answer["ErrorMessage"]
    assert await _tsl(ask, key) == before


def _with(path: list[Any], value: Any) -> Model:
    """Change one place of a thing model."""

    def change(tsl: dict[str, Any]) -> dict[str, Any]:
        changed = deepcopy(tsl)
        *way, last = path
        place: Any = changed
        for step in way:
            place = place[step]
        place[last] = value
        return changed

    return change


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_with(["properties", 1, "identifier"], "time"), "properties[1].identifier: time is reserved"),
        (_with(["properties", 1, "identifier"], "x" * 51), "properties[1].identifier"),
        (_with(["properties", 1, "identifier"], {}), "properties[1].identifier"),
        (_with(["properties", 0, "dataType", "specs", "0"], "off!"), "properties[0].dataType.specs.0"),
        (_with(["properties", 1, "dataType", "specs", "step"], "0"), "properties[1].dataType.specs.step"),
        (_with(["properties", 1, "accessMode"], "w"), "properties[1].accessMode"),
        (_with(["events", 0, "type"], "party"), "events[0].type"),
        (_with(["services"], {"0": RUN}), "services: must be a list"),
        (_with(["services"], 0), "services: must be a list"),
        (_with(["services", 0], "Run"), "services[0]: must be an object"),
    ],
)
async def test_models_that_the_console_refuses(
    ask: Ask, cloud: Simulator, key: str, importable: dict[str, Any], change: Model, place: str
) -> None:
    """With the place; whatever option the simulator was started with, since an import always goes through the console."""
    answer = await cloud.call("ImportThingModelTsl", ProductKey=key, TslStr=json.dumps(change(importable)))
    assert (answer["Success"], answer["Code"]) == (False, BAD)
    assert place in answer["ErrorMessage"]
    assert _identifiers(await _tsl(ask, key))["properties"] == []


@pytest.mark.parametrize(
    ("action", "fields", "code"),
    [
        ("ImportThingModelTsl", {}, "MissingTslStr"),
        ("ImportThingModelTsl", {"TslStr": "{"}, BAD),
        ("ImportThingModelTsl", {"TslStr": "[]"}, BAD),
        ("ImportThingModelTsl", {"TslStr": "{}", "FunctionBlockId": "b"}, "MissingFunctionBlockName"),
        ("ImportThingModelTsl", {"TslStr": "{}", "FunctionBlockName": "block"}, "MissingFunctionBlockId"),
        ("ImportThingModelTsl", {"TslStr": "{}", "FunctionBlockId": "b", "FunctionBlockName": "b"}, BAD),
        ("ImportThingModelTsl", {"TslStr": "{}", "FunctionBlockId": "b-c", "FunctionBlockName": "block"}, BAD),
        ("ImportThingModelTsl", {"TslStr": "{}", "ProductKey": "a1None"}, "iot.prod.NotExistedProduct"),
        ("CreateThingModel", {}, "MissingThingModelJson"),
        ("CreateThingModel", {"ThingModelJson": "x"}, BAD),
        ("CreateThingModel", {"ThingModelJson": "{}"}, "iot.common.InvalidFormattedParameter"),
        ("CreateThingModel", {"ThingModelJson": {"properties": [POWER] * 11}}, "iot.common.InvalidFormattedParameter"),
        ("UpdateThingModel", {"Identifier": "Power"}, "MissingThingModelJson"),
        ("UpdateThingModel", {}, "MissingFunctionBlockName"),
        ("UpdateThingModel", {"ThingModelJson": {"properties": [POWER]}}, "MissingIdentifier"),
        (
            "UpdateThingModel",
            {"Identifier": "Nope", "ThingModelJson": {"properties": [POWER]}},
            "iot.tsl.NotExistedFeature",
        ),
        (
            "UpdateThingModel",
            {"Identifier": "Power", "ThingModelJson": FEATURES},
            "iot.common.InvalidFormattedParameter",
        ),
        ("DeleteThingModel", {"FunctionBlockId": "none"}, "iot.tsl.NotExistedModule"),
        (
            "DeleteThingModel",
            {"PropertyIdentifier": [f"P{n}" for n in range(11)]},
            "iot.common.InvalidFormattedParameter",
        ),
        ("PublishThingModel", {"ModelVersion": "v 1"}, "iot.common.InvalidFormattedParameter"),
        ("PublishThingModel", {"ModelVersion": "x" * 17}, "iot.common.InvalidFormattedParameter"),
        ("PublishThingModel", {"ModelVersion": "taken"}, "iot.common.InvalidFormattedParameter"),
        ("QueryThingModel", {"ModelVersion": "none"}, "iot.tsl.NotExistedModelVersion"),
        ("GetThingModelTsl", {"FunctionBlockId": "none"}, "iot.tsl.NotExistedModule"),
        ("GetThingModelTslPublished", {"ModelVersion": "none"}, "iot.tsl.NotExistedModelVersion"),
        ("GetThingModelTsl", {"Simple": "perhaps"}, "iot.common.InvalidFormattedParameter"),
    ],
)
async def test_errors(ask: Ask, cloud: Simulator, key: str, action: str, fields: dict[str, Any], code: str) -> None:
    """Each with its code; nothing changes."""
    await ask("PublishThingModel", ProductKey=key, ModelVersion="taken")
    before = await _tsl(ask, key), (await ask("ListThingModelVersion", ProductKey=key))["Data"]
    answer = await cloud.call(action, **({"ProductKey": key} | fields))
    assert (answer["Success"], answer["Code"]) == (False, code)
    assert (await _tsl(ask, key), (await ask("ListThingModelVersion", ProductKey=key))["Data"]) == before


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("CreateThingModel", {"ThingModelJson": {"properties": [POWER]}}),
        ("UpdateThingModel", {"Identifier": "Power", "ThingModelJson": {"properties": [POWER]}}),
        ("DeleteThingModel", {}),
        ("ImportThingModelTsl", {"TslStr": "{}"}),
        ("PublishThingModel", {}),
    ],
)
async def test_models_of_published_products_are_protected(
    ask: Ask, cloud: Simulator, key: str, action: str, fields: dict[str, Any]
) -> None:
    """Until CancelReleaseProduct."""
    await ask("CreateThingModel", ProductKey=key, ThingModelJson={"properties": [POWER, LEVEL]})
    await ask("ReleaseProduct", ProductKey=key)
    answer = await cloud.call(action, ProductKey=key, **fields)
    assert answer["Code"] == "iot.prod.AlreadyPublishedProduct"
    await ask("CancelReleaseProduct", ProductKey=key)
    if action != "CreateThingModel":
        await ask(action, ProductKey=key, **fields)


async def test_products_without_a_model_have_none(ask: Ask, cloud: Simulator) -> None:
    """There is nothing to edit or to show."""
    key = (await ask("CreateProduct", ProductName="plain", NodeType=0))["ProductKey"]
    for action in ("GetThingModelTsl", "QueryThingModel", "PublishThingModel", "ListThingModelVersion"):
        assert (await cloud.call(action, ProductKey=key))["Code"] == "iot.prod.NotSeniorProduct"


async def test_product_whose_model_waits_to_be_published(ask: Ask, cloud: Simulator) -> None:
    """PublishAuto false: there is a draft only."""
    key = (await ask("CreateProduct", **LAMP, PublishAuto=False))["ProductKey"]
    assert cloud._platform.registry.products[key].thing_model is None
    answer = await cloud.call("QueryThingModelPublished", ProductKey=key)
    assert answer["Code"] == "iot.tsl.NotExistedModelVersion"
    await ask("PublishThingModel", ProductKey=key)
    await ask("QueryThingModelPublished", ProductKey=key)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_whatever_is_sent_is_answered(ask: Ask, cloud: Simulator, key: str, data: st.DataObject) -> None:
    """Any value at any place of a feature: taken or refused with the place, never an exception."""
    features = deepcopy(FEATURES)
    kind = data.draw(st.sampled_from(list(features)))
    feature: dict[str, Any] = features[kind][-1]
    place = data.draw(st.sampled_from([feature, feature.get("dataSpecs", feature)]))
    place[data.draw(st.sampled_from([*place, "dataSpecsList", "dataSpecs"]))] = data.draw(JSON)
    answer = await cloud.call("CreateThingModel", ProductKey=key, ThingModelJson=features)
    assert answer["Code"] in ("", BAD)
    assert answer["Success"] or ":" in answer["ErrorMessage"]
    await ask("DeleteThingModel", ProductKey=key)
