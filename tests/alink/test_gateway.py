"""A gateway and its sub-devices, against the simulator."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
import json
import time
from typing import Any

import pytest

from custom_components.aliyun_iot.alink.auth import DeviceTriple, Identity
from custom_components.aliyun_iot.alink.codes import Code
from custom_components.aliyun_iot.alink.command import Answer, Command
from custom_components.aliyun_iot.alink.errors import (
    BoundElsewhere,
    GatewayFull,
    HeldElsewhere,
    NotAGateway,
    NotConnected,
    NotInTopology,
    ProductUnknown,
    RegistrationRefused,
    RequestTimeout,
    SecretRefused,
    SubDeviceDeleted,
    SubDeviceDisabled,
    SubDeviceError,
)
from custom_components.aliyun_iot.alink.gateway import Gateway
from custom_components.aliyun_iot.alink.gateway_requests import Registered, _read_secrets
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.transport import Delivery
from custom_components.aliyun_iot.alink.samples import Sample
from custom_components.aliyun_iot.alink.sub_device import BEHAVIOUR, SubDevice, SubDeviceConfig, SubDeviceState
from custom_components.aliyun_iot.alink.topics import GatewayTopics
from simulator import CloudDevice, NodeType, Simulator
from simulator.device_side.uplink import RejectedError
from simulator.gateway.entries import Entry, check_all, read_entries

from ..conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from ..waiting import until
from .clocks import Clock
from .conftest import ALINK, NewLink, Owner, config_for, sent

TOPICS = GatewayTopics(PRODUCT_KEY, DEVICE_NAME)
LAMPS = "a1SubLamp01"
SECRET = "fedcba9876543210fedcba9876543210"
AT = 1_767_225_600_000

ONLINE, WAITING = SubDeviceState.ONLINE, SubDeviceState.WAITING


def lamp(number: int) -> Identity:
    """Return the names of a sub-device."""
    return Identity(LAMPS, f"lamp-{number}")


@dataclass(slots=True)
class House:
    """A gateway with lamps, what it reports and stores, and the clock of its pauses."""

    cloud: Simulator
    link: Link
    owner: Owner
    clock: Clock = field(default_factory=Clock)
    changes: list[tuple[Identity, SubDeviceState]] = field(default_factory=list)
    reported: dict[Identity, SubDeviceState] = field(default_factory=dict)
    stored: dict[Identity, str] = field(default_factory=dict)
    store_error: Exception | None = None
    gateway: Gateway = field(init=False)

    def __post_init__(self) -> None:
        """Make the gateway."""
        self.gateway = Gateway(
            self.link, on_change=self.changed, store_secrets=self.store, jitter=lambda: 0.0, clock=self.clock
        )

    def changed(self, sub: SubDevice) -> None:
        """Record a change of a sub-device."""
        self.changes.append((sub.identity, sub.state))
        self.reported[sub.identity] = sub.state

    async def store(self, secrets: Mapping[Identity, str]) -> None:
        """Keep secrets."""
        if self.store_error:
            raise self.store_error
        self.stored |= secrets

    def advance(self, seconds: float) -> None:
        """Let time pass for the gateway."""
        self.clock.now += seconds
        self.gateway._changed.set()

    def put(
        self,
        *identities: Identity,
        secret: str | None = SECRET,
        product_secret: str | None = None,
        online: bool = True,
        **options: Any,
    ) -> None:
        """Have sub-devices, with their devices on the link."""
        for identity in identities:
            self.link.attach(identity, self.owner.obey, **options)
            self.gateway.put(SubDeviceConfig(identity, secret, product_secret))
            self.gateway.want(identity, online=online)

    def state(self, identity: Identity) -> SubDeviceState:
        """Return the state that was reported last, before any the first one."""
        return self.reported.get(identity, self.gateway.sub_devices[identity].state)

    def error(self, identity: Identity) -> Exception | None:
        """Return why a sub-device is not online."""
        return self.gateway.sub_devices[identity].error

    async def settled(self, state: SubDeviceState, *identities: Identity) -> None:
        """Wait until all these sub-devices have a state."""
        await until(lambda: all(self.state(identity) is state for identity in identities))

    def logins(self) -> list[int]:
        """Return how many sub-devices each login had."""
        return [len(names) for names in login_names(self.cloud)]


def login_names(cloud: Simulator) -> list[list[str]]:
    """Return the names in each login."""
    logins = [json.loads(message.payload)["params"]["deviceList"] for message in sent(cloud, TOPICS.login)]
    return [[entry["deviceName"] for entry in entries] for entries in logins]


def check_all_without_names[Result](entries: list[Entry], check: Callable[[Entry], Result]) -> list[Result]:
    """Check as the simulator does, but do not say which entries failed."""
    try:
        return check_all(entries, check)
    except RejectedError as error:
        raise RejectedError(error.code, {}) from None


async def call(house: House, action: str, identity: Identity) -> None:
    """Call the cloud's API about a sub-device."""
    answer = await house.cloud.call(action, ProductKey=identity.product_key, DeviceName=identity.device_name)
    assert answer["Success"], answer


