"""Cloud → home: commands that are carried out, and their effects."""

from ..conversation import Conversation, Step
from ..home_client import Json
from ..words import Words

LAMP = "light.desk_lamp"
HEATING = "climate.living_room"


async def lamp(conversation: Conversation) -> None:
    """Set three properties of a lamp: there is one action, one answer, and a post with the new values."""
    await conversation.show_state(LAMP)
    reply = await conversation.set({"LightSwitch": 1, "Brightness": 60, "ColorTemperature": 3000})
    posted = await conversation.wait_for(
        lambda: (
            [conversation.cloud.value(name) for name in ("LightSwitch", "Brightness", "ColorTemperature")]
            == [1, 60, 3000]
        )
    )
    await conversation.settle()
    await conversation.show_state(LAMP)
    conversation.expect_code(reply, 200)
    calls = conversation.calls_of("light.turn_on")
    conversation.expect(
        len(calls) == 1 and {"brightness", "color_temp_kelvin"} <= calls[0].keys(),
        "three properties became one light.turn_on",
        "三个属性合并为一次 light.turn_on",
    )
    conversation.expect(posted, "the lamp has posted the same values to the cloud", "云端收到台灯上报的相同数值")


async def color(conversation: Conversation) -> None:
    """Set a struct, which becomes a color."""
    orange: dict[str, Json] = {"Red": 255, "Green": 128, "Blue": 0}
    reply = await conversation.set({"RGBColor": orange})
    posted = await conversation.wait_for(lambda: conversation.cloud.value("RGBColor") == orange)
    await conversation.settle()
    await conversation.show_state(LAMP)
    conversation.expect_code(reply, 200)
    conversation.expect(posted, "the lamp has posted the color to the cloud", "云端收到台灯上报的颜色")


async def several(conversation: Conversation) -> None:
    """Set two entities at once; a new target temperature does not change the mode."""
    await conversation.show_state(HEATING)
    reply = await conversation.set({"TargetTemperature": 22.5, "CurtainPosition": 40})
    posted = await conversation.wait_for(
        lambda: (
            conversation.cloud.value("TargetTemperature") == 22.5 and conversation.cloud.value("CurtainPosition") == 40
        )
    )
    await conversation.settle()
    await conversation.show_state(HEATING)
    await conversation.show_state("cover.curtain")
    conversation.expect_code(reply, 200)
    conversation.expect(posted, "both were carried out and posted", "两项均已执行并上报")
    conversation.expect(
        not conversation.calls_of("climate.set_hvac_mode") and conversation.cloud.value("HVACMode") == 1,
        "the mode of the heating has not changed",
        "空调模式未被改动",
    )


async def garage(conversation: Conversation) -> None:
    """Open a garage door, which is allowed because its binding was confirmed."""
    await conversation.show_state("cover.garage_door")
    reply = await conversation.set({"GarageDoorOpen": 1})
    posted = await conversation.wait_for(lambda: conversation.cloud.value("GarageDoorOpen") == 1)
    await conversation.settle()
    await conversation.show_state("cover.garage_door")
    conversation.expect_code(reply, 200)
    conversation.expect(posted, "the garage door is open: the user has allowed that", "车库门已打开：主人已确认允许")


COMMANDS = (
    Step(Words("A set that is carried out: the lamp", "成功的设置：台灯"), lamp),
    Step(Words("A set with a struct: the color", "结构体属性：颜色"), color),
    Step(Words("Two entities in one set", "一次设置两个实体"), several),
    Step(Words("A door that the cloud may open", "主人已授权的车库门"), garage),
)
