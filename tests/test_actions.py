"""The actions that send to the cloud or read from it."""

import asyncio
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
import pytest

from custom_components.aliyun_iot.alink.codes import describe
from custom_components.aliyun_iot.const import DOMAIN
from simulator import CloudDevice, Simulator

from .application import LAMP, TARGET
from .conftest import SetUp
from .waiting import until


async def act(hass: HomeAssistant, action: str, entry_id: str, **data: Any) -> Any:
    """Call an action and return its response."""
    return await hass.services.async_call(
        DOMAIN,
        action,
        {"config_entry_id": entry_id, **data},
        blocking=True,
        return_response=action not in ("send_raw", "publish"),
    )


async def test_post_properties(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Values are converted by the thing model, including text from templates."""
    entry = await set_up()
    response = await act(
        hass,
        "post_properties",
        entry.entry_id,
        properties={
            "LightSwitch": True,
            "CurrentTemperature": 20,
            "CurrentHumidity": "45",
            "RGBColor": {"Red": 1, "Green": 2, "Blue": 3},
        },
    )
    assert response == {"code": 200, "message": "success"}
    assert {key: value for key, (value, _) in device.properties.items()} == {
        "LightSwitch": 1,
        "CurrentTemperature": 20.0,
        "CurrentHumidity": 45,
        "RGBColor": {"Red": 1, "Green": 2, "Blue": 3},
    }


async def test_values_from_templates_are_converted(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Home Assistant renders numeric text as numbers and times as text; the thing model decides on the type."""
    entry = await set_up()
    output = {"SceneName": 7, "ActivatedAt": "2026-11-23T12:00:00+00:00"}
    await act(hass, "post_event", entry.entry_id, identifier="SceneActivated", output=output)
    output = {"ActivatedAt": dt_util.utc_from_timestamp(1)}
    await act(hass, "post_event", entry.entry_id, identifier="SceneActivated", output=output)
    assert [event.output for event in device.events] == [
        {"SceneName": "7", "ActivatedAt": "1795435200000"},
        {"ActivatedAt": "1000"},
    ]


async def test_post_event(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """An event arrives with its output."""
    entry = await set_up()
    response = await act(hass, "post_event", entry.entry_id, identifier="SceneActivated", output={"SceneName": "night"})
    assert response["code"] == 200
    [event] = device.events
    assert (event.identifier, event.output) == ("SceneActivated", {"SceneName": "night"})


@pytest.mark.parametrize(
    ("data", "text_format"), [("00 01 ff", "hex"), ("AAH/", "base64"), ("你好", "text")], ids=["hex", "base64", "text"]
)
async def test_send_raw(hass: HomeAssistant, device: CloudDevice, set_up: SetUp, data: str, text_format: str) -> None:
    """The frame arrives decoded."""
    entry = await set_up()
    await act(hass, "send_raw", entry.entry_id, data=data, format=text_format)
    await device.wait_for(lambda one: bool(one.raw_up))
    assert device.raw_up == [b"\x00\x01\xff" if text_format != "text" else "你好".encode()]


@pytest.mark.parametrize(
    ("data", "payload", "qos"),
    [
        ({"payload": "你好"}, "你好".encode(), 0),
        ({"payload": {"door": "open"}, "qos": "1"}, b'{"door": "open"}', 1),
        ({"payload": "00 ff", "format": "hex", "qos": 1}, b"\x00\xff", 1),
        ({"payload": "AAH/", "format": "base64"}, b"\x00\x01\xff", 0),
        ({}, b"", 0),
    ],
)
@pytest.mark.parametrize("topic", ["alarm/night", "/user/alarm/night"])
async def test_publish(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, topic: str, data: dict[str, Any], payload: bytes, qos: int
) -> None:
    """The message arrives decoded on its topic."""
    entry = await set_up()
    await act(hass, "publish", entry.entry_id, topic=topic, **data)
    await device.wait_for(lambda one: bool(one.user_messages))
    [message] = device.user_messages
    assert (message.topic, message.payload, message.qos) == ("alarm/night", payload, qos)


async def test_request_sync(hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp) -> None:
    """All values are posted again, and the response contains the result of each."""
    bindings = [LAMP, TARGET, {**LAMP, "identifier": "Stranger", "entity": "input_boolean.other"}]
    entry = await set_up(bindings, options={"thing_model": None})
    await device.wait_for(lambda one: "TargetTemperature" in one.properties)
    await until(lambda: "Stranger" in entry.runtime_data.device.reporter.outbox.refusals)
    response = await act(hass, "request_sync", entry.entry_id)
    assert len(device.samples["LightSwitch"]) == 2
    reason = entry.runtime_data.device.reporter.outbox.refusals["Stranger"].reason
    assert response == {"posted": 2, "rejected": {"Stranger": reason}, "waiting": 0, "unreportable": {}}


async def test_request_sync_has_a_timeout(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Values that a busy cloud has not accepted are counted as waiting; unbound properties are not waited for."""
    entry = await set_up([LAMP])
    await until(
        lambda: entry.runtime_data.device.reporter.sender.past.allowed
    )  # no other request of the set-up is pending
    assert await act(hass, "request_sync", entry.entry_id) == {
        "posted": 1,
        "rejected": {},
        "waiting": 0,
        "unreportable": {},
    }
    cloud.faults.set(answer_code={"code": 429, "count": 1})
    monkeypatch.setattr("custom_components.aliyun_iot.actions.post.SYNC_TIMEOUT", 0.05)
    assert await act(hass, "request_sync", entry.entry_id) == {
        "posted": 0,
        "rejected": {},
        "waiting": 1,
        "unreportable": {},
    }

    monkeypatch.setattr("custom_components.aliyun_iot.actions.post.SYNC_TIMEOUT", 60)
    [exposure] = entry.subentries
    waiting = hass.async_create_task(act(hass, "request_sync", entry.entry_id))
    await asyncio.sleep(0)
    hass.config_entries.async_remove_subentry(entry, exposure)
    assert await waiting == {"posted": 0, "rejected": {}, "waiting": 0, "unreportable": {}}


async def test_get_desired(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, house: None, set_up: SetUp
) -> None:
    """Values come with their versions, for the given or for all bound properties."""
    entry = await set_up([LAMP])
    assert await act(hass, "get_desired", entry.entry_id) == {}
    await cloud.call(
        "SetDeviceDesiredProperty",
        ProductKey=device.product_key,
        DeviceName=device.device_name,
        Items='{"LightSwitch": 1, "TargetTemperature": 21.5}',
    )
    assert await act(hass, "get_desired", entry.entry_id) == {"LightSwitch": {"value": 1, "version": 1}}
    assert await act(hass, "get_desired", entry.entry_id, identifiers="TargetTemperature") == {
        "TargetTemperature": {"value": 21.5, "version": 1}
    }


@pytest.mark.parametrize(
    ("action", "data", "key"),
    [
        ("get_desired", {"identifiers": ["LightSwitch", "Stranger"]}, "unknown_property"),
        ("publish", {"topic": "get", "payload": "x", "format": "hex"}, "invalid_raw"),
        ("post_properties", {"properties": {"Stranger": 1}}, "unknown_property"),
        ("post_properties", {"properties": {"CurrentHumidity": 101}}, "invalid_value"),
        ("post_event", {"identifier": "Stranger"}, "unknown_event"),
        ("post_event", {"identifier": "SceneActivated", "output": {"X": 1}}, "unknown_parameter"),
        ("send_raw", {"data": "xyz"}, "invalid_raw"),
        ("send_raw", {"data": "A", "format": "base64"}, "invalid_raw"),
    ],
)
async def test_invalid_data_is_refused(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, action: str, data: dict[str, Any], key: str
) -> None:
    """The error is raised before anything is sent."""
    entry = await set_up()
    with pytest.raises(ServiceValidationError) as error:
        await act(hass, action, entry.entry_id, **data)
    assert error.value.translation_key == key
    assert not device.properties
    assert not device.events


async def test_rejection_by_the_cloud_raises(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The error concerns the whole request or single properties."""
    entry = await set_up(options={"thing_model": None})
    cloud.faults.set(answer_code={"code": 6813, "count": 1})
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "post_properties", entry.entry_id, properties={"LightSwitch": True})
    assert error.value.translation_key == "rejected"
    assert error.value.translation_placeholders["code"] == "6813"

    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "post_properties", entry.entry_id, properties={"LightSwitch": 1, "Stranger": 2})
    assert error.value.translation_key == "property_rejected"
    assert "Stranger" in error.value.translation_placeholders["reasons"]

    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "post_event", entry.entry_id, identifier="property")
    assert error.value.translation_key == "not_sendable"
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "publish", entry.entry_id, topic="a/+")
    assert error.value.translation_key == "not_sendable"
    assert device.properties["LightSwitch"][0] == 1

    cloud.faults.set(answer_code={"code": 6813, "count": 1})
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "get_desired", entry.entry_id, identifiers=["LightSwitch"])
    assert error.value.translation_key == "rejected"