def lamps_of(cloud: Simulator, numbers: Iterable[int]) -> list[Identity]:
    """Create lamps in the cloud."""
    made = [lamp(number) for number in numbers]
    for identity in made:
        cloud.add_device(*identity, SECRET)
    return made


async def second_gateway(cloud: Simulator, new_link: NewLink) -> House:
    """Return another gateway, which is online; the test stops it."""
    cloud.add_device(PRODUCT_KEY, "gw-2", DEVICE_SECRET)
    link = new_link(config_for(cloud.port, triple=DeviceTriple(PRODUCT_KEY, "gw-2", DEVICE_SECRET)))
    house = House(cloud, link, Owner())
    house.gateway.start()
    await link.wait_online(30)
    return house


@pytest.fixture(autouse=True)
def quick_logins(monkeypatch: pytest.MonkeyPatch, no_backoff: None) -> None:
    """Log in without pauses between batches, and connect again at once."""
    monkeypatch.setattr(f"{ALINK}.gateway.LOGINS_PER_SECOND", 1e9)
    monkeypatch.setattr("simulator.core.device.CloudDevice.may_log_in", lambda _device, _count, _limit: True)


@pytest.fixture
def gateway_device(cloud: Simulator, thing_model_document: dict[str, Any]) -> CloudDevice:
    """Return the gateway as the cloud knows it."""
    cloud.add_product(PRODUCT_KEY, thing_model_document, node_type=NodeType.GATEWAY)
    cloud.add_product(LAMPS, thing_model_document, dynamic_registration=True)
    return cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)


@pytest.fixture
async def house(
    cloud: Simulator, gateway_device: CloudDevice, new_link: NewLink, config: LinkConfig, owner: Owner, unlimited: None
) -> AsyncGenerator[House]:
    """Return a gateway that is online, without sub-devices."""
    house = House(cloud, new_link(config), owner)
    house.gateway.start()
    await house.link.wait_online(30)
    yield house
    await house.gateway.stop()


async def test_added_and_logged_in(house: House, gateway_device: CloudDevice) -> None:
    """What is not in the topology is added; then it is online, reports and obeys under its own name."""
    lamps = lamps_of(house.cloud, range(3))
    house.put(*lamps)
    await house.settled(ONLINE, *lamps)
    assert set(gateway_device.sub_devices) == set(lamps)
    assert house.logins() == [3]
    first = house.cloud.device(*lamps[0])
    assert first.online

    device = house.link._devices[lamps[0]]
    assert (await device.post_properties({"LightSwitch": Sample(1, AT)})).ok
    assert (await device.post_batch([("Brightness", Sample(5, AT)), ("Brightness", Sample(6, AT + 1))])).ok
    assert first.properties == {"LightSwitch": (1, AT), "Brightness": (6, AT + 1)}

    answer = await house.cloud.call(
        "SetDeviceProperty", ProductKey=LAMPS, DeviceName="lamp-0", Items={"LightSwitch": 0}
    )
    assert (await first.wait_reply(answer["Data"]["MessageId"])).code == Code.SUCCESS
    assert house.owner.commands[0].topic == f"/sys/{LAMPS}/lamp-0/thing/service/property/set"


async def test_logged_out_when_not_wanted(house: House) -> None:
    """It can't send then, and comes back when it is wanted again."""
    lamps = lamps_of(house.cloud, range(2))
    house.put(*lamps)
    await house.settled(ONLINE, *lamps)
    house.gateway.want(lamps[0], online=False)
    await house.settled(SubDeviceState.OFFLINE, lamps[0])
    assert [house.cloud.device(*identity).online for identity in lamps] == [False, True]
    with pytest.raises(NotConnected):
        await house.link._devices[lamps[0]].post_properties({"LightSwitch": Sample(1, AT)})
    house.gateway.want(lamps[0], online=True)
    await house.settled(ONLINE, lamps[0])


