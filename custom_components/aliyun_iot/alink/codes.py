"""Every code of the platform: its name, its meaning and what can be done about it.

The table is used by replies, repair issues and the documentation. Sources: `docs/protocol.md` §7.1 (codes a device may
return, of which 100000 to 110000 are its own to define) and §7.2 (codes of the cloud).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

from .i18n import is_chinese


class Code(IntEnum):
    """The codes this device returns."""

    SUCCESS = 200
    INTERNAL_ERROR = 400
    TOO_BUSY = 429
    PARAMETER_ERROR = 460

    NOT_MAPPED = 100001
    READ_ONLY = 100002
    NOT_ALLOWED = 100003
    UNAVAILABLE = 100004
    ACTION_FAILED = 100005
    TIMED_OUT = 100006
    UNKNOWN = 100007
    TYPE_WRONG = 100008
    OUT_OF_RANGE = 100009
    DRY_RUN = 100010
    LOOP = 100011


DEVICE_CODES: Final = frozenset({401, 403, 520, 521, 522, 6100, 6204, 6208, 6209})
"""Codes that concern the device or the account, not the request."""

RETRY_CODES: Final = DEVICE_CODES | {Code.INTERNAL_ERROR, Code.TOO_BUSY, 500, 6313, 6661, 6760}
"""Codes after which the same request may succeed later (`docs/protocol.md` §7.2)."""


@dataclass(frozen=True, slots=True)
class CodeText:
    """The meaning of a code: `meaning` as a key, `en` and `zh` as sentences for users."""

    meaning: str
    en: str
    zh: str


def describe(code: int, language: str = "en") -> str:
    """Return the meaning of `code`, in simplified Chinese for a `language` that starts with `zh`, otherwise in English."""
    chinese = is_chinese(language)
    if text := CODES.get(code):
        return text.zh if chinese else text.en
    return f"平台返回了未知的代码 {code}。" if chinese else f"The platform replied with the unknown code {code}."


_SCRIPT_EN: Final = "Check the data parsing script of the product in the console."
_SCRIPT_ZH: Final = "请在控制台检查该产品的数据解析脚本。"

# fmt: off
CODES: Final[Mapping[int, CodeText]] = MappingProxyType({
    # What this device returns
    Code.SUCCESS: CodeText("success", "Success.", "成功。"),
    Code.INTERNAL_ERROR: CodeText("internal_error", "Something went wrong while the request was processed. Try again later.", "处理请求时发生内部错误，请稍后重试。"),
    Code.TOO_BUSY: CodeText("too_many_requests", "Too many requests in a short time. Send less often and try again later.", "短时间内请求过多，请降低发送频率后重试。"),
    Code.PARAMETER_ERROR: CodeText("parameter_error", "The parameters of the request are missing or malformed.", "请求参数缺失或格式错误。"),
    Code.NOT_MAPPED: CodeText("not_mapped", "Nothing in Home Assistant is bound to this identifier. Add a binding for it.", "该标识符没有绑定 Home Assistant 中的任何对象，请先添加绑定。"),
    Code.READ_ONLY: CodeText("read_only", "This property can only be read.", "该属性只读。"),
    Code.NOT_ALLOWED: CodeText("not_allowed", "The cloud may not do this, or not now. If it should, change the binding or the condition.", "不允许云端这样做，或者当前不允许。如确有需要，请修改绑定或条件。"),
    Code.UNAVAILABLE: CodeText("entity_unavailable", "The entity is unavailable or no longer exists in Home Assistant.", "该实体在 Home Assistant 中不可用或已不存在。"),
    Code.ACTION_FAILED: CodeText("action_failed", "The action failed in Home Assistant. The message of the reply says why.", "Home Assistant 执行动作失败，原因见应答中的 message。"),
    Code.TIMED_OUT: CodeText("action_timed_out", "The action did not finish in time. It may still take effect.", "动作未能按时完成，但之后仍可能生效。"),
    Code.UNKNOWN: CodeText("unknown_identifier", "The thing model has no such identifier. Reload the thing model if it was changed in the console.", "物模型中没有该标识符。如果在控制台修改过物模型，请重新导入。"),
    Code.TYPE_WRONG: CodeText("wrong_type", "The value has another type than the thing model defines.", "值的类型与物模型定义不符。"),
    Code.OUT_OF_RANGE: CodeText("out_of_range", "The value is outside the range that the thing model or the entity allows.", "值超出了物模型或实体允许的范围。"),
    Code.DRY_RUN: CodeText("dry_run", "The command is valid, but the dry run is on, so nothing was done.", "命令有效，但已开启演练模式，未实际执行。"),
    Code.LOOP: CodeText("loop", "The property is paused, because a cloud rule and an automation kept triggering each other.", "云端规则与自动化互相触发形成循环，该属性已暂停控制。"),
    # Identity and state of the device
    401: CodeText("unauthorized", "The signature of the request is wrong. Check the device secret.", "请求签名错误，请检查设备密钥（DeviceSecret）。"),
    403: CodeText("forbidden", "The platform forbids the request, usually because a payment is overdue. Check the account.", "请求被平台禁止，通常是因为欠费，请检查阿里云账号。"),
    404: CodeText("not_found", "The platform does not know this device or service.", "平台上不存在该设备或服务。"),
    427: CodeText("connected_elsewhere", "Another connection uses the identity of this device. Make sure that each device triple is used only once.", "该设备已在别处上线。请确保每个设备三元组只在一处使用。"),
    428: CodeText("too_many_sub_devices", "The gateway has too many sub-devices. Use several gateways.", "网关下的子设备过多，请使用多个网关。"),
    500: CodeText("server_error", "The platform had an internal error. Try again later.", "平台内部错误，请稍后重试。"),
    520: CodeText("no_session", "The device has no session. It has to log in again.", "设备会话不存在，需要重新登录。"),
    521: CodeText("device_deleted", "The device was deleted in the console. Create it again or remove it here.", "设备已在控制台被删除，请重新创建，或在此移除。"),
    522: CodeText("device_disabled", "The device is disabled. Enable it in the console.", "设备已被禁用，请在控制台启用。"),
    5005: CodeText("product_query_failed", "The platform could not look up the product. Check the product key.", "平台查询产品失败，请检查 ProductKey。"),
    5159: CodeText("property_definition_query_failed", "The platform could not look up the properties of the thing model. Try again later.", "平台查询物模型的属性定义失败，请稍后重试。"),
    5160: CodeText("event_definition_query_failed", "The platform could not look up the events of the thing model. Try again later.", "平台查询物模型的事件定义失败，请稍后重试。"),
    5161: CodeText("service_definition_query_failed", "The platform could not look up the services of the thing model. Try again later.", "平台查询物模型的服务定义失败，请稍后重试。"),
    5244: CodeText("lorawan_metadata_query_failed", "The platform could not look up the LoRaWAN data of the product.", "平台查询产品的 LoRaWAN 信息失败。"),
    6100: CodeText("device_not_found", "The device does not exist on the platform. Create it in the console.", "平台上不存在该设备，请在控制台创建。"),
    6104: CodeText("list_too_long", "A request may name at most 200 properties.", "单次请求最多包含 200 个属性。"),
    6106: CodeText("too_many_properties", "A message may carry at most 200 properties.", "单条消息最多上报 200 个属性。"),
    6107: CodeText("no_properties", "The message carries no property.", "消息中没有任何属性。"),
    6200: CodeText("script_missing", f"The product has no script. {_SCRIPT_EN}", f"产品没有脚本。{_SCRIPT_ZH}"),
    6201: CodeText("script_result_empty", f"The result of the script is empty. {_SCRIPT_EN}", f"脚本转换后的数据为空。{_SCRIPT_ZH}"),
    6202: CodeText("product_missing", "The product does not exist. Check the product key and the region.", "产品不存在，请检查 ProductKey 和地域。"),
    6203: CodeText("topic_unknown", "The platform does not know the topic.", "平台无法识别该 Topic。"),
    6204: CodeText("device_is_disabled", "The device is disabled. Enable it in the console.", "设备已被禁用，请在控制台启用。"),
    6207: CodeText("not_json", "The platform could not read the message as JSON. Check that the product uses the Alink data format.", "平台无法将消息解析为 JSON，请确认产品的数据格式为 Alink JSON。"),
    6208: CodeText("device_prohibited", "The device is disabled. Enable it in the console.", "设备处于禁用状态，请在控制台启用。"),
    6209: CodeText("device_not_active", "The device was never online, so the platform does not accept this yet.", "设备尚未激活，平台暂不接受该请求。"),
    6250: CodeText("product_not_found", "The product does not exist. Check the product key and the region.", "产品不存在，请检查 ProductKey 和地域。"),
    6280: CodeText("device_name_invalid", "The device name does not follow the rules of the platform.", "DeviceName 不符合平台规范。"),
    6287: CodeText("sign_invalid", "The signature is wrong. Check the device secret.", "签名错误，请检查设备密钥（DeviceSecret）。"),
    6288: CodeText("dynamic_registration_off", "Dynamic registration is switched off for the product. Switch it on in the console.", "产品未开启动态注册，请在控制台开启。"),
    6289: CodeText("already_active", "The device is already active, so its secret can't be fetched again. Copy it from the console.", "设备已激活，无法再次获取密钥，请从控制台复制。"),
    6292: CodeText("sign_method_unsupported", "The platform does not support this signature method.", "平台不支持该签名方法。"),
    # Values against the thing model
    6300: CodeText("method_missing", "The message has no method.", "消息缺少 method。"),
    6301: CodeText("params_wrong_shape", "The parameters must be an object or a list, as the thing model defines.", "参数必须是物模型所定义的对象或数组。"),
    6302: CodeText("parameter_missing", "A required input parameter is missing.", "缺少必填的输入参数。"),
    6303: CodeText("number_invalid", "A parameter is not a valid number.", "参数不是合法的数字。"),
    6304: CodeText("parameter_unknown", "The thing model does not define this parameter. Compare the thing model here with the one in the console.", "物模型中没有定义该参数，请核对此处与控制台的物模型。"),
    6305: CodeText("parameter_type_wrong", "A parameter has the wrong type.", "参数类型错误。"),
    6306: CodeText("int_invalid", "The value is not a whole number in the range of the thing model.", "值不是物模型范围内的整数（int）。"),
    6307: CodeText("float_invalid", "The value is not a single-precision number in the range of the thing model.", "值不是物模型范围内的单精度浮点数（float）。"),
    6308: CodeText("bool_invalid", "The value is neither 0 nor 1.", "布尔值（bool）只能是 0 或 1。"),
    6309: CodeText("enum_invalid", "The value is not an item of the enumeration in the thing model.", "值不在物模型的枚举（enum）项中。"),
    6310: CodeText("text_invalid", "The value is not a text, or longer than the thing model allows.", "值不是文本（text），或超过物模型规定的长度。"),
    6311: CodeText("date_invalid", "The value is not a date in milliseconds, written as text.", "日期（date）必须是字符串形式的毫秒时间戳。"),
    6312: CodeText("struct_invalid", "The value does not have exactly the members of the structure in the thing model.", "值的成员与物模型中的结构体（struct）不一致。"),
    6313: CodeText("validator_unavailable", "The platform can't check values at the moment. Try again later.", "平台的物模型服务暂不可用，请稍后重试。"),
    6314: CodeText("tsl_error_6314", "The platform failed to handle the thing model.", "平台处理物模型失败。"),
    6316: CodeText("tsl_error_6316", "The platform failed to handle the thing model.", "平台处理物模型失败。"),
    6317: CodeText("tsl_incomplete", "The thing model is incomplete. Check and publish it in the console.", "物模型不完整，请在控制台检查并发布。"),
    6318: CodeText("tsl_error_6318", "The platform failed to handle the thing model.", "平台处理物模型失败。"),
    6320: CodeText("property_missing", "The product has no such property. Compare the thing model here with the one in the console.", "产品没有该属性，请核对此处与控制台的物模型。"),
    6321: CodeText("identifier_missing", "The identifier is missing, or the product does not have this device.", "标识符为空，或该设备不属于此产品。"),
    6322: CodeText("double_invalid", "The value is not a double-precision number in the range of the thing model.", "值不是物模型范围内的双精度浮点数（double）。"),
    6323: CodeText("tsl_error_6323", "The platform failed to handle the thing model.", "平台处理物模型失败。"),
    6324: CodeText("array_invalid", "The value is not a list, or has more elements or other elements than the thing model allows.", "值不是数组（array），或元素的个数、类型不符合物模型。"),
    6325: CodeText("array_item_unsupported", "The platform does not support lists of this type.", "平台不支持该类型的数组元素。"),
    6326: CodeText("time_invalid", "The time is malformed or more than a day in the future. Check the clock of Home Assistant.", "时间格式错误，或比当前时间晚一天以上，请检查 Home Assistant 的时钟。"),
    6328: CodeText("not_a_list", "The value is not a list.", "值不是数组。"),
    6329: CodeText("tsl_error_6329", "The platform failed to handle the thing model.", "平台处理物模型失败。"),
    6356: CodeText("too_many_events", "A message may carry at most 20 events.", "单条消息最多上报 20 个事件。"),
    6357: CodeText("too_many_sub_devices_in_message", "A message may carry at most 20 sub-devices.", "单条消息最多包含 20 个子设备。"),
    # Gateway and registration
    6400: CodeText("topology_full", "The gateway has reached the maximum number of sub-devices. Use several gateways.", "网关的子设备数量已达上限，请使用多个网关。"),
    6401: CodeText("topology_missing", "The device is not a sub-device of this gateway. Add it to the topology first.", "该设备不在此网关的拓扑关系中，请先添加。"),
    6402: CodeText("topology_self", "A gateway can't be its own sub-device.", "网关不能添加自己为子设备。"),
    6450: CodeText("script_method_missing", f"The script's result names no Alink method. {_SCRIPT_EN}", f"脚本转换结果中没有 Alink method。{_SCRIPT_ZH}"),
    6600: CodeText("registration_sign_invalid", "The signature of the registration is wrong. Check the product secret.", "动态注册的签名错误，请检查 ProductSecret。"),
    6619: CodeText("bound_to_other_gateway", "The device belongs to another gateway. Remove it there first.", "设备已绑定到其他网关，请先在原网关下移除。"),
    # The rest of the platform
    6661: CodeText("desired_query_failed", "The platform could not look up the desired property values. Try again later.", "平台查询期望属性值失败，请稍后重试。"),
    6710: CodeText("no_remote_config", "The product has no remote configuration. Create one in the console if you need it.", "产品没有远程配置。如有需要，请在控制台创建。"),
    6713: CodeText("remote_config_off", "Remote configuration is not available for the product. Switch it on in the console.", "产品的远程配置不可用，请在控制台开启。"),
    6717: CodeText("log_config_type_invalid", "The request for the log configuration has an invalid `getType`.", "获取日志配置时 getType 不合法。"),
    6718: CodeText("log_config_scope_invalid", "The request for the log configuration has an invalid `configScope`.", "获取日志配置时 configScope 不合法。"),
    6760: CodeText("system_error", "The platform had a system error. Try again later.", "平台系统错误，请稍后重试。"),
    6813: CodeText("topic_illegal", "The platform does not accept the topic or the shape of the message.", "平台不接受该 Topic 或消息格式。"),
    9112: CodeText("ota_device_not_found", "The update service does not know the device.", "升级服务中不存在该设备。"),
    9201: CodeText("device_offline", "The device is offline, so the cloud could not reach it.", "设备离线，云端无法下发。"),
    26001: CodeText("parser_missing", f"The product has no data parsing script. {_SCRIPT_EN}", f"产品没有数据解析脚本。{_SCRIPT_ZH}"),
    26002: CodeText("parser_failed", f"The script failed. {_SCRIPT_EN}", f"脚本执行出错。{_SCRIPT_ZH}"),
    26006: CodeText("parser_incomplete", f"The script lacks a function it must have. {_SCRIPT_EN}", f"脚本缺少必需的函数。{_SCRIPT_ZH}"),
    26007: CodeText("parser_result_invalid", f"The script returns the wrong type. {_SCRIPT_EN}", f"脚本返回值类型错误。{_SCRIPT_ZH}"),
    26010: CodeText("parser_throttled", "The script runs too often. Send less.", "脚本调用过于频繁，请降低发送频率。"),
})
# fmt: on
