"""Text of the cloud, of a thing model or of an exception is safe wherever it is logged or shown."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from copy import deepcopy
import importlib
import json
import logging
from pathlib import Path
import pkgutil
import re
from typing import Any, override

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.data_entry_flow import FlowHandler
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry

import custom_components.aliyun_iot as package
from custom_components.aliyun_iot.alink.errors import (
    AlinkError,
    ConnectionLost,
    InvalidValue,
    MessageError,
    Rejected,
    ThingModelError,
)
from custom_components.aliyun_iot.alink.foreign import MAX_TEXT, Safe, logger_of, safe, safe_lines
from custom_components.aliyun_iot.alink.privacy import without_credentials
from custom_components.aliyun_iot.const import (
    CONF_ENDPOINT,
    DOMAIN,
    EVENT_COMMAND,
    EVENT_COMMAND_FAILED,
)
from custom_components.aliyun_iot.flows.safe_pages import SafePages
from custom_components.aliyun_iot.logbook import async_describe_events
from custom_components.aliyun_iot.words.labels import Labels
from custom_components.aliyun_iot.words.markdown import Markdown, bullets, code, escaped
from simulator.broker.packets import Publish

from .alink.scripted import ScriptedHost
from .application import LAMP as LAMP_ROW
from .conftest import SetUp
from .hostile_host import message
from .house import LAMP, bind_lamp, entry_with, furnish, selected
from .test_reporter import CELSIUS, TEMPERATURE
from .waiting import until
from .walk import Walk

ROOT = Path(package.__file__).parent

FORGED = "2026-01-01 00:00:00.000 ERROR (MainThread) [homeassistant.core] forged"
POISON = (
    f"\n{FORGED}\x1b[31m ![x](http://evil/a.png) [click](javascript:1) \u202e\u200b`_*<img src=x>\r\n# {'A' * 101_000}"
)

SHORT = POISON[:600]

LONGEST = 20_000
"""Characters that all texts of one place together may have; each foreign one has at most 200."""


def faults_of(text: str, *, markdown: bool = False) -> list[str]:
    """Return what a text has that must not be in it."""
    faults = [character for character in ("\x1b", "\u202e", "\u200b", "\r") if character in text]
    faults += ["a line of the log"] if f"\n{FORGED[:10]}" in text else []
    faults += ["a long text"] if re.search(r"A{201}", text) or len(text) > LONGEST else []
    if markdown and "<details" in text:  # nothing in such a block is Markdown
        faults += re.findall(r"<img|\]\(", text)
    elif markdown:
        faults += re.findall(r"(?<!\\)(?:!\[|\]\(|<img|`_|\*<)|http://evil", text)
    return faults


# The functions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("中文，标点。 and English", "中文，标点。 and English"),
        ("a\nb\r\n\tc", "a b c"),
        ("\x1b[31mred\x7f\x9b", "[31mred"),
        ("\u202egnp.exe\u2066\u200b\ufeff", "gnp.exe"),
        ("a\u2028b\u2029c\xa0d\u3000e", "a b c d e"),
        ("\ud800 \ue000", ""),
        (42, "42"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("\n" * 5000 + "x", "…"),
    ],
)
def test_foreign_text_becomes_one_short_line(text: object, expected: str) -> None:
    """Printable characters only, and a mark where something was cut off."""
    assert safe(text) == expected
    assert safe(safe(text)) is not None
    assert isinstance(safe(text), Safe)


def test_text_that_was_made_safe_is_not_cut_again() -> None:
    """A sentence of our own may contain several foreign texts."""
    sentence = Safe("x" * 1000)
    assert safe(sentence) is sentence
    assert len(safe(str(sentence))) == MAX_TEXT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lamp [PowerSwitch]: 21.5 °C, 50 %, -5", "Lamp [PowerSwitch]: 21.5 °C, 50 %, -5"),
        ("snake_case_name · 客厅灯（主）", "snake_case_name · 客厅灯（主）"),
        ("![x](http://evil/a.png)", "\\![x\\](http\\://evil/a.png)"),
        ("[click](javascript:1)", "[click\\](javascript:1)"),
        ("[a][b]", "[a\\][b]"),
        ("[a]: http://evil", "\\[a]: http\\://evil"),
        ("**bold** _it_ `code` ~~no~~", "\\*\\*bold\\*\\* \\_it\\_ \\`code\\` \\~\\~no\\~~"),
        ("<img src=x onerror=1>&#60;&lt;", "\\<img src=x onerror=1>\\&#60;\\&lt;"),
        ("www.evil.com me@evil.com", "www\\.evil.com me\\@evil.com"),
        ("# heading", "\\# heading"),
        ("> quote", "\\> quote"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("--- x", "\\--- x"),
        ("a \\[b](c)", "a \\\\[b\\](c)"),
    ],
)
def test_markdown_shows_foreign_text_as_it_is(text: str, expected: str) -> None:
    """Only what would be markup is escaped, since titles and errors show the same placeholders as plain text."""
    assert escaped(text) == expected
    assert escaped(escaped(text)) == expected


def test_lists_and_code_escape_their_parts() -> None:
    """Markdown of our own stays."""
    assert code("a`b") == "`a'b`"
    assert bullets(["*a*", Markdown("`b`"), POISON]).startswith("- \\*a\\*\n- `b`\n- 2026")
    assert bullets([POISON]).count("\n") == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot reach http://admin:hunter2@camera/snap", "cannot reach http://**@camera/snap"),
        ("url='https://u:p@10.0.0.1:80/x?token=1a2b&y=1'", "url='https://**@10.0.0.1:80/x?token=**&y=1'"),
        ("GET /x?api_key=abc&password=def", "GET /x?api_key=**&password=**"),
        ("the relay does not answer", "the relay does not answer"),
        ("user@example.com, 5 % = low", "user@example.com, 5 % = low"),
    ],
)
def test_addresses_lose_their_credentials(text: str, expected: str) -> None:
    """Names, passwords and keys."""
    assert without_credentials(text) == expected


@pytest.mark.parametrize(
    "error",
    [
        ConnectionLost(POISON),
        Rejected(460, POISON),
        MessageError("1", POISON, 460),
        ThingModelError(POISON, ("{found}", "{found}"), found=POISON),
        InvalidValue(POISON, lambda _: POISON, POISON, 460),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_have_safe_texts(error: AlinkError) -> None:
    """In all forms."""
    texts = [str(error), f"{error}", *(str(vars(error).get(name, "")) for name in ("message", "problem", "path"))]
    if isinstance(error, InvalidValue | ThingModelError):
        texts += [error.describe("en"), error.describe("zh-Hans")]
    assert [faults_of(text) for text in texts if faults_of(text)] == []


def test_everything_logged_is_safe(caplog: pytest.LogCaptureFixture) -> None:
    """Arguments, exceptions as arguments, and tracebacks with all their causes."""
    caplog.set_level(logging.DEBUG)
    logger = logger_of("custom_components.aliyun_iot.test")
    logger.warning("%s and %d and %s", POISON, 5, ValueError(POISON))

    def fail() -> None:
        try:
            {}[POISON]
        except KeyError as err:
            raise ValueError(POISON) from err

    try:
        fail()
    except ValueError:
        logger.exception("It failed")
    logger.error("%s", safe_lines(POISON))
    formatter = logging.Formatter("%(asctime)s %(message)s")
    lines = [formatter.format(record) for record in caplog.records]
    assert [faults_of(line) for line in lines if faults_of(line)] == []
    assert "ValueError: 2026" in lines[1]
    assert "KeyError: " in lines[1]
    assert "test_everything_logged_is_safe" in lines[1]


# The rules


def sources() -> Iterator[tuple[str, str]]:
    """Yield the modules of the integration, with their text."""
    for path in ROOT.rglob("*.py"):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("logging.getLogger(", {"alink/foreign.py", "alink/mqtt/transport.py"}),
        ("async_create_issue(", {"health/issues.py"}),
        ("translation_placeholders=", {"health/issues.py", "actions/call.py"}),
        ("persistent_notification.", set()),
    ],
)
def test_every_way_out_is_one_function(code: str, allowed: set[str]) -> None:
    """What is logged, what becomes an issue and what becomes the text of an error passes the function that makes it safe."""
    assert {name for name, text in sources() if code in text} <= allowed


def test_every_flow_has_safe_pages() -> None:
    """So no page can forget it."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    flows = {flow for flow in _subclasses(FlowHandler) if flow.__module__.startswith(package.__name__)}
    from_issues = {flow for flow in flows if flow.__module__.endswith(".repairs")}  # they show what the issue shows
    assert len(flows - from_issues) >= 5
    assert [flow.__name__ for flow in flows - from_issues if not issubclass(flow, SafePages)] == []


