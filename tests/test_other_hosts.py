"""Other hosts than the platform, as the user chooses them, against a simulator that plays each (docs/protocol.md §19)."""

from collections.abc import AsyncGenerator
import json
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink.device import Device
from custom_components.aliyun_iot.alink.host import Host, HostKind, host_of
from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.alink.topics import is_rrpc
from custom_components.aliyun_iot.const import CONF_HOST_KIND, CONF_TEXT_EVENTS
from custom_components.aliyun_iot.health.subscription_watch import missing_subscriptions
from custom_components.aliyun_iot.sub_device_row import add_sub_devices
from simulator import CloudDevice, Direction, Simulator, reserved_port
from simulator.core.dialect import DIALECTS

from .application import LAMP, SERVICES, invoke
from .conftest import SetUp
from .outages import end_outage, lose_connection, quick_to_return
from .sub_house import LAMPS, add_lamps_in_the_cloud, new_lamp
from .test_actions import act
from .test_reporter import posted
from .waiting import until


@pytest.fixture
def kind() -> str:
    """Return the kind of the host."""
    return HostKind.OTHER


@pytest.fixture
async def cloud(socket_enabled: None, kind: str) -> AsyncGenerator[Simulator]:
    """Run a host of this kind on loopback."""
    with reserved_port() as port, reserved_port() as api_port:
        async with Simulator(port=port, api_port=api_port, connects_per_minute=None, dialect=kind) as simulator:
            yield simulator


@pytest.fixture
def entry_data(entry_data: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the data with the kind of the host, and events as texts."""
    return {**entry_data, CONF_HOST_KIND: kind, CONF_TEXT_EVENTS: kind == HostKind.OTHER}


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect again soon, and wait for replies for moments only."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.lanes.REPLY_TIMEOUT", 0.05)
    monkeypatch.setattr(Device.get_desired, "__defaults__", (0.05,))
    monkeypatch.setattr(Device.read_clock, "__defaults__", (0.05,))


def unanswered(cloud: Simulator) -> list[str]:
    """Return the topics of all messages that the host ignores."""
    return [one.topic for one in cloud.wire if one.direction is Direction.UP and one.note == "ignored"]


async def online_again(cloud: Simulator, device: CloudDevice, entry: MockConfigEntry) -> None:
    """Lose the connection and get a new one."""
    await lose_connection(cloud, device, entry)
    end_outage(cloud)
    await until(lambda: entry.runtime_data.link.state is LinkState.ONLINE)


async def test_other_host(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, house: None, set_up: SetUp, set_properties: Any
) -> None:
    """Values, commands, services and events work; what the host never answers is asked once and not on every connection."""
    entry = await set_up([LAMP], SERVICES)
    await posted(device, "LightSwitch", 0)
    assert (await set_properties(LightSwitch=1)).code == 200
    await posted(device, "LightSwitch", 1)
    held = device.connection.subscriptions
    filters = entry.runtime_data.link.device.filters
    assert all(topic_filter in held for topic_filter in filters)
    assert not [topic_filter for topic_filter in filters if is_rrpc(topic_filter)]
    assert not missing_subscriptions(entry.runtime_data.link, entry)

    answer = await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    reply = await device.wait_reply(answer["Data"]["MessageId"])
    assert (reply.code, reply.data["Energy"]) == (200, 1003)
    await act(hass, "post_event", entry.entry_id, identifier="HighTemperatureAlarm", output={"Temperature": 61.5})
    assert device.events[-1].output == {"Temperature": "61.5"}

    await until(lambda: unanswered(cloud) and len(entry.runtime_data.link._silent) == len(unanswered(cloud)))
    await online_again(cloud, device, entry)
    hass.states.async_set("input_boolean.lamp", "off")
    await posted(device, "LightSwitch", 0)
    await entry.runtime_data.device.desired.catch_up()
    asked = unanswered(cloud)
    assert len(asked) == len(set(asked))


async def test_sub_devices_of_other_host(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their subscriptions are made explicitly."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.gateway.RECONNECT_SPREAD", 0.0)
    entry = await set_up(options={"thing_model": None})
    add_lamps_in_the_cloud(cloud, ["lamp-1"])
    add_sub_devices(hass, entry, [new_lamp(hass, "Lamp 1", "lamp-1")])
    lamp = cloud.device(LAMPS, "lamp-1")
    await lamp.wait_for(lambda one: one.properties.get("Power", (None,))[0] == 1)
    topics = next(iter(entry.runtime_data.sub_devices.running.values())).device.topics
    await until(lambda: topics.property_set in lamp.connection.subscriptions)
    result = await cloud.call(
        "SetDeviceProperty", ProductKey=LAMPS, DeviceName="lamp-1", Items=json.dumps({"Power": 1})
    )
    await lamp.wait_reply(result["Data"]["MessageId"])


@pytest.mark.parametrize("kind", ["tuya", "aliyun"])
async def test_tuya_edition_is_the_platform(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, house: None, set_up: SetUp, set_properties: Any
) -> None:
    """Everything works on the Tuya edition as on the platform."""
    entry = await set_up([LAMP], SERVICES)
    assert (await set_properties(LightSwitch=1)).code == 200
    await posted(device, "LightSwitch", 1)
    assert entry.runtime_data.link.config.host.has_rrpc
    assert await act(hass, "get_desired", entry.entry_id) == {}
    assert not unanswered(cloud)


def test_hosts() -> None:
    """The simulator plays each kind of host, and the usual one is the platform as it is."""
    assert {kind.value for kind in HostKind} == DIALECTS.keys()
    assert host_of(HostKind.ALIYUN) == Host()
    assert host_of(HostKind.TUYA).tls_port == 443
    assert host_of(HostKind.OTHER, text_events=True).text_events
