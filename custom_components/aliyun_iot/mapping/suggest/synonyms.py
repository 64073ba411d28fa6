"""Synonyms: what people and product manufacturers call the options of Home Assistant, in English and Chinese."""

from functools import lru_cache
import re
from typing import Final
import unicodedata

# Each row has the words for one meaning; the first one is Home Assistant's, where it has one. A word is in one row only, and
# the endings and beginnings below are left out: 低风速 is found as 低.
SYNONYMS: Final = (
    # switches and commands
    ("off", "turn_off", "power_off", "disabled", "disable", "关", "关闭", "关机", "停用", "禁用", "熄灭", "灭"),
    ("on", "turn_on", "power_on", "enabled", "enable", "开", "开启", "打开", "开机", "启用", "点亮", "亮"),
    ("closed", "close", "shut", "关上", "关合", "合上", "合拢", "拉上"),
    ("open", "opened", "敞开", "拉开", "展开"),
    ("closing", "关闭中", "正在关闭", "关窗中"),
    ("opening", "打开中", "正在打开", "开启中"),
    ("up", "raise", "上", "向上", "上升", "升起", "升"),
    ("down", "lower", "下", "向下", "下降", "降下", "降"),
    ("left", "左", "向左"),
    ("right", "右", "向右"),
    ("no", "false", "否", "不是", "没有"),
    ("yes", "true", "是"),
    ("start", "begin", "启动", "开始"),
    ("stop", "stopped", "停止", "停", "终止"),
    ("idle", "空闲", "闲置"),
    ("standby", "wait", "waiting", "待机", "待命"),
    ("active", "running", "run", "运行", "计时", "进行"),
    ("error", "fault", "failure", "故障", "错误", "异常"),
    ("none", "无", "空", "未设置"),
    ("normal", "standard", "regular", "balanced", "default", "普通", "正常", "标准", "均衡", "常规", "默认", "一般"),
    ("custom", "customized", "自定义", "定制"),
    ("increment", "加一"),
    ("decrement", "减一"),
    ("reset", "清零", "重置", "复位"),
    # heating and cooling
    ("auto", "automatic", "自动", "全自动"),
    ("smart", "intelligent", "ai", "智能", "智慧"),
    ("manual", "手动"),
    ("cool", "cooling", "cold", "制冷", "冷", "冷气", "降温"),
    (
        "heat",
        "heating",
        "warm",
        "hot",
        "制热",
        "制暖",
        "加热",
        "暖",
        "热",
        "暖气",
        "采暖",
        "供暖",
        "供热",
        "取暖",
        "升温",
    ),
    ("heat_cool", "cool_heat", "冷暖", "冷暖自动", "自动冷暖"),
    ("dry", "dehumidify", "dehumidification", "除湿", "抽湿", "去湿", "干燥"),
    ("drying", "除湿中", "抽湿中", "干燥中"),
    ("fan_only", "fan", "ventilate", "ventilation", "blow", "送风", "通风", "换气", "吹风", "仅送风"),
    ("preheating", "预热"),
    ("defrosting", "defrost", "除霜", "化霜"),
    ("humidifying", "humidify", "加湿"),
    ("electric", "电加热", "电"),
    ("gas", "燃气"),
    ("heat_pump", "热泵"),
    ("performance", "高性能"),
    ("high_demand", "大水量"),
    # gears with a name, and special speeds
    ("lowest", "min", "minimum", "very_low", "ultra_low", "最低", "最小", "最弱", "超低"),
    ("low", "small", "slow", "低", "小", "慢"),
    ("medium_low", "low_medium", "mid_low", "middle_low", "中低"),
    ("medium", "middle", "mid", "med", "中", "中等"),
    ("medium_high", "high_medium", "mid_high", "middle_high", "中高"),
    ("high", "large", "fast", "高", "大", "快"),
    ("highest", "max", "maximum", "top", "very_high", "ultra_high", "full", "最高", "最大", "最强", "极高", "全"),
    ("gentle", "breeze", "soft", "weak", "微", "柔", "弱", "轻", "柔和", "轻柔"),
    ("strong", "powerful", "强", "强力"),
    ("turbo", "jet", "super", "强劲", "超强", "超高", "极速", "急"),
    ("boost", "rapid", "速热", "速冷", "快热"),
    ("quick", "快速"),
    ("silent", "silence", "quiet", "low_noise", "静音", "安静", "静", "超静音", "超静"),
    ("mute", "muted", "已静音"),
    ("natural", "nature", "自然"),
    # presets
    ("eco", "economy", "economic", "energy_saving", "energy_saver", "节能", "经济", "环保", "省电", "节电"),
    ("away", "not_home", "out", "离家", "外出", "不在家", "离开"),
    ("home", "at_home", "在家", "居家", "回家", "到家"),
    ("sleep", "sleeping", "睡眠", "睡觉", "入睡"),
    ("night", "nighttime", "夜间", "夜晚", "夜"),
    ("day", "daytime", "白天", "日间"),
    ("comfort", "comfortable", "舒适", "舒心"),
    ("activity", "活动"),
    ("baby", "婴儿", "宝宝", "母婴"),
    ("vacation", "holiday", "假期", "度假"),
    ("reading", "read", "阅读"),
    ("movie", "cinema", "theater", "观影", "影院", "电影"),
    ("music", "音乐"),
    ("sports", "sport", "体育", "运动"),
    ("game", "gaming", "游戏"),
    ("party", "聚会", "派对"),
    ("relax", "放松", "休闲"),
    ("romantic", "romance", "浪漫"),
    # swing
    ("vertical", "up_down", "up_and_down", "上下", "垂直", "纵向"),
    ("horizontal", "left_right", "left_and_right", "左右", "水平", "横向"),
    ("both", "3d", "全部", "上下左右", "四向", "全向", "立体", "水平垂直"),
    ("swing", "swinging", "摆动", "摆头", "摇摆", "摇头", "扫风", "摆风"),
    ("fixed", "固定", "定向", "停摆", "静止"),
    ("forward", "正转", "正向"),
    ("reverse", "backward", "反转", "反向"),
    # locks and alarms
    ("locked", "lock", "上锁", "已锁", "锁定", "关锁", "锁住", "闭锁"),
    ("unlocked", "unlock", "开锁", "未锁", "未上锁", "解锁"),
    ("locking", "上锁中", "正在上锁", "关锁中"),
    ("unlocking", "开锁中", "正在开锁", "解锁中"),
    ("jammed", "jam", "stuck", "blocked", "卡住", "堵转", "卡滞"),
    ("disarmed", "disarm", "撤防"),
    ("armed", "arm", "布防"),
    ("armed_home", "arm_home", "armed_stay", "在家布防", "居家布防", "留守布防"),
    ("armed_away", "arm_away", "离家布防", "外出布防"),
    ("armed_night", "arm_night", "夜间布防"),
    ("armed_vacation", "arm_vacation", "度假布防"),
    ("armed_custom_bypass", "arm_custom_bypass", "自定义布防"),
    ("arming", "布防中", "正在布防"),
    ("disarming", "撤防中", "正在撤防"),
    ("pending", "延时", "进入延时"),
    ("triggered", "alarm", "alarming", "报警", "告警", "警报", "触发"),
    # playback
    ("playing", "play", "播放"),
    ("paused", "pause", "暂停"),
    ("buffering", "loading", "缓冲", "加载"),
    ("one", "single", "repeat_one", "单曲循环", "单曲"),
    ("all", "repeat_all", "list", "列表循环", "全部循环", "循环", "循环播放"),
    ("sequence", "order", "顺序", "顺序播放", "不循环"),
    ("next", "next_track", "下一首", "下一曲", "下一个"),
    ("previous", "previous_track", "上一首", "上一曲", "上一个"),
    ("first", "第一个"),
    ("last", "最后一个"),
    ("volume_up", "音量加", "调高音量"),
    ("volume_down", "音量减", "调低音量"),
    # weather
    ("sunny", "clear", "clear_day", "晴", "晴天", "晴朗"),
    ("clear-night", "晴夜"),
    ("partlycloudy", "多云", "少云", "晴间多云"),
    ("cloudy", "overcast", "阴", "阴天"),
    ("fog", "foggy", "mist", "雾", "大雾"),
    ("rainy", "rain", "雨", "下雨", "小雨", "中雨"),
    ("pouring", "heavy_rain", "大雨", "暴雨"),
    ("snowy", "snow", "雪", "下雪", "小雪", "中雪", "大雪"),
    ("snowy-rainy", "sleet", "雨夹雪"),
    ("hail", "冰雹"),
    ("lightning", "雷电"),
    ("lightning-rainy", "thunderstorm", "雷雨", "雷阵雨"),
    ("windy", "有风"),
    ("windy-variant", "多云有风"),
    ("exceptional", "特殊", "极端天气"),
    # robots and washing machines
    ("cleaning", "clean", "sweeping", "sweep", "清扫", "打扫", "清洁", "扫地"),
    ("clean_spot", "spot", "局部清扫", "定点清扫", "局部"),
    ("mopping", "mop", "拖地", "擦地"),
    ("return_to_base", "return_home", "go_home", "recharge", "回充", "返回充电", "回家充电"),
    ("returning", "回充中", "返回中", "正在返回", "返航"),
    ("docked", "charging", "charged", "充电", "已回充", "充满"),
    ("dock", "回基站", "返回基站"),
    ("locate", "find", "寻找", "查找", "定位"),
    ("start_mowing", "开始割草"),
    ("mowing", "mow", "割草"),
    ("wash", "washing", "洗涤"),
    ("rinse", "rinsing", "漂洗"),
    ("spin", "spinning", "脱水", "甩干"),
    ("soak", "soaking", "浸泡"),
)

