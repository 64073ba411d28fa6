"""Home → cloud: what the cloud knows at the beginning, and a state that changes."""

from ..cloud import Cloud
from ..lines import compact
from ..stage import Stage, Step
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
"""The house of `house.yaml` in the words of `thing_model.json`."""


async def snapshot(stage: Stage) -> None:
    """Compare: every bound state has been posted without being asked for, and what says nothing has no value."""
    await stage.happens(lambda: _known(stage.cloud) == EXPECTED)
    known = _known(stage.cloud)
    wrong = {key: known.get(key) for key, value in EXPECTED.items() if known.get(key) != value}
    await stage.call("QueryDevicePropertyStatus")
    stage.expect(
        not wrong,
        f"the cloud has {len(EXPECTED)} properties as they are at home" + (f", but {compact(wrong)}" if wrong else ""),
        f"云端已有 {len(EXPECTED)} 个属性，与家中一致" + (f"，除了 {compact(wrong)}" if wrong else ""),
    )
    stage.expect(
        stage.cloud.value("Brightness") is None,
        "a lamp that is off has no brightness, so none was made up",
        "台灯关闭时没有亮度，因此没有上报虚构的值",
    )


async def change(stage: Stage) -> None:
    """Change a sensor, and find the new value in the cloud."""
    await stage.act("input_number.set_value", entity_id="input_number.room_temperature", value=23.4)
    arrived = await stage.happens(lambda: stage.cloud.value("CurrentTemperature") == 23.4)
    await stage.show("sensor.living_room_temperature")
    await stage.settle()
    stage.expect(arrived, "CurrentTemperature is 23.4 in the cloud", "云端的 CurrentTemperature 为 23.4")


def _known(cloud: Cloud) -> dict[str, object]:
    return {key: cloud.value(key) for key in EXPECTED}


REPORTS = (
    Step(Words("What the cloud knows of the house", "云端所知的家"), snapshot),
    Step(Words("A state changes at home", "家中状态变化"), change),
)
