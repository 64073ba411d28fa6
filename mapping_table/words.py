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
    kinds: dict[Kind, str]
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
    alternative="alternative",
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
    alternative="另一种形式",
    by_device_class="按设备类别，见下表",
    risky_aspect="须确认",
    always_risky="控制前需要确认。",
    risky_for="设备类别为 {classes} 时，控制前需要确认。",
)
