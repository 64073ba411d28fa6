"""Units: which spellings mean the same, what is converted, and what is not."""

from itertools import permutations
from typing import Any

from homeassistant import const
from homeassistant.components.sensor.const import DEVICE_CLASS_UNITS
from hypothesis import given, strategies as st
import pytest

from custom_components.aliyun_iot.mapping.scaling import noise_free
from custom_components.aliyun_iot.mapping.units import CONVERTERS, converter, counts_steps, quantities, same

CONSOLE = """
mg/kg 毫克每千克|NTU 浊度|pH PH值|W/㎡ 瓦每平方米|mm/hour 毫米每小时|var 乏|cP 厘泊|pcs 个|cst 厘斯|bar 巴|uS/cm 微西每厘米
μS/cm 微西门子每厘米|N/C 牛顿每库仑|V/m 伏特每米|ml/min 毫升每分钟|mmHg 毫米汞柱|mm/s 毫米每秒|turn/m 转每分钟|count 次
gear 档|stepCount 步|Nm3/h 标准立方米每小时|kV 千伏|kVA 千伏安|kVar 千乏|uw/c㎡ 微瓦每平方厘米|%RH 相对湿度
m³/s 立方米每秒|kg/s 公斤每秒|r/min 转每分钟|t/h 吨每小时|KCL/h 千卡每小时|L/s 升每秒|Mpa 兆帕|m³/h 立方米每小时
kvarh 千乏时|μg/L 微克每升|kcal 千卡路里|GB 吉字节|MB 兆字节|KB 千字节|B 字节|ppm 百万分率|pixel 像素|Lux 照度|dB 分贝
% 百分比|lm 流明|bit 比特|g/mL 克每毫升|g/L 克每升|mg/L 毫克每升|μg/m³ 微克每立方米|mg/m³ 毫克每立方米|g/m³ 克每立方米
kg/m³ 千克每立方米|nF 纳法|pF 皮法|μF 微法|F 法拉|Ω 欧姆|μA 微安|mA 毫安|kA 千安|A 安培|mV 毫伏|V 伏特|ms 毫秒|s 秒
min 分钟|h 小时|day 日|week 周|month 月|year 年|kn 节|km/h 千米每小时|m/s 米每秒|″ 秒|′ 分|° 度|rad 弧度|Hz 赫兹|μW 微瓦
mW 毫瓦|kW 千瓦特|W 瓦特|cal 卡路里|kW·h 千瓦时|Wh 瓦时|eV 电子伏|kJ 千焦|J 焦耳|℉ 华氏度|K 开尔文|t 吨|°C 摄氏度
mPa 毫帕|hPa 百帕|kPa 千帕|Pa 帕斯卡|mg 毫克|g 克|kg 千克|N 牛|mL 毫升|L 升|mm³ 立方毫米|cm³ 立方厘米|km³ 立方千米
m³ 立方米|h㎡ 公顷|c㎡ 平方厘米|m㎡ 平方毫米|k㎡ 平方千米|㎡ 平方米|nm 纳米|μm 微米|mm 毫米|cm 厘米|dm 分米|km 千米
m 米|L/min 升每分钟|g/s 克每秒|mol 摩尔|mmol/L 毫摩尔每升|kWh 度|μSv/h 微西弗每小时|Bq/m³ 贝克每立方米|dS/m 分西门子每米
"""
"""Symbols and Chinese names of the console's units."""


@pytest.mark.parametrize("row", CONSOLE.strip().replace("\n", "|").split("|"))
def test_symbols_and_names_of_the_console_mean_the_same(row: str) -> None:
    """A thing model has the symbol, people write the name."""
    symbol, name = row.split(" ")
    assert same(symbol, name)


