"""The common parts of covers and valves: position in percent (100 is open), open or closed, commands to move and stop.

`open` has no value while the cover closes, so that nothing contradicts a command to close in the meantime; one that
opens is already open. If a `property/set` asks for several things, the safest one is done: stop before close, close
before a position, a position before open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag

from homeassistant.components.cover import ATTR_CURRENT_POSITION, ATTR_POSITION, CoverState
from homeassistant.core import State

from ..alink.model.numeric import rounded_whole
from .aspect import ActionCall, Aspect, Kind, Reason, Refused, Value
from .attributes import PERCENT_RANGE, fixed_range, has_attribute, has_feature, number_of, percent
from .momentary import COMMAND, CommandSet
from .says import OPENED

OPEN = "open"
CLOSE = "close"
STOP = "stop"
POSITION = "position"

SETTLED: Mapping[str, bool] = {CoverState.OPEN: True, CoverState.OPENING: True, CoverState.CLOSED: False}
"""The states of valves have the same names."""

has_position = has_attribute(ATTR_CURRENT_POSITION)


@dataclass(frozen=True, slots=True)
class Opening:
    """How one domain opens, closes, stops and moves to a position."""

    commands: CommandSet
    """The commands `open`, `close` and `stop`."""
    set_position: str
    position_feature: IntFlag

    def aspects(
        self, *, position: tuple[str, ...], opened: tuple[str, ...], command: tuple[str, ...]
    ) -> tuple[Aspect, ...]:
        """Return the aspects with the standard identifiers of the domain."""
        can_be_set = has_feature(self.position_feature)
        return (
            Aspect(
                key=POSITION,
                kind=Kind.NUMBER,
                name_en="Position",
                name_zh="位置",
                source=number_of(ATTR_CURRENT_POSITION),
                writable=True,
                supported=lambda state: has_position(state) or can_be_set(state),
                accepts=can_be_set,
                range=fixed_range(PERCENT_RANGE),
                unit=percent,
                identifiers=position,
            ),
            Aspect(
                key=OPEN,
                kind=Kind.BOOL,
                name_en="Open",
                name_zh="打开",
                source=lambda state: SETTLED.get(state.state),
                writable=True,
                accepts=lambda state: not {OPEN, CLOSE}.isdisjoint(self.commands.options(state)),
                words=("closed", "open"),
                says=OPENED,
                identifiers=opened,
            ),
            self.commands.aspect(*command, name_en="Operation", name_zh="操作"),
        )

    def plan(self, state: State, values: Mapping[str, Value]) -> list[ActionCall]:
        """Return the one action for these values; raises `Refused` if the entity doesn't support it."""
        command = values.get(COMMAND)
        if command == STOP:
            return [self.commands.call(STOP)]
        if command == CLOSE or values.get(OPEN) is False:
            return [self._move(state, CLOSE)]
        if isinstance(position := values.get(POSITION), int | float):
            return [ActionCall(self.commands.domain, self.set_position, {ATTR_POSITION: rounded_whole(position)})]
        return [self._move(state, OPEN)] if command == OPEN or OPEN in values else []

    def _move(self, state: State, command: str) -> ActionCall:
        if command not in self.commands.options(state):
            raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} does not support {command}")
        return self.commands.call(command)
