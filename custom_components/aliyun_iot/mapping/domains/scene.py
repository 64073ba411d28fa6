"""Scenes: activate, and the time of the last activation. A scene can't be turned off.

All scenes are risky: a scene can unlock a door, and what is in it can be changed at any time.
"""

from homeassistant.const import SERVICE_TURN_ON

from ..aspect import Domain
from ..press import last_aspect, press_aspect, press_plan

NAME = "scene"
ACTIVATE = "activate"

DOMAIN = Domain(
    name=NAME,
    aspects=(
        press_aspect(key=ACTIVATE, name_en="Activate", name_zh="激活"),
        last_aspect(
            key="last_activated", name_en="Last activated", name_zh="上次激活时间", identifiers=("LastActivated",)
        ),
    ),
    plan=press_plan(NAME, SERVICE_TURN_ON, ACTIVATE),
    risky=lambda _: True,
)
