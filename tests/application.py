"""The cloud side of a test: an application that sends commands, and what the device answered and reported."""

from collections.abc import Awaitable, Callable
from itertools import groupby
import json
from operator import itemgetter
from typing import Any

from simulator import CloudDevice, DeviceReply, Simulator

from .waiting import until

LAMP = {"identifier": "LightSwitch", "entity": "input_boolean.lamp", "aspect": "power", "access": "both"}
TARGET = {"identifier": "TargetTemperature", "entity": "input_number.target", "aspect": "value", "access": "both"}
BRIGHTNESS = {"identifier": "Brightness", "entity": "light.hall", "aspect": "brightness", "access": "both"}
KELVIN = {"identifier": "ColorTemperature", "entity": "light.hall", "aspect": "color_temp", "access": "both"}

type SetProperties = Callable[..., Awaitable[DeviceReply]]

SERVICES = [
    {
        "identifier": "ReadMeter",
        "actions": [
            {"variables": {"answer": {"Energy": "{{ 1000 + Channel }}", "ReadAt": "2026-11-23T12:00:00+00:00"}}},
            {"stop": "done", "response_variable": "answer"},
        ],
    },
    {"identifier": "RunScene", "script": "script.scene"},
]


async def invoke(cloud: Simulator, device: CloudDevice, identifier: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Call a service as an application in the cloud does."""
    return await cloud.call(
        "InvokeThingService",
        ProductKey=device.product_key,
        DeviceName=device.device_name,
        Identifier=identifier,
        Args=json.dumps(arguments),
    )


async def publish(cloud: Simulator, device: CloudDevice, path: str, content: dict[str, Any] | bytes) -> None:
    """Send a payload to a topic of the device."""
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    device.connection.send(f"/sys/{device.product_key}/{device.device_name}/{path}", payload, 1)


def last_reply(cloud: Simulator, suffix: str) -> dict[str, Any]:
    """Return the last payload that the device published on a topic with this suffix."""
    return json.loads([one.payload for one in cloud.wire if one.topic.endswith(suffix)][-1])


async def reply_on(cloud: Simulator, suffix: str) -> dict[str, Any]:
    """Wait until the device publishes on a topic with this suffix, and return the payload."""
    await until(lambda: any(one.topic.endswith(suffix) for one in cloud.wire))
    return last_reply(cloud, suffix)


def reported(device: CloudDevice, identifier: str) -> list[Any]:
    """Return all values of a property that the cloud has received, in order and without consecutive duplicates."""
    return [value for value, _ in groupby(device.samples.get(identifier, []), itemgetter(0))]


async def wait_for_value(device: CloudDevice, identifier: str, value: object) -> None:
    """Wait until the cloud has this value of a property."""
    await device.wait_for(lambda one: one.properties.get(identifier, (None,))[0] == value)
