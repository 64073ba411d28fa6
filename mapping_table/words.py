"""The texts of the tables, in the languages of the documentation."""

from dataclasses import dataclass

from custom_components.aliyun_iot.mapping.aspect import Kind


@dataclass(frozen=True, slots=True)
class Words:
    """The texts in one language."""

    language: str
    """As `DataType.describe` takes it."""
    domain_heads: tuple[str, ...]
    device_class_heads: tuple[str, ...]
    kind_heads: tuple[str, ...]
    synonym_heads: tuple[str, ...]
    unit_heads: tuple[str, ...]
    unit_name_heads: tuple[str, ...]
    kinds: dict[Kind, str]
    quantities: dict[str, str]
    """Names for the keys of `units.quantities`."""
    of_class: str
    """Format with a device class."""
    either: str
    """Format of alternatives."""
    comma: str
    to: str
    step: str
    bracket: str
    """Format of a text with another one in brackets."""
    report_only: str
    command_only: str
    private: str
    alternative: str
    by_device_class: str
    risky_aspect: str
    always_risky: str
    risky_for: str
    """Format with the device classes."""


ENGLISH = Words(
    language="en",
    domain_heads=("aspect", "meaning", "values", "type", "standard identifiers", "actions of a set"),
    device_class_heads=("device class", "standard identifiers"),
    kind_heads=("values of the aspect", "data types"),
    synonym_heads=("Home Assistant option", "also recognized in a thing model"),
    unit_heads=("what is measured", "units"),
    unit_name_heads=("symbol", "also written as"),
    quantities={
        "apparent_power": "apparent power",
        "area": "area",
        "blood_glucose_concentration": "blood glucose, amount of substance per volume",
        "conductivity": "conductivity",
        "data_rate": "data rate",
        "distance": "length",
        "duration": "duration",
        "electric_current": "electric current",
        "voltage": "voltage",
        "energy": "energy",
        "energy_distance": "energy per distance",
        "frequency": "frequency",
        "information": "amount of data",
        "mass": "mass",
        "concentration": "mass per volume",
        "power": "power",
        "pressure": "pressure",
        "radiation_concentration": "radioactivity",
        "reactive_energy": "reactive energy",
        "reactive_power": "reactive power",
        "speed": "speed, precipitation rate",
        "temperature": "temperature",
        "unitless": "ratio",
        "volume": "volume",
        "volume_flow_rate": "volume flow",
        "Ah": "electric charge",
        "F": "capacitance",
        "H": "inductance",
        "N": "force",
        "N·m": "torque",
        "Nm³/h": "standard volume flow",
        "Pa·s": "dynamic viscosity",
        "S": "conductance",
        "T": "magnetic flux density",
        "V/m": "electric field",
        "VAh": "apparent energy",
        "W/m²": "irradiance",
        "kg/h": "mass flow",
        "lx": "illuminance",
        "m/s²": "acceleration",
        "mg/kg": "mass fraction",
        "mol": "amount of substance",
        "month": "months",
        "m²/s": "kinematic viscosity",
        "rpm": "speed of rotation",
        "°": "angle",
        "Ω": "resistance",
        "μSv/h": "dose rate",
    },
    of_class="device class {device_class}",
    either="{one} or {other}",
    kinds={
        Kind.BOOL: "yes or no",
        Kind.COLOR: "color",
        Kind.DATE: "time",
        Kind.ENUM: "option",
        Kind.LOCATION: "location",
        Kind.NUMBER: "number",
        Kind.RAW: "anything",
        Kind.TEXT: "text",
    },
    comma=", ",
    to="{low} to {high}",
    step="step {step}",
    bracket="{outside} ({inside})",
    report_only="– (report only)",
    command_only="command, never reported",
    private="never suggested",
    alternative="only for an existing property",
    by_device_class="by device class, see below",
    risky_aspect="must be confirmed",
    always_risky="Control must be confirmed.",
    risky_for="Control must be confirmed for the device class {classes}.",
)

CHINESE = Words(
    language="zh",
    domain_heads=("功能", "含义", "取值", "类型", "标准标识符", "云端设置时执行"),
    device_class_heads=("设备类别", "标准标识符"),
    kind_heads=("取值", "可用的数据类型"),
    synonym_heads=("Home Assistant 选项", "物模型中也可识别的名称"),
    unit_heads=("量", "单位"),
    unit_name_heads=("符号", "其他写法"),
    quantities={
        "apparent_power": "视在功率",
        "area": "面积",
        "blood_glucose_concentration": "血糖、物质的量浓度",
        "conductivity": "电导率",
        "data_rate": "数据速率",
        "distance": "长度",
        "duration": "时间",
        "electric_current": "电流",
        "voltage": "电压",
        "energy": "能量",
        "energy_distance": "单位里程能耗",
        "frequency": "频率",
        "information": "数据量",
        "mass": "质量",
        "concentration": "质量浓度",
        "power": "功率",
        "pressure": "压力",
        "radiation_concentration": "放射性浓度",
        "reactive_energy": "无功电能",
        "reactive_power": "无功功率",
        "speed": "速度、降水强度",
        "temperature": "温度",
        "unitless": "比例",
        "volume": "体积",
        "volume_flow_rate": "体积流量",
        "Ah": "电荷量",
        "F": "电容",
        "H": "电感",
        "N": "力",
        "N·m": "扭矩",
        "Nm³/h": "标准体积流量",
        "Pa·s": "动力黏度",
        "S": "电导",
        "T": "磁感应强度",
        "V/m": "电场强度",
        "VAh": "视在电能",
        "W/m²": "辐照度",
        "kg/h": "质量流量",
        "lx": "照度",
        "m/s²": "加速度",
        "mg/kg": "质量分数",
        "mol": "物质的量",
        "month": "月数",
        "m²/s": "运动黏度",
        "rpm": "转速",
        "°": "角度",
        "Ω": "电阻",
        "μSv/h": "剂量率",
    },
    of_class="设备类别 {device_class}",
    either="{one} 或 {other}",
    kinds={
        Kind.BOOL: "是或否",
        Kind.COLOR: "颜色",
        Kind.DATE: "时间",
        Kind.ENUM: "选项",
        Kind.LOCATION: "位置",
        Kind.NUMBER: "数值",
        Kind.RAW: "任意内容",
        Kind.TEXT: "文本",
    },
    comma="、",
    to="{low} 到 {high}",
    step="步长 {step}",
    bracket="{outside}（{inside}）",
    report_only="–（只上报）",
    command_only="指令，不上报",
    private="不会自动建议",
    alternative="只用于已有的属性",
    by_device_class="按设备类别，见下表",
    risky_aspect="须确认",
    always_risky="控制前需要确认。",
    risky_for="设备类别为 {classes} 时，控制前需要确认。",
)
