"""Labels that people use: gears, speeds, modes and the rest, in English and Chinese."""

from collections import Counter

from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.mapping.suggest.pairing import pair
from custom_components.aliyun_iot.mapping.suggest.synonyms import GEARS, NEAR, SYNONYMS, bare, gear, meaning

MEANINGS = {row[0] for row in SYNONYMS}


def pairs(options: str, labels: str) -> dict[str, str]:
    """Return the label for each option; both are lists with slashes."""
    items = tuple(enumerate(labels.split("/")))
    return {option: dict(items)[item] for option, item in pair(tuple(options.split("/")), items).items()}


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        # gears and speeds
        ("1/2/3", "1档/2档/3档"),
        ("1/2/3", "一档/二档/三档"),
        ("level 1/level 2/level 3", "1级/2级/3级"),
        ("speed_1/speed_2/speed_3", "1挡/2挡/3挡"),
        ("Level1/Level2/Level3/Level4/Level5", "第1档/第2档/第3档/第4档/第5档"),
        ("auto/1/2/3/4/5", "自动/风速1/风速2/风速3/风速4/风速5"),
        ("10/11/12", "十档/十一档/十二档"),
        ("low/medium/high", "1档/2档/3档"),
        ("low/high", "一档/二档"),
        ("auto/low/medium/high", "自动/1档/2档/3档"),
        ("1/2/3", "低档/中档/高档"),
        ("low/medium/high", "微风/中风/强风"),
        ("auto/low/medium/high", "自动风/低风速/中风速/高风速"),
        ("auto/low/mid/high", "自动/低速/中速/高速"),
        ("low/medium_low/medium/medium_high/high", "低/中低/中/中高/高"),
        ("quiet/low/medium/high/turbo/auto", "静音风/低风/中风/高风/强劲/自动风"),
        ("silent/sleep/auto/normal", "静音/睡眠风/自动/正常风"),
        ("Natural wind/Sleep wind/Normal wind", "自然风/睡眠风/标准风"),
        ("min/low/medium/high/max", "最小/小/中/大/最大"),
        # swing
        ("off/vertical/horizontal/both", "关闭/上下/左右/上下左右"),
        ("off/vertical/horizontal/both", "固定/上下扫风/左右扫风/全部"),
        ("off/up_down/left_right", "关/上下摆风/左右摆风"),
        ("on/off", "摆动/停摆"),
        # modes
        ("off/cool/heat/fan_only/dry/auto", "关机/冷气/暖风/换气/抽湿/自动"),
        ("cool/heat/fan_only/dry/auto", "制冷模式/制热模式/送风模式/除湿模式/自动模式"),
        ("cool/heat/fan_only", "Cooling/Heating/Ventilation"),
        ("cool/heat", "COOL mode/HEAT mode"),
        ("heat/eco", "制暖/节能"),
        ("none/eco/away/boost/comfort/home/sleep", "无/节能/离家/速热/舒适/在家/睡眠"),
        ("eco/sleep/turbo", "ECO/睡眠模式/强劲"),
        ("normal/eco/boost/baby", "标准/节能/快速/宝宝"),
        ("electric/heat_pump/eco/performance/high_demand", "电加热/热泵/节能/高性能/大水量"),
        ("auto/normal/sleep/baby/comfort", "自动/普通/睡眠/婴儿/舒适"),
        ("humidifying/drying/idle/off", "加湿中/除湿中/空闲/关闭"),
        ("heating/cooling/idle/fan/drying", "制热中/制冷中/待机/送风/除湿"),
        # robots and washing
        ("quiet/balanced/turbo/max", "安静/标准/强力/最大"),
        ("Silent/Standard/Strong/MAX", "静音/标准/强力/最强"),
        ("cleaning/docked/idle/paused/returning/error", "清扫中/充电中/待机/暂停/回充中/故障"),
        ("start/pause/stop/return_to_base/locate/clean_spot", "开始/暂停/停止/回充/寻找/局部清扫"),
        ("wash/rinse/spin", "洗涤/漂洗/脱水"),
        # covers, playback, alarms, locks, presence, timers
        ("open/close/stop", "打开/关闭/停止"),
        ("open/close/stop", "上升/下降/停"),
        ("playing/paused/idle", "播放/暂停/停止"),
        ("playing/paused/idle/off", "正在播放/已暂停/空闲/关机"),
        ("off/all/one", "顺序播放/列表循环/单曲循环"),
        ("next/previous", "下一曲/上一曲"),
        ("disarmed/armed_home/armed_away/triggered", "撤防/在家布防/离家布防/报警"),
        ("disarmed/armed_away", "撤防/布防"),
        ("locked/unlocked/jammed", "已上锁/未上锁/卡住"),
        ("home/not_home", "在家/离家"),
        ("idle/active/paused", "停止/运行/暂停"),
        ("forward/reverse", "正转/反转"),
        # weather
        ("sunny/cloudy/rainy/snowy/fog", "晴天/阴/雨/雪/雾"),
        ("partlycloudy/pouring/snowy-rainy/lightning-rainy", "多云/暴雨/雨夹雪/雷阵雨"),
        # spelling
        ("fan_only/heat_cool", "FAN ONLY/Heat-Cool"),
        ("1/2", "１档/２档"),
    ],
)
def test_labels_are_understood(options: str, labels: str) -> None:
    """In the order of the options, and the same the other way round, as an entity may have Chinese options."""
    assert pairs(options, labels) == dict(zip(options.split("/"), labels.split("/"), strict=True))
    assert pairs(labels, options) == dict(zip(labels.split("/"), options.split("/"), strict=True))