async def test_registered_before_it_is_added(house: House) -> None:
    """The secrets are stored first."""
    lamps = lamps_of(house.cloud, range(32))
    house.put(*lamps, secret=None)
    await house.settled(ONLINE, *lamps)
    assert house.stored == {identity: house.cloud.device(*identity).device_secret for identity in lamps}
    assert len(sent(house.cloud, TOPICS.register)) == 2


# Refusals


async def test_one_wrong_secret_among_fifty(house: House) -> None:
    """The cloud names the culprit: the others are online in the second round, and it is once its secret is right."""
    lamps = lamps_of(house.cloud, range(50))
    house.put(*lamps, online=False)
    await until(lambda: all(house.gateway.sub_devices[lamp].in_topology for lamp in lamps))
    house.cloud.device(*lamps[20]).device_secret = "0" * 32
    for identity in lamps:
        house.gateway.want(identity, online=True)
    await house.settled(ONLINE, *lamps[:20], *lamps[21:])
    await house.settled(SubDeviceState.REFUSED, lamps[20])
    assert house.logins() == [50, 49]
    assert isinstance(house.error(lamps[20]), SecretRefused)

    house.gateway.put(SubDeviceConfig(lamps[20], "0" * 32))
    await house.settled(ONLINE, lamps[20])
    assert house.error(lamps[20]) is None
    assert house.logins() == [50, 49, 1]


