"""Sessions of sub-devices (docs/protocol.md §10.3, §13): login, data, and every way to go offline."""

import asyncio
from typing import Any

import pytest

from simulator import CloudDevice, Direction, Note, RrpcForm, Simulator

from .conftest import KEY, NAME, SECRET, Call, Connect
from .gateway_client import CLIENT_ID, SUB_KEY, SUB_SECRET, Gateway, hmac_hex, keys, named, signed_entry
from .mqtt_device import MqttDevice

LAMPS = [(SUB_KEY, f"lamp-{number}") for number in range(3)]
LAMP = LAMPS[0]
SYSTEM = f"/sys/{SUB_KEY}/lamp-0/"
POST = "thing/event/property/post"
SET = "thing/service/property/set"


@pytest.fixture
async def joined(hub: Gateway) -> Gateway:
    """A gateway with all lamps in its topology, that hears of errors."""
    await hub.add(*LAMPS)
    await hub.hear_errors()
    return hub


@pytest.fixture
async def lit(joined: Gateway) -> Gateway:
    """A gateway with all lamps logged in."""
    assert (await joined.log_in(*LAMPS))["code"] == 200
    return joined


async def _post(gateway: Gateway, values: dict[str, Any], topic: str = SYSTEM + POST) -> dict[str, Any]:
    gateway.device.publish(topic, {"id": "1", "params": values})
    message = await gateway.receive()
    assert message.topic == f"{topic}_reply"
    return message.json


async def test_login_brings_a_sub_device_online(joined: Gateway, lamps: list[CloudDevice]) -> None:
    """The reply names it, and it has the status of any other device."""
    assert lamps[0].status == "UNACTIVE"
    reply = await joined.session("login", signed_entry(LAMP, cleanSession="true"))
    assert reply == {"id": "1", "code": 200, "message": "success", "data": named(LAMP)}
    assert (lamps[0].status, lamps[1].status) == ("ONLINE", "UNACTIVE")
    reply = await joined.session("logout", named(LAMP))
    assert (reply["code"], reply["data"]) == (200, named(LAMP))
    assert lamps[0].status == "OFFLINE"


async def test_batches_log_in_and_out(joined: Gateway, lamps: list[CloudDevice]) -> None:
    """The method of the signatures may stand beside the list, as SDKs write it."""
    entries = [signed_entry(key) for key in LAMPS]
    for entry in entries:
        del entry["signMethod"]
    reply = await joined.session("batch_login", {"signMethod": "hmacSha256", "deviceList": entries})
    assert (reply["code"], keys(reply["data"])) == (200, LAMPS)
    assert all(lamp.online for lamp in lamps)
    reply = await joined.session("batch_logout", [named(key) for key in LAMPS[:2]])
    assert (reply["code"], keys(reply["data"])) == (200, LAMPS[:2])
    assert [lamp.online for lamp in lamps] == [False, False, True]


async def test_values_of_a_sub_device_are_its_own(lit: Gateway, gateway: CloudDevice, lamps: list[CloudDevice]) -> None:
    """Checked against its own thing model; posts are answered on its topics, through the gateway."""
    assert await _post(lit, {"Brightness": 5, "Nope": 1}) == {
        "id": "1",
        "code": 200,
        "message": "success",
        "data": {"Nope": "tsl parse: params not exist -> Nope"},
        "method": "thing.event.property.post",
        "version": "1.0",
    }
    assert lamps[0].properties["Brightness"][0] == 5
    assert gateway.properties == lamps[1].properties == {}
    lit.device.publish(f"/{SUB_KEY}/lamp-0/user/update", b"hello")
    await lamps[0].wait_for(lambda lamp: bool(lamp.user_messages))


async def test_commands_reach_a_sub_device(lit: Gateway, call: Call, lamps: list[CloudDevice]) -> None:
    """A set and services of both kinds, and their answers."""
    lamp = {"ProductKey": SUB_KEY, "DeviceName": "lamp-0"}
    answer = await call("SetDeviceProperty", Items={"LightSwitch": 1}, **lamp)
    message = await lit.device.answer({})
    assert (message.topic, message.json["params"]) == (SYSTEM + SET, {"LightSwitch": 1})
    assert (await lamps[0].wait_reply(answer["Data"]["MessageId"])).code == 200
    answer = await call("InvokeThingService", Identifier="RunScene", Args={"SceneName": "x"}, **lamp)
    await lit.device.answer({})
    assert (await lamps[0].wait_reply(answer["Data"]["MessageId"])).code == 200
    running = asyncio.create_task(call("InvokeThingService", Identifier="ReadMeter", Args={"Channel": 1}, **lamp))
    message = await lit.device.answer({"Energy": 1.5})
    assert message.topic.startswith(f"{SYSTEM}rrpc/request/")
    assert (await running)["Data"]["Result"] == '{"Energy":1.5}'


