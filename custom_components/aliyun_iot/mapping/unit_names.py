"""The spellings of units: symbols as Home Assistant, the console and people write them, and words in English and Chinese.

The console offers about 130 units, each with a symbol (`kW·h`, `Mpa`, `c㎡`, `mm/hour`) and a Chinese name (千瓦时); people
type others. A spelling that can mean several units, such as ° or 度, is understood by the unit on the other side.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
import re
from typing import Final
import unicodedata

ALIASES: Final[Mapping[str, str]] = {
    "%": "%RH RH% RH",
    "B/s": "Bps",
    "GB/s": "GBps GB/S",
    "Gbit": "Gb",
    "Gbit/s": "Gbps Gb/s",
    "L/min": "LPM",
    "MB/s": "MBps MB/S",
    "Mbit": "Mb",
    "Mbit/s": "Mbps mbps Mb/s",
    "NTU": "浊度",
    "bit": "b",
    "bit/s": "bps b/s",
    "cm³": "cc",
    "dBA": "dB(A)",
    "ft³/min": "CFM",
    "gal/min": "GPM",
    "ha": "hm²",
    "kB": "KB",
    "kB/s": "kBps KBps KB/s KB/S",
    "kbit": "kb Kb",
    "kbit/s": "kbps Kbps kb/s Kb/s",
    "kcal/h": "KCL/h",
    "kn": "kt",
    "lx": "lux",
    "mired": "mireds 麦尔德",
    "mph": "mi/h",
    "psi": "lbf/in²",
    "pH": "PH值",
    "px": "pixel",
    "rpm": "r/min turn/m",
    "stepCount": "step steps",
    "°C": "oC degC",
    "°F": "oF degF",
}
"""Other symbols of units in Home Assistant's spelling, or in the usual one; those that only differ in case are left out."""

AMBIGUOUS: Final[Mapping[str, tuple[str, ...]]] = {
    "C": ("°C", "C"),
    "F": ("°F", "F"),
    "G": ("g", "Gs"),
    "H": ("h", "H"),
    "S": ("s", "S"),
    "T": ("t", "T"),
    "deg": ("°", "°C"),
    "degree": ("°", "°C"),
    "degrees": ("°", "°C"),
    "w": ("w", "W"),
    "°": ("°", "°C"),
    "分": ("min", "′"),
    "级": ("gear", "Beaufort"),
    "度": ("kWh", "°", "°C"),
    "秒": ("s", "″"),
}
"""Spellings of several units."""

UNCONVERTED: Final = (
    "CNY",
    "NTU",
    "UV index",
    "count",
    "dB",
    "dBA",
    "dBm",
    "gear",
    "lm",
    "pH",
    "pcs",
    "px",
    "stepCount",
)
"""Units that no other one can be converted to."""

