"""A property is suggested only if its labels cover the aspect: what is reported, and what can be set."""

from collections.abc import Iterator

from homeassistant.core import State
from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.alink.model.datatypes import BoolType, DataType, EnumType, IntType, TextType
from custom_components.aliyun_iot.alink.model.thing_model import Property, ThingModel
from custom_components.aliyun_iot.mapping.aspect import Aspect, Kind, Refused
from custom_components.aliyun_iot.mapping.binding import NO_CONVERSION, Binding
from custom_components.aliyun_iot.mapping.check import check
from custom_components.aliyun_iot.mapping.convert import to_cloud, to_ha
from custom_components.aliyun_iot.mapping.domains import DOMAINS, aspect_of
from custom_components.aliyun_iot.mapping.kinds.items import labels_tell
from custom_components.aliyun_iot.mapping.suggest.suggestions import Obstacle, suggest, unmatched
from custom_components.aliyun_iot.mapping.suggest.synonyms import SYNONYMS

ALL = 2**20 - 1
LAMP = State("light.lamp", "on", {"supported_color_modes": ["onoff"]})
PUMP = State("switch.pump", "on")
LOCK = State("lock.door", "locked")
LATCH = State("lock.door", "locked", {"supported_features": 1})
PANEL = State("alarm_control_panel.home", "disarmed", {"supported_features": 1 | 2})
CURTAIN = State("cover.curtain", "open", {"supported_features": 15})
HEATER = State("climate.heater", "heat", {"hvac_modes": ["off", "heat"], "supported_features": 384})
BARE = State("climate.bare", "heat", {"supported_features": 384})
AC = State(
    "climate.ac",
    "cool",
    {
        "hvac_modes": ["off", "auto", "cool", "heat", "dry", "fan_only"],
        "fan_modes": ["auto", "low", "medium", "high"],
        "supported_features": 8 | 384,
    },
)
TV = State("media_player.tv", "playing", {"supported_features": ALL, "source_list": ["HDMI 1", "TV"]})
FAN = State("fan.fan", "on", {"supported_features": ALL, "percentage_step": 33.33, "percentage": 33})
GATE = State("binary_sensor.gate", "on", {"device_class": "door"})
MOTION = State("binary_sensor.hall", "on", {"device_class": "motion"})
SMOKE = State("binary_sensor.kitchen", "off", {"device_class": "smoke"})
SIREN = State("siren.roof", "off", {"supported_features": 3})
PERSON = State("person.li", "home")
ROBOT = State("vacuum.robot", "docked", {"supported_features": 2**14 - 1, "fan_speed_list": ["quiet", "strong"]})


def found(state: State, identifier: str, data_type: DataType, name: str = "") -> dict[str, str]:
    """Return the aspects that one writable property is suggested for, with the direction."""
    definition = Property(identifier, name or identifier, True, True, False, data_type, "")
    model = ThingModel(properties={identifier: definition})
    return {one.aspect: str(one.access) for one in suggest(state, model, ())}


def labelled(*labels: str) -> EnumType:
    """Return an enum whose items are numbered from 0."""
    return EnumType(dict(enumerate(labels)))


def yes_or_no(no: str, yes: str) -> BoolType:
    """Return a bool with labels."""
    return BoolType({0: no, 1: yes})


