"""Private values reach the actions and the triggers of automations, and nothing that is shown, stored or sent."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
import json
import logging
from typing import Any

from homeassistant.components.recorder.db_schema import MAX_EVENT_DATA_BYTES, MAX_STATE_ATTRS_BYTES
from homeassistant.core import Event, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import json_bytes
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.aliyun_iot import logbook
from custom_components.aliyun_iot.alink.privacy import BY_NAME_ALONE, HIDDEN, WITHHELD, Secrets, is_private_name
from custom_components.aliyun_iot.alink.samples import Sample
from custom_components.aliyun_iot.const import EVENT_COMMAND, EVENT_COMMAND_FAILED
from custom_components.aliyun_iot.diagnostics import async_get_config_entry_diagnostics
from custom_components.aliyun_iot.health.issues import issues_of
from simulator import CloudDevice, Simulator

from .application import SetProperties, publish, reply_on
from .automations import ENTRY_ID, automate, reply, trigger, trigger_data
from .conftest import SetUp
from .waiting import until

PIN = "hunter2"
TEXT = {"identifier": "DoorPin", "entity": "input_text.pin", "aspect": "text", "access": "both"}
OPEN = {"identifier": "Note", "entity": "input_text.note", "aspect": "text", "access": "both"}


@pytest.fixture(autouse=True)
async def texts(hass: HomeAssistant, device: CloudDevice) -> None:
    """Add two text helpers with a pattern, of which no thing model says anything."""
    device.thing_model = None
    helper = {"pattern": "[0-9]{4}", "initial": "0000"}
    helpers = {"pin": helper, "note": helper, "word": {**helper, "mode": "password"}}
    assert await async_setup_component(hass, "input_text", {"input_text": helpers})


class Observer:
    """Collects everything that the integration shows, stores or sends."""

    def __init__(self, hass: HomeAssistant, cloud: Simulator) -> None:
        """Collect from now on."""
        self._hass = hass
        self._cloud = cloud
        self.commands = async_capture_events(hass, EVENT_COMMAND)
        self.failures = async_capture_events(hass, EVENT_COMMAND_FAILED)

    async def everything(self, entry: Any) -> str:
        """Return all of it as text."""
        describers: dict[str, Callable[[Event], dict[str, Any]]] = {}
        logbook.async_describe_events(self._hass, lambda _domain, name, describe: describers.setdefault(name, describe))
        events = [*self.commands, *self.failures]
        return json.dumps(
            {
                "bus": [event.as_dict() for event in events],
                "logbook": [describers[str(event.event_type)](event) for event in events],
                "states": [state.as_dict() for state in self._hass.states.async_all("event")],
                "diagnostics": await async_get_config_entry_diagnostics(self._hass, entry),
                "answers": [one.payload.decode() for one in self._cloud.wire if one.topic.endswith("_reply")],
            },
            default=str,
        )


async def test_refused_private_value_is_shown_nowhere(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Neither with its own property nor with one of the same command; the reason is given in general terms."""
    observer = Observer(hass, cloud)
    entry = await set_up([TEXT, OPEN], options={"thing_model": None})
    cloud.wire.clear()
    reply = await set_properties(DoorPin=PIN, Note="1234")
    await until(lambda: hass.states.get("event.gw_1_property_set").state != "unknown")
    assert reply.code == 100009
    assert reply.data == {"DoorPin": "The value is outside the range that the thing model or the entity allows"}
    assert hass.states.get("input_text.note").state == "1234"
    assert observer.commands[0].data["params"] == {"DoorPin": HIDDEN, "Note": "1234"}
    assert [change["value"] for change in observer.commands[0].data["changes"]] == [HIDDEN, "1234"]
    assert PIN not in await observer.everything(entry)


