"""What the labels of a property say about an aspect that is yes or no, beyond the words of the aspect and their synonyms."""

from collections.abc import Callable
import re

from .suggest.synonyms import bare

type Says = Callable[[str], bool | None]
"""Whether a label means yes or no, None if it means neither."""


def says(no: str, yes: str) -> Says:
    """Return a function for labels that match a pattern as a whole, in any spelling; `no` is tried first."""
    patterns = (re.compile(no), False), (re.compile(yes), True)

    def read(label: str) -> bool | None:
        text = bare(label)
        return next((answer for pattern, answer in patterns if pattern.fullmatch(text)), None)

    return read


SWITCHED = says(
    no=r"停|停止|停机|断开|断电|分闸|释放|待机|stop|stopped|standby|inactive|disconnected",
    yes=r"运行|运行中|启动|工作|工作中|闭合|合闸|吸合|接通|通电|running|active|started?|working|connected",
)
"""Machines that run, relays that are closed."""

SOUNDING = says(
    no=r"[停未无不].*|解除.*|取消.*|正常|空闲|静音|normal|silent|stop.*|clear",
    yes=r".*(?:报警|告警|警报|警示|鸣).*|响.*|alarm.*|sounding|triggered",
)
"""Sirens."""

OSCILLATES = says(no=r"[停不未].*|固定.*|定向.*|fixed|stop.*", yes=r"摇.*|摆.*|扫风.*|swing.*|oscillat.*|shak.*")

MUTED = says(
    no=r"(?:取消|解除|[未非不])静音|有声|正常|unmuted?|notmuted|sound|normal",
    yes=r"已?静音|muted?|silent|silence",
)

SHUFFLED = says(
    no=r"[不非]随机.*|顺序.*|列表.*|按序.*|order.*|sequen.*|list.*", yes=r"随机.*|乱序.*|shuffled?|random.*"
)

AT_HOME = says(
    no=r"不在.*|离.*|[未无].*|外出.*|absent|away|nothome|out|nobody", yes=r"在.*|有人|到家|回家|home|athome|present"
)

AWAY_FROM_HOME = says(no=r"在家.*|[未非不].*|正常|home|normal", yes=r"离家.*|外出.*|away.*")

LOCKED = says(no=r"(?:未|已?开|已?解).*锁|unlock.*", yes=r"已?(?:[上关反闭落].*锁|锁.*)|lock.*")

OPENED = says(no=r"(?:[全已]|完全)*(?:关|闭|合).*|closed?.*|shut.*", yes=r"(?:[全已]|完全)*(?:打开|开|敞).*|open.*")

UP_TO_DATE = says(
    no=r"[无没未].*|已?是?最新.*|uptodate|latest|none|no|no(?:update|new).*",
    yes=r"[有可].*|新版本|.*(?:更新|升级)|available|update.*",
)

WORKING = says(no=r"空闲|[未无没].*|.*完成|idle|none|no|done", yes=r"正在.*|.*中|updating|installing|inprogress")

PRESSED = says(no=r"[无未松].*|释放|空闲|默认|none|idle|released?|no|noaction|normal|正常", yes=r".+")
"""A command that is given by setting a property to true, whatever it is called."""

DAYLIGHT = says(no=r".*下.*|.*夜.*|日落.*|night.*|below.*", yes=r"白天|.*上.*|日出.*|day.*|above.*")

FOUND = says(
    no=r"(?!不安全|不正常|未锁|未上锁|未关)[无未没非不].*|正常|安全|空闲|关.*|闭合|离.*|断.*|静止|停.*|干燥?|已?锁.*"
    r"|off|closed?|clear|normal|ok|safe|no|none|not.*|nobody|nothing|noone|no(?:motion|smoke|gas|leak|water|alarm|fault|problem|person|sound).*"
    r"|away|idle|stopped|dry|disconnected|offline|locked",
    yes=r"不安全|不正常|未锁|未上锁|未关.*|[有存].*|检测到.*|发现.*|开.*|打开.*|触发.*|已?连接.*|在.*|移动.*|运动|[振震]动.*"
    r"|.*(?:报警|告警|警报|异常|故障|泄漏|漏水|超限|超标).*|.*过[高低强弱热冷载大].*|插入|充电.*|运行.*|潮湿|湿|水浸|浸水|低电量?|电量低|危险|.*拆.*"
    r"|破损|破碎|on|open(?:ed)?|alarm.*|alert.*|detect.*|motion|moving|occupied|present|home|wet|leak.*|problem|fault.*"
    r"|low.*|connected|online|charging|running|unsafe|tamper.*|triggered|active|warning|smoke.*|gas.*|vibrat.*|unlocked",
)
"""Binary sensors: on is what the sensor looks for, such as motion, smoke, an open door or an empty battery."""