NEAR: Final = (
    ("off", "closed", "no", "down", "fixed", "sequence"),
    ("on", "open", "yes", "up", "swing"),
    ("idle", "standby", "stop"),
    ("start", "active", "cleaning"),
    ("turbo", "boost", "quick", "highest", "strong"),
    ("low", "lowest", "gentle"),
    ("high", "highest", "strong"),
    ("auto", "smart"),
    ("silent", "mute"),
    ("sleep", "night"),
    ("none", "normal"),
    ("dry", "drying"),
    ("armed", "armed_away"),
    ("return_to_base", "returning", "dock"),
)
"""Meanings, by their first word, of which one stands for another one that the other side does not have.

A word is understood this way only if neither side has another one of its group.
"""

GEARS: Final = ("lowest", "low", "medium_low", "medium", "medium_high", "high", "highest")
"""Gears with a name, in their order."""

_ENDINGS = re.compile(
    r"(?:模式|风速|风量|风|档位|挡位|档|挡|速度|速|吸力|扫风|摆风|状态|中|mode|speed|level|state|wind)$"
)
_BEGINNINGS = re.compile(r"^(?:已经|已|正在|fan(?:speed|mode)?|swing|wind|mode|speed|preset)")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[^0-9\w\s](?=[0-9])")
_SIGN = re.compile(r"^\s*[-−](?=[0-9])")
_GEAR = re.compile(
    r"(?:第|风速|风量|档位|档|挡|级别|级|速|(?:fan|wind)?(?:speed|level|gear|stage|step|mode)?|lv|l)"
    r"(?P<number>[0-9]{1,3}|[一二两三四五六七八九十]{1,3})"
    r"(?:档位|档|挡位|挡|级别|级|速|风|段|speed|level|gear|stage|st|nd|rd|th)?"
)
_DIGITS: Final = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}


