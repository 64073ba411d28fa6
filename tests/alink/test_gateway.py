"""A gateway and its sub-devices, against the simulator."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, field
import json
from typing import Any

import pytest

from custom_components.aliyun_iot.alink.auth import Identity
from custom_components.aliyun_iot.alink.codes import Code
from custom_components.aliyun_iot.alink.errors import (
    NotConnected,
)
from custom_components.aliyun_iot.alink.gateway import Gateway
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.samples import Sample
from custom_components.aliyun_iot.alink.sub_device import SubDevice, SubDeviceConfig, SubDeviceState
from custom_components.aliyun_iot.alink.topics import GatewayTopics
from simulator import CloudDevice, NodeType, Simulator

from ..conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from ..waiting import until
from .conftest import NewLink, Owner, sent

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
    """A gateway with lamps, and what it reports."""

    cloud: Simulator
    link: Link
    gateway: Gateway
    owner: Owner
    changes: list[tuple[Identity, SubDeviceState]] = field(default_factory=list)
    stored: dict[Identity, str] = field(default_factory=dict)

    def changed(self, sub: SubDevice) -> None:
        """Record a change of a sub-device."""
        self.changes.append((sub.identity, sub.state))

    async def store(self, secrets: Mapping[Identity, str]) -> None:
        """Keep secrets."""
        self.stored |= secrets

    def put(self, *identities: Identity, secret: str | None = SECRET, online: bool = True, **other: Any) -> None:
        """Have sub-devices that are wanted online, with their devices on the link."""
        for identity in identities:
            self.link.attach(identity, self.owner.obey)
            self.gateway.put(SubDeviceConfig(identity, secret, **other))
            self.gateway.want(identity, online=online)

    def state(self, identity: Identity) -> SubDeviceState:
        """Return the state of a sub-device."""
        return self.gateway.sub_devices[identity].state

    def error(self, identity: Identity) -> Exception | None:
        """Return why a sub-device is not online."""
        return self.gateway.sub_devices[identity].error

    async def settled(self, state: SubDeviceState, *identities: Identity) -> None:
        """Wait until all these sub-devices have a state."""
        await until(lambda: all(self.state(identity) is state for identity in identities))

    def logins(self) -> list[int]:
        """Return how many sub-devices each login had."""
        topic = TOPICS.login
        return [len(json.loads(message.payload)["params"]["deviceList"]) for message in sent(self.cloud, topic)]


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
    link = new_link(config)
    house: House

    def changed(sub: SubDevice) -> None:
        house.changed(sub)

    async def store(secrets: Mapping[Identity, str]) -> None:
        await house.store(secrets)

    gateway = Gateway(link, on_change=changed, store_secrets=store, jitter=lambda: 0.0)
    house = House(cloud, link, gateway, owner)
    gateway.start()
    await link.wait_online(5)
    yield house
    await gateway.stop()


def lamps_of(cloud: Simulator, numbers: Iterable[int]) -> list[Identity]:
    """Create lamps in the cloud."""
    made = [lamp(number) for number in numbers]
    for identity in made:
        cloud.add_device(*identity, SECRET)
    return made


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
