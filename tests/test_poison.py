"""Poisonous text of the cloud, of a thing model, a document or an exception is looked for in everything that is shown."""

from collections.abc import AsyncGenerator
from copy import deepcopy
import json
import logging
from pathlib import Path
from typing import Any, override

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

import custom_components.aliyun_iot as package
from custom_components.aliyun_iot.const import (
    CONF_ENDPOINT,
    DOMAIN,
    EVENT_COMMAND,
    EVENT_COMMAND_FAILED,
)
from custom_components.aliyun_iot.logbook import async_describe_events
from custom_components.aliyun_iot.words.labels import Labels
from custom_components.aliyun_iot.words.markdown import bullets
from simulator.broker.packets import Publish

from .alink.scripted import ScriptedHost
from .application import LAMP as LAMP_ROW
from .conftest import SetUp
from .hostile_host import message
from .house import LAMP, bind_lamp, entry_with, furnish, selected
from .poison import FORGED, POISON, SHORT, faults_of, search, texts_of
from .test_reporter import CELSIUS, TEMPERATURE
from .waiting import until
from .walk import Walk

ROOT = Path(package.__file__).parent


class PoisonousHost(ScriptedHost):
    """Replies to everything with poison."""

    code = 460

    @override
    def _answer(self, packet: Publish) -> None:
        super()._answer(packet)
        try:
            request = json.loads(packet.payload)
        except ValueError:
            return
        if "method" in request:
            names = request["params"] if isinstance(request["params"], dict) else {}
            message, reason = (SHORT, POISON) if self.code == 200 else (POISON, SHORT)
            data = dict.fromkeys(names, reason) | {SHORT: SHORT}
            reply = {"id": request["id"], "code": self.code, "message": message, "data": data}
            self.publish(f"{packet.topic}_reply", json.dumps(reply).encode())


@pytest.fixture
async def host(entry_data: dict[str, Any], socket_enabled: None) -> AsyncGenerator[PoisonousHost]:
    """Return the host that the device connects to."""
    async with PoisonousHost() as host:
        entry_data[CONF_ENDPOINT] = f"127.0.0.1:{host.port}"
        yield host


@pytest.fixture
def debugging(caplog: pytest.LogCaptureFixture) -> None:
    """Log everything."""
    caplog.set_level(logging.DEBUG)


@pytest.mark.usefixtures("debugging")
@pytest.mark.parametrize("code", [200, 460])
async def test_poisonous_replies(
    hass: HomeAssistant,
    host: PoisonousHost,
    set_up: SetUp,
    hass_client: Any,
    caplog: pytest.LogCaptureFixture,
    code: int,
) -> None:
    """Refusals of values, with their reasons."""
    host.code = code
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    outbox = entry.runtime_data.device.reporter.outbox
    for value in range(21, 40):
        hass.states.async_set("sensor.living_room", str(value), CELSIUS)
        await until(lambda: outbox.refusals)
        await hass.async_block_till_done()
        if any("property_rejected" in issue_id for _, issue_id in ir.async_get(hass).issues):
            break
    assert "forged" in outbox.refusals["CurrentTemperature"].reason
    assert any("property_rejected" in issue_id for _, issue_id in ir.async_get(hass).issues)
    for action, fields in (
        ("post_properties", {"properties": {"CurrentTemperature": 21}}),
        ("post_event", {"identifier": "SceneActivated", "output": {"SceneName": "x"}}),
    ):
        data = {"config_entry_id": entry.entry_id, **fields}
        try:
            told = str(await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True))
        except HomeAssistantError as err:
            told = str(err)
        assert "forged" in told
        assert faults_of(told) == []
    assert await search(hass, hass_client, entry, caplog) == {}
    assert "forged" in caplog.text


