"""Scripts: running or not, and when last started. All scripts are risky, because a script can do anything.

`script.turn_on` doesn't wait for the script, so an answer of 200 means that the script was started, and the property is
false again when it ends. If the outcome matters, bind an Alink service to the script instead: that waits for the script,
passes data to it and returns its response.
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