async def test_gateway_declares_long_rrpc_for_its_sub_devices(
    gateway: CloudDevice, connect: Connect, lamps: list[CloudDevice], call: Call
) -> None:
    """SDKs declare `ext` in the client id of the gateway only."""
    assert lamps[0].rrpc is RrpcForm.AUTO
    hub = Gateway(await connect(parameters="_ss=1,ext=1"))
    await hub.add(LAMP)
    await hub.log_in(LAMP)
    running = asyncio.create_task(
        call("InvokeThingService", ProductKey=SUB_KEY, DeviceName="lamp-0", Identifier="ReadMeter", Args={"Channel": 1})
    )
    message = await hub.device.answer({"Energy": 1.5})
    assert message.topic.startswith("/ext/rrpc/")
    assert message.topic.endswith(f"{SYSTEM}thing/service/ReadMeter")
    assert (await running)["Success"]


async def test_subscriptions_of_a_sub_device(joined: Gateway, call: Call, cloud: Simulator) -> None:
    """Without `_ss=1` in its client id, the gateway subscribes for it, after the login; eight filters in a packet."""
    lamp = {"ProductKey": SUB_KEY, "DeviceName": "lamp-0"}
    assert await joined.device.subscribe(SYSTEM + SET) == [0x80]
    content = named(LAMP) | {"clientId": "lamp", "timestamp": "789"}
    await joined.session("login", content | {"signMethod": "hmacSha256", "sign": hmac_hex(SUB_SECRET, content)})
    await call("SetDeviceProperty", Items={"LightSwitch": 1}, **lamp)
    assert cloud.wire[-1].note == Note.UNDELIVERED
    assert await joined.device.subscribe(SYSTEM + SET, f"/sys/{SUB_KEY}/lamp-1/{SET}") == [0, 0x80]
    await call("SetDeviceProperty", Items={"LightSwitch": 1}, **lamp)
    assert (await joined.receive()).topic == SYSTEM + SET
    await joined.device.unsubscribe(SYSTEM + SET, f"/sys/{SUB_KEY}/lamp-1/{SET}")
    await call("SetDeviceProperty", Items={"LightSwitch": 1}, **lamp)
    assert cloud.wire[-1].note == Note.UNDELIVERED


async def test_sub_devices_have_a_hundred_subscriptions_each(lit: Gateway, lamps: list[CloudDevice]) -> None:
    """They do not use up those of the gateway."""
    for lamp in ("lamp-0", "lamp-1"):
        filters = [f"/sys/{SUB_KEY}/{lamp}/thing/service/S{number}" for number in range(104)]
        codes = [code for start in range(0, 104, 8) for code in await lit.device.subscribe(*filters[start : start + 8])]
        assert codes == [0] * 100 + [0x80] * 4
    assert await lit.device.subscribe(f"{lit.system}thing/service/S") == [0]


async def test_publishing_without_a_session(joined: Gateway, cloud: Simulator, lamps: list[CloudDevice]) -> None:
    """520 on /ext/error, and the message has no effect; 6401 for what is not in the topology, 521 and 522."""
    await joined.ask("thing/topo/delete", [named(LAMPS[1])])
    lamps[2].disabled = True
    await cloud.call("DeleteDevice", ProductKey=SUB_KEY, DeviceName="lamp-1")
    expected = [(LAMP, 520), ((SUB_KEY, "lamp-9"), 6401), ((KEY, "gw-9"), 6401), (LAMPS[1], 521), (LAMPS[2], 522)]
    for key, code in expected:
        joined.device.publish(f"/sys/{key[0]}/{key[1]}/{POST}", {"id": "1", "params": {"Brightness": 1}})
        assert await joined.error() == (code, key)
    notes = [message.note for message in cloud.wire if message.topic.endswith(POST)]
    assert notes == [Note.NO_SESSION, Note.NOT_ALLOWED, Note.NOT_ALLOWED, Note.NO_SESSION, Note.NO_SESSION]
    assert all(lamp.properties == {} for lamp in lamps)


