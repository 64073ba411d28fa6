"""Scripts: running or not, and when last started. Risky without exception, since a script can do anything.

Home Assistant doesn't wait for what `script.turn_on` starts, so a 200 means that the script was started, and the property
goes back to no when it ends. Where the outcome matters, bind an Alink service to the script instead: it is waited for, can
be given data and can answer.
"""

from dataclasses import replace

from homeassistant.components.script.const import ATTR_LAST_TRIGGERED

from ..aspect import Aspect, Kind
from ..attributes import moment_of
from ..on_off import switched_domain

_SWITCH = switched_domain("script")

DOMAIN = replace(
    _SWITCH,
    aspects=(
        *_SWITCH.aspects,
        Aspect(
            key="last_triggered",
            kind=Kind.DATE,
            name_en="Last started",
            name_zh="上次启动时间",
            source=moment_of(ATTR_LAST_TRIGGERED),
            identifiers=("LastTriggered",),
        ),
    ),
    risky=lambda _: True,
)