async def test_value_that_is_not_private_is_repeated(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The message says what is wrong with it."""
    await set_up([OPEN], options={"thing_model": None})
    assert f"'{PIN}'" in (await set_properties(Note=PIN)).message


async def test_private_member_of_a_structure_is_masked(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Also where the property itself has a harmless name."""
    observer = Observer(hass, cloud)
    row = {**OPEN, "identifier": "Access"}
    entry = await set_up([row], options={"thing_model": None})
    cloud.wire.clear()
    reply = await set_properties(Access={"user": "anna", "pin": PIN})
    assert reply.code == 100008
    assert observer.commands[0].data["params"] == {"Access": {"user": "anna", "pin": HIDDEN}}
    assert PIN not in await observer.everything(entry)


async def test_automations_and_actions_get_private_values(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp, set_properties: SetProperties
) -> None:
    """They need them to act. An error text that repeats the value is withheld."""
    given: list[str] = []

    async def unlock(call: ServiceCall) -> None:
        given.append(call.data["pin"])
        raise HomeAssistantError(f"{call.data['pin']} opens nothing")

    hass.services.async_register("test", "unlock", unlock)
    calls = await automate(hass, [trigger("property_set_received", identifier="DoorPin")])
    observer = Observer(hass, cloud)
    actions = [{"action": "test.unlock", "data": {"pin": "{{ value }}"}}]
    row = {"identifier": "DoorPin", "entity": "", "aspect": "actions", "access": "control", "actions": actions}
    entry = await set_up([row], options={"thing_model": None}, entry_id=ENTRY_ID)
    cloud.wire.clear()
    reply = await set_properties(DoorPin=PIN)
    await hass.async_block_till_done()
    assert given == [PIN]
    assert [trigger_data(call)["value"] for call in calls] == [PIN]
    assert reply.code == 100005
    assert "withheld" in reply.message
    assert PIN not in await observer.everything(entry)


@pytest.mark.parametrize(
    ("actions", "code", "words"),
    [
        ([{"action": "test.unlock", "data": {"pin": "{{ PinCode }}"}}], 100005, "withheld"),
        ([{"stop": "the door is jammed", "error": True}], 100005, "the door is jammed"),
        (
            [{"variables": {"answer": {"Token": "{{ PinCode }}"}}}, {"stop": "", "response_variable": "answer"}],
            200,
            "success",
        ),
    ],
    ids=["repeats it", "does not", "answers with it"],
)
async def test_private_input_of_a_service(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, actions: list[Any], code: int, words: str
) -> None:
    """Only an error text that repeats it is withheld. Output data are the answer that the cloud asked for."""

    async def unlock(call: ServiceCall) -> None:
        raise HomeAssistantError(f"{call.data['pin']!r} is wrong")

    hass.services.async_register("test", "unlock", unlock)
    observer = Observer(hass, cloud)
    service = {"identifier": "Unlock", "actions": actions}
    entry = await set_up(services=[service], options={"thing_model": None})
    await publish(cloud, device, "thing/service/Unlock", {"id": "7", "params": {"PinCode": PIN, "Door": "front"}})
    reply = await reply_on(cloud, "Unlock_reply")
    await hass.async_block_till_done()
    assert reply["code"] == code
    assert words in reply["message"]
    assert observer.commands[0].data["params"] == {"PinCode": HIDDEN, "Door": "front"}
    cloud.wire.clear()
    assert PIN not in await observer.everything(entry)


@pytest.mark.parametrize(
    ("name", "private"),
    [
        ("DoorPin", True),
        ("DoorPinCode", True),
        ("DoorPin[2]", True),
        ("lock:pin", True),
        ("Access.pin", True),
        ("WIFI_PIN", True),
        ("wifiPassword", True),
        ("Spinning", False),
        ("Pinch", False),
        ("ShoppingCode", False),
        ("Code", True),
        ("lock:Code", True),
        ("Access.code", True),
        ("UserCodes", True),
        ("unlock_code", True),
        ("ErrorCode", False),
        ("ApiKey", True),
        ("Keyboard", False),
        ("WifiPsk", True),
        ("TaskId", False),
        ("HotPot", False),
        ("WifiPwd", True),
        ("门锁密码", True),
        ("Door code", True),
    ],
)
def test_names_of_private_values(name: str, private: bool) -> None:
    """Identifiers, also of custom modules, and paths of members."""
    assert is_private_name(name) is private


def test_members_are_found_at_any_depth() -> None:
    """In lists and in structures; the rest stays as it is."""
    value = {"Doors": [{"Name": "front", "Pin": 1234}], "Open": True}
    assert BY_NAME_ALONE.is_private("Access", value)
    assert BY_NAME_ALONE.masked("Access", value) == {"Doors": [{"Name": "front", "Pin": HIDDEN}], "Open": True}
    assert not BY_NAME_ALONE.is_private("Access", {"Doors": [{"Name": "front"}]})


@pytest.mark.parametrize(
    ("text", "values", "kept"),
    [
        ("1234 is wrong", {"Pin": 1234}, False),
        ("got 'a\\nb'", {"Pin": "a\nb"}, False),
        ("got [1, 2, 3]", {"Token": [2]}, False),
        ("got {'pin': 'x'}", {"Access": {"user": "anna", "pin": "x"}}, False),
        ("front is open", {"Pin": "", "Token": None, "Door": "front"}, True),
        ("True", {"UsePIN": True}, True),
        ("HUNTER2 is wrong", {"Pin": "hunter2"}, False),
        ("http://lock/?pin=a%20b%2Fc", {"Pin": "a b/c"}, False),
        ('{"pin": "\\u00fcber"}', {"Pin": "über"}, False),
        ("Basic aHVudGVyMg==", {"Pin": "hunter2"}, False),
        ("1234 is wrong", {"Pin": 1234.0}, False),
        ("value 'correct-horse-bat…' is too long", {"Password": "correct-horse-battery-staple"}, False),
        ("zone 12 is open", {"Pin": 1}, True),
        ("zone 1 is open", {"Pin": 1}, False),
    ],
)
def test_texts_with_private_values_are_withheld(text: str, values: dict[str, object], kept: bool) -> None:
    """As it was sent, encoded, cut, or as Python or JSON write it; an empty value is no reason."""
    secrets = Secrets(part for name, value in values.items() for part in BY_NAME_ALONE.private_parts(name, value))
    assert (secrets.withheld(text) == text) is kept


async def test_password_field_is_private_whatever_the_property_is_called(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp, set_properties: SetProperties
) -> None:
    """Home Assistant itself shows it as dots; it is also masked where a condition refuses it."""
    observer = Observer(hass, cloud)
    row = {**OPEN, "entity": "input_text.word"}
    denied = {**row, "identifier": "Other", "condition": [{"condition": "template", "value_template": "{{ false }}"}]}
    entry = await set_up([row, denied], options={"thing_model": None})
    cloud.wire.clear()
    assert (await set_properties(Note=PIN)).code == 100002
    assert (await set_properties(Other=PIN)).code == 100003
    assert [event.data["params"] for event in observer.commands] == [{"Note": HIDDEN}, {"Other": HIDDEN}]
    assert PIN not in await observer.everything(entry)


async def test_thing_model_says_what_is_private(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    set_properties: SetProperties,
    thing_model_document: dict[str, Any],
) -> None:
    """By the names for people: of a property, of a member of a structure, of a parameter, and of a service."""
    text = {"type": "text", "specs": {"length": "4"}}
    words = {"type": "struct", "specs": [{"identifier": "W", "name": "口令", "dataType": text}]}
    thing_model_document["properties"] += [
        {"identifier": "P1", "name": "门锁密码", "accessMode": "rw", "dataType": text},
        {"identifier": "P2", "name": "Words", "accessMode": "rw", "dataType": words},
    ]
    parameter = {"identifier": "V", "name": "Value", "dataType": text}
    for identifier, name, parameter_name in (("S1", "修改密码", "Value"), ("S2", "Change it", "Door code")):
        changed = {**parameter, "name": parameter_name}
        thing_model_document["services"].append(
            {"identifier": identifier, "name": name, "callType": "async", "inputData": [changed], "outputData": []}
        )
    device.thing_model = None
    observer = Observer(hass, cloud)
    rows = [{**OPEN, "identifier": "P1"}, {**OPEN, "identifier": "P2"}]
    services = [{"identifier": name, "actions": [{"delay": 0}]} for name in ("S1", "S2")]
    entry = await set_up(rows, services)
    cloud.wire.clear()
    assert (await set_properties(P1=PIN)).message == "P1: wanted text of at most 4 bytes"
    assert (await set_properties(P2={"W": PIN})).code == 100009
    for name in ("S1", "S2"):
        await publish(cloud, device, f"thing/service/{name}", {"id": "7", "params": {"V": PIN}})
        await reply_on(cloud, f"{name}_reply")
    await hass.async_block_till_done()
    assert len(observer.commands) == 4
    assert PIN not in await observer.everything(entry)


async def test_answer_of_an_automation_does_not_repeat_a_private_value(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Neither in its message nor in the data of a failure."""
    answer = reply(
        code=100123, message="{{ trigger.input.PinCode }} is wrong", data={"Why": "{{ trigger.input.PinCode }}"}
    )
    await automate(hass, [trigger("service_called", identifier="Unlock")], answer)
    observer = Observer(hass, cloud)
    entry = await set_up(options={"thing_model": None}, entry_id=ENTRY_ID)
    cloud.wire.clear()
    await publish(cloud, device, "thing/service/Unlock", {"id": "7", "params": {"PinCode": PIN}})
    sent = await reply_on(cloud, "Unlock_reply")
    await hass.async_block_till_done()
    assert (sent["code"], sent["message"]) == (100123, WITHHELD)
    assert PIN not in await observer.everything(entry)


@pytest.mark.parametrize("late", [False, True])
async def test_log_has_no_private_value(
    hass: HomeAssistant,
    cloud: Simulator,
    set_up: SetUp,
    set_properties: SetProperties,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    late: bool,
) -> None:
    """An unexpected exception is logged with its place and its kind, also after the deadline."""
    caplog.set_level(logging.DEBUG)
    go_on = asyncio.Event()

    async def unlock(call: ServiceCall) -> None:
        if late:
            await go_on.wait()
        raise ZeroDivisionError(f"{call.data['pin']} opens nothing")

    if late:
        monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.DEADLINE", 0.0)
    hass.services.async_register("test", "unlock", unlock)
    actions = [{"action": "test.unlock", "data": {"pin": "{{ value }}"}}]
    row = {"identifier": "DoorPin", "entity": "", "aspect": "actions", "access": "control", "actions": actions}
    await set_up([row], options={"thing_model": None})
    assert (await set_properties(DoorPin=PIN)).code == (100006 if late else 100005)
    go_on.set()
    await hass.async_block_till_done()
    lines = [record for record in caplog.records if record.name.startswith("custom_components.")]
    words = "failed after its deadline" if late else "ZeroDivisionError"
    assert any(words in record.getMessage() for record in lines)
    assert not any(PIN in record.getMessage() or record.exc_info for record in lines)


async def test_unexpected_error_of_the_integration_is_logged_without_private_values(
    hass: HomeAssistant,
    cloud: Simulator,
    set_up: SetUp,
    set_properties: SetProperties,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is in the journal like any other failure."""
    observer = Observer(hass, cloud)
    entry = await set_up([TEXT], options={"thing_model": None})
    commander = entry.runtime_data.device.commander

    def fail(_run: object, values: dict[str, Any]) -> bool:
        raise RuntimeError(f"cannot tell {values}")

    monkeypatch.setattr(commander._announcer, "notify", fail)
    assert (await set_properties(DoorPin="1234")).code == 400
    assert [row.code for row in commander.journal.rows()] == [400]
    own = [record for record in caplog.records if record.name.startswith("custom_components.")]
    assert any("RuntimeError" in record.getMessage() for record in own)
    assert not any("1234" in record.getMessage() or record.exc_info for record in own)
    assert "1234" not in json.dumps([event.data for event in (*observer.commands, *observer.failures)])


async def test_value_that_the_cloud_refuses_is_not_repeated(
    hass: HomeAssistant, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the log, nor in the repair issue, nor in diagnostics, even if the cloud's reason repeats it."""
    hass.states.async_set("input_text.other", PIN, {"min": 0, "max": 99})
    entry = await set_up([{**TEXT, "entity": "input_text.other"}], options={"thing_model": None})
    outbox = entry.runtime_data.device.reporter.outbox
    await until(lambda: outbox.status["DoorPin"].accepted)
    outbox.settle({"DoorPin": Sample(PIN, 0)}, {"DoorPin": f"tsl parse: {PIN} does not fit"})
    await until(lambda: issues_of(hass, entry.entry_id))
    issues = [issue.translation_placeholders for issue in issues_of(hass, entry.entry_id)]
    assert "DoorPin" in str(issues)
    found = await async_get_config_entry_diagnostics(hass, entry)
    own = [record.getMessage() for record in caplog.records if record.name.startswith("custom_components.")]
    assert any("The cloud rejected DoorPin" in line for line in own)
    assert PIN not in json.dumps([found, issues, own], default=str)


async def test_value_that_cannot_be_reported_is_not_repeated(hass: HomeAssistant, set_up: SetUp) -> None:
    """Diagnostics say only that it does not fit."""
    hass.states.async_set("input_text.other", PIN, {"min": 0, "max": 99})
    conversion = {"options": {"a": "b"}}
    rows = [{**TEXT, "entity": "input_text.other", "conversion": conversion}]
    entry = await set_up(rows, options={"thing_model": None})
    assert "private" in entry.runtime_data.device.reporter.outbox.unreportable["DoorPin"].describe()
    assert PIN not in json.dumps(await async_get_config_entry_diagnostics(hass, entry), default=str)


async def test_values_of_commands_are_not_recorded(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The recorder leaves out what is different each time; the event type and the code stay."""
    await set_up([OPEN], options={"thing_model": None})
    await set_properties(Note="1234")
    await until(lambda: hass.states.get("event.gw_1_property_set").state != "unknown")
    state = hass.states.get("event.gw_1_property_set")
    assert {"message", "message_id", "properties"} <= state.state_info["unrecorded_attributes"]
    assert not {"code", "event_type"} & state.state_info["unrecorded_attributes"]


async def test_what_is_shown_is_bounded(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """In bytes: events and attributes fit into the recorder's limits, and the journal stays small."""
    observer = Observer(hass, cloud)
    entry = await set_up(options={"thing_model": None})
    values = {f"P{number}_{'界' * 100}": "\x01界" * 40 for number in range(200)}
    await publish(cloud, device, "thing/service/property/set", {"id": "7" * 200, "params": values})
    await until(lambda: observer.commands)
    await hass.async_block_till_done()
    for event in (*observer.commands, *observer.failures):
        assert len(json_bytes(event.data)) < MAX_EVENT_DATA_BYTES
    command = observer.commands[0].data
    assert len(command["changes"]) + command["more_changes"] == 200
    describers: dict[str, Callable[[Event], dict[str, Any]]] = {}
    logbook.async_describe_events(hass, lambda _domain, name, describe: describers.setdefault(name, describe))
    assert "195 more" in describers[EVENT_COMMAND](observer.commands[0])["message"]
    state = hass.states.get("event.gw_1_property_set")
    assert len(json_bytes(state.attributes)) < MAX_STATE_ATTRS_BYTES
    [row] = entry.runtime_data.device.commander.journal.rows()
    assert len(json.dumps(asdict(row), default=str, ensure_ascii=False).encode()) < 10_000
