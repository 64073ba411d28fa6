"""Other hosts than the platform: what they do not do (docs/protocol.md §19)."""

import json

import pytest

from simulator import CloudDevice, Simulator
from simulator.core.dialect import DIALECTS

from .conftest import KEY, NAME, Call, Connect
from .mqtt_device import MqttDevice

OTHER = pytest.mark.parametrize("cloud", [{"dialect": "other"}], indirect=True)
SYS = f"/sys/{KEY}/{NAME}/"
ACK = {"sys": {"ack": 1}}


@OTHER
async def test_other_host_ignores_what_it_does_not_know(
    cloud: Simulator, gateway: CloudDevice, connect: Connect
) -> None:
    """It neither replies to nor acts on some requests, and replies to others only when asked to."""
    device = await connect(parameters="_ss=1")
    replies = [f"{SYS}thing/{path}_reply" for path in ("event/property/post", "property/desired/get")]
    await device.subscribe(*replies)
    for path in DIALECTS["other"].ignored:
        topic = f"/ext/ntp/{KEY}/{NAME}/request" if path.startswith("/") else SYS + path
        device.publish(topic, {"id": "1", "params": ["LightSwitch"], **ACK})
    device.publish(f"{SYS}thing/event/property/post", {"id": "2", "params": {"LightSwitch": 1}})
    device.publish(f"{SYS}thing/event/property/post", {"id": "3", "params": {"LightSwitch": 0}, **ACK})
    reply = await device.receive()
    assert reply.json["id"] == "3"
    assert [value for value, _ in gateway.samples["LightSwitch"]] == [1, 0]
    assert sum(message.note == "ignored" for message in cloud.wire) == len(DIALECTS["other"].ignored)


@OTHER
async def test_other_host_has_only_explicit_subscriptions(cloud: Simulator, call: Call, connect: Connect) -> None:
    """`_ss=1` has no effect, and a synchronous service is an asynchronous one; there is no RRPC."""
    device = await connect(parameters="_ss=1,ext=1")
    await call("InvokeThingService", Identifier="ReadMeter", Args=json.dumps({"Channel": 1}))
    await device.subscribe(f"{SYS}thing/service/+", f"{SYS}rrpc/request/+")
    await call("InvokeThingService", Identifier="ReadMeter", Args=json.dumps({"Channel": 2}))
    message = await device.receive()
    assert message.topic == f"{SYS}thing/service/ReadMeter"
    assert message.json["params"] == {"Channel": 2}
    answer = await call("RRpc", RequestBase64Byte="AA==", Timeout=1000)
    assert answer["RrpcCode"] == "TIMEOUT"


@OTHER
async def test_other_host_takes_texts_in_events(gateway: CloudDevice, connect: Connect) -> None:
    """It does not compare them with the thing model."""
    device = await connect()
    await device.subscribe(f"{SYS}thing/event/+/post_reply")
    for value, code in (("20.5", 200), (20.5, 460)):
        reply = await device.ask("thing/event/Overheated/post", {"value": {"Temperature": value}}, **ACK)
        assert reply["code"] == code
    assert [event.output for event in gateway.events] == [{"Temperature": "20.5"}]


@pytest.mark.parametrize(("dialect", "limit"), [("aliyun", 2000), ("tuya", 1000), ("other", 2000)])
def test_limits(dialect: str, limit: int) -> None:
    """A limit that is given counts, otherwise that of the host."""
    assert Simulator(dialect=dialect)._platform.options.sub_device_limit == limit
    assert Simulator(dialect=dialect, sub_device_limit=5)._platform.options.sub_device_limit == 5


async def test_platform_is_not_changed(device: MqttDevice) -> None:
    """Without a dialect, it is the platform."""
    assert (await device.ask("thing/property/desired/get", ["LightSwitch"]))["code"] == 200