@pytest.mark.parametrize(
    ("state", "identifier", "data_type"),
    [
        (LAMP, "LightSwitch", yes_or_no("正常", "光照过强")),
        (LAMP, "light", yes_or_no("正常", "光照过强")),
        (LAMP, "LightSwitch", yes_or_no("无人", "有人")),
        (LAMP, "LightSwitch", yes_or_no("关闭", "自动")),
        (LAMP, "LightSwitch", yes_or_no("a", "b")),
        (LAMP, "LightSwitch", IntType(0, 100)),
        (LAMP, "LightSwitch", labelled("关", "自动", "夜灯")),
        (PUMP, "PowerSwitch", yes_or_no("正常", "故障")),
        (LOCK, "LockState", labelled("关闭", "打开")),
        (LOCK, "LockState", yes_or_no("关闭", "打开")),
        (LOCK, "LockState", yes_or_no("正常", "异常")),
        (PANEL, "AlarmState", labelled("撤防", "布防")),
        (PANEL, "ArmMode", labelled("撤防", "在家布防")),
        (CURTAIN, "CurtainSwitch", yes_or_no("停止", "运行")),
        (BARE, "WorkMode", labelled("自动", "制冷", "制热")),
        (AC, "WorkMode", labelled("自动", "制冷", "制热")),
        (AC, "WindSpeed", labelled("低", "高")),
        (TV, "PlayState", labelled("暂停", "播放")),
        (TV, "InputSource", labelled("HDMI 1")),
        (FAN, "FanGear", labelled("1档", "2档")),
        (FAN, "ShakeHead", yes_or_no("正常", "过热")),
        (GATE, "ContactState", yes_or_no("白天", "黑夜")),
        (PERSON, "PresenceState", yes_or_no("关", "开")),
        (ROBOT, "SuctionPower", labelled("安静", "标准")),
        (State("select.mode", "a", {"options": ["a", "b", "c"]}), "mode", labelled("a", "b")),
        (State("select.mode", "a"), "mode", labelled("a", "b")),
        (State("select.mode", "很长的选项", {"options": ["很长的选项"]}), "mode", TextType(6)),
        (State("weather.home", "sunny"), "Weather", labelled("晴", "多云", "阴", "雨", "雪")),
    ],
)
def test_property_that_does_not_cover_the_aspect_is_not_suggested(
    state: State, identifier: str, data_type: DataType
) -> None:
    """Its labels mean something else, or the entity can be in a state that has no item."""
    assert found(state, identifier, data_type) == {}


@pytest.mark.parametrize(
    ("state", "identifier", "data_type", "aspects"),
    [
        (LAMP, "LightSwitch", BoolType(), {"power": "both"}),
        (LAMP, "LightSwitch", BoolType({0: "0", 1: "1"}), {"power": "both"}),
        (LAMP, "LightSwitch", yes_or_no("关闭", "开启"), {"power": "both"}),
        (LAMP, "LightSwitch", yes_or_no("灭", "亮"), {"power": "both"}),
        (LAMP, "LightSwitch", yes_or_no("False", "True"), {"power": "both"}),
        (LAMP, "LightSwitch", IntType(0, 1), {"power": "both"}),
        (PUMP, "PowerSwitch", yes_or_no("停止", "运行"), {"power": "both"}),
        (PUMP, "PowerSwitch", yes_or_no("断开", "闭合"), {"power": "both"}),
        (PUMP, "PowerSwitch", labelled("关", "开", "故障"), {"power": "both"}),
        (LOCK, "LockState", yes_or_no("未上锁", "已上锁"), {"locked": "report"}),
        (LOCK, "LockState", labelled("开锁", "关锁"), {"locked": "report"}),
        (LOCK, "LockState", labelled("未上锁", "已上锁", "卡住"), {"state": "report"}),
        (LATCH, "LockState", labelled("未上锁", "已上锁", "卡住", "打开"), {"state": "report"}),
        (PANEL, "AlarmState", labelled("撤防", "在家布防", "离家布防", "报警"), {"state": "report"}),
        (PANEL, "ArmMode", labelled("撤防", "在家布防", "离家布防"), {"mode": "report"}),
        (CURTAIN, "CurtainSwitch", yes_or_no("全关", "全开"), {"open": "both"}),
        (CURTAIN, "CurtainOperation", labelled("打开", "关闭", "停止"), {"command": "control"}),
        (CURTAIN, "CurtainOperation", labelled("打开", "关闭", "停止", "反转"), {"command": "control"}),
        (HEATER, "WorkMode", labelled("自动", "制冷", "制热"), {"mode": "report"}),
        (HEATER, "WorkMode", labelled("关机", "制热", "制冷"), {"mode": "both"}),
        (AC, "WorkMode", labelled("自动", "制冷", "制热", "送风", "除湿"), {"mode": "both"}),
        (AC, "WorkMode", labelled("自动", "冷气", "暖风", "换气", "抽湿", "睡眠"), {"mode": "both"}),
        (AC, "WindSpeed", labelled("自动风", "低风速", "中风速", "高风速"), {"fan_mode": "both"}),
        (AC, "WindSpeed", labelled("自动", "1档", "2档", "3档"), {"fan_mode": "both"}),
        (TV, "PlayState", labelled("停止", "播放", "暂停"), {"playback": "both"}),
        (TV, "Mute", yes_or_no("取消静音", "静音"), {"mute": "both"}),
        (TV, "Shuffle", yes_or_no("顺序播放", "随机播放"), {"shuffle": "both"}),
        (FAN, "FanGear", labelled("关", "1档", "2档", "3档"), {"gear": "both"}),
        (FAN, "ShakeHead", yes_or_no("停止摇头", "摇头"), {"oscillating": "both"}),
        (GATE, "ContactState", yes_or_no("关闭", "打开"), {"state": "report"}),
        (GATE, "ContactState", yes_or_no("未打开", "开门"), {"state": "report"}),
        (MOTION, "MotionAlarmState", yes_or_no("无人移动", "有人移动"), {"state": "report"}),
        (SMOKE, "SmokeAlarm", yes_or_no("正常", "烟雾报警"), {"state": "report"}),
        (SIREN, "AlarmSwitch", yes_or_no("停止报警", "报警"), {"power": "report"}),
        (PERSON, "PresenceState", yes_or_no("不在家", "在家"), {"home": "report"}),
        (ROBOT, "SuctionPower", labelled("安静", "强力"), {"fan_speed": "both"}),
        (State("select.mode", "a"), "mode", TextType(64), {"option": "both"}),
        (State("select.mode", "a", {"options": ["a", "b"]}), "mode", TextType(64), {"option": "both"}),
    ],
)
def test_property_that_covers_the_aspect_is_suggested(
    state: State, identifier: str, data_type: DataType, aspects: dict[str, str]
) -> None:
    """It may have more items than the entity has options, and lack those that pass or that another property tells."""
    assert found(state, identifier, data_type) == aspects