@pytest.mark.parametrize(
    ("options", "labels", "found"),
    [
        ("low/medium/high", "1档/2档/3档/4档", {}),
        ("low/medium/high", "2档/3档/4档", {}),
        ("low/medium/high", "0档/1档/2档", {}),
        ("low/medium/high", "微风/低风/中风/高风", {"low": "低风", "medium": "中风", "high": "高风"}),
        ("low/high", "微风/超低", {}),
        ("high/turbo", "强风/最高", {}),
        ("idle", "停止/待机", {}),
        ("auto", "自动/智能", {"auto": "自动"}),
        ("smart/auto", "自动", {"auto": "自动"}),
        ("on/off", "断开/闭合", {}),
        ("locked/unlocked", "关闭/打开", {}),
        ("5/0.5", "5档/0.5档", {"5": "5档", "0.5": "0.5档"}),
        ("0.5/1", "5档/1档", {"1": "1档"}),
        ("-5/1", "5/1", {"1": "1"}),
        ("1:30/2", "130/2", {"2": "2"}),
        ("cool/heat", "强冷/制热", {"heat": "制热"}),
        ("open/closed", "打开中/关闭中", {}),
        ("HDMI 1/HDMI 2", "HDMI1/HDMI 2 (ARC)", {"HDMI 1": "HDMI1"}),
    ],
)
def test_nothing_is_guessed(options: str, labels: str, found: dict[str, str]) -> None:
    """What has no partner, or two, gets none."""
    assert pairs(options, labels) == found


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("1", 1),
        ("2档", 2),
        ("两档", 2),
        ("第三档", 3),
        ("4 级", 4),
        ("Level 5", 5),
        ("speed_6", 6),
        ("Fan speed 7", 7),
        ("gear8", 8),
        ("L9", 9),
        ("十档", 10),
        ("十二挡", 12),
        ("二十级", 20),
        ("二十三档", 23),
        ("１档", 1),
        ("100%", 100),
        ("3rd", 3),
        ("1.5", None),
        ("-1", None),
        ("1-2", None),
        ("HDMI 1", None),
        ("5 GHz", None),
        ("30 min", None),
        ("一", 1),
        ("中", None),
        ("", None),
    ],
)
def test_gears_in_any_spelling(word: str, number: int | None) -> None:
    """A number with a word for a gear, or alone."""
    assert gear(word) == number


def test_a_word_has_one_meaning() -> None:
    """Otherwise the order of the table would decide."""
    words = Counter(bare(word) for row in SYNONYMS for word in row)
    assert [word for word, count in words.items() if count > 1] == []
    assert all(meaning(word) == row[0] for row in SYNONYMS for word in row)


def test_related_meanings_exist() -> None:
    """They are rows of the table."""
    assert {name for group in NEAR for name in group} | set(GEARS) <= MEANINGS


WORDS = st.sampled_from([word for row in SYNONYMS for word in row] + [f"{number}档" for number in range(9)])
LISTS = st.lists(WORDS | st.text(max_size=4), max_size=10, unique=True)


@given(options=LISTS, labels=LISTS, near=st.booleans())
def test_no_item_is_used_twice(options: list[str], labels: list[str], *, near: bool) -> None:
    """A value that is converted to the other side and back is the same."""
    items = tuple((key * 7, label) for key, label in enumerate(labels))
    found = pair(tuple(options), items, near=near)
    assert found.keys() <= set(options)
    assert set(found.values()) <= {key for key, _ in items}
    assert len(set(found.values())) == len(found)


@given(st.data())
def test_equal_names_win(data: st.DataObject) -> None:
    """Whatever else an option could mean."""
    words = data.draw(st.lists(WORDS, min_size=1, max_size=6, unique=True))
    items = tuple(enumerate(data.draw(st.permutations(words))))
    assert pair(tuple(words), items) == {word: dict(map(reversed, items))[word] for word in words}