@pytest.mark.parametrize(
    ("unit", "spellings"),
    [
        ("°C", ["C", "c", "oC", "ºC", "℃", "° C", "degC", "celsius", "degrees Celsius", "°"]),
        ("°F", ["F", "oF", "℉", "Fahrenheit"]),
        ("kWh", ["KWh", "KWH", "kwh", "kW·h", "kW h", "kW*h", "千瓦特时", "千瓦小时", "kilowatt hours", "度"]),
        ("mm/h", ["mm/hour", "mm/hr", "MM/H", "毫米/小时", "mm/小时", "millimeters per hour"]),
        ("kB", ["KB", "kilobytes"]),
        ("kbit/s", ["kbps", "Kbps", "Kb/s", "kb/s"]),
        ("Mbit/s", ["Mbps", "mbps", "Mb/s", "兆比特每秒"]),
        ("MB/s", ["MB/S", "MBps", "兆字节/秒"]),
        ("μS/cm", ["uS/cm", "µS/cm", "us/cm", "US/CM"]),
        ("μmol", ["umol", "µmol", "微摩尔"]),
        ("rpm", ["RPM", "r/min", "rev/min", "转/分", "转每分钟", "revolutions per minute"]),
        ("dB", ["db", "DB", "分贝", "decibels"]),
        ("kg", ["KG", "公斤", "千克", "㎏", "kilograms"]),
        ("d", ["day", "days", "D", "日", "天"]),
        ("w", ["week", "weeks", "周", "星期"]),
        ("%", ["%RH", "% rh", "％", "percent", "百分比"]),
        ("lx", ["lux", "Lux", "LUX", "勒克斯"]),
        ("m³", ["m3", "m^3", "㎥", "立方米", "cubic meters"]),
        ("m³/h", ["m3/h", "M3/H", "m³/hour"]),
        ("kvar", ["kVar", "KVAR", "kVAr", "千乏"]),
        ("kVA", ["KVA", "kva"]),
        ("MPa", ["Mpa", "兆帕", "megapascals"]),
        ("MWh", ["MWH", "Mwh", "兆瓦时"]),
        ("L/min", ["l/min", "升/分钟", "liters per minute", "LPM"]),
        ("mg/m³", ["mg/m3", "MG/M3", "毫克/立方米"]),
        ("min", ["Min", "mins", "minute", "分", "分钟"]),
        ("h", ["H", "hr", "hour", "小时", "时"]),
        ("s", ["S", "sec", "second", "秒"]),
        ("W", ["w", "Watt", "瓦"]),
        ("t", ["T", "吨", "tonnes"]),
        ("CNY/kWh", ["元/度", "元/千瓦时", "¥/kWh"]),
        ("pcs", ["个", "pieces", "piece"]),
    ],
)
def test_spellings_of_people(unit: str, spellings: list[str]) -> None:
    """Case, spaces, dots and superscripts don't matter where they can't; words are understood in both languages."""
    assert [spelling for spelling in spellings if not same(unit, spelling)] == []
    assert [spelling for spelling in spellings if not same(spelling, unit)] == []


@pytest.mark.parametrize(
    ("unit", "other"),
    [
        ("mW", "MW"),
        ("MW", "mw"),
        ("mPa", "MPa"),
        ("MPa", "mpa"),
        ("kPa", "mpa"),
        ("Mb", "MB"),
        ("kB", "mb"),
        ("m³/h", "Nm³/h"),
        ("dB", "dBm"),
        ("dB", "dBA"),
        ("hPa", "°C"),
        ("%", "°C"),
        ("%", "档"),
        ("kWh", "kW"),
        ("m", "m²"),
        ("m", "M/s"),
        ("furlong", "m"),
        ("个", "次"),
        ("月", "d"),
        ("W", ""),
    ],
)
def test_other_units_are_not_the_same(unit: str, other: str) -> None:
    """The case of a prefix counts where both are units, and so does every other difference."""
    assert not same(unit, other)
    assert not same(other, unit)


@pytest.mark.parametrize(
    ("unit", "other"),
    [("MW", "mw"), ("kPa", "mpa"), ("kB", "mb"), ("dB", "dBm"), ("m³/h", "Nm³/h"), ("furlong", "m"), ("月", "d")],
)
def test_units_without_a_certain_conversion_have_none(unit: str, other: str) -> None:
    """Also a spelling that can mean two units of the same quantity, such as mpa."""
    assert converter(unit, other) is None
    assert converter(other, unit) is None


@pytest.mark.parametrize(
    ("value", "unit", "other", "converted"),
    [
        (1013.2, "hPa", "MPa", 0.10132),
        (0.3, "MPa", "bar", 3),
        (1.35, "mS/cm", "μS/cm", 1350),
        (1.35, "dS/m", "μS/cm", 1350),
        (72.5, "°F", "C", 22.5),
        (72.5, "°F", "°", 22.5),
        (90, "°", "rad", 1.570796327),
        (90, "°", "弧度", 1.570796327),
        (1500, "Wh", "度", 1.5),
        (1500, "VA", "千伏安", 1.5),
        (1500, "var", "千乏", 1.5),
        (1500, "varh", "千乏时", 1.5),
        (1500, "mA", "安培", 1.5),
        (230, "V", "毫伏", 230000),
        (1500, "g", "公斤", 1.5),
        (1500, "kg", "吨", 1.5),
        (1, "in/h", "mm/hour", 25.4),
        (1, "m³/h", "ml/min", 16666.666666667),
        (36, "km/h", "米每秒", 10),
        (36, "km/h", "级", 5),
        (1500, "kB", "MB", 1.5),
        (8, "Mbit/s", "MB/s", 1),
        (1500, "μg/m³", "毫克每立方米", 1.5),
        (1, "mg/L", "mg/m³", 1000),
        (45, "ppm", "ppb", 45000),
        (5, "%", "‰", 50),
        (100, "mg/dL", "mmol/L", 5.550621669627),
        (48, "h", "日", 2),
        (14, "d", "周", 2),
        (24, "month", "年", 2),
        (100, "Bq/m³", "pCi/L", 2.702702703),
        (10, "kWh/100km", "km/kWh", 10),
        (1, "kW/m²", "uw/cm2", 100000),
        (2, "r/s", "rpm", 120),
        (250, "mired", "K", 4000),
        (1, "kgf/cm²", "kPa", 98.0665),
        (1, "斤", "kg", 0.5),
    ],
)
def test_numbers_are_converted(value: float, unit: str, other: str, converted: float) -> None:
    """By Home Assistant, or by a factor for what it lacks."""
    convert = converter(unit, other)
    assert convert
    assert noise_free(convert(value)) == pytest.approx(converted, rel=1e-9)
    back = converter(other, unit)
    assert back
    assert noise_free(back(converted)) == pytest.approx(value, rel=1e-9) or "级" in (unit, other)