async def test_errors_need_a_subscription(hub: Gateway, cloud: Simulator, lamps: list[CloudDevice]) -> None:
    """They are undelivered otherwise."""
    await hub.device.acknowledged(SYSTEM + POST, {"id": "1", "params": {}})
    assert [(message.topic, message.note) for message in cloud.wire][-1] == (
        f"/ext/error/{KEY}/{NAME}",
        Note.UNDELIVERED,
    )


@pytest.mark.parametrize("subject", ["lamp-9", "lamp-1"])
async def test_gateway_cannot_use_topics_of_any_device(
    joined: Gateway, other_hub: Gateway, lamps: list[CloudDevice], subject: str
) -> None:
    """Not even if the device is online through another gateway."""
    await other_hub.add(LAMPS[1])
    await joined.receive()  # the change of the topology
    await other_hub.log_in(LAMPS[1])
    joined.device.publish(f"/sys/{SUB_KEY}/{subject}/{POST}", {"id": "1", "params": {"Brightness": 1}})
    assert await joined.error() == (6401, (SUB_KEY, subject))
    assert lamps[1].properties == {}


def _login(key: tuple[str, str] = LAMP, secret: str = SUB_SECRET, **other: Any) -> dict[str, Any]:
    return signed_entry(key, secret, **other)


REFUSALS = [
    pytest.param({}, 460, id="nothing"),
    pytest.param(_login(sign=1), 460, id="signature is a number"),
    pytest.param(_login(clientId=None), 460, id="no client id"),
    pytest.param(_login(timestamp=None), 460, id="no time"),
    pytest.param(_login(signMethod="md5"), 460, id="unknown method"),
    pytest.param(_login(cleanSession="no"), 460, id="bad clean session"),
    pytest.param(_login(clientId="lamp|_ss|"), 6287, id="changed client id"),
    pytest.param(_login((SUB_KEY, "lamp-9")), 6100, id="never existed"),
    pytest.param(_login((SUB_KEY, "lamp-8")), 521, id="deleted"),
    pytest.param(_login(LAMPS[1]), 6401, id="not in the topology"),
    pytest.param(_login(LAMPS[2]), 522, id="disabled"),
    pytest.param(_login(secret="wrong"), 6287, id="another secret"),
]


@pytest.fixture
async def mixed(joined: Gateway, cloud: Simulator, lamps: list[CloudDevice]) -> Gateway:
    """A gateway with one lamp that can log in, one that is not its own, one disabled and one deleted."""
    await joined.ask("thing/topo/delete", [named(LAMPS[1])])
    lamps[2].disabled = True
    cloud.add_device(SUB_KEY, "lamp-8", SUB_SECRET)
    await cloud.call("DeleteDevice", ProductKey=SUB_KEY, DeviceName="lamp-8")
    return joined


@pytest.mark.parametrize(("entry", "code"), REFUSALS)
async def test_refused_login(mixed: Gateway, lamps: list[CloudDevice], entry: dict[str, Any], code: int) -> None:
    """With its code, and the device as the culprit."""
    reply = await mixed.session("login", entry)
    assert reply["code"] == code
    assert not any(lamp.online for lamp in lamps)


@pytest.mark.parametrize(("entry", "code"), REFUSALS)
async def test_refused_login_refuses_the_batch(
    mixed: Gateway, cloud: Simulator, lamps: list[CloudDevice], entry: dict[str, Any], code: int
) -> None:
    """The culprit is named, and nobody is online."""
    good = cloud.add_device(SUB_KEY, "lamp-7", SUB_SECRET)
    await mixed.add((SUB_KEY, "lamp-7"))
    reply = await mixed.session("batch_login", {"deviceList": [_login((SUB_KEY, "lamp-7")), entry]})
    culprit = {key: entry.get(key) for key in ("productKey", "deviceName")}
    assert (reply["code"], reply["data"]) == (code, [culprit])
    assert not good.online


@pytest.mark.parametrize("params", [None, [], {}, {"deviceList": []}, {"deviceList": [1]}, {"deviceList": [{}] * 51}])
async def test_batch_login_has_1_to_50_devices(joined: Gateway, params: Any) -> None:
    """Anything else is 460."""
    assert (await joined.session("batch_login", params))["code"] == 460