@pytest.mark.usefixtures("debugging", "house")
async def test_poisonous_commands(
    hass: HomeAssistant, host: PoisonousHost, set_up: SetUp, hass_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Names, values, ids, methods and topics; then the logbook as well."""
    host.code = 200
    name = {"identifier": "GatewayName", "entity": "input_text.name", "aspect": "value", "access": "both"}
    assert await async_setup_component(hass, "input_text", {"input_text": {"name": {"initial": "x"}}})
    entry = await set_up([LAMP_ROW, name])
    commands, failures = async_capture_events(hass, EVENT_COMMAND), async_capture_events(hass, EVENT_COMMAND_FAILED)
    system = entry.runtime_data.link.device.topics.system
    requests: list[tuple[str, Any]] = [
        ("thing/service/property/set", {"id": SHORT[:200], "params": {"LightSwitch": SHORT}}),
        ("thing/service/property/set", {"id": "2", "params": {SHORT: 1}}),
        ("thing/service/property/set", {"id": "3", "params": {POISON: POISON}}),
        ("thing/service/property/set", {"id": "4", "params": {"GatewayName": SHORT, "LightSwitch": {SHORT: [SHORT]}}}),
        ("thing/service/property/get", {"id": "5", "params": [SHORT, POISON]}),
        ("rrpc/request/6", {"id": "6", "method": f"thing.service.{SHORT}", "params": {SHORT: SHORT}}),
        ("rrpc/request/7", {"id": "7", "method": "thing.service.ReadMeter", "params": {"Channel": SHORT}}),
        ("thing/service/ReadMeter", {"id": "8", "params": {SHORT: SHORT}}),
        ("thing/service/property/set", POISON),
        ("thing/service/property/set", {"id": "9", "method": POISON}),
    ]
    for path, content in requests:
        host.publish(f"{system}{path}", json.dumps(content).encode())
    for topic in (f"{system}thing/service/{FORGED}\n", f"{system}{SHORT}"):
        host.send(message(topic[:300], b"{}"))
    journal = entry.runtime_data.device.commander.journal
    await until(lambda: journal.received >= 8)
    await hass.async_block_till_done()
    assert await search(hass, hass_client, entry, caplog) == {}

    describers: dict[str, Any] = {}
    async_describe_events(hass, lambda _domain, kind, describe: describers.update({kind: describe}))
    lines = [describers[event.event_type](event)["message"] for event in (*commands, *failures)]
    assert len(lines) >= 8
    assert [line[:700] for line in lines if faults_of(line)] == []
    assert max(map(len, lines)) <= 4000
    recorded = [fault for event in (*commands, *failures) for fault in faults_of(texts_of(event.data))]
    assert set(recorded) <= {"a long text"}  # values are bounded by their bytes


@pytest.mark.usefixtures("debugging")
@pytest.mark.parametrize(
    ("error", "tells"),
    [
        (HomeAssistantError(f"no power {POISON}"), "no power 2026"),
        (HomeAssistantError("cannot reach http://admin:hunter2@camera/"), "cannot reach http://**@camera/"),
        (RuntimeError("http://admin:hunter2@camera/ is gone"), "unexpected RuntimeError"),
        (OSError(POISON), "unexpected OSError"),
    ],
    ids=["worded", "worded with an address", "unexpected with an address", "unexpected"],
)
async def test_what_an_exception_says_to_the_cloud(
    hass: HomeAssistant,
    host: PoisonousHost,
    set_up: SetUp,
    hass_client: Any,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    tells: str,
) -> None:
    """What is worded for users may go, without credentials; of anything else only the class, and the log has the rest."""
    host.code = 200

    async def fail(_call: ServiceCall) -> None:
        raise error

    hass.services.async_register("test", "fail", fail)
    entry = await set_up(services=[{"identifier": "ReadMeter", "actions": [{"action": "test.fail"}]}])
    topic = entry.runtime_data.link.device.topics.service("ReadMeter")
    host.publish(topic, json.dumps({"id": "1", "params": {"Channel": 1}}).encode())
    await until(lambda: any(one.topic == f"{topic}_reply" for one in host.published))
    (answer,) = [json.loads(one.payload) for one in host.published if one.topic == f"{topic}_reply"]
    told = json.dumps(answer, ensure_ascii=False)
    assert answer["code"] == 100005
    assert tells in told
    assert "hunter2" not in told
    assert faults_of(answer["message"]) == []
    if "unexpected" in tells:
        assert type(error).__name__ in caplog.text
        assert "forged" in caplog.text or "is gone" in caplog.text
    assert await search(hass, hass_client, entry, caplog) == {}


@pytest.fixture
def poisonous_model(thing_model_document: dict[str, Any]) -> dict[str, Any]:
    """Return a thing model with poison in every text that is only for people."""
    document = deepcopy(thing_model_document)
    for feature in (*document["properties"], *document["services"], *document["events"]):
        feature["name"] = SHORT
        feature["desc"] = SHORT
        for part in ("inputData", "outputData"):
            for field in feature.get(part, []):
                if isinstance(field, dict):
                    field["name"] = SHORT
        specs = feature.get("dataType", {}).get("specs")
        if feature.get("dataType", {}).get("type") in ("bool", "enum"):
            feature["dataType"]["specs"] = dict.fromkeys(specs, SHORT)
        elif isinstance(specs, dict) and "unit" in specs:
            specs["unit"] = specs["unitName"] = SHORT
    return document


def shown(walk: Walk) -> list[str]:
    """Return the faults of the placeholders and the labels on a page."""
    placeholders = walk.result.get("description_placeholders") or {}
    faults = [f"{name}: {fault}" for name, text in placeholders.items() for fault in faults_of(text, markdown=True)]
    if schema := walk.result.get("data_schema"):
        for field in schema.schema.values():
            for option in getattr(field, "config", {}).get("options", []):
                if isinstance(option, dict):
                    faults += [f"an option: {fault}" for fault in faults_of(option["label"])]
    return faults


async def test_poisonous_thing_model(
    hass: HomeAssistant, poisonous_model: dict[str, Any], thing_model_document: dict[str, Any]
) -> None:
    """Its pages, the pages of bindings, and the preview."""
    furnish(hass)
    entry = entry_with(hass, {"thing_model": poisonous_model})
    walk = await bind_lamp(hass, entry)
    assert shown(walk) == []

    for way in ("thing_model_paste",):
        walk = await Walk.options(hass, entry, "thing_model", way)
        await walk.submit(thing_model=json.dumps(poisonous_model))
        assert walk.step == "thing_model_confirm"
        assert shown(walk) == []
        for defect in (
            {**poisonous_model, "properties": [{"identifier": POISON}]},
            {**poisonous_model, "properties": [{"identifier": "A", "dataType": {"type": POISON}}]},
            {"profile": {"productKey": POISON}, "properties": []},
            {POISON: POISON},
        ):
            walk = await Walk.options(hass, entry, "thing_model", way)
            await walk.submit(thing_model=json.dumps(defect))
            assert walk.errors or walk.step == "thing_model_confirm"
            assert shown(walk) == []

    walk = await Walk.bind(hass, entry)
    await walk.submit(entity="sensor.cellar")
    assert shown(walk) == []
    await walk.submit(aspect="value", identifier="GatewayName", access="report", conversion={}, reporting={})
    assert shown(walk) == []

    for name in ("LightSwitch", "Brightness"):  # whose labels fit
        (spoilt,) = [one for one in poisonous_model["properties"] if one["identifier"] == name]
        (intact,) = [one for one in thing_model_document["properties"] if one["identifier"] == name]
        spoilt["dataType"] = intact["dataType"]
    entry = entry_with(hass, {"thing_model": deepcopy(poisonous_model)})  # what is stored is never changed in place
    walk = await Walk.options(hass, entry, "select")
    await walk.submit(**selected(LAMP, "switch.kettle", "sensor.cellar"))
    assert shown(walk) == []
    assert walk.step == "suggestions", (walk.errors, walk.step)
    await walk.submit(bindings=list(walk.choices("bindings")))
    assert walk.step == "preview"
    assert shown(walk) == []

    walk = await Walk.add_subentry(hass, entry, "service")
    await walk.submit(identifier="ReadMeter")
    assert shown(walk) == []


async def test_poisonous_mapping(hass: HomeAssistant, poisonous_model: dict[str, Any]) -> None:
    """A document from somebody else; what it lets the cloud do is listed in full."""
    furnish(hass)
    entry = entry_with(hass, {"thing_model": poisonous_model})
    actions = [{"action": f"light.turn_on_{number}"} for number in range(60)] + [{"action": "lock.unlock"}]
    document = {
        "format": "aliyun_iot_mapping",
        "version": 1,
        "bindings": {"light.lamp": [{"identifier": "LightSwitch", "aspect": SHORT, "access": "both"}]},
        "services": {"ReadMeter": {"actions": actions}},
    }
    for text in (json.dumps({"format": SHORT}), json.dumps({**document, SHORT: 1}), SHORT):
        walk = await Walk.options(hass, entry, "transfer", "import_mapping")
        await walk.submit(mapping=text, mode="merge")
        assert walk.errors
        assert shown(walk) == []
    walk = await Walk.options(hass, entry, "transfer", "import_mapping")
    await walk.submit(mapping=json.dumps(document), mode="merge")
    assert walk.step == "import_preview", walk.description()
    assert shown(walk) == []
    assert "`light.turn_on_59`, `lock.unlock`" in walk.description()


async def test_labels_are_safe(hass: HomeAssistant, poisonous_model: dict[str, Any]) -> None:
    """A text with placeholders, and Markdown with lists."""
    labels = await Labels.load(hass)
    assert faults_of(labels.text("common.misfit", identifier=POISON, reason=POISON)) == []
    assert faults_of(labels.listed([POISON] * 3)) == []
    assert faults_of(labels.markdown("common.model_new", list=bullets([POISON] * 3)), markdown=True) == []