WORDS: Final[Mapping[str, str]] = {
    # quotients
    "per": "/",
    "每": "/",
    # prefixes
    "kilo": "k",
    "hecto": "h",
    "deci": "d",
    "centi": "c",
    "milli": "m",
    "micro": "μ",
    "nano": "n",
    "pico": "p",
    "mega": "M",
    "giga": "G",
    "tera": "T",
    "千": "k",
    "百": "h",
    "厘": "c",
    "毫": "m",
    "微": "μ",
    "纳": "n",
    "皮": "p",
    "兆": "M",
    "吉": "G",
    "太": "T",
    # time
    "second": "s",
    "sec": "s",
    "minute": "min",
    "min": "min",
    "hour": "h",
    "hr": "h",
    "day": "d",
    "week": "w",
    "month": "month",
    "year": "y",
    "秒": "s",
    "秒钟": "s",
    "分": "min",
    "分钟": "min",
    "时": "h",
    "小时": "h",
    "日": "d",
    "天": "d",
    "周": "w",
    "星期": "w",
    "月": "month",
    "个月": "month",
    "年": "y",
    # temperature
    "celsius": "°C",
    "degreecelsius": "°C",
    "degreescelsius": "°C",
    "degcelsius": "°C",
    "fahrenheit": "°F",
    "degreefahrenheit": "°F",
    "degreesfahrenheit": "°F",
    "degfahrenheit": "°F",
    "kelvin": "K",
    "摄氏度": "°C",
    "摄氏": "°C",
    "华氏度": "°F",
    "华氏": "°F",
    "开尔文": "K",
    "开": "K",
    # length, area, volume
    "meter": "m",
    "metre": "m",
    "inch": "in",
    "inches": "in",
    "foot": "ft",
    "feet": "ft",
    "yard": "yd",
    "mile": "mi",
    "squaremeter": "m²",
    "squaremetre": "m²",
    "cubicmeter": "m³",
    "cubicmetre": "m³",
    "cubicfoot": "ft³",
    "cubicfeet": "ft³",
    "hectare": "ha",
    "liter": "L",
    "litre": "L",
    "gallon": "gal",
    "米": "m",
    "分米": "dm",
    "公分": "cm",
    "公里": "km",
    "海里": "nmi",
    "英里": "mi",
    "英尺": "ft",
    "英寸": "in",
    "平米": "m²",
    "平方米": "m²",
    "平方分米": "dm²",
    "平方厘米": "cm²",
    "平方毫米": "mm²",
    "平方千米": "km²",
    "平方公里": "km²",
    "平方英尺": "ft²",
    "公顷": "ha",
    "立方": "m³",
    "立方米": "m³",
    "立方分米": "dm³",
    "立方厘米": "cm³",
    "立方毫米": "mm³",
    "立方千米": "km³",
    "立方英尺": "ft³",
    "标准立方米": "Nm³",
    "升": "L",
    "公升": "L",
    "加仑": "gal",
    # mass, force, pressure
    "gram": "g",
    "ton": "t",
    "tonne": "t",
    "pound": "lb",
    "ounce": "oz",
    "newton": "N",
    "pascal": "Pa",
    "bar": "bar",
    "克": "g",
    "公斤": "kg",
    "吨": "t",
    "公吨": "t",
    "磅": "lb",
    "盎司": "oz",
    "牛": "N",
    "牛顿": "N",
    "帕": "Pa",
    "帕斯卡": "Pa",
    "巴": "bar",
    "大气压": "atm",
    "标准大气压": "atm",
    "毫米汞柱": "mmHg",
    "毫米水柱": "mmH₂O",
    "米水柱": "mH₂O",
    # electricity and energy
    "volt": "V",
    "ampere": "A",
    "amp": "A",
    "watt": "W",
    "hertz": "Hz",
    "joule": "J",
    "calorie": "cal",
    "ohm": "Ω",
    "farad": "F",
    "henry": "H",
    "siemens": "S",
    "coulomb": "C",
    "tesla": "T",
    "伏": "V",
    "伏特": "V",
    "安": "A",
    "安培": "A",
    "瓦": "W",
    "瓦特": "W",
    "乏": "var",
    "赫": "Hz",
    "赫兹": "Hz",
    "焦": "J",
    "焦耳": "J",
    "卡": "cal",
    "卡路里": "cal",
    "大卡": "kcal",
    "度": "kWh",
    "电子伏": "eV",
    "电子伏特": "eV",
    "欧": "Ω",
    "欧姆": "Ω",
    "法": "F",
    "法拉": "F",
    "亨": "H",
    "亨利": "H",
    "西": "S",
    "西门子": "S",
    "分西门子": "dS",
    "库": "C",
    "库仑": "C",
    "特斯拉": "T",
    "高斯": "Gs",
    # light, sound, radiation
    "lumen": "lm",
    "candela": "cd",
    "decibel": "dB",
    "becquerel": "Bq",
    "sievert": "Sv",
    "勒": "lx",
    "勒克斯": "lx",
    "照度": "lx",
    "流明": "lm",
    "坎德拉": "cd",
    "分贝": "dB",
    "贝克": "Bq",
    "贝可": "Bq",
    "贝克勒尔": "Bq",
    "西弗": "Sv",
    # shares, amounts, data
    "percent": "%",
    "percentage": "%",
    "permille": "‰",
    "partspermillion": "ppm",
    "partsperbillion": "ppb",
    "mole": "mol",
    "byte": "B",
    "百分比": "%",
    "百分率": "%",
    "百分数": "%",
    "百分之": "%",
    "相对湿度": "%",
    "千分比": "‰",
    "千分率": "‰",
    "千分之一": "‰",
    "百万分率": "ppm",
    "百万分比": "ppm",
    "百万分之一": "ppm",
    "十亿分率": "ppb",
    "十亿分比": "ppb",
    "十亿分之一": "ppb",
    "摩": "mol",
    "摩尔": "mol",
    "比特": "bit",
    "位": "bit",
    "字节": "B",
    "像素": "px",
    # angles, turns, speeds
    "radian": "rad",
    "knot": "kn",
    "revolution": "r",
    "rev": "r",
    "turn": "r",
    "弧度": "rad",
    "角度": "°",
    "角分": "′",
    "角秒": "″",
    "转": "r",
    "节": "kn",
    "厘泊": "cP",
    "厘斯": "cSt",
    # counts and money
    "元": "CNY",
    "¥": "CNY",
    "rmb": "CNY",
    "piece": "pcs",
    "个": "pcs",
    "次": "count",
    "步": "stepCount",
    "档": "gear",
    "档位": "gear",
    "挡": "gear",
    "level": "gear",
}
"""The words that names of units consist of, such as 微克每立方米 or milligrams per liter; English ones may end in s."""

