"""A simulator of the cloud side of Alibaba Cloud IoT Platform.

An MQTT broker, the platform's behaviour (docs/protocol.md §17) and a control API in the platform's own terms, all in
one process:

    async with Simulator() as cloud:
        device = cloud.add_device("a1Kitchen01", "hall-lamp", "0123456789abcdef0123456789abcdef", tsl)
        …                                    # a device connects to 127.0.0.1:cloud.port
        await device.wait_for(lambda device: "LightSwitch" in device.properties)
        answer = await cloud.call("SetDeviceProperty", ProductKey=…, DeviceName=…, Items={"LightSwitch": 1})
        reply = await device.wait_reply(answer["Data"]["MessageId"])

It uses no code of the integration. Run it from the command line with `scripts/simulator --help`. See simulator/README.md.
"""

from .cloud import Simulator
from .console.ports import reserved_port
from .core.clock import now_ms
from .core.device import CloudDevice, RrpcForm, Status
from .core.faults import CodeFault, FaultError, Faults
from .core.options import Options
from .core.product import NodeType, Product
from .core.records import Desired, DeviceReply, EventRecord, ServiceCall, UserMessage
from .core.registry import SecretKind, SecretOf
from .core.thing_model import BadValueError, ThingModel, ThingModelError
from .core.transcript import Direction, Note, WireMessage
from .openapi.authentication import AccessKey

__all__ = [
    "AccessKey",
    "BadValueError",
    "CloudDevice",
    "CodeFault",
    "Desired",
    "DeviceReply",
    "Direction",
    "EventRecord",
    "FaultError",
    "Faults",
    "NodeType",
    "Note",
    "Options",
    "Product",
    "RrpcForm",
    "SecretKind",
    "SecretOf",
    "ServiceCall",
    "Simulator",
    "Status",
    "ThingModel",
    "ThingModelError",
    "UserMessage",
    "WireMessage",
    "now_ms",
    "reserved_port",
]
