"""Automations: enabled or not, and when last triggered. Risky, because anything may depend on them."""

from dataclasses import replace

from homeassistant.components.automation.const import AutomationEntityStateAttribute as Attribute

from ..aspect import Aspect, Kind
from ..attributes import moment_of
from ..on_off import switched_domain

_SWITCH = switched_domain("automation")

DOMAIN = replace(
    _SWITCH,
    aspects=(
        *_SWITCH.aspects,
        Aspect(
            key="last_triggered",
            kind=Kind.DATE,
            name_en="Last triggered",
            name_zh="上次触发时间",
            source=moment_of(Attribute.LAST_TRIGGERED),
            identifiers=("LastTriggered",),
        ),
    ),
    risky=lambda _: True,
)