@pytest.mark.parametrize(
    ("state", "aspect", "labels", "yes_item"),
    [
        (PUMP, "power", ("闭合", "断开"), 0),
        (PUMP, "power", ("开", "关"), 0),
        (LOCK, "locked", ("上锁", "开锁"), 0),
        (GATE, "state", ("打开", "关闭"), 0),
        (State("binary_sensor.s", "on", {"device_class": "safety"}), "state", ("不安全", "安全"), 0),
        (State("binary_sensor.s", "on", {"device_class": "safety"}), "state", ("安全", "不安全"), 1),
        (State("binary_sensor.l", "on", {"device_class": "lock"}), "state", ("已锁", "未锁"), 1),
        (MOTION, "state", ("有人", "无人"), 0),
        (TV, "mute", ("静音", "非静音"), 0),
        (PERSON, "home", ("在家", "离家"), 0),
        (CURTAIN, "open", ("打开", "关闭"), 0),
    ],
)
def test_labels_say_which_item_is_yes(state: State, aspect: str, labels: tuple[str, str], yes_item: int) -> None:
    """Also if 0 is yes."""
    target = aspect_of(state.entity_id, aspect)
    assert target
    data_type = labelled(*labels)
    assert labels_tell(target, data_type)
    assert to_cloud(True, target, data_type, NO_CONVERSION, state) == yes_item
    assert to_ha(1 - yes_item, target, data_type, NO_CONVERSION, state) is False


def test_why_it_is_not_suggested() -> None:
    """The page with the suggestions names the property and says that it does not fit."""
    definition = Property("LockState", "LockState", True, True, False, labelled("关闭", "打开"), "")
    model = ThingModel(properties={"LockState": definition})
    reasons = {one.aspect.key: (one.obstacle, one.identifier) for one in unmatched([LOCK], model, ())}
    assert reasons["locked"] == reasons["state"] == (Obstacle.MISMATCH, "LockState")


def test_items_that_cannot_be_set_are_named() -> None:
    """It is a note of the preview: nothing has to be changed."""
    aspect = aspect_of(HEATER.entity_id, "mode")
    assert aspect
    definition = Property("Mode", "Mode", True, True, False, labelled("关机", "制热", "制冷"), "")
    binding = Binding.from_dict({"identifier": "Mode", "entity": HEATER.entity_id, "aspect": "mode", "access": "both"})
    (problem,) = check(binding, aspect, definition, HEATER)
    assert (problem.key, problem.placeholders, problem.blocking, problem.note) == (
        "items_refused", {"items": ("制冷",)}, False, True
    )  # fmt: skip
    report = Binding.from_dict({"identifier": "Mode", "entity": HEATER.entity_id, "aspect": "mode"})
    assert check(report, aspect, definition, HEATER) == []


