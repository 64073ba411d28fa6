"""Many sub-devices, with the limits of the platform on both sides."""

from collections.abc import AsyncGenerator
import json

import pytest

from custom_components.aliyun_iot.alink.auth import Identity
from custom_components.aliyun_iot.alink.command import Answer, Command
from custom_components.aliyun_iot.alink.gateway import Gateway
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.sub_device import SubDevice, SubDeviceConfig, SubDeviceState
from custom_components.aliyun_iot.alink.topics import GatewayTopics
from simulator import NodeType, Note, Simulator

from ..conftest import DEVICE_NAME, DEVICE_SECRET, PRODUCT_KEY
from ..waiting import until
from .conftest import NewLink, config_for, sent

PRODUCT = "a1SubLamp01"
SECRET = "fedcba9876543210fedcba9876543210"
TOPICS = GatewayTopics(PRODUCT_KEY, DEVICE_NAME)


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncGenerator[Simulator]:
    """Run the cloud with all its limits."""
    async with Simulator(rate_limit=True) as simulator:
        simulator.add_product(PRODUCT_KEY, node_type=NodeType.GATEWAY)
        simulator.add_product(PRODUCT)
        simulator.add_device(PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET)
        yield simulator


async def ignore(_command: Command) -> Answer:
    """Carry nothing out."""
    return Answer()


async def no_secrets(_secrets: object) -> None:
    """Store nothing."""


@pytest.mark.long
async def test_five_hundred_log_in_again(cloud: Simulator, new_link: NewLink) -> None:
    """After a cut, in twelve messages at most; no limit of the platform is exceeded."""
    names = [Identity(PRODUCT, f"lamp-{number}") for number in range(500)]
    for name in names:
        cloud.add_device(*name, SECRET)
    link: Link = new_link(config_for(cloud.port))
    online: set[Identity] = set()

    def changed(sub: SubDevice) -> None:
        (online.add if sub.state is SubDeviceState.ONLINE else online.discard)(sub.identity)

    gateway = Gateway(link, on_change=changed, store_secrets=no_secrets)
    gateway.start()
    for name in names:
        link.attach(name, ignore)
        gateway.put(SubDeviceConfig(name, SECRET))
        gateway.want(name, online=True)
    await until(lambda: len(online) == 500, timeout=60)
    before = len(sent(cloud, TOPICS.login))
    cloud.faults.set(drop_connection=DEVICE_NAME)
    await until(lambda: not online)
    await until(lambda: len(online) == 500, timeout=60)
    assert all(cloud.device(*name).online for name in names)
    assert len(sent(cloud, TOPICS.login)) - before <= 12
    codes = {json.loads(message.payload).get("code") for message in cloud.wire if message.topic.endswith("_reply")}
    assert codes == {200}
    assert Note.RATE_LIMITED not in {message.note for message in cloud.wire}
    await gateway.stop()
