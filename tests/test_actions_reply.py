"""Automations that answer commands, and what the caller in the cloud gets."""

import base64
from collections.abc import Mapping
import json
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.setup import async_setup_component
import pytest

from custom_components.aliyun_iot.alink.command import Answer
from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.listeners import Listener, TriggerKind, listeners_of
from simulator import CloudDevice, Simulator

from .application import invoke, publish, reply_on
from .automations import ENTRY_ID, RECORD, Step, action, automate, reply, trigger
from .conftest import SetUp
from .waiting import until

CALLED = trigger("service_called")


async def rrpc(cloud: Simulator, device: CloudDevice, payload: bytes, suffix: str | None = None) -> dict[str, Any]:
    """Send any bytes and wait for the answer as an application does, on a user topic if one is named."""
    names = {"ProductKey": device.product_key, "DeviceName": device.device_name}
    topic = {"Topic": f"/{device.product_key}/{device.device_name}/user/{suffix}"} if suffix else {}
    content = base64.b64encode(payload).decode()
    return await cloud.call("RRpc", **names, **topic, RequestBase64Byte=content, Timeout=8000)


@pytest.mark.parametrize("form", ["sys", "ext"])
async def test_automation_answers_a_service(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, form: str
) -> None:
    """The caller gets output data as the thing model defines them."""
    device.rrpc = type(device.rrpc)(form)
    await automate(
        hass,
        [trigger("service_called", identifier="ReadMeter")],
        reply(data={"Energy": "{{ 1000 + trigger.input.Channel }}", "ReadAt": "2026-11-23T12:00:00+00:00"}),
    )
    await set_up(entry_id=ENTRY_ID)
    result = await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    assert result["Success"]
    assert json.loads(result["Data"]["Result"]) == {"Energy": 1003.0, "ReadAt": "1795435200000"}


@pytest.mark.parametrize("kind", ["service_called", "raw_received", "message_received"])
async def test_command_that_triggered_the_automation_is_answered(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, kind: str
) -> None:
    """Without saying which command is meant, also from a script that the automation runs."""
    answer = {"data": {"Energy": 7.5}} if kind == "service_called" else {"payload": "seven"}
    assert await async_setup_component(hass, "script", {"script": {"meter": {"sequence": [action("reply", **answer)]}}})
    options = {"topic": "meter"} if kind == "message_received" else {}
    await automate(hass, [trigger(kind, **options)], {"action": "script.meter"})
    await set_up(entry_id=ENTRY_ID)
    if kind == "service_called":
        result = await invoke(cloud, device, "ReadMeter", {"Channel": 3})
        assert json.loads(result["Data"]["Result"]) == {"Energy": 7.5}
    elif kind == "message_received":
        result = await rrpc(cloud, device, b"?", "meter")
        assert base64.b64decode(result["PayloadBase64Byte"]) == b"seven"
    else:
        await publish(cloud, device, "thing/model/down_raw", b"?")
        await until(lambda: any(one.payload == b"seven" for one in cloud.wire))


async def test_nothing_to_answer(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """An action that was not triggered by a command has to name one."""
    await set_up(entry_id=ENTRY_ID)
    with pytest.raises(ServiceValidationError) as refused:
        await hass.services.async_call(DOMAIN, "reply", {"config_entry_id": ENTRY_ID}, blocking=True)
    assert refused.value.translation_key == "no_trigger"


async def test_answer_in_the_listener(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A listener may answer before it returns."""
    entry = await set_up(entry_id=ENTRY_ID)

    def notify(details: Mapping[str, Any], context: Context | None) -> None:
        entry.runtime_data.device.commander.replies.give(details["command_id"], Answer(data={"Energy": 1.5}))

    listeners_of(hass).add(Listener(ENTRY_ID, TriggerKind.SERVICE_CALLED, None, notify))
    result = await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    assert json.loads(result["Data"]["Result"]) == {"Energy": 1.5}


async def test_failure_defined_by_an_automation(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Its code and message are sent; the data of a failure are passed on unchanged."""
    await automate(
        hass, [trigger("service_called")], reply(code=100042, message="the meter is away", data={"Since": "noon"})
    )
    await set_up(entry_id=ENTRY_ID)
    result = await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    assert (result["Code"], result["ErrorMessage"]) == ("100042", "the meter is away")
    assert json.loads(result["Data"]["Result"]) == {"Since": "noon"}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (200, "success"),
        (429, "Too many requests in a short time. Send less often and try again later."),
        (100042, "failed"),
    ],
)
async def test_answer_without_a_message(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, code: int, message: str
) -> None:
    """The message is the meaning of the code."""
    await automate(hass, [CALLED], reply(code=code))
    await set_up(entry_id=ENTRY_ID)
    await publish(cloud, device, "thing/service/Restart", {"id": "9", "params": {}})
    answer = await reply_on(cloud, "Restart_reply")
    assert (answer["code"], answer["message"], answer["data"]) == (code, message, {})


