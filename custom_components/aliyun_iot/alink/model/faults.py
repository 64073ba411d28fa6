"""Errors in the document of a thing model, in both languages.

Each follows the path of the place and a colon: `properties[3].dataType.type: is missing`.
"""

from typing import Final

from ..i18n import Words

# The document as a whole
NOT_UTF8: Final[Words] = ("this is not text in UTF-8", "这不是 UTF-8 编码的文本")
TOO_LONG: Final[Words] = (
    "this has {size} bytes; a thing model has at most {limit}",
    "共 {size} 字节，物模型最多 {limit} 字节",
)
NOT_JSON: Final[Words] = (
    "this is not JSON: {reason} at line {line}, column {column}",
    "第 {line} 行第 {column} 列不符合 JSON 格式",
)
TOO_DEEP: Final[Words] = ("this is nested too deeply", "嵌套层数过多")
LONG_NUMBER: Final[Words] = ("a number in this is too long", "其中有数字过长")
NO_DOCUMENT: Final[Words] = ("a thing model is an object, not {kind}", "物模型应为 JSON 对象，而不是{kind}")
NO_MODULES: Final[Words] = ("the list of modules is empty", "模块列表为空")
NO_MODEL: Final[Words] = (
    "a thing model has properties, events or services, but this has none of them",
    "其中没有属性、事件或服务，不是物模型",
)

BAD_ARCHIVE: Final[Words] = ("this archive can't be unpacked", "无法解压此压缩包")
EMPTY_ARCHIVE: Final[Words] = ("there is no JSON file in this archive", "压缩包中没有 JSON 文件")

# One place in it
MISSING: Final[Words] = ("is missing", "缺失")
NOT_AN_OBJECT: Final[Words] = ("must be an object, not {kind}", "应为对象，而不是{kind}")
NOT_A_LIST: Final[Words] = ("must be a list, not {kind}", "应为列表，而不是{kind}")
NO_IDENTIFIER: Final[Words] = ("must be letters, digits and underscores", "只能包含字母、数字和下划线")
TWICE: Final[Words] = ("'{identifier}' appears twice", "“{identifier}”重复出现")
COLON: Final[Words] = ("must not contain a colon", "不能包含冒号")
OTHER_MODULE: Final[Words] = ("belongs to another module than '{module}'", "不属于模块“{module}”")
NO_ACCESS: Final[Words] = ("must be r, rw or w", "应为 r、rw 或 w")
NO_EVENT_TYPE: Final[Words] = ("must be info, alert or error", "应为 info、alert 或 error")
NO_CALL_TYPE: Final[Words] = ("must be async or sync", "应为 async 或 sync")
NESTED: Final[Words] = ("is nested too deeply", "嵌套层数过多")
NO_TYPE: Final[Words] = ("must be {known}", "应为 {known} 之一")
UNKNOWN_TYPE: Final[Words] = ("must be {known}, not '{found}'", "应为 {known} 之一，而不是“{found}”")
NOT_A_NUMBER: Final[Words] = ("must be a number", "应为数字")
NOT_WHOLE: Final[Words] = ("must be a whole number", "应为整数")
NO_COUNT: Final[Words] = ("must be a whole number of at least 0", "应为不小于 0 的整数")
ABOVE_MAX: Final[Words] = ("is greater than max", "大于最大值 max")
NO_ITEM_NUMBER: Final[Words] = ("must number its item by an integer", "枚举项的编号应为整数")
ITEM_TWICE: Final[Words] = ("has two items numbered {number}", "有两个编号为 {number} 的枚举项")

# The kind of a value, for {kind}
NOTHING: Final[Words] = ("nothing", "空值")
TRUE_OR_FALSE: Final[Words] = ("true or false", "布尔值")
A_NUMBER: Final[Words] = ("a number", "数字")
TEXT: Final[Words] = ("text", "文本")
A_LIST: Final[Words] = ("a list", "列表")
AN_OBJECT: Final[Words] = ("an object", "对象")