def _subclasses(parent: type) -> Iterator[type]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)


# Stories: poison comes in, and is looked for everywhere


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


async def search(
    hass: HomeAssistant, hass_client: Any, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> dict[str, list[str]]:
    """Return where something of the poison is: in the log, issues, states or diagnostics."""
    formatter = logging.Formatter("%(name)s %(message)s")
    own = [
        record for record in caplog.records if not record.name.startswith(("homeassistant.core", "tests", "asyncio"))
    ]
    found = {f"log of {record.name}": faults_of(formatter.format(record)) for record in own}
    for issue in ir.async_get(hass).issues.values():
        for name, text in (issue.translation_placeholders or {}).items():
            found[f"issue {issue.issue_id}, {name}"] = faults_of(text, markdown=True)
    for state in hass.states.async_all():
        found[f"state of {state.entity_id}"] = faults_of(f"{state.state} {_texts(state.attributes)}")
    assert await async_setup_component(hass, "diagnostics", {})
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    found["diagnostics"] = [fault for text in _texts(diagnostics).split("\n ") for fault in faults_of(text)]
    return {place: faults for place, faults in found.items() if faults}


def _texts(value: Any) -> str:
    """Return all texts of a value, one per line, each after a blank."""
    match value:
        case str():
            return f"\n {value}"
        case Mapping():
            return "".join(_texts(key) + _texts(inner) for key, inner in value.items())
        case list() | tuple():
            return "".join(map(_texts, value))
    return ""


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
    recorded = [fault for event in (*commands, *failures) for fault in faults_of(_texts(event.data))]
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

    walk = await Walk.options(hass, entry, "add_one")
    await walk.submit(entity="sensor.cellar")
    assert shown(walk) == []
    await walk.submit(aspect="value", identifier="GatewayName", access="report", conversion={}, reporting={})
    assert shown(walk) == []

    for name in ("LightSwitch", "Brightness"):  # whose labels fit
        (spoilt,) = [one for one in poisonous_model["properties"] if one["identifier"] == name]
        (intact,) = [one for one in thing_model_document["properties"] if one["identifier"] == name]
        spoilt["dataType"] = intact["dataType"]
    entry = entry_with(hass, {"thing_model": poisonous_model})
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