@pytest.mark.parametrize("params", [None, {}, [], [1], [{}] * 51, [{"productKey": SUB_KEY}]])
async def test_batch_logout_has_1_to_50_devices(joined: Gateway, params: Any) -> None:
    """Anything else is 460."""
    assert (await joined.session("batch_logout", params))["code"] == 460


@pytest.mark.parametrize("cloud", [{"login_batch": 2}], indirect=True)
async def test_batch_size_is_an_option(joined: Gateway) -> None:
    """Older documentation allows five."""
    assert (await joined.log_in(*LAMPS))["code"] == 460
    assert (await joined.log_in(*LAMPS[:2]))["code"] == 200


@pytest.mark.parametrize("cloud", [{"sub_device_limit": 3}], indirect=True)
async def test_too_many_sub_devices_online(cloud: Simulator, joined: Gateway, other_hub: Gateway) -> None:
    """428: those that another gateway has taken meanwhile are still online here."""
    cloud.add_device(SUB_KEY, "lamp-3", SUB_SECRET)
    assert (await joined.log_in(*LAMPS))["code"] == 200
    await other_hub.add(LAMP)
    await joined.receive()  # the change of the topology
    await joined.add((SUB_KEY, "lamp-3"))
    reply = await joined.log_in((SUB_KEY, "lamp-3"))
    assert (reply["code"], keys(reply["data"])) == (428, [(SUB_KEY, "lamp-3")])
    assert (await joined.log_in(LAMPS[1]))["code"] == 200


@pytest.mark.parametrize("cloud", [{"connects_per_minute": 5}], indirect=True)
async def test_sixth_login_in_a_minute_is_refused(joined: Gateway) -> None:
    """429 names the culprit; refused logins are counted, those of other devices are not."""
    assert (await joined.session("login", _login(secret="wrong")))["code"] == 6287
    assert [(await joined.log_in(LAMP))["code"] for _ in range(4)] == [200] * 4
    reply = await joined.log_in(LAMPS[1], LAMP)
    assert (reply["code"], keys(reply["data"])) == (429, [LAMP])
    assert reply["message"] == "rate limit, too many subDeviceOnline msg in one minute"
    assert (await joined.log_in(LAMPS[1]))["code"] == 200


@pytest.mark.parametrize("cloud", [{"logins_per_second": 4}], indirect=True)
async def test_gateway_has_a_limit_of_logins_a_second(joined: Gateway, lamps: list[CloudDevice]) -> None:
    """A batch that exceeds it is refused as a whole."""
    assert (await joined.log_in(*LAMPS))["code"] == 200
    reply = await joined.log_in(*LAMPS[:2])
    assert (reply["code"], keys(reply["data"])) == (429, LAMPS[:2])
    assert (await joined.log_in(LAMP))["code"] == 200


@pytest.mark.parametrize("verb", ["login", "batch_login", "logout", "batch_logout"])
async def test_server_error_on_demand(joined: Gateway, cloud: Simulator, verb: str) -> None:
    """500 has no cause that a gateway can bring about."""
    cloud.faults.set(answer_code={"code": 500, "count": 1})
    reply = await joined.session(verb, {})
    assert (reply["code"], reply["message"]) == (500, "server error")


@pytest.mark.parametrize("verb", ["login", "batch_login", "logout", "batch_logout"])
async def test_sessions_take_qos_0_only(joined: Gateway, cloud: Simulator, verb: str) -> None:
    """Anything else is dropped, which the transcript tells."""
    await joined.device.acknowledged(f"/ext/session/{KEY}/{NAME}/combine/{verb}", _login())
    assert cloud.wire[-1].note == Note.ONLY_QOS_0


@pytest.mark.parametrize(("params", "code"), [({}, 460), (named(LAMP), 520), (named((SUB_KEY, "lamp-9")), 520)])
async def test_logout_without_a_session(joined: Gateway, params: dict[str, str], code: int) -> None:
    """520; of a batch, all stay online."""
    assert (await joined.session("logout", params))["code"] == code
    await joined.log_in(LAMPS[1])
    reply = await joined.session("batch_logout", [named(LAMPS[1]), params])
    assert reply["code"] == code
    assert [entry.get("deviceName") for entry in reply["data"]] == [params.get("deviceName")]
    assert (await joined.session("logout", named(LAMPS[1])))["code"] == 200