@pytest.mark.parametrize(
    ("device_class", "value", "unit", "other", "converted"),
    [
        ("carbon_monoxide", 1, "ppm", "mg/m³", 1.16),
        ("ozone", 100, "μg/m³", "ppb", 50),
        ("nitrogen_dioxide", 100, "μg/m³", "ppb", 52),
        ("temperature_delta", 9, "°F", "°C", 5),
        ("temperature", 9, "°F", "°C", -12.777777778),
    ],
)
def test_device_class_decides_between_conversions(
    device_class: str, value: float, unit: str, other: str, converted: float
) -> None:
    """Of gases, and of differences of temperatures."""
    convert = converter(unit, other, device_class)
    assert convert
    assert convert(value) == pytest.approx(converted, rel=0.02)
    if device_class not in ("temperature", "temperature_delta"):
        assert converter(unit, other) is None


def home_assistant_units() -> list[str]:
    """Return every unit that Home Assistant names."""
    named = {str(unit) for name in dir(const) if name.startswith("UnitOf") for unit in getattr(const, name)}
    by_class = {str(unit) for units in DEVICE_CLASS_UNITS.values() for unit in units if unit}
    return sorted((named | by_class) - {const.UnitOfTime.MONTHS, const.UnitOfTime.YEARS})


def test_units_of_home_assistant_stay_what_they_are() -> None:
    """No spelling of people hides one of them: what its own converters convert is converted the same."""
    for unit in home_assistant_units():
        assert same(unit, unit)
        for other in home_assistant_units():
            if own := next((each for each in CONVERTERS if {unit, other} <= each.VALID_UNITS), None):
                convert = converter(unit, other)
                assert convert, (unit, other)
                assert convert(3) == pytest.approx(own.convert(3, unit, other), rel=1e-9)
            elif not {"w", "°"} & {unit, other}:  # people also write them for watts and °C
                convert = converter(unit, other)
                assert (convert is None) is (unit != other and not _by_factors(unit, other)), (unit, other)


def _by_factors(unit: str, other: str) -> bool:
    return any({unit, other} <= {*units} for units in quantities().values())


QUANTITIES: dict[str, Any] = dict(quantities())


@given(st.data())
def test_every_listed_unit_is_converted_there_and_back(data: st.DataObject) -> None:
    """Within each quantity of the documentation."""
    units = QUANTITIES[data.draw(st.sampled_from(sorted(QUANTITIES)))]
    unit, other = data.draw(st.sampled_from(list(permutations(units, 2))))
    value = data.draw(st.floats(1, 1000))
    there, back = converter(unit, other), converter(other, unit)
    assert there
    assert back
    if "Beaufort" not in (unit, other):  # it has whole numbers only
        assert back(there(value)) == pytest.approx(value, rel=1e-6)


def test_quantities_have_no_unit_twice() -> None:
    """Otherwise a number could be converted in two ways."""
    units = [unit for units in quantities().values() for unit in units]
    assert len(units) == len(set(units))


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_text_can_be_a_unit(unit: str, other: str) -> None:
    """It equals itself, and is never converted into something else by accident of its spelling."""
    assert same(unit, unit)
    assert same(unit, other) is same(other, unit)
    assert (converter(unit, other) is None) is (converter(other, unit) is None)


def test_gears_are_recognised() -> None:
    """In the console's symbol and in words."""
    assert [unit for unit in ("gear", "档", "档位", "级", "Gear", "levels") if not counts_steps(unit)] == []
    assert not counts_steps("%")