LISTS = {
    "available_modes": ["normal", "eco", "sleep"],
    "activity_list": ["TV", "music"],
    "available_tones": ["ding", "dong"],
    "effect_list": ["colorloop", "random"],
    "event_types": ["pressed", "held"],
    "fan_modes": ["auto", "low", "high"],
    "fan_speed_list": ["quiet", "max"],
    "hvac_action": "idle",
    "action": "idle",
    "hvac_modes": ["off", "heat", "cool"],
    "operation_list": ["off", "eco", "electric"],
    "options": ["one", "two", "three"],
    "preset_modes": ["eco", "boost"],
    "sound_mode_list": ["music", "movie"],
    "source_list": ["HDMI 1", "TV"],
    "supported_speeds": ["slow", "fast"],
    "swing_horizontal_modes": ["off", "on"],
    "swing_modes": ["off", "vertical"],
    "percentage_step": 25,
    "supported_features": ALL,
}
EVERYWHERE = {name: State(f"{name}.x", "on", LISTS) for name in DOMAINS}


def aspects(*kinds: Kind) -> Iterator[tuple[str, Aspect]]:
    """Yield every aspect of these kinds that has a standard identifier, with its domain."""
    for name, domain in DOMAINS.items():
        for aspect in domain.aspects:
            if aspect.kind in kinds and aspect.identifiers and aspect.supported(EVERYWHERE[name]):
                yield name, aspect


ENUMS = list(aspects(Kind.ENUM))
BOOLS = list(aspects(Kind.BOOL))
WORDS = [word for row in SYNONYMS for word in row]


@given(where=st.sampled_from(ENUMS), data=st.data())
def test_every_suggested_enum_covers_its_aspect(where: tuple[str, Aspect], data: st.DataObject) -> None:
    """In every domain: no state that lasts is lost, and at least two items can be set."""
    name, aspect = where
    state = EVERYWHERE[name]
    options = aspect.options(state)
    labels = data.draw(
        st.lists(st.sampled_from(options) | st.sampled_from(WORDS), min_size=1, max_size=16, unique=True)
    )
    definition = Property(aspect.identifiers[0], "x", True, True, False, labelled(*labels), "")
    for one in suggest(state, ThingModel(properties={definition.identifier: definition}), ()):
        if one.aspect != aspect.key:
            continue
        items = {}
        for option in options:
            try:
                items[option] = to_cloud(option, aspect, definition.data_type, NO_CONVERSION, state)
            except Refused:
                assert one.access.value == "control" or option in aspect.dispensable(state)
        assert len(set(items.values())) == len(items)
        if one.access.controls:
            assert len(items) >= min(2, len(labels))


@pytest.mark.parametrize(("name", "aspect"), ENUMS, ids=lambda value: getattr(value, "key", value))
def test_every_enum_with_all_options_is_suggested(name: str, aspect: Aspect) -> None:
    """So the rule does not forbid what fits."""
    state = EVERYWHERE[name]
    definition = Property(aspect.identifiers[0], "x", True, True, False, labelled(*aspect.options(state)), "")
    model = ThingModel(properties={definition.identifier: definition})
    risky = DOMAINS[name].risky(state)
    expected = not (risky and aspect.momentary) and not aspect.private
    assert (aspect.key in {one.aspect for one in suggest(state, model, ())}) is expected


@pytest.mark.parametrize(("name", "aspect"), BOOLS, ids=lambda value: getattr(value, "key", value))
def test_every_bool_with_its_words_is_suggested(name: str, aspect: Aspect) -> None:
    """By its own words in either order, and not by labels that mean something else."""
    state = EVERYWHERE[name]
    no, yes = aspect.words
    assert labels_tell(aspect, labelled(no, yes))
    assert labels_tell(aspect, labelled(yes, no))
    assert to_cloud(True, aspect, labelled(yes, no), NO_CONVERSION, state) == 0
    for labels in (("制冷", "制热"), ("光照正常", "光照过强"), ("撤防", "布防"), ("a", "b")):
        if aspect.key not in ("press", "activate", "panic", "latch", "install"):
            assert not labels_tell(aspect, yes_or_no(*labels)), labels


@given(where=st.sampled_from(BOOLS), labels=st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)))
def test_no_and_yes_are_never_the_same(where: tuple[str, Aspect], labels: tuple[str, str]) -> None:
    """Whatever the labels say, a value that is reported is read back the same."""
    name, aspect = where
    data_type = labelled(*labels)
    try:
        items = [to_cloud(value, aspect, data_type, NO_CONVERSION, EVERYWHERE[name]) for value in (False, True)]
    except Refused:
        return
    assert items[0] != items[1]
    assert [to_ha(item, aspect, data_type, NO_CONVERSION, EVERYWHERE[name]) for item in items] == [False, True]