MEGA = "M"

_PER = re.compile(r"\bper\b", re.IGNORECASE)
_IGNORED = re.compile(r"[\s·⋅•*^_]|\.(?![0-9])")
_SYMBOLS = {
    form: symbol for word, symbol in WORDS.items() for form in ((word, f"{word}s") if word.isascii() else (word,))
}
_WORD = re.compile("|".join(sorted(_SYMBOLS, key=len, reverse=True)))


class UnitNames:
    """The spellings of some units, which are given in Home Assistant's spelling or in the usual one."""

    def __init__(self, units: Iterable[str]) -> None:
        """Index the spellings of these units and of those that can't be converted."""
        meanings: dict[str, tuple[str, ...]] = {
            _plain(alias): (unit,) for unit, listed in ALIASES.items() for alias in listed.split()
        }
        meanings |= {_plain(unit): (unit,) for unit in (*units, *UNCONVERTED)}
        meanings |= {_plain(spelling): meant for spelling, meant in AMBIGUOUS.items()}
        folded: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for spelling, meant in meanings.items():
            folded[spelling.casefold()] |= dict.fromkeys(meant)
        self._meanings = meanings
        self._folded = {spelling: tuple(meant) for spelling, meant in folded.items()}

    def meant_by(self, unit: str) -> tuple[str, ...]:
        """Return the units that a spelling can mean; one that is not known means itself.

        A spelling in unusual case means all units that differ from it in case only: `KWH` is kWh, but `mpa` can be mPa and
        MPa. A capital M is mega where there is such a unit.
        """
        spelling = _plain(unit)
        if meant := self._meanings.get(spelling):
            return meant
        symbols = "/".join(map(_in_symbols, spelling.split("/")))
        if meant := self._meanings.get(symbols):
            return meant
        found = self._folded.get(symbols.casefold(), (symbols,))
        mega = tuple(each for each in found if symbols.startswith(MEGA) and each.startswith(MEGA))
        return mega or found


def _plain(unit: str) -> str:
    """Return a spelling without the differences that never matter: kW·h and kW h, m³ and m3, ℃ and °C, μ and u."""
    text = unicodedata.normalize("NFKC", _PER.sub("/", unit)).replace("\N{GREEK SMALL LETTER MU}", "u")
    return _IGNORED.sub("", text).replace("每", "/")


def _in_symbols(part: str) -> str:
    """Return a part of a quotient with words as symbols, unchanged unless it consists of words."""
    words, symbols, position = part.casefold(), "", 0
    while position < len(words):
        if not (word := _WORD.match(words, position)):
            return part
        symbols += _SYMBOLS[word.group()]
        position = word.end()
    return _plain(symbols)