def bare(word: str) -> str:
    """Return a word without differences in spelling: case, full width, blanks, punctuation; 0.5 and -5 are not 05 and 5."""
    text = unicodedata.normalize("NFKC", word).casefold()
    text = _SIGN.sub("minus", _BETWEEN_DIGITS.sub("point", text))
    return "".join(char for char in text if char.isalnum())


def core(word: str) -> str:
    """Return a bare word without an ending that says what it is: 观影模式 is 观影."""
    text = bare(word)
    return _ENDINGS.sub("", text) or text


_MEANING: Final = {bare(word): row[0] for row in SYNONYMS for word in row}


@lru_cache(maxsize=4096)
def meaning(word: str) -> str | None:
    """Return the first word of the row with this word, `gear 2` for a numbered gear, None for an unknown word."""
    text = bare(word)
    if (known := _MEANING.get(text)) is not None:
        return known
    if (number := gear(word)) is not None:
        return f"gear {number}"
    for shorter in (_ENDINGS.sub("", text), _BEGINNINGS.sub("", text)):
        if shorter and shorter != text:
            return meaning(shorter)
    return None


@lru_cache(maxsize=4096)
def gear(word: str) -> int | None:
    """Return the number of a gear in any spelling: 2, 2档, 二档, level 2, speed_2; None if the word is no gear."""
    found = _GEAR.fullmatch(bare(word))
    return _number(found["number"]) if found else None


def _number(written: str) -> int | None:
    """Return a number of up to 99 in digits or Chinese characters."""
    if written.isascii():
        return int(written)
    tens, ten, ones = written.rpartition("十")
    if not ten:
        return _DIGITS.get(written)
    return _DIGITS.get(tens or "一", 0) * 10 + _DIGITS.get(ones, 0)
