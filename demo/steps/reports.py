"""Home → cloud: the first snapshot, and a state that changes."""

from ..cloud import Cloud
from ..conversation import Conversation, Step
from ..lines import compact
from ..words import Words

EXPECTED = {
    "LightSwitch": 0,
    "CurtainPosition": 0,
    "FrontDoorLocked": 1,
    "GarageDoorOpen": 0,
    "TargetTemperature": 20.0,
    "HVACMode": 1,
    "CurrentTemperature": 21.5,
    "CurrentHumidity": 45,
    "EnergyTotal": 1234.567,
    "MotionState": 0,
    "CoffeeMachineSwitch": 0,
    "PumpSwitch": 0,
    "WateringTime": 10,
    "HouseMode": 0,
    "HolidaySwitch": 0,
}
"""The values of the entities in `house.yaml` as properties of `thing_model.json`."""


async def snapshot(conversation: Conversation) -> None:
    """Check that every bound state was posted, and that no value was posted for an attribute without one."""
    await conversation.wait_for(lambda: _known(conversation.cloud) == EXPECTED)
    known = _known(conversation.cloud)
    wrong = {key: known.get(key) for key, value in EXPECTED.items() if known.get(key) != value}
    await conversation.call("QueryDevicePropertyStatus")
    conversation.expect(
        not wrong,
        f"{len(EXPECTED)} properties in the cloud agree with Home Assistant"
        + (f", but {compact(wrong)}" if wrong else ""),
        f"云端已有 {len(EXPECTED)} 个属性，与家中一致" + (f"，除了 {compact(wrong)}" if wrong else ""),
    )
    conversation.expect(
        conversation.cloud.value("Brightness") is None,
        "a lamp that is off has no brightness, so none was posted",
        "台灯关闭时没有亮度，因此未上报亮度",
    )


async def change(conversation: Conversation) -> None:
    """Change a sensor, and check the value in the cloud."""
    await conversation.run_action("input_number.set_value", entity_id="input_number.room_temperature", value=23.4)
    arrived = await conversation.wait_for(lambda: conversation.cloud.value("CurrentTemperature") == 23.4)
    await conversation.show_state("sensor.living_room_temperature")
    await conversation.settle()
    conversation.expect(arrived, "CurrentTemperature is 23.4 in the cloud", "云端的 CurrentTemperature 为 23.4")


def _known(cloud: Cloud) -> dict[str, object]:
    return {key: cloud.value(key) for key in EXPECTED}


REPORTS = (
    Step(Words("The house as the cloud knows it", "云端所知的家"), snapshot),
    Step(Words("A state changes at home", "家中状态变化"), change),
)
