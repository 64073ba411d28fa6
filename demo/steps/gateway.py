"""Sub-devices: devices of the house that are devices of their own in the cloud, behind the demo house as their gateway."""

from collections.abc import Callable
import json
import secrets
from typing import Final

from simulator import CloudDevice

from ..conversation import Conversation, Step
from ..flows import add_sub_devices, change_settings
from ..lines import compact
from ..words import Words

LAMPS: Final = "a1DemoLamps"
SOCKETS: Final = "a1DemoSocke"
METERS: Final = "a1DemoMeter"
TIMEOUT: Final = 20.0


async def register(conversation: Conversation) -> None:
    """Make a lamp and a socket sub-devices; the gateway registers them, as their products allow it."""
    cloud = conversation.cloud.simulator
    models: dict[str, object] = {}

    def documents(text: str) -> None:
        document = json.loads(text)
        models[document["profile"]["productKey"]] = document

    def created(names: str) -> None:
        """Create the devices in the cloud by the names that the page shows."""
        for line in names.splitlines():
            product_key = SOCKETS if "ocket" in line or "插座" in line else LAMPS
            cloud.add_device(product_key, line.split(" = ")[0], secrets.token_hex(16))

    for product_key in (LAMPS, SOCKETS):
        cloud.add_product(product_key, dynamic_registration=True)
    products = {"light.desk_lamp": LAMPS, "switch.socket": SOCKETS}
    await add_sub_devices(conversation.home, conversation.entry_id, products, documents, created)
    devices = _devices(conversation)
    conversation.expect(
        models.keys() == {LAMPS, SOCKETS},
        "a thing model was made for each product",
        "已为每个产品生成物模型",
    )
    online = await _all(devices, lambda device: device.online and bool(device.properties))
    names = ", ".join(device.device_name for device in devices)
    conversation.expect(
        online and len(devices) == 2,
        f"{names}: registered, online, with their values",
        f"{names}：已注册、在线并上报了属性",
    )


async def by_list(conversation: Conversation) -> None:
    """Make a meter a sub-device with the secret from a list; then the cloud controls the lamp by its own name."""
    secret = secrets.token_hex(16)
    meter = conversation.cloud.simulator.add_device(METERS, "meter-1", secret)

    def listed(_names: str) -> str:
        return f"ProductKey,DeviceName,DeviceSecret\n{METERS},meter-1,{secret}"

    await add_sub_devices(
        conversation.home, conversation.entry_id, {"sensor.energy_meter": METERS}, lambda _text: None, listed
    )
    online = await _all([meter], lambda device: device.online and bool(device.properties))
    conversation.expect(
        online,
        f"meter-1 is online with the secret from a list: {compact({key: each[0] for key, each in meter.properties.items()})}",
        f"meter-1 使用列表中的密钥上线：{compact({key: each[0] for key, each in meter.properties.items()})}",
    )
    lamp = next(device for device in _devices(conversation) if device.product_key == LAMPS)
    answer = await conversation.call(
        "SetDeviceProperty", ProductKey=LAMPS, DeviceName=lamp.device_name, Items={"LightSwitch": 0}
    )
    data = answer["Data"]
    reply = await lamp.wait_reply(str(data["MessageId"]) if isinstance(data, dict) else "")
    await conversation.settle()
    await conversation.show_state("light.desk_lamp")
    conversation.expect_code(reply, 200)


async def unavailable(conversation: Conversation) -> None:
    """Unplug the socket: its sub-device goes offline, and comes back with it; the lamp is not affected."""
    await change_settings(conversation.home, conversation.entry_id, offline_delay=1)
    socket = next(device for device in _devices(conversation) if device.product_key == SOCKETS)
    lamp = next(device for device in _devices(conversation) if device.product_key == LAMPS)
    await conversation.run_action("input_boolean.turn_off", entity_id="input_boolean.socket_plugged_in")
    gone = await _all([socket], lambda device: not device.online)
    await conversation.show_state("switch.socket")
    conversation.expect(
        gone and lamp.online,
        "the socket is offline in the cloud, and the lamp is still online",
        "插座在云端离线，灯仍然在线",
    )
    await conversation.run_action("input_boolean.turn_on", entity_id="input_boolean.socket_plugged_in")
    back = await _all([socket], lambda device: device.online)
    conversation.expect(back, "it is back online with its device", "设备恢复后重新上线")


def _devices(conversation: Conversation) -> list[CloudDevice]:
    """Return the registered sub-devices in the topology of the gateway."""
    devices = conversation.cloud.device.sub_devices.values()
    return [device for device in devices if device.product_key in (LAMPS, SOCKETS)]


async def _all(devices: list[CloudDevice], condition: Callable[[CloudDevice], bool]) -> bool:
    """Wait until a condition holds for each of these; return whether it did in time."""
    try:
        for device in devices:
            await device.wait_for(condition, TIMEOUT)
    except TimeoutError:
        return False
    return True


GATEWAY = (
    Step(
        Words("Sub-devices: a lamp and a socket, registered through the gateway", "子设备：灯和插座，由网关注册"),
        register,
    ),
    Step(
        Words("A sub-device by its triple, and a command to another", "用三元组添加子设备，并向另一个子设备下发命令"),
        by_list,
    ),
    Step(Words("A sub-device goes offline with its device", "设备不可用时子设备下线"), unavailable),
)
