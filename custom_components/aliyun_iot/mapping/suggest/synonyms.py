"""Synonyms: which item of a thing model means which option of an entity, in English and Chinese."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from ..model.labels import marked_label, plain_label

# Each row has the words for one meaning. A word must be in one row only.
SYNONYMS = (
    ("off", "closed", "close", "no", "false", "关", "关闭", "关机", "否"),
    ("on", "open", "yes", "true", "开", "开启", "打开", "开机", "是"),
    ("auto", "automatic", "自动", "自动模式"),
    ("cool", "cooling", "制冷", "冷风", "制冷模式"),
    ("heat", "heating", "制热", "加热", "暖风", "制热模式"),
    ("heat_cool", "冷暖", "冷暖自动"),
    ("dry", "dehumidify", "除湿", "抽湿", "干燥", "除湿模式"),
    ("fan_only", "fan", "ventilate", "送风", "通风", "送风模式"),
    ("silent", "quiet", "mute", "静音", "静风"),
    ("low", "低", "低速", "低风", "低档", "弱"),
    ("medium", "middle", "mid", "中", "中速", "中风", "中档"),
    ("high", "高", "高速", "高风", "高档", "强"),
    ("turbo", "top", "strong", "强劲", "超强", "超高"),
    ("eco", "节能", "经济", "环保"),
    ("away", "离家", "外出"),
    ("home", "在家", "居家"),
    ("sleep", "睡眠"),
    ("comfort", "舒适"),
    ("boost", "速热", "速冷"),
    ("vertical", "上下", "上下摆风", "垂直"),
    ("horizontal", "左右", "左右摆风", "水平"),
    ("both", "全部", "上下左右"),
    ("none", "无", "普通", "normal", "正常"),
    ("locked", "lock", "上锁", "已锁", "锁定"),
    ("unlocked", "unlock", "开锁", "未锁", "已开锁", "解锁"),
    ("jammed", "卡住", "堵转"),
    ("playing", "play", "播放", "播放中", "正在播放"),
    ("paused", "pause", "暂停", "已暂停"),
    ("idle", "standby", "stop", "stopped", "空闲", "待机", "停止", "已停止"),
    ("buffering", "缓冲", "缓冲中"),
    ("one", "单曲循环"),
    ("all", "列表循环", "全部循环"),
    ("next", "下一首", "下一曲", "下一个"),
    ("previous", "上一首", "上一曲", "上一个"),
    ("first", "第一个"),
    ("last", "最后一个"),
    ("volume_up", "音量加", "调高音量"),
    ("volume_down", "音量减", "调低音量"),
    ("clear-night", "晴夜"),
    ("sunny", "晴", "晴天"),
    ("partlycloudy", "多云"),
    ("cloudy", "阴", "阴天"),
    ("fog", "雾"),
    ("rainy", "rain", "雨", "下雨"),
    ("pouring", "大雨", "暴雨"),
    ("snowy", "snow", "雪", "下雪"),
    ("snowy-rainy", "sleet", "雨夹雪"),
    ("hail", "冰雹"),
    ("lightning", "雷电"),
    ("lightning-rainy", "thunderstorm", "雷雨", "雷阵雨"),
    ("windy", "大风", "有风"),
    ("start", "启动", "开始"),
    ("active", "running", "运行中", "计时中"),
    ("return_to_base", "recharge", "回充", "返回充电"),
    ("returning", "回充中", "返回中"),
    ("docked", "charging", "充电", "充电中", "已回充"),
    ("dock", "回基站", "返回基站"),
    ("locate", "find", "寻找", "查找"),
    ("clean_spot", "spot", "局部清扫", "定点清扫"),
    ("cleaning", "sweeping", "清扫", "清扫中", "打扫"),
    ("start_mowing", "开始割草"),
    ("mowing", "割草", "割草中"),
    ("error", "fault", "故障", "错误"),
    ("disarmed", "disarm", "撤防", "已撤防"),
    ("armed_home", "arm_home", "在家布防", "居家布防", "留守布防"),
    ("armed_away", "arm_away", "离家布防", "外出布防"),
    ("armed_night", "arm_night", "夜间布防"),
    ("armed_vacation", "arm_vacation", "度假布防"),
    ("arming", "布防中"),
    ("disarming", "撤防中"),
    ("triggered", "alarm", "报警", "告警"),
    ("forward", "正转", "正向"),
    ("reverse", "backward", "反转", "反向"),
    ("humidifying", "humidify", "加湿", "加湿中"),
    ("drying", "除湿中"),
    ("baby", "婴儿"),
    ("electric", "电加热"),
    ("gas", "燃气"),
    ("heat_pump", "热泵"),
    ("performance", "高性能"),
    ("high_demand", "大水量"),
    ("increment", "加一"),
    ("decrement", "减一"),
    ("reset", "清零", "重置", "复位"),
)


def _bare(word: str) -> str:
    """Return a word without differences in spelling: case, spaces, underscores, hyphens."""
    return "".join(char for char in word.casefold() if char.isalnum())


_MEANING = {_bare(word): row for row, words in enumerate(SYNONYMS) for word in words}
_OPPOSITES = {_MEANING[word] for word in ("off", "on", "locked", "unlocked")}


def _itself(word: str) -> str:
    return word


def _meaning(word: str) -> int | None:
    return _MEANING.get(_bare(word))


_READINGS: tuple[tuple[Callable[[str], str | int | None], Callable[[str], str | int | None]], ...] = (
    (_itself, _itself),
    (marked_label, _itself),
    (plain_label, _itself),
    (_bare, _bare),
    (_meaning, _meaning),
)
"""How an option and a label are compared: first exactly, as in a generated thing model, last by their meaning."""


@lru_cache(maxsize=512)
def pair(options: tuple[str, ...], items: tuple[tuple[int, str], ...]) -> dict[str, int]:
    """Return the item for each option that has exactly one: with its name or label, or the only one of the same meaning.

    No two options share an item, so a value converted to the other side and back is the same.
    """
    pairs: dict[str, int] = {}
    for read_option, read_label in _READINGS:
        free_options = [option for option in options if option not in pairs]
        free_items = {key: label for key, label in items if key not in pairs.values()}
        by_option = _grouped((read_option(option), option) for option in free_options)
        by_item = _grouped((read_label(label), key) for key, label in free_items.items())
        for name, same_options in by_option.items():
            same_items = by_item.get(name, [])
            if name not in (None, "") and len(same_options) == len(same_items) == 1:
                pairs[same_options[0]] = same_items[0]
    return pairs


def _grouped[Name, Member](named: Iterable[tuple[Name, Member]]) -> dict[Name, list[Member]]:
    groups: dict[Name, list[Member]] = {}
    for name, member in named:
        groups.setdefault(name, []).append(member)
    return groups


@lru_cache(maxsize=512)
def no_and_yes(words: tuple[str, str], items: tuple[tuple[int, str], ...]) -> tuple[int, int] | None:
    """Return the items for two opposite words: by their labels, else 0 and 1; None if the labels don't tell.

    Labels that are another pair of opposites don't tell: whether an open switch means a locked door is up to the user.
    """
    pairs = pair(words, items)
    no, yes = (pairs.get(word) for word in words)
    keys = [key for key, _ in items]
    if len(keys) == 2:
        no = next(key for key in keys if key != yes) if no is None and yes is not None else no
        yes = next(key for key in keys if key != no) if yes is None and no is not None else yes
    if no is not None and yes is not None:
        return no, yes
    if any(_MEANING.get(_bare(label)) in _OPPOSITES for _, label in items):
        return None
    return (0, 1) if not keys or sorted(keys) == [0, 1] else None
