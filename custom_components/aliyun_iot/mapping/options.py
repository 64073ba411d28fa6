"""Options under different names: which item of a thing model means which option, in English and Chinese."""

from collections.abc import Iterable
from functools import lru_cache

# Each row names one meaning. Rows must not share a word.
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
)


def _bare(word: str) -> str:
    """Return a word without what people write differently: case, blanks, underscores, hyphens."""
    return "".join(char for char in word.casefold() if char.isalnum())


_MEANING = {_bare(word): row for row, words in enumerate(SYNONYMS) for word in words}
_OPPOSITES = {_MEANING[word] for word in ("off", "on", "locked", "unlocked")}


@lru_cache(maxsize=512)
def pair(options: tuple[str, ...], items: tuple[tuple[int, str], ...]) -> dict[str, int]:
    """Return the item for each option that has exactly one: of the same name, or else the only one of the same meaning.

    No two options share an item, so the way there and back ends where it began.
    """
    pairs: dict[str, int] = {}
    for read in (_bare, lambda word: _MEANING.get(_bare(word))):
        free_options = [option for option in options if option not in pairs]
        free_items = {key: label for key, label in items if key not in pairs.values()}
        by_option = _grouped((read(option), option) for option in free_options)
        by_item = _grouped((read(label), key) for key, label in free_items.items())
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
    """Return the items that stand for two opposite words: by their labels, else 0 and 1; None if there is no telling.

    Labels that are another pair of opposites are no hint: whether an open switch is a locked door is for the user to
    say.
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