async def test_login_again_through_the_same_gateway(lit: Gateway, lamps: list[CloudDevice]) -> None:
    """It stays online, and nobody is told."""
    assert (await lit.log_in(LAMP))["code"] == 200
    assert lamps[0].online
    assert (await _post(lit, {"Brightness": 6}))["code"] == 200
    assert lamps[0].connections == 2


async def test_second_gateway_takes_over(lit: Gateway, other_hub: Gateway, lamps: list[CloudDevice]) -> None:
    """427 for the first at the login of the second, not yet when the topology changes."""
    await other_hub.add(LAMP)
    assert (await lit.receive()).json["params"]["status"] == 1
    assert (await _post(lit, {"Brightness": 6}))["code"] == 200
    assert (await other_hub.log_in(LAMP))["code"] == 200
    assert await lit.error() == (427, LAMP)
    assert lamps[0].online
    assert (await _post(other_hub, {"Brightness": 7}))["code"] == 200
    lit.device.publish(SYSTEM + POST, {"id": "1", "params": {"Brightness": 8}})
    assert await lit.error() == (6401, LAMP)
    assert lamps[0].properties["Brightness"][0] == 7


async def test_sub_device_that_connects_itself_takes_over(
    lit: Gateway, lamps: list[CloudDevice], connect: Connect
) -> None:
    """427 for the gateway. A login of the gateway takes it back."""
    itself = await connect("lamp-0", product_key=SUB_KEY, secret=SUB_SECRET)
    assert await lit.error() == (427, LAMP)
    assert (await itself.ask(POST, {"Brightness": 1}))["code"] == 200
    assert (await lit.log_in(LAMP))["code"] == 200
    await itself.closed.wait()
    assert lamps[0].online


async def test_kick_takes_a_sub_device_offline(lit: Gateway, cloud: Simulator, lamps: list[CloudDevice]) -> None:
    """As if another gateway had logged it in; the other faults are those of the gateway's connection."""
    cloud.faults.set(kick="lamp-0")
    assert await lit.error() == (427, LAMP)
    assert [lamp.online for lamp in lamps] == [False, True, True]
    cloud.faults.set(drop_connection="lamp-1")
    await lit.device.closed.wait()
    assert not any(lamp.online for lamp in lamps)


@pytest.mark.parametrize("ending", ["disconnect", "replace", "drop", "stop"])
async def test_sub_devices_go_offline_with_their_gateway(
    lit: Gateway, cloud: Simulator, gateway: CloudDevice, lamps: list[CloudDevice], connect: Connect, ending: str
) -> None:
    """Whatever ends its connection; they do not come back with it, but after a login."""
    match ending:
        case "disconnect":
            lit.device.client.disconnect()
        case "replace":
            await connect()
        case "drop":
            cloud.faults.set(drop_connection=NAME)
        case "stop":
            await cloud.stop()
            await cloud.start()
    await lit.device.closed.wait()
    await gateway.wait_for(lambda _: not any(lamp.online for lamp in lamps))
    assert all(lamp.half_connected is (ending == "drop") for lamp in lamps)
    again = Gateway(await connect())
    assert gateway.online
    assert not any(lamp.online for lamp in lamps)
    again.device.publish(SYSTEM + POST, {"id": "1", "params": {"Brightness": 1}})
    assert (await again.log_in(*LAMPS))["code"] == 200
    assert all(lamp.online for lamp in lamps)


