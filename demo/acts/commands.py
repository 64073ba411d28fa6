"""Cloud → home: commands that work, and what becomes of them."""

from ..home_client import Json
from ..stage import Stage, Step
from ..words import Words

LAMP = "light.desk_lamp"
HEATING = "climate.living_room"


async def lamp(stage: Stage) -> None:
    """Set three properties of one lamp: they become one action, one answer and one post that confirms them."""
    await stage.show(LAMP)
    reply = await stage.set({"LightSwitch": 1, "Brightness": 60, "ColorTemperature": 3000})
    posted = await stage.happens(
        lambda: [stage.cloud.value(name) for name in ("LightSwitch", "Brightness", "ColorTemperature")] == [1, 60, 3000]
    )
    await stage.settle()
    await stage.show(LAMP)
    stage.expect_code(reply, 200)
    calls = stage.ran("light.turn_on")
    stage.expect(
        len(calls) == 1 and {"brightness", "color_temp_kelvin"} <= calls[0].keys(),
        "three properties became one light.turn_on",
        "三个属性合并为一次 light.turn_on",
    )
    stage.expect(posted, "the cloud has the same values back from the lamp", "云端收到台灯上报的相同数值")


async def color(stage: Stage) -> None:
    """Set a struct: it becomes a colour."""
    orange: dict[str, Json] = {"Red": 255, "Green": 128, "Blue": 0}
    reply = await stage.set({"RGBColor": orange})
    posted = await stage.happens(lambda: stage.cloud.value("RGBColor") == orange)
    await stage.settle()
    await stage.show(LAMP)
    stage.expect_code(reply, 200)
    stage.expect(posted, "the cloud has the color back from the lamp", "云端收到台灯上报的颜色")


async def several(stage: Stage) -> None:
    """Set two entities at once; a new target temperature leaves the mode alone."""
    await stage.show(HEATING)
    reply = await stage.set({"TargetTemperature": 22.5, "CurtainPosition": 40})
    posted = await stage.happens(
        lambda: stage.cloud.value("TargetTemperature") == 22.5 and stage.cloud.value("CurtainPosition") == 40
    )
    await stage.settle()
    await stage.show(HEATING)
    await stage.show("cover.curtain")
    stage.expect_code(reply, 200)
    stage.expect(posted, "both arrived and were posted", "两项均已执行并上报")
    stage.expect(
        not stage.ran("climate.set_hvac_mode") and stage.cloud.value("HVACMode") == 1,
        "the mode of the heating was not touched",
        "空调模式未被改动",
    )


async def garage(stage: Stage) -> None:
    """Open a garage door, which obeys because its binding was confirmed."""
    await stage.show("cover.garage_door")
    reply = await stage.set({"GarageDoorOpen": 1})
    posted = await stage.happens(lambda: stage.cloud.value("GarageDoorOpen") == 1)
    await stage.settle()
    await stage.show("cover.garage_door")
    stage.expect_code(reply, 200)
    stage.expect(posted, "the garage door is open: its owner has allowed that", "车库门已打开：主人已确认允许")


COMMANDS = (
    Step(Words("A set that works: the lamp", "成功的设置：台灯"), lamp),
    Step(Words("A set with a struct: the color", "结构体属性：颜色"), color),
    Step(Words("Two entities in one set", "一次设置两个实体"), several),
    Step(Words("A door that the owner has released", "主人已授权的车库门"), garage),
)
