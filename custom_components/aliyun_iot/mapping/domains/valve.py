"""Valves: position in percent (100 is open), open or closed, and commands. All valves are risky: water and gas.

`mapping/openings.py` describes several values in one `property/set`.
"""

from homeassistant.components.valve import ValveEntityFeature
from homeassistant.const import (
    SERVICE_CLOSE_VALVE,
    SERVICE_OPEN_VALVE,
    SERVICE_SET_VALVE_POSITION,
    SERVICE_STOP_VALVE,
)

from ..aspect import Domain
from ..momentary import Command, CommandSet
from ..openings import CLOSE, OPEN, STOP, Opening

NAME = "valve"

OPENING = Opening(
    CommandSet(
        NAME,
        {
            OPEN: Command(SERVICE_OPEN_VALVE, ValveEntityFeature.OPEN),
            CLOSE: Command(SERVICE_CLOSE_VALVE, ValveEntityFeature.CLOSE),
            STOP: Command(SERVICE_STOP_VALVE, ValveEntityFeature.STOP),
        },
    ),
    SERVICE_SET_VALVE_POSITION,
    ValveEntityFeature.SET_POSITION,
)

DOMAIN = Domain(
    name=NAME,
    aspects=OPENING.aspects(
        position=("ValvePosition", "Position", "ValveOpening"),
        opened=("ValveSwitch", "ValveState", "WaterSwitch"),
        command=("ValveOperation",),
    ),
    plan=OPENING.plan,
    risky=lambda _: True,
)