async def test_disabled_sub_device(lit: Gateway, call: Call, cloud: Simulator, lamps: list[CloudDevice]) -> None:
    """Told on its own topic and on the gateway's; it is offline, and can log in again once it is enabled."""
    lamp = {"ProductKey": SUB_KEY, "DeviceName": "lamp-0"}
    await lit.device.subscribe(f"{SYSTEM}thing/disable", f"{SYSTEM}thing/enable")
    await call("DisableThing", **lamp)
    told = await lit.device.answer({})
    assert (told.topic, told.json["method"], told.json["params"]) == (f"{SYSTEM}thing/disable", "thing.disable", {})
    assert (await lit.receive()).json["params"] == {"status": 8, "subList": [named(LAMP)]}
    assert await lit.error() == (522, LAMP)
    await lamps[0].wait_for(lambda lamp: bool(lamp.notifications[-1].replies))
    assert lamps[0].status == "DISABLE"
    assert (await lit.log_in(LAMP))["code"] == 522
    await call("EnableThing", **lamp)
    assert (await lit.device.answer({})).topic == f"{SYSTEM}thing/enable"
    assert (await lit.receive()).json["params"] == {"status": 2, "subList": [named(LAMP)]}
    await lamps[0].wait_for(lambda lamp: bool(lamp.notifications[-1].replies))
    assert lamps[0].status == "OFFLINE"
    assert (await lit.log_in(LAMP))["code"] == 200
    assert [message.note for message in cloud.wire if message.topic.endswith("able_reply")] == ["", ""]


async def test_deleted_sub_device(
    lit: Gateway, call: Call, gateway: CloudDevice, cloud: Simulator, lamps: list[CloudDevice]
) -> None:
    """Told in both ways, and out of the topology."""
    await lit.device.subscribe(f"{SYSTEM}thing/delete")
    await call("DeleteDevice", ProductKey=SUB_KEY, DeviceName="lamp-0")
    assert (await lit.device.answer({})).topic == f"{SYSTEM}thing/delete"
    assert (await lit.receive()).json["params"] == {"status": 1, "subList": [named(LAMP)]}
    assert await lit.error() == (521, LAMP)
    await lamps[0].wait_for(lambda lamp: bool(lamp.notifications[-1].replies))
    assert list(gateway.sub_devices) == LAMPS[1:]
    assert (await lit.log_in(LAMP))["code"] == 521
    with pytest.raises(KeyError):
        cloud.device(*LAMP)


async def test_removed_from_the_topology(lit: Gateway, call: Call, lamps: list[CloudDevice]) -> None:
    """By an application: offline with 6401. By the gateway itself: offline, and nothing more is said."""
    await call("RemoveThingTopo", ProductKey=SUB_KEY, DeviceName="lamp-0")
    assert await lit.error() == (6401, LAMP)
    assert (await lit.receive()).json["params"]["status"] == 1
    assert (await lit.ask("thing/topo/delete", [named(LAMPS[1])]))["code"] == 200
    assert [lamp.online for lamp in lamps] == [False, False, True]


async def test_disabled_gateway(lit: Gateway, call: Call, lamps: list[CloudDevice], gateway: CloudDevice) -> None:
    """It just loses its connection, and its sub-devices are offline."""
    await call("DisableThing")
    await lit.device.closed.wait()
    assert not any(lamp.online for lamp in lamps)
    assert gateway.notifications == []


async def test_deleted_gateway(lit: Gateway, call: Call, lamps: list[CloudDevice]) -> None:
    """Its sub-devices have no gateway any more."""
    await call("DeleteDevice")
    await lit.device.closed.wait()
    assert all(lamp.gateway is None and not lamp.online for lamp in lamps)


async def test_transcript_names_the_sub_device(joined: Gateway, cloud: Simulator) -> None:
    """Login and logout, and every message."""
    await joined.log_in(LAMP)
    await _post(joined, {"Brightness": 6})
    await joined.session("logout", named(LAMP))
    mine = [message for message in cloud.wire if message.device == f"{SUB_KEY}/lamp-0"]
    assert [(message.direction, message.note) for message in mine] == [
        (Direction.LINK, f"logged in through {KEY}/{NAME}"),
        (Direction.UP, ""),
        (Direction.DOWN, ""),
        (Direction.LINK, "logged out: by the gateway"),
    ]
    assert SUB_SECRET not in repr(list(cloud.wire))


async def test_plain_device_gets_no_errors(cloud: Simulator, connect: Connect, hub: Gateway) -> None:
    """Only gateways publish for others."""
    cloud.add_product("a1Plain0001")
    cloud.add_device("a1Plain0001", NAME, SECRET)
    plain: MqttDevice = await connect(product_key="a1Plain0001")
    await plain.acknowledged(SYSTEM + POST, {"id": "1", "params": {}})
    assert cloud.wire[-1].note == Note.NOT_ALLOWED


def test_client_id_of_the_tests_subscribes_implicitly() -> None:
    """The tests above depend on it."""
    assert "_ss=1" in CLIENT_ID