async def test_errors_are_translated(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """Errors are in the language of the installation."""
    hass.config.language = "zh-Hans"
    entry = await set_up()
    cloud.faults.set(answer_code={"code": 6813, "count": 2})
    for action, data in (
        ("post_properties", {"properties": {"LightSwitch": 1}}),
        ("get_desired", {"identifiers": "LightSwitch"}),
    ):
        with pytest.raises(HomeAssistantError) as error:
            await act(hass, action, entry.entry_id, **data)
        assert error.value.translation_placeholders["meaning"] == describe(6813, "zh-Hans")

    times = "ISO 8601 时间，或自 1970 年起的毫秒数（13 位）或秒数（10 位）"
    for action, data, wanted in (
        ("post_properties", {"properties": {"CurrentHumidity": 101}}, "整数 0 到 100 %，步长 1"),
        ("post_event", {"identifier": "SceneActivated", "output": {"ActivatedAt": "now"}}, times),
    ):
        with pytest.raises(ServiceValidationError) as error:
            await act(hass, action, entry.entry_id, **data)
        assert error.value.translation_placeholders["wanted"] == wanted


async def test_errors_without_a_connection(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Actions fail while the cloud is unreachable or does not reply."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 60)
    monkeypatch.setattr("custom_components.aliyun_iot.actions.post.REPLY_TIMEOUT", 0.05)
    entry = await set_up()
    cloud.faults.set(lose_replies=100)
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "post_event", entry.entry_id, identifier="SceneActivated")
    assert error.value.translation_key == "request_timeout"
    cloud.faults.set(lose_replies=0)

    device.connection.close("closed by the test")
    await until(lambda: entry.runtime_data.link.state != "online")
    for action, data in (
        ("post_event", {"identifier": "SceneActivated"}),
        ("send_raw", {"data": "00"}),
        ("publish", {"topic": "get"}),
        ("request_sync", {}),
        ("get_desired", {"identifiers": ["LightSwitch"]}),
    ):
        with pytest.raises(HomeAssistantError) as error:
            await act(hass, action, entry.entry_id, **data)
        assert error.value.translation_key == "not_connected"


async def test_actions_exist_without_a_loaded_entry(hass: HomeAssistant, set_up: SetUp) -> None:
    """Automations stay valid, and the action raises that the entry is not loaded."""
    entry = await set_up()
    await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    with pytest.raises(ServiceValidationError):
        await act(hass, "post_event", entry.entry_id, identifier="SceneActivated")
