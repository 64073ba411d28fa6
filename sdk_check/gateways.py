"""Judge our gateway by the vendor's: what both send in one run must have the same topics and fields, and be accepted.

The Python SDK's gateway has run before, in its own environment (`children/python_device.py`). Ours does the same things with
sub-devices of its own. Differences that the documentation allows (docs/protocol.md §10) are not counted: the SDK writes one
`signMethod` beside the list of a login, and has no `cleanSession`, no `method` and no `sys`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
import json
from typing import Any

from custom_components.aliyun_iot.alink.auth import DeviceTriple, Identity
from custom_components.aliyun_iot.alink.command import Answer, Command
from custom_components.aliyun_iot.alink.gateway import Gateway
from custom_components.aliyun_iot.alink.link import Link
from custom_components.aliyun_iot.alink.mqtt.connecting import LinkConfig
from custom_components.aliyun_iot.alink.mqtt.endpoint import Endpoint, Transport
from custom_components.aliyun_iot.alink.sub_device import SubDevice, SubDeviceConfig, SubDeviceState
from simulator import Direction, Simulator

from .cloud import PRODUCT_KEY, PRODUCT_SECRET, SECRET, SUB_KEY, SUB_SECRET
from .results import Result

SDK_GATEWAY, OUR_GATEWAY = "py-gateway", "our-gateway"
NAME = "our gateway sends the same requests"
TIMEOUT = 30.0

REQUESTS = (
    "thing/topo/add",
    "thing/topo/delete",
    "thing/sub/register",
    "thing/proxy/provisioning/product_register",
    "combine/batch_login",
    "combine/batch_logout",
)
"""What both send, by the end of the topic."""

OPTIONAL = frozenset({"signMethod", "signmethod", "cleanSession"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A request: its topic with placeholders for the names, the form of its params, and whether one was accepted."""

    topic: str
    form: object
    accepted: bool


async def same_requests(cloud: Simulator) -> Result:
    """Run our gateway, and return whether it sends what the SDK's has sent."""
    try:
        await _run_ours(cloud)
    except TimeoutError:
        return Result(passed=False, detail="our sub-devices are not online")
    found = differences(sent_by(cloud, SDK_GATEWAY), sent_by(cloud, OUR_GATEWAY))
    return Result(passed=not found, detail="; ".join(found))


def differences(theirs: Mapping[str, Sent], ours: Mapping[str, Sent]) -> list[str]:
    """Return a line for each request that one of them has not sent, or that differs."""
    lines = []
    for request in REQUESTS:
        their, our = theirs.get(request), ours.get(request)
        if their is None or our is None:
            lines.append(f"{request}: not sent by {'the SDK' if their is None else 'us'}")
        elif their != our:
            lines.append(f"{request}: the SDK sends {their}, we send {our}")
    return lines


def sent_by(cloud: Simulator, name: str) -> dict[str, Sent]:
    """Return the requests of a gateway on the transcript."""
    found: dict[str, Sent] = {}
    accepted: set[str] = set()
    for message in list(cloud.wire):
        if message.device != f"{PRODUCT_KEY}/{name}":
            continue
        request = next((one for one in REQUESTS if message.topic.removesuffix("_reply").endswith(one)), None)
        if request is None:
            continue
        content: dict[str, Any] = json.loads(message.payload)
        if message.direction is Direction.UP:
            topic = message.topic.replace(f"{PRODUCT_KEY}/{name}", "{pk}/{dn}")
            found[request] = Sent(topic, form_of(content["params"]), request in accepted)
        elif content["code"] == 200:
            accepted.add(request)
            found[request] = Sent(found[request].topic, found[request].form, accepted=True)
    return found


def form_of(params: object) -> object:
    """Return params with the types of the values instead of the values, and of lists the first entry."""
    if isinstance(params, dict):
        return {key: form_of(value) for key, value in sorted(params.items()) if key not in OPTIONAL}
    if isinstance(params, list):
        return [form_of(entry) for entry in params[:1]]
    return type(params).__name__


async def _run_ours(cloud: Simulator) -> None:
    cloud.add_device(PRODUCT_KEY, OUR_GATEWAY, SECRET)
    known, by_name, by_product = (Identity(SUB_KEY, f"our-sub-{number}") for number in range(3))
    for identity in (known, by_name, by_product):
        cloud.add_device(*identity, SUB_SECRET)
    config = LinkConfig(
        DeviceTriple(PRODUCT_KEY, OUR_GATEWAY, SECRET), Endpoint(cloud.host, cloud.port, Transport.TCP, None)
    )
    changed = asyncio.Event()

    async def ignore(_command: Command) -> Answer:
        return Answer()

    async def store(_secrets: Mapping[Identity, str]) -> None:
        return

    def report(_sub: SubDevice) -> None:
        changed.set()

    link = Link(config, on_command=ignore, on_state=lambda _state, _error: None)
    gateway = Gateway(link, on_change=report, store_secrets=store)
    gateway.put(SubDeviceConfig(known, SUB_SECRET))
    gateway.put(SubDeviceConfig(by_name))
    gateway.put(SubDeviceConfig(by_product, None, PRODUCT_SECRET))
    for identity in (known, by_name, by_product):
        gateway.want(identity, online=True)
    gateway.start()
    link.start()
    try:
        async with asyncio.timeout(TIMEOUT):
            while any(sub.state is not SubDeviceState.ONLINE for sub in gateway.sub_devices.values()):
                changed.clear()
                await changed.wait()
            await gateway.remove([by_name])
    finally:
        await gateway.stop()
        await link.stop()
