"""Names of entities and properties as sets of meanings, so that `客厅温度` matches `sensor.living_room_temperature`."""

from functools import lru_cache
import re

# Each row has the words for one thing; the first one is its meaning. English words of several parts have no spaces.
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
    ("volume", "音量"),
    ("mute", "muteswitch", "静音"),
    ("source", "inputsource", "信号源", "输入源"),
    ("soundmode", "音效"),
    ("playback", "playstate", "playstatus", "播放状态"),
    ("repeat", "repeatmode", "playmode", "循环", "循环播放", "播放模式"),
    ("shuffle", "随机播放"),
    ("title", "mediatitle", "标题", "歌名", "曲目"),
    ("artist", "mediaartist", "艺术家", "歌手"),
    ("album", "mediaalbum", "专辑"),
    ("mediaplayer", "player", "播放器"),
    ("speaker", "音箱", "音响"),
    ("television", "tv", "电视", "电视机"),
    ("weather", "weathercondition", "天气", "天气状况"),
    ("winddirection", "windbearing", "风向"),
    ("gust", "gusts", "windgust", "windgustspeed", "阵风"),
    ("visibility", "能见度"),
    ("dewpoint", "露点"),
    ("apparent", "体感"),
    ("cloudcover", "cloudcoverage", "云量"),
    ("uvindex", "uv", "紫外线", "紫外线指数"),
    ("ozone", "o3", "臭氧"),
    ("sun", "太阳"),
    ("sunrise", "nextsunrise", "nextrising", "日出", "下次日出"),
    ("sunset", "nextsunset", "nextsetting", "日落", "下次日落"),
    ("elevation", "高度角"),
    ("azimuth", "方位角"),
    ("athome", "在家"),
    ("zone", "区域"),
    ("geolocation", "location", "地理位置", "定位"),
    ("accuracy", "精度"),
    ("phone", "手机"),
    ("scene", "场景"),
    ("script", "脚本"),
    ("automation", "自动化"),
    ("button", "按钮", "按键"),
    ("update", "更新", "升级"),
    ("version", "版本"),
    ("operation", "curtainoperation", "操作"),
    ("command", "指令", "命令"),
    ("effect", "lighteffect", "灯效", "光效", "灯光效果"),
    ("hsv", "hsvcolor", "颜色和亮度"),
    ("oscillation", "oscillating", "shakehead", "摇头"),
    ("direction", "转向"),
    ("gear", "档位", "风速档位"),
    ("horizontal", "左右"),
    ("tone", "ringtone", "铃声"),
    ("duration", "时长", "持续时间"),
    ("remaining", "remainingtime", "timeleft", "剩余时间", "剩余"),
    ("finish", "finishtime", "finishesat", "结束时间"),
    ("suction", "suctionpower", "吸力"),
    ("activity", "活动", "运行状态"),
    ("armmode", "布防模式", "布防"),
    ("alarm", "报警"),
    ("count", "计数"),
    ("away", "awaymode", "离家模式"),
    ("valve", "阀门", "水阀"),
    ("humidifier", "加湿器"),
    ("dehumidifier", "除湿机", "除湿器"),
    ("waterheater", "boiler", "热水器"),
    ("siren", "警报器", "警号"),
    ("vacuum", "vacuumcleaner", "扫地机", "扫地机器人"),
    ("lawnmower", "mower", "割草机"),
    ("counter", "计数器"),
    ("timer", "定时器", "计时器", "倒计时"),
    ("remote", "遥控器"),
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

# Words that don't tell one property from another.
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
    """Return the meanings of the words in a name, whatever their language, case and spelling."""
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
    """Return the meanings in an English name; up to three parts may be one word, as in PM 2.5."""
    words: list[str] = []
    start = 0
    while start < len(parts):
        length = next((size for size in (3, 2, 1) if "".join(parts[start : start + size]) in _MEANING), 1)
        word = "".join(parts[start : start + length])
        words.append(_MEANING.get(word, word))
        start += length
    return words


def _cut(text: str) -> list[str]:
    """Return the meanings in a Chinese name: of the longest known words, and the text between them."""
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