async def test_culprit_that_the_cloud_does_not_name(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch is divided until the culprit is alone, and nobody is logged in more often than the platform allows."""
    lamps = lamps_of(house.cloud, range(50))
    house.put(*lamps, online=False)
    await until(lambda: all(house.gateway.sub_devices[lamp].in_topology for lamp in lamps))
    monkeypatch.setattr("simulator.gateway.sessions.check_all", check_all_without_names)
    house.cloud.device(*lamps[20]).device_secret = "0" * 32
    for identity in lamps:
        house.gateway.want(identity, online=True)
    await house.settled(ONLINE, *lamps[:20], *lamps[21:])
    await house.settled(SubDeviceState.REFUSED, lamps[20])
    tries = [names for names in login_names(house.cloud) if "lamp-20" in names]
    assert [len(names) for names in tries] == [50, 13, 4, 1]


async def test_instance_with_small_batches(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """An instance of 2020 refuses fifty at once, so the gateway goes on with five."""
    monkeypatch.setattr("simulator.gateway.sessions.read_entries", lambda params, _limit: read_entries(params, 5))
    lamps = lamps_of(house.cloud, range(12))
    house.put(*lamps)
    await house.settled(ONLINE, *lamps)
    assert house.logins() == [12, 5, 5, 2]
    for identity in lamps:
        house.gateway.want(identity, online=False)
    await house.settled(SubDeviceState.OFFLINE, *lamps)


async def test_wrong_secret_when_it_is_added(house: House) -> None:
    """The topology needs a signature, too."""
    lamps = lamps_of(house.cloud, range(3))
    house.cloud.device(*lamps[1]).device_secret = "0" * 32
    house.put(*lamps)
    await house.settled(ONLINE, lamps[0], lamps[2])
    await house.settled(SubDeviceState.REFUSED, lamps[1])
    assert isinstance(house.error(lamps[1]), SecretRefused)
    assert "0000" not in repr(house.gateway.sub_devices[lamps[1]])
    assert SECRET not in repr(house.gateway.sub_devices[lamps[1]])


async def test_device_that_does_not_exist(house: House) -> None:
    """The others are not held up."""
    lamps = lamps_of(house.cloud, range(2))
    house.put(*lamps, lamp(99))
    await house.settled(ONLINE, *lamps)
    await house.settled(SubDeviceState.DELETED, lamp(99))
    assert isinstance(house.error(lamp(99)), SubDeviceDeleted)


async def test_device_that_connects_is_no_gateway(
    cloud: Simulator, new_link: NewLink, config: LinkConfig, unlimited: None
) -> None:
    """Its sub-devices are refused, with the reason."""
    cloud.add_product(PRODUCT_KEY)
    cloud.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
    link = new_link(config)
    await link.wait_online(30)
    house = House(cloud, link, Owner())
    house.gateway.start()
    lamps = lamps_of(cloud, range(2))
    house.put(*lamps)
    await house.settled(SubDeviceState.REFUSED, *lamps)
    assert isinstance(house.gateway.error, NotAGateway)
    assert house.gateway.error.code == 6203
    assert link.last_error is None
    await house.gateway.stop()


# What the cloud does to them


async def test_disabled_and_enabled(house: House) -> None:
    """It waits until it is enabled, and is logged in then; both are acknowledged."""
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    await call(house, "DisableThing", first)
    await house.settled(SubDeviceState.DISABLED, first)
    assert isinstance(house.error(first), SubDeviceDisabled)
    house.clock.now += 60
    house.gateway.retry(first)  # a person is impatient
    await house.settled(SubDeviceState.DISABLED, first)
    await call(house, "EnableThing", first)
    await house.settled(ONLINE, first)
    assert len(sent(house.cloud, f"{TOPICS.topology_change}_reply")) == 2


async def test_told_on_its_own_topics(house: House) -> None:
    """A sub-device with subscriptions of its own is told as well, and answers."""
    (first,) = lamps_of(house.cloud, [0])
    house.put(first, implicit=False)
    await house.settled(ONLINE, first)
    await call(house, "DisableThing", first)
    await house.settled(SubDeviceState.DISABLED, first)
    await call(house, "EnableThing", first)
    await house.settled(ONLINE, first)
    await call(house, "DeleteDevice", first)
    await house.settled(SubDeviceState.DELETED, first)
    answers = [f"/sys/{LAMPS}/lamp-0/thing/{verb}_reply" for verb in ("disable", "enable", "delete")]
    await until(lambda: all(sent(house.cloud, topic) for topic in answers))


async def test_deleted(house: House) -> None:
    """It is gone; the others stay online."""
    lamps = lamps_of(house.cloud, range(2))
    house.put(*lamps)
    await house.settled(ONLINE, *lamps)
    await call(house, "DeleteDevice", lamps[0])
    await house.settled(SubDeviceState.DELETED, lamps[0])
    assert isinstance(house.error(lamps[0]), SubDeviceDeleted)
    assert house.state(lamps[1]) is ONLINE


async def test_removed_from_the_topology(house: House, gateway_device: CloudDevice) -> None:
    """It is not added again by itself, but when somebody says so."""
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    await call(house, "RemoveThingTopo", first)
    await house.settled(SubDeviceState.REMOVED, first)
    assert isinstance(house.error(first), NotInTopology)
    house.cloud.faults.set(drop_connection=DEVICE_NAME)
    await until(lambda: gateway_device.connections == 2 and house.link.is_online)
    await house.gateway.requests.topology()
    assert house.state(first) is SubDeviceState.REMOVED
    assert not gateway_device.sub_devices
    house.gateway.retry(first)
    await house.settled(ONLINE, first)


async def test_asked_to_add_it(house: House, gateway_device: CloudDevice) -> None:
    """An application can have a removed sub-device added again, and the gateway acknowledges it."""
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    await call(house, "RemoveThingTopo", first)
    await house.settled(SubDeviceState.REMOVED, first)
    listed = json.dumps([{"productKey": LAMPS, "deviceName": "lamp-0"}])
    await house.cloud.call(
        "NotifyAddThingTopo", GwProductKey=PRODUCT_KEY, GwDeviceName=DEVICE_NAME, DeviceListStr=listed
    )
    await house.settled(ONLINE, first)
    await until(lambda: sent(house.cloud, f"{TOPICS.add_notify}_reply"))


async def test_stolen_by_another_gateway(house: House, cloud: Simulator, new_link: NewLink) -> None:
    """The other gateway has it until it is fetched back."""
    lamps = lamps_of(house.cloud, range(2))
    house.put(*lamps)
    await house.settled(ONLINE, *lamps)
    thief = await second_gateway(cloud, new_link)
    thief.put(lamps[0])
    await thief.settled(ONLINE, lamps[0])
    await house.settled(SubDeviceState.REMOVED, lamps[0])
    assert house.state(lamps[1]) is ONLINE
    assert cloud.device(*lamps[0]).gateway is cloud.device(PRODUCT_KEY, "gw-2")
    house.gateway.retry(lamps[0])
    await house.settled(ONLINE, lamps[0])
    await thief.settled(SubDeviceState.REMOVED, lamps[0])
    await thief.gateway.stop()


async def test_online_elsewhere(house: House) -> None:
    """With 427 it is left alone for minutes, longer each time, over reconnects; then it is tried again."""
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    pauses = []
    for _ in range(3):
        house.cloud.device(*first).connection.close("connected elsewhere", code=427)
        await house.settled(SubDeviceState.HELD_ELSEWHERE, first)
        assert isinstance(house.error(first), HeldElsewhere)
        pauses.append(house.gateway.sub_devices[first].delay())
        house.cloud.faults.set(drop_connection=DEVICE_NAME)
        await until(lambda: not house.link.is_online)
        await until(lambda: house.link.is_online)
        await house.gateway.requests.topology()
        assert house.state(first) is SubDeviceState.HELD_ELSEWHERE
        house.advance(pauses[-1])
        await house.settled(ONLINE, first)
    assert pauses == [225, 450, 900]


async def test_session_lost(house: House) -> None:
    """Code 520 queues a login, it does not cause one at once."""
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    device = house.link._devices[first]
    house.cloud.device(*first).connection.close("lost")  # the gateway learns it with its next message
    with pytest.raises(NotConnected):
        await device.post_properties({"LightSwitch": Sample(1, AT)})
    assert house.state(first) is WAITING
    assert not device.is_online
    await house.gateway.requests.topology()
    assert house.logins() == [1]
    house.advance(2)
    await house.settled(ONLINE, first)
    assert house.logins() == [1, 1]


@pytest.mark.parametrize("code", [427, 521, 522])
async def test_logged_out_by_the_cloud_while_nothing_is_to_be_done(
    house: House, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """It is tried again after its pause, although nothing else happens."""
    soon = {error: replace(behaviour, first=0.05) for error, behaviour in BEHAVIOUR.items()}
    monkeypatch.setattr(f"{ALINK}.sub_device.BEHAVIOUR", soon)
    house.gateway._clock = time.monotonic
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    await until(lambda: not house.gateway._changed.is_set())
    house.cloud.device(*first).connection.close("lost", code=code)
    await until(lambda: house.reported[first] is not ONLINE)
    await house.settled(ONLINE, first)
    assert house.cloud.device(*first).online


async def test_five_logins_a_minute(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sub-device that loses its session again and again logs in no more often than the platform allows."""
    for delay in ("SESSION_LOST_DELAY", "LONGEST_SESSION_LOST_DELAY"):
        monkeypatch.setattr(f"{ALINK}.sub_device.{delay}", 1.0)
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    for count in range(1, 6):
        await house.settled(ONLINE, first)
        assert house.logins() == [1] * count
        house.cloud.device(*first).connection.close("lost", code=520)
        await house.settled(WAITING, first)
        house.advance(9)
    await house.gateway.requests.topology()
    assert house.logins() == [1] * 5
    house.advance(16)
    await house.settled(ONLINE, first)


@pytest.mark.parametrize("code", [403, 429, 500, 520])
async def test_refused_for_all(house: House, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Nobody is the cause, so the batch stays together; after the third time those who wait say why, until they are online."""
    monkeypatch.setattr(f"{ALINK}.gateway.FIRST_PAUSE", 1.0)
    busy = True

    def check[Result](entries: list[Entry], check: Callable[[Entry], Result]) -> list[Result]:
        if busy:
            raise RejectedError(code, {})
        return check_all(entries, check)

    monkeypatch.setattr("simulator.gateway.sessions.check_all", check)
    lamps = lamps_of(house.cloud, range(3))
    house.put(*lamps)
    for count in (1, 2):
        await until(lambda: house.logins() == [3] * count)  # noqa: B023 - used at once
        await until(lambda: house.gateway._failures == count)  # noqa: B023 - used at once
        assert {house.state(identity) for identity in lamps} == {WAITING}
        house.advance(60)
    await until(lambda: house.gateway._failures == 3)
    assert {house.state(identity) for identity in lamps} == {SubDeviceState.REFUSED}
    assert [getattr(house.error(identity), "code", None) for identity in lamps] == [code] * 3
    house.gateway.want(lamps[0], online=False)
    busy = False
    house.advance(60)
    await house.settled(ONLINE, *lamps[1:])
    await house.settled(SubDeviceState.OFFLINE, lamps[0])
    assert house.logins() == [3, 3, 3, 2]
    assert not any(house.error(identity) for identity in lamps)


async def test_topology_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code about the gateway is no reason of its sub-devices: it is shown, but treated as that of a stranger."""
    (first,) = lamps_of(house.cloud, [0])
    house.cloud.faults.set(answer_code={"code": 521, "count": 3})
    house.put(first)
    for count in (1, 2, 3):
        await until(lambda: house.gateway._failures == count)  # noqa: B023 - used at once
        error = house.error(first)
        assert (type(error), getattr(error, "code", None)) == (SubDeviceError, 521) if count == 3 else error is None
        house.advance(60)
    await house.settled(ONLINE, first)


# Registration


async def test_registered_with_the_secret_of_the_product(house: House) -> None:
    """Even if the product does not allow registration by name alone; each device succeeds or fails for itself."""
    lamps = lamps_of(house.cloud, range(2))
    secret = house.cloud.device(*lamps[0]).product.secret
    house.put(lamps[0], secret=None, product_secret=secret)
    house.put(lamps[1], secret=None, product_secret="wrong")
    await house.settled(ONLINE, lamps[0])
    await house.settled(SubDeviceState.REFUSED, lamps[1])
    assert isinstance(house.error(lamps[1]), SecretRefused)
    assert list(house.stored) == [lamps[0]]


def test_refusal_with_a_code_as_text() -> None:
    """As other replies of the platform have it."""
    failure: dict[str, Any] = {"productKey": LAMPS, "deviceName": "lamp-1", "code": "6600"}
    _, refused = _read_secrets(
        {"successes": [], "failures": [failure, {**failure, "deviceName": "lamp-2", "code": []}]}
    )
    assert {identity.device_name: error.code for identity, error in refused.items()} == {
        "lamp-1": 6600,
        "lamp-2": Code.INTERNAL_ERROR,
    }


@pytest.mark.parametrize(
    ("identity", "error", "state"),
    [
        (Identity("a1Closed001", "lamp-1"), RegistrationRefused, SubDeviceState.REFUSED),
        (Identity("a1Nothing01", "lamp-1"), ProductUnknown, SubDeviceState.REFUSED),
        (lamp(404), SubDeviceDeleted, SubDeviceState.DELETED),
        (lamp(1), BoundElsewhere, SubDeviceState.BOUND_ELSEWHERE),
    ],
    ids=["off", "product", "device", "bound"],
)
async def test_registration_refused(
    house: House,
    cloud: Simulator,
    new_link: NewLink,
    identity: Identity,
    error: type[Exception],
    state: SubDeviceState,
) -> None:
    """The reason is known, and the others are registered all the same."""
    lamps = lamps_of(cloud, range(2))
    cloud.add_product("a1Closed001")
    cloud.add_device("a1Closed001", "lamp-1", SECRET)
    other = await second_gateway(cloud, new_link)
    other.put(lamp(1))
    await other.settled(ONLINE, lamp(1))
    house.put(lamps[0], identity, secret=None)
    await house.settled(ONLINE, lamps[0])
    await house.settled(state, identity)
    assert isinstance(house.error(identity), error)
    assert list(house.stored) == [lamps[0]]
    await other.gateway.stop()


async def test_secrets_that_cannot_be_stored(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """They are not used, and are asked for again; nothing of them is logged."""
    (first,) = lamps_of(house.cloud, [0])
    house.store_error = OSError("disk full of " + SECRET)
    house.put(first, secret=None)
    await house.settled(SubDeviceState.REFUSED, first)
    assert not house.logins()
    house.store_error = None
    house.gateway.retry(first)
    await house.settled(ONLINE, first)
    assert house.stored == {first: house.cloud.device(*first).device_secret}
    assert SECRET not in caplog.text
    assert house.stored[first] not in caplog.text


async def test_result_of_a_registration(house: House) -> None:
    """It has the secrets, which are not shown, and says what is refused."""
    lamps = lamps_of(house.cloud, range(40))
    result = Registered()
    subs = [SubDevice(identity, None, None) for identity in (*lamps, lamp(99))]
    await house.gateway.requests.register(subs, result)
    assert result.secrets == {identity: house.cloud.device(*identity).device_secret for identity in lamps}
    assert [type(error) for error in result.refused.values()] == [SubDeviceDeleted]
    assert not any(secret in repr(result) for secret in result.secrets.values())


# The connection


async def test_logged_in_again_after_a_cut(house: House) -> None:
    """All of them, in full batches; nobody is online while the link is not."""
    lamps = lamps_of(house.cloud, range(120))
    house.put(*lamps)
    await house.settled(ONLINE, *lamps)
    house.changes.clear()
    house.cloud.faults.set(drop_connection=DEVICE_NAME)
    await until(lambda: not house.link.is_online)
    assert {sub.state for sub in house.gateway.sub_devices.values()} == {SubDeviceState.OFFLINE}
    await house.settled(SubDeviceState.OFFLINE, lamps[-1])
    await house.settled(ONLINE, *lamps)
    assert all(house.cloud.device(*identity).online for identity in lamps)
    assert house.logins() == [50, 50, 20] * 2
    first = [state for identity, state in house.changes if identity == lamps[0]]
    assert first == [SubDeviceState.OFFLINE, WAITING, ONLINE]


async def test_answer_that_a_cut_may_have_swallowed(house: House) -> None:
    """It is repeated once the sub-device is logged in again: before, the cloud would refuse it."""
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    answer = await house.cloud.call(
        "SetDeviceProperty", ProductKey=LAMPS, DeviceName="lamp-0", Items={"LightSwitch": 0}
    )
    await house.cloud.device(*first).wait_reply(answer["Data"]["MessageId"])
    sent_before = len(house.cloud.wire)
    house.cloud.faults.set(drop_connection=DEVICE_NAME)
    await until(lambda: not house.link.is_online)
    await house.settled(ONLINE, first)
    again = f"/sys/{LAMPS}/lamp-0/thing/service/property/set_reply"
    await until(lambda: len(sent(house.cloud, again)) == 2)
    topics = [message.topic for message in list(house.cloud.wire)[sent_before:]]
    assert topics.index(TOPICS.login) < topics.index(again)
    assert TOPICS.errors not in topics


async def test_answer_that_a_lost_session_may_have_swallowed(house: House) -> None:
    """The cloud has dropped it, and says so: it is repeated after the next login, and if need be again."""
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    finish = asyncio.Event()

    async def act(_command: Command) -> Answer:
        await finish.wait()
        return Answer()

    house.owner.act = act
    device = house.cloud.device(*first)
    await house.cloud.call("SetDeviceProperty", ProductKey=LAMPS, DeviceName="lamp-0", Items={"LightSwitch": 0})
    await until(lambda: house.owner.commands)
    device.connection.close("lost", code=0)  # the gateway learns it from what it sends
    finish.set()
    await house.settled(WAITING, first)
    assert not device.service_calls[0].replies
    for count in (1, 2, 3, 3):
        house.advance(60)
        await house.settled(ONLINE, first)
        await until(lambda: not len(house.link._answers) and len(device.service_calls[0].replies) >= count)  # noqa: B023
        await house.link.device.read_clock()
        assert len(device.service_calls[0].replies) == count
        device.connection.close("lost", code=520)
        await house.settled(WAITING, first)


async def test_answer_of_a_sub_device_that_was_logged_out(house: House) -> None:
    """It waits for the next login, or is forgotten with the sub-device."""
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    house.gateway.want(first, online=False)
    await house.settled(SubDeviceState.OFFLINE, first)
    answers = house.link._answers
    answers.put("/sys/a/b/thing/service/property/set_reply", b"{}", urgent=False, identity=first)
    await until(lambda: answers._held)
    await house.link.detach(first)
    assert not answers._held
    assert answers._held_bytes == 0


async def test_cut_in_the_middle_of_a_login(house: House, gateway_device: CloudDevice) -> None:
    """The reply to the second batch is lost with the connection; everything is logged in again."""
    lamps = lamps_of(house.cloud, range(70))
    house.put(*lamps, online=False)
    await until(lambda: all(house.gateway.sub_devices[lamp].in_topology for lamp in lamps))
    house.cloud.faults.set(lose_replies=1)
    for identity in lamps:
        house.gateway.want(identity, online=True)
    await until(lambda: house.cloud.device(*lamps[0]).online)
    assert house.state(lamps[0]) is WAITING
    house.cloud.faults.set(drop_connection=DEVICE_NAME)
    await house.settled(ONLINE, *lamps)
    assert gateway_device.connections == 2
    assert house.logins() == [50, 50, 20]


async def test_reply_lost(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request without a reply is repeated after a pause."""
    monkeypatch.setattr(f"{ALINK}.gateway_requests.REPLY_TIMEOUT", 0.05)
    monkeypatch.setattr(f"{ALINK}.gateway.FIRST_PAUSE", 0.01)
    (first,) = lamps_of(house.cloud, [0])
    house.cloud.faults.set(lose_replies=2)
    house.put(first)
    await until(lambda: len(sent(house.cloud, TOPICS.topology_get)) > 1 or house.advance(0.1))
    while house.state(first) is not ONLINE:
        house.advance(0.1)
        await asyncio.sleep(0.01)


async def test_stop_logs_out(house: House) -> None:
    """So that the cloud knows before the connection ends; then the link goes on without a gateway."""
    lamps = lamps_of(house.cloud, range(60))
    house.put(*lamps)
    await house.settled(ONLINE, *lamps)
    await house.gateway.stop()
    assert not any(house.cloud.device(*identity).online for identity in lamps)
    assert {house.state(identity) for identity in lamps} == {SubDeviceState.OFFLINE}
    assert (await house.link.device.post_properties({"LightSwitch": Sample(1, AT)})).ok
    house.gateway.start()
    await house.settled(ONLINE, *lamps)


async def test_stop_does_not_wait_for_a_deaf_cloud(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The logout is a courtesy."""
    monkeypatch.setattr(f"{ALINK}.gateway.LOGOUT_TIME", 0.05)
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    house.cloud.faults.set(lose_replies=1)
    await house.gateway.stop()
    assert house.state(first) is SubDeviceState.OFFLINE


async def test_removed_and_dropped(house: House, gateway_device: CloudDevice) -> None:
    """`remove` ends the topology, too, `drop` does not."""
    lamps = lamps_of(house.cloud, range(3))
    house.put(*lamps)
    await house.settled(ONLINE, *lamps)
    await call(house, "RemoveThingTopo", lamps[2])
    assert await house.gateway.remove([lamps[0], lamps[2], lamp(99)]) == {}
    assert list(house.gateway.sub_devices) == [lamps[1]]
    assert list(gateway_device.sub_devices) == [lamps[1]]
    house.gateway.drop(lamps[1])
    await until(lambda: not house.cloud.device(*lamps[1]).online)
    assert list(gateway_device.sub_devices) == [lamps[1]]
    for identity in lamps:
        await house.link.detach(identity)
    assert list(house.link._devices) == [house.link.device.identity]


async def test_put_again_while_it_is_removed(house: House, gateway_device: CloudDevice) -> None:
    """It is added to the topology again, and is online."""
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    removing = asyncio.create_task(house.gateway.remove([first]))
    await asyncio.sleep(0)
    house.gateway.put(SubDeviceConfig(first, SECRET))
    house.gateway.want(first, online=True)
    assert await removing == {}
    await house.settled(ONLINE, first)
    await until(lambda: set(gateway_device.sub_devices) == {first} and house.cloud.device(*first).online)
    assert (await house.link._devices[first].post_properties({"LightSwitch": Sample(1, AT)})).ok


async def test_pack_post(house: House) -> None:
    """Values of several sub-devices and of the gateway arrive in one message."""
    lamps = lamps_of(house.cloud, range(2))
    house.put(*lamps)
    await house.settled(ONLINE, *lamps)
    values = {identity: {"Brightness": Sample(number, AT)} for number, identity in enumerate(lamps)}
    assert (await house.gateway.requests.post_pack(values, {"LightSwitch": Sample(1, AT)})).ok
    assert [house.cloud.device(*identity).properties for identity in lamps] == [
        {"Brightness": (0, AT)},
        {"Brightness": (1, AT)},
    ]
    assert len(sent(house.cloud, TOPICS.pack_post)) == 1


async def test_host_without_implicit_subscriptions(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sub-device whose first post is not answered subscribes to its topics itself."""
    monkeypatch.setattr("simulator.gateway.sessions.implicit_filters", lambda _parameters, **_options: ())
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    device = house.link._devices[first]
    with pytest.raises(RequestTimeout):
        await device.post_properties({"LightSwitch": Sample(1, AT)}, timeout=0.05)
    assert (await device.post_properties({"LightSwitch": Sample(0, AT)})).ok


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b'{"id":"1","code":520}',
        b'{"id":"1","code":427,"data":[7,{}]}',
        b'{"id":"1","code":200,"data":{"productKey":"a1SubLamp01","deviceName":"lamp-0"}}',
        b"\xff",
    ],
)
async def test_foreign_messages(house: House, payload: bytes) -> None:
    """Whatever stands in messages about sub-devices, nothing happens."""
    (first,) = lamps_of(house.cloud, [0])
    house.put(first)
    await house.settled(ONLINE, first)
    for topic in (TOPICS.errors, TOPICS.topology_change, TOPICS.add_notify, f"/sys/{LAMPS}/lamp-9/thing/delete"):
        house.link._received(Delivery(topic, payload))
    assert house.state(first) is ONLINE
    assert (await house.link._devices[first].post_properties({"LightSwitch": Sample(1, AT)})).ok


@pytest.mark.long
async def test_one_more_than_a_gateway_can_have(house: House, gateway_device: CloudDevice) -> None:
    """Of 2,001 sub-devices 2,000 are online; the last one is refused with the reason."""
    lamps = lamps_of(house.cloud, range(2001))
    house.put(*lamps)
    await until(lambda: sum(house.state(identity) is ONLINE for identity in lamps) == 2000, timeout=120)
    (left,) = [identity for identity in lamps if house.state(identity) is not ONLINE]
    await house.settled(SubDeviceState.REFUSED, left)
    assert isinstance(house.error(left), GatewayFull)
    assert len(gateway_device.sub_devices) == 2000
