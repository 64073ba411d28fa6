"""Names of entities and properties as sets of meanings, so that `客厅温度` is found in `sensor.living_room_temperature`."""

from functools import lru_cache
import re

# Each row names one thing; its first word stands for all. English words of several parts are written without a blank.
MEANINGS = (
    ("temperature", "temp", "温度", "室温"),
    ("humidity", "湿度", "相对湿度"),
    ("brightness", "亮度"),
    ("colortemperature", "colourtemperature", "colortemp", "色温"),
    ("color", "colour", "rgb", "rgbcolor", "颜色", "彩色"),
    ("illuminance", "lux", "照度", "光照", "光照度"),
    ("switch", "power", "powerswitch", "开关", "电源", "电源开关"),
    ("mode", "hvacmode", "workmode", "模式", "工作模式"),
    ("fanspeed", "windspeed", "fanmode", "风速", "风量"),
    ("swing", "摆风", "扫风"),
    ("preset", "presetmode", "预设", "预设模式"),
    ("target", "setpoint", "目标", "设定", "设置"),
    ("lowest", "low", "最低"),
    ("highest", "high", "最高"),
    ("battery", "batterypercentage", "batterylevel", "电量", "电池", "电池电量"),
    ("energy", "energytotal", "consumption", "powerconsumption", "用电量", "电能", "总用电量", "能耗"),
    ("watts", "activepower", "realtimepower", "powerload", "功率", "实时功率"),
    ("voltage", "rmsvoltage", "powervoltage", "电压"),
    ("electriccurrent", "rmscurrent", "powercurrent", "电流"),
    ("pressure", "气压", "压力"),
    ("noise", "噪声", "噪音"),
    ("pm25", "细颗粒物"),
    ("pm10",),
    ("co2", "carbondioxide", "二氧化碳"),
    ("co", "carbonmonoxide", "一氧化碳"),
    ("tvoc", "voc", "volatileorganiccompounds", "挥发性有机物"),
    ("hcho", "formaldehyde", "甲醛"),
    ("motion", "移动", "人体", "人体感应"),
    ("occupancy", "presence", "有人", "存在"),
    ("contact", "opening", "门磁"),
    ("smoke", "烟雾", "烟感"),
    ("gas", "燃气", "煤气"),
    ("leak", "moisture", "waterleak", "水浸", "漏水"),
    ("position", "位置", "开度"),
    ("tilt", "角度"),
    ("cover", "curtain", "blind", "shutter", "窗帘", "卷帘", "百叶"),
    ("door", "门"),
    ("window", "窗", "窗户"),
    ("lock", "locked", "门锁", "上锁"),
    ("light", "lamp", "灯", "灯光", "照明"),
    ("main", "主"),
    ("climate", "airconditioner", "ac", "空调"),
    ("thermostat", "温控", "温控器"),
    ("heater", "heating", "暖气", "地暖", "取暖"),
    ("fan", "风扇"),
    ("outlet", "socket", "plug", "插座"),
    ("pump", "水泵"),
    ("livingroom", "lounge", "客厅"),
    ("bedroom", "卧室"),
    ("kitchen", "厨房"),
    ("bathroom", "卫生间", "浴室", "洗手间"),
    ("study", "office", "书房", "办公室"),
    ("diningroom", "餐厅"),
    ("balcony", "阳台"),
    ("hallway", "corridor", "hall", "走廊", "过道", "玄关"),
    ("garage", "车库"),
    ("garden", "花园", "院子"),
    ("outdoor", "outside", "室外", "户外"),
    ("indoor", "inside", "室内"),
)

# What says nothing about the thing itself.
EMPTY = frozenset(
    {
        "current",
        "measured",
        "real",
        "time",
        "value",
        "status",
        "state",
        "sensor",
        "data",
        "reading",
        "the",
        "of",
        "a",
        "当前",
        "实时",
        "时间",
        "数值",
        "值",
        "状态",
        "传感器",
        "数据",
        "的",
    }
)

_MEANING = {word: row[0] for row in MEANINGS for word in row}
_LONGEST_CHINESE = max(len(word) for word in _MEANING if not word.isascii())
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")


@lru_cache(maxsize=4096)
def meanings(name: str) -> frozenset[str]:
    """Return what a name is about, in words that don't depend on language, case or spelling."""
    found: list[str] = []
    latin: list[str] = []
    for part in _PARTS.findall(name):
        if part.isascii():
            latin.append(part.lower())
        else:
            found += [*_joined(latin), *_cut(part)]
            latin.clear()
    found += _joined(latin)
    return frozenset(word for word in found if word not in EMPTY)


def _joined(parts: list[str]) -> list[str]:
    """Return the words of an English name; up to three parts may be one word, as in PM 2.5."""
    words: list[str] = []
    start = 0
    while start < len(parts):
        length = next((size for size in (3, 2, 1) if "".join(parts[start : start + size]) in _MEANING), 1)
        word = "".join(parts[start : start + length])
        words.append(_MEANING.get(word, word))
        start += length
    return words


def _cut(text: str) -> list[str]:
    """Return the words of a Chinese name: the longest known ones, and what stands between them."""
    words: list[str] = []
    unknown = ""
    start = 0
    while start < len(text):
        for length in range(min(_LONGEST_CHINESE, len(text) - start), 0, -1):
            word = text[start : start + length]
            if word in _MEANING or word in EMPTY:
                words += [*([unknown] if unknown else []), _MEANING.get(word, word)]
                unknown = ""
                start += length
                break
        else:
            unknown += text[start]
            start += 1
    return [*words, unknown] if unknown else words
