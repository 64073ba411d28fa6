"""The logbook shows the commands of the cloud and attributes changes to them."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import RecorderInstanceContextManager, WebSocketGenerator

from custom_components.aliyun_iot.const import EVENT_COMMAND
from custom_components.aliyun_iot.logbook import FAILURE_ICON, ICON
from simulator import CloudDevice, Simulator

from .application import BRIGHTNESS, LAMP, SERVICES, TARGET, SetProperties, invoke, publish, reply_on
from .automations import ENTRY_ID, automate, reply, trigger
from .conftest import SetUp
from .waiting import until

type Lines = list[dict[str, Any]]


@pytest.fixture
def mock_recorder_before_hass(async_test_recorder: RecorderInstanceContextManager) -> None:
    """Prepare the recorder before Home Assistant is set up."""


@pytest.fixture(autouse=True)
async def logbook(recorder_mock: object, hass: HomeAssistant) -> None:
    """Run the real logbook with a recorder in memory."""
    assert await async_setup_component(hass, "logbook", {})


@pytest.fixture
def read(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Any:
    """Return a function that reads the logbook as the user interface does."""
    start = dt_util.utcnow()

    async def lines(**filters: Any) -> Lines:
        await async_wait_recording_done(hass)
        client = await hass_ws_client()
        await client.send_json_auto_id({"type": "logbook/get_events", "start_time": start.isoformat(), **filters})
        return (await client.receive_json())["result"]

    return lines


def ours(lines: Lines) -> Lines:
    """Return the lines of this integration."""
    return [line for line in lines if line.get("domain") == "aliyun_iot"]


async def test_command_and_its_change(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties, read: Any
) -> None:
    """The change is attributed to the command by their common context."""
    await set_up([LAMP])
    await set_properties(LightSwitch=1)
    message_id = device.service_calls[-1].id
    await until(lambda: hass.states.get("input_boolean.lamp").state == "on")
    lines = await read()
    [line] = ours(lines)
    assert line["name"] == "Alibaba Cloud IoT gw-1"
    assert line["message"] == f"set lamp to on · property LightSwitch · message {message_id}"
    assert "entity_id" not in line
    assert line["icon"] == ICON
    [state] = [one for one in lines if one.get("entity_id") == "input_boolean.lamp" and one.get("state") == "on"]
    assert state["context_domain"] == "aliyun_iot"
    assert state["context_name"] == "Alibaba Cloud IoT gw-1"
    assert state["context_message"] == line["message"]


async def test_refused_command(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties, read: Any
) -> None:
    """It is one row, with the reason."""
    events = async_capture_events(hass, EVENT_COMMAND)
    await set_up([LAMP | {"access": "report"}])
    await set_properties(LightSwitch=1)
    message_id = device.service_calls[-1].id
    for lines in (await read(), await read(context_id=events[0].context.id)):
        [refused] = ours(lines)
        assert refused["message"] == (
            f"could not set lamp to 1: its binding does not allow control · property LightSwitch · message {message_id}"
        )
        assert refused["icon"] == FAILURE_ICON


async def test_several_changes_are_one_line(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties, read: Any
) -> None:
    """The line belongs to no entity."""
    await set_up([LAMP, TARGET])
    await set_properties(LightSwitch=1, TargetTemperature=21.5, Brightness=3)
    message_id = device.service_calls[-1].id
    [line] = ours(await read())
    assert line["message"] == (
        "set lamp to on, target to 21.5; could not set Brightness to 3: not bound to anything"
        f" · properties LightSwitch, TargetTemperature, Brightness · message {message_id}"
    )
    assert "entity_id" not in line


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("en", "set the brightness of Hall to 80, Hall to on"),
        ("zh-Hans", "将“Hall”的亮度设为 80、“Hall”设为 开"),
    ],
)
async def test_aspect_is_named(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, read: Any, language: str, message: str
) -> None:
    """The main aspect of an entity, such as the power of a light, is not named."""
    hass.config.language = language
    for action in ("turn_on", "turn_off"):
        hass.services.async_register("light", action, lambda _call: None)
    hass.states.async_set("light.hall", "off", {"supported_color_modes": ["brightness"], "friendly_name": "Hall"})
    power = {"identifier": "LightSwitch", "entity": "light.hall", "aspect": "power", "access": "both"}
    await set_up([BRIGHTNESS, power])
    await set_properties(Brightness=80, LightSwitch=1)
    [line] = ours(await read())
    assert line["message"].startswith(f"{message} · ")


async def test_unforeseen_failure(hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, read: Any) -> None:
    """Its message is in the line of the answer."""
    broken = {"identifier": "LightSwitch", "entity": "", "aspect": "actions", "access": "control"}
    await set_up([broken | {"actions": [{"stop": "no power in the cellar", "error": True}]}])
    await set_properties(LightSwitch=1, Brightness=3)
    [tried, failed] = ours(await read())
    assert "could not set Brightness to 3: not bound to anything" in tried["message"]
    assert "no power in the cellar" in failed["message"]


async def test_dry_run(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    read: Any,
) -> None:
    """Its lines do not say that something was done."""
    await set_up([LAMP], SERVICES, options={"dry_run": True})
    await set_properties(LightSwitch=1)
    await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    [line, called] = ours(await read())
    assert "could not set lamp to on: dry run" in line["message"]
    assert called["message"].startswith("called the service ReadMeter · message ")
    assert called["message"].endswith(" (dry run: nothing was done)")


async def test_other_kinds_of_commands(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, read: Any
) -> None:
    """Services, property gets, raw frames and messages."""
    events = async_capture_events(hass, EVENT_COMMAND)
    await set_up(services=SERVICES)
    await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    await publish(cloud, device, "thing/service/property/get", {"id": "8", "params": ["LightSwitch"]})
    await reply_on(cloud, "property/get_reply")
    await publish(cloud, device, "thing/model/down_raw", b"\x00\x01\xff\xfe")
    await publish(cloud, device, "rrpc/request/77", b"\x00 hello")
    await until(lambda: events[-1].data["kind"] == "message")
    await publish(cloud, device, "thing/service/Restart", {"id": "9", "params": {}})
    await reply_on(cloud, "Restart_reply")
    messages = [line["message"] for line in ours(await read())]
    assert messages[0].startswith("called the service ReadMeter · message ")
    assert "asked for LightSwitch: no value for LightSwitch · message 8" in messages
    assert "sent raw data, 4 bytes" in messages
    assert "sent a message · message 77" in messages
    unbound = "the service is not bound to anything, and no automation answered"
    assert messages[-1] == f"could not call the service Restart: {unbound} · message 9"


async def test_chinese(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties, read: Any
) -> None:
    """The language of the installation is used."""
    hass.config.language = "zh-Hans"
    await set_up([LAMP])
    await set_properties(LightSwitch=1, Brightness=1)
    message_id = device.service_calls[-1].id
    [line] = ours(await read())
    assert line["name"] == "阿里云物联网平台 gw-1"
    assert line["message"] == (
        "将“lamp”设为 开；未能将“Brightness”设为 1，原因：该标识符没有绑定 Home Assistant 中的任何对象，请先添加绑定"
        f" · 属性 LightSwitch、Brightness · 消息 {message_id}"
    )


async def test_refused_service_and_get_in_chinese(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, read: Any
) -> None:
    """Each is one row, without the English message to the cloud."""
    hass.config.language = "zh-Hans"
    await set_up()
    await publish(cloud, device, "thing/service/property/get", {"id": "8", "params": ["LightSwitch"]})
    await reply_on(cloud, "property/get_reply")
    await publish(cloud, device, "thing/service/Restart", {"id": "9", "params": {}})
    await reply_on(cloud, "Restart_reply")
    unbound = "该标识符没有绑定 Home Assistant 中的任何对象，请先添加绑定"
    assert [line["message"] for line in ours(await read())] == [
        f"查询了 LightSwitch，未能全部返回，原因：{unbound} · 消息 8",
        f"未能调用服务 Restart，原因：{unbound} · 消息 9",
    ]


async def test_failed_action_in_chinese(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, read: Any
) -> None:
    """It was announced as what was tried; what the action says follows as it is."""
    hass.config.language = "zh-Hans"
    broken = {"identifier": "LightSwitch", "entity": "", "aspect": "actions", "access": "control"}
    await set_up([broken | {"actions": [{"stop": "地下室没有电", "error": True}]}])
    await set_properties(LightSwitch=1)
    [_tried, failed] = ours(await read())
    assert failed["message"].startswith("收到的应答为失败：LightSwitch: ")
    assert "地下室没有电（代码 100005）" in failed["message"]
    assert failed["icon"] == FAILURE_ICON


async def test_code_of_an_automation_in_chinese(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, read: Any
) -> None:
    """A code that an automation defined has no meaning to add."""
    hass.config.language = "zh-Hans"
    await automate(hass, [trigger("service_called")], reply(code=100042, message="电表不在线"))
    await set_up(entry_id=ENTRY_ID)
    await publish(cloud, device, "thing/service/ReadMeter", {"id": "9", "params": {}})
    await reply_on(cloud, "ReadMeter_reply")
    [called, failed] = ours(await read())
    assert called["message"] == "调用了服务 ReadMeter · 消息 9"
    assert failed["message"] == "收到的应答为失败：电表不在线（代码 100042） · ReadMeter · 消息 9"


async def test_long_command_and_private_value(
    hass: HomeAssistant, set_up: SetUp, set_properties: SetProperties, read: Any
) -> None:
    """The line stays short, and a private value is masked."""
    await set_up()
    await set_properties(DoorPin="a4711", **{f"P{number}": number for number in range(20)})
    [line] = ours(await read())
    assert "a4711" not in line["message"]
    assert "set DoorPin to **: " in line["message"]
    assert "; and 16 more · " in line["message"]