async def test_answer_without_a_thing_model(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Any JSON is allowed as output data."""
    await automate(hass, [CALLED], reply(data={"on": True, "list": [1, "a"]}))
    await set_up(options={"thing_model": None}, entry_id=ENTRY_ID)
    await publish(cloud, device, "thing/service/Anything", {"id": "9", "params": {}})
    assert (await reply_on(cloud, "Anything_reply"))["data"] == {"on": 1, "list": [1, "a"]}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"data": {"Energy": "much"}}, "Energy takes double-precision number 0 to 99999999 kWh, step 0.001"),
        ({"data": {"Stranger": 1}}, "The service has no output parameter Stranger. It has: Energy, ReadAt"),
        ({"code": 300}, "A device can't answer with code 300"),
        ({"code": 110001}, "A device can't answer with code 110001"),
        ({"payload": "x"}, "A service is answered with output data (data)"),
        ({"code": 100042, "data": {"Log": "x" * 262_144}}, "This can't be sent: the message has 262"),
        ({"data": {"Energy": 1}, "payload": "x"}, "A service is answered with output data (data)"),
    ],
)
async def test_invalid_answer(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answer: dict[str, Any],
    error: str,
) -> None:
    """The action fails with the reason, and the command can still be answered."""
    monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.SYNC_DEADLINE", 0.3)
    wrong: Step = {**reply(**answer), "continue_on_error": True}
    calls = await automate(hass, [CALLED], wrong, RECORD)
    await set_up(entry_id=ENTRY_ID)
    result = await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    assert result["Code"] == "100001"
    assert error in caplog.text
    assert calls


async def test_late_and_second_answer(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The caller gets no answer in time, and the action fails; only the first answer counts."""
    monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.SYNC_DEADLINE", 0.1)
    calls = await automate(hass, [CALLED], RECORD)
    await set_up(entry_id=ENTRY_ID)
    result = await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    assert (result["Success"], result["Code"]) == (False, "100001")

    answer = {"config_entry_id": ENTRY_ID, "command_id": calls[0].data["trigger"]["command_id"]}
    with pytest.raises(ServiceValidationError) as error:
        await hass.services.async_call(DOMAIN, "reply", answer, blocking=True)
    assert error.value.translation_key == "no_open_command"

    await publish(cloud, device, "thing/service/Restart", {"id": "9", "params": {}})
    await until(lambda: len(calls) == 2)
    answer["command_id"] = calls[1].data["trigger"]["command_id"]
    await hass.services.async_call(DOMAIN, "reply", answer, blocking=True)
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(DOMAIN, "reply", answer | {"code": 400}, blocking=True)
    assert (await reply_on(cloud, "Restart_reply"))["code"] == 200


async def test_service_without_a_listener(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """It is answered at once."""
    await automate(hass, [trigger("service_called", identifier="Restart")])
    entry = await set_up(entry_id=ENTRY_ID)
    result = await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    assert result["Code"] == "100001"
    [row] = entry.runtime_data.device.commander.journal.rows()
    assert row.code == 100001


async def test_call_on_a_user_topic(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """The caller gets bytes, in whatever format they are written."""
    await automate(
        hass,
        [trigger("message_received", topic="ask/time"), trigger("message_received", topic="ask/bytes")],
        {
            "if": [{"condition": "template", "value_template": "{{ trigger.topic == 'ask/time' }}"}],
            "then": [reply(payload='{"asked": {{ trigger.payload | tojson }} }')],
            "else": [reply(payload="00 FF", format="hex")],
        },
    )
    await set_up(entry_id=ENTRY_ID)
    result = await rrpc(cloud, device, b"now?", "ask/time")
    assert result["RrpcCode"] == "SUCCESS"
    assert json.loads(base64.b64decode(result["PayloadBase64Byte"])) == {"asked": "now?"}
    result = await rrpc(cloud, device, b"?", "ask/bytes")
    assert base64.b64decode(result["PayloadBase64Byte"]) == b"\x00\xff"


async def test_raw_frame_is_answered(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """With a frame."""
    await automate(hass, [trigger("raw_received")], reply(payload="{{ trigger.data }}ee", format="hex"))
    await set_up(entry_id=ENTRY_ID)
    await publish(cloud, device, "thing/model/down_raw", b"\x00\x01")
    await device.wait_for(lambda one: bool(one.raw_down_replies))
    assert device.raw_down_replies == [b"\x00\x01\xee"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({}, "Raw data and messages are answered with a payload (payload)"),
        ({"data": {"a": 1}}, "Raw data and messages are answered with a payload (payload)"),
        ({"payload": "xyz", "format": "hex"}, "The data is not valid hex"),
        ({"payload": "x" * 262_145}, "This can't be sent: 262145 bytes"),
    ],
)
async def test_invalid_frame(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answer: dict[str, Any],
    error: str,
) -> None:
    """It is not sent."""
    monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.SYNC_DEADLINE", 0.1)
    await automate(hass, [trigger("raw_received")], reply(**answer))
    await set_up(entry_id=ENTRY_ID)
    await publish(cloud, device, "thing/model/down_raw", b"\x00\x01")
    await until(lambda: error in caplog.text)
    assert not device.raw_down_replies
