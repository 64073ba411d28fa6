"""Commands of every kind and malformed messages: each delivery is answered exactly once."""

import json
from typing import Any

import pytest

from custom_components.aliyun_iot.alink.codes import Code
from custom_components.aliyun_iot.alink.command import Answer, Command, CommandKind
from custom_components.aliyun_iot.alink.link import Link, LinkState
from simulator import CloudDevice, Simulator

from ..conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from ..waiting import until
from .conftest import NewLink, Owner, ask, call, config_for, publish, reply_to, sent, works
from .scripted import ScriptedHost

# Kinds of commands


async def test_property_set(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """The command arrives as it was sent, and the answer is sent unchanged at QoS 0."""
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1, "Brightness": 40}))
    assert (reply.code, reply.data, reply.message) == (200, {}, "success")
    (command,) = owner.commands
    assert (command.kind, command.identifier, command.sync) == (CommandKind.PROPERTY_SET, None, False)
    assert command.params == {"LightSwitch": 1, "Brightness": 40}
    assert command.topic == link.device.topics.property_set
    assert json.loads(command.payload)["id"] == command.id == device.service_calls[0].id
    assert sent(cloud, f"{link.device.topics.property_set}_reply")[0].qos == 0


async def test_property_set_that_fails(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """The cloud gets the code, the data and the message of the answer."""

    async def refuse(_command: Command) -> Answer:
        return Answer(Code.OUT_OF_RANGE, {"Brightness": "above 100"}, "亮度太高")

    owner.act = refuse
    reply = await reply_to(device, await call(cloud, "SetDeviceProperty", Items={"Brightness": 101}))
    assert (reply.code, reply.data, reply.message) == (100009, {"Brightness": "above 100"}, "亮度太高")


async def test_property_get(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """Its params are an array of identifiers."""

    async def answer(_command: Command) -> Answer:
        return Answer(data={"LightSwitch": 1})

    owner.act = answer
    answer = await call(cloud, "InvokeThingService", Identifier="get", Args=["LightSwitch"])
    assert (await reply_to(device, answer)).data == {"LightSwitch": 1}
    assert [(one.kind, one.params) for one in owner.commands] == [(CommandKind.PROPERTY_GET, ["LightSwitch"])]


async def test_asynchronous_service(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """The caller does not wait for the output, but the cloud keeps it."""

    async def accept(_command: Command) -> Answer:
        return Answer(data={"Accepted": 1})

    owner.act = accept
    answer = await call(cloud, "InvokeThingService", Identifier="RunScene", Args={"SceneName": "movie"})
    assert (await reply_to(device, answer)).data == {"Accepted": 1}
    (command,) = owner.commands
    assert (command.kind, command.identifier, command.sync) == (CommandKind.SERVICE, "RunScene", False)
    assert command.params == {"SceneName": "movie"}


@pytest.mark.parametrize("form", ["sys", "ext"])
async def test_synchronous_service(
    cloud: Simulator, new_link: NewLink, owner: Owner, thing_model_document: dict[str, Any], form: str
) -> None:
    """The caller gets the output, whichever topics the product uses (docs/protocol.md §6.4)."""
    cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET, thing_model_document, rrpc=form)

    async def measure(_command: Command) -> Answer:
        return Answer(data={"Energy": 12.5})

    owner.act = measure
    link = new_link(config_for(cloud.port))
    await link.wait_online(30)
    answer = await call(cloud, "InvokeThingService", Identifier="ReadMeter", Args={"Channel": 1})
    assert answer["Success"]
    assert json.loads(answer["Data"]["Result"]) == {"Energy": 12.5}
    (command,) = owner.commands
    assert (command.kind, command.identifier, command.sync) == (CommandKind.SERVICE, "ReadMeter", True)
    assert ("/ext/rrpc/" in command.topic) == (form == "ext")


@pytest.mark.parametrize(
    ("method", "params", "kind"),
    [
        ("thing.service.property.set", {"LightSwitch": 1}, CommandKind.PROPERTY_SET),
        ("thing.service.property.get", ["LightSwitch"], CommandKind.PROPERTY_GET),
    ],
)
async def test_synchronous_property_calls(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, method: str, params: Any, kind: CommandKind
) -> None:
    """Properties can be set and read while the caller waits."""
    answer = await rrpc(cloud, {"id": "7", "method": method, "params": params})
    assert answer == {"id": "7", "code": 200, "data": {}, "message": "success"}
    assert [(one.kind, one.sync, one.identifier) for one in owner.commands] == [(kind, True, None)]


async def test_synchronous_property_calls_in_the_long_form(new_link: NewLink, owner: Owner) -> None:
    """In the long form the topic names the service, and the answer goes to the same topic."""
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        for path, params in (("property/set", {"A": 1}), ("property/get", ["A"])):
            topic = f"/ext/rrpc/1234567890/sys/{PRODUCT_KEY}/{DEVICE_NAME}/thing/service/{path}"
            host.publish(topic, json.dumps({"id": 9, "params": params}).encode())
            await until(lambda topic=topic: topic in [one.topic for one in host.published])
    assert [(one.kind, one.sync) for one in owner.commands] == [
        (CommandKind.PROPERTY_SET, True),
        (CommandKind.PROPERTY_GET, True),
    ]
    assert [json.loads(one.payload)["id"] for one in host.published] == ["9", "9"]


async def rrpc(cloud: Simulator, request: dict[str, Any]) -> dict[str, Any]:
    """Call the device by RRPC in its short form and return its answer."""
    return json.loads((await ask(cloud, json.dumps(request).encode()))["payload"])


@pytest.mark.parametrize("method", [None, "", "thing.event.property.post", "thing.service.", 7])
async def test_rrpc_without_a_service_is_refused(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, method: object
) -> None:
    """In the short form only the body names the service."""
    answer = await rrpc(cloud, {"id": "7", "method": method, "params": {}})
    assert (answer["id"], answer["code"]) == ("7", Code.PARAMETER_ERROR)
    assert not owner.commands
    assert await works(cloud, device)


async def test_raw_down(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """A frame arrives unchanged, and nothing is sent without an answer."""
    frames = iter([None, b"\x01\x02"])

    async def answer(_command: Command) -> Answer:
        return Answer(raw=next(frames))

    owner.act = answer
    await publish(cloud, link.device.topics.raw_down, b"\x00\xff")
    await until(lambda: len(owner.commands) == 1)
    await publish(cloud, link.device.topics.raw_down, b"\x00\xff")
    await device.wait_for(lambda one: bool(one.raw_down_replies))
    assert device.raw_down_replies == [b"\x01\x02"]
    assert [(one.kind, one.payload, one.params) for one in owner.commands] == [(CommandKind.RAW, b"\x00\xff", None)] * 2


async def test_raw_down_by_rrpc(cloud: Simulator, device: CloudDevice, link: Link, owner: Owner) -> None:
    """A caller can wait for the answer to a frame."""

    async def answer(_command: Command) -> Answer:
        return Answer(raw=b"\x07")

    owner.act = answer
    assert (await ask(cloud, b"\x00\xff", link.device.topics.raw_down))["payload"] == b"\x07"
    (command,) = owner.commands
    assert (command.kind, command.sync, command.payload) == (CommandKind.RAW, True, b"\x00\xff")
    assert command.id in command.topic


# Malformed messages


NOT_READABLE = [
    b"not JSON",
    b"\xff\xfe",
    b"[]",
    b"null",
    b"42",
    b"{}",
    b'{"params": {}}',
    b'{"id": null, "params": {}}',
    b'{"id": true, "params": {}}',
    b'{"id": "1", "code": 200, "data": {}}',
    b'{"id": "' + b"1" * 262_000 + b'", "params": {}}',
    b"[" * 100_000,
    b'{"id": "1", "params": {"Levels": [' + b"0," * 40_000 + b"0]}}",
]

WRONG_BUT_WITH_ID = [
    b'{"id": "1", "params": []}',
    b'{"id": "1", "params": "LightSwitch"}',
    b'{"id": "1", "params": {"Brightness": NaN}}',
    b'{"id": "1", "params": {"Brightness": 1, "Brightness": 2}}',
]


@pytest.mark.parametrize("payload", NOT_READABLE, ids=lambda payload: repr(payload[:20]))
async def test_unreadable_command_without_an_id_is_ignored(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the connection stays."""
    await publish(cloud, link.device.topics.property_set, payload)
    await until(lambda: "Cannot read the command on" in caplog.text)
    assert await works(cloud, device)
    assert len(owner.commands) == 1
    assert len(sent(cloud, f"{link.device.topics.property_set}_reply")) == 1


@pytest.mark.parametrize("payload", WRONG_BUT_WITH_ID, ids=lambda payload: repr(payload[:40]))
async def test_malformed_command_with_an_id_is_answered_with_the_error(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, payload: bytes
) -> None:
    """The message of the answer names the problem."""
    await publish(cloud, link.device.topics.property_set, payload)
    await until(lambda: sent(cloud, f"{link.device.topics.property_set}_reply"))
    answer = json.loads(sent(cloud, f"{link.device.topics.property_set}_reply")[0].payload)
    assert (answer["id"], answer["code"]) == ("1", Code.PARAMETER_ERROR)
    assert answer["message"]
    assert not owner.commands
    assert await works(cloud, device)


async def test_property_get_with_an_object_is_refused(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner
) -> None:
    """Property get is the only command whose params are an array."""
    reply = await reply_to(device, await call(cloud, "InvokeThingService", Identifier="get", Args={"LightSwitch": 1}))
    assert (reply.code, reply.message) == (Code.PARAMETER_ERROR, "params must be an array of identifiers")
    assert not owner.commands


@pytest.mark.parametrize(
    ("path", "params", "message"),
    [
        ("property/set", "", "the request has no params"),
        ("property/set", "null", "the request has no params"),
        ("property/set", "{}", "params name no property"),
        ("property/set", "[]", "params must be an object"),
        ("property/set", "0", "params must be an object"),
        ("property/set", '"{}"', "params must be an object"),
        ("property/get", "", "the request has no params"),
        ("property/get", "[]", "params name no property"),
        ("property/get", "{}", "params must be an array of identifiers"),
        ("property/get", '"LightSwitch"', "params must be an array of identifiers"),
        ("RunScene", "[]", "params must be an object"),
        ("RunScene", "false", "params must be an object"),
    ],
)
async def test_command_that_asks_for_nothing_is_refused(
    new_link: NewLink, owner: Owner, path: str, params: str, message: str
) -> None:
    """By its topic and by both forms of RRPC; the message says what is missing. Nothing is carried out."""
    system = f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}/"
    topic = f"{system}thing/service/{path}"
    request = body(params, method=f"thing.service.{path.replace('/', '.')}")
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        for where in (topic, f"{system}rrpc/request/9", f"/ext/rrpc/9{topic}"):
            host.publish(where, request)
        await until(lambda: len(host.published) == 3)
    answers = {one.topic: json.loads(one.payload) for one in host.published}
    assert answers.keys() == {f"{topic}_reply", f"{system}rrpc/response/9", f"/ext/rrpc/9{topic}"}
    for answer in answers.values():
        assert (answer["id"], answer["code"], answer["message"]) == ("7", Code.PARAMETER_ERROR, message)
    assert not owner.commands


@pytest.mark.parametrize("params", ["", "null", "{}"])
async def test_service_without_input_is_called(new_link: NewLink, owner: Owner, params: str) -> None:
    """A service may have no input parameters, and hosts write that differently."""
    topic = f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}/thing/service/Restart"
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        host.publish(topic, body(params))
        await until(lambda: host.published)
    assert json.loads(host.published[0].payload)["code"] == 200
    assert [(one.identifier, one.params) for one in owner.commands] == [("Restart", {})]


def body(params: str, **others: str) -> bytes:
    """Return a request with these params as JSON, without params if they are empty."""
    members = {"id": '"7"', **{key: json.dumps(value) for key, value in others.items()}} | (
        {"params": params} if params else {}
    )
    return "".join(("{", ", ".join(f'"{key}": {value}' for key, value in members.items()), "}")).encode()


async def test_messages_on_other_topics_are_ignored(new_link: NewLink, owner: Owner) -> None:
    """Topics of another device and unknown topics, even with a valid command."""
    command = b'{"id": "1", "params": {"A": 1}}'
    async with ScriptedHost() as host:
        link = new_link(config_for(host.port))
        await link.wait_online(30)
        own = f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}"
        host.publish(f"/sys/{PRODUCT_KEY}/other/thing/service/property/set", command)
        host.publish(f"/sys/{PRODUCT_KEY}/other/rrpc/request/1", command)
        host.publish(f"{own}/thing/service/property/set_reply", command)
        host.publish(f"{own}/thing/service/RunScene_reply", command)
        host.publish(f"{own}/thing/unheard/of", command)
        host.publish("/", b"")
        host.publish(f"{own}/thing/service/property/set", command)
        await until(lambda: host.published)
        assert [one.topic for one in host.published] == [f"{own}/thing/service/property/set_reply"]
        assert len(owner.commands) == 1
        assert link.state is LinkState.ONLINE
