"""What covers and valves share: a position in percent (100 is open), open or closed, and commands to move and to stop.

`open` says nothing while the thing closes, so that a command to close is never contradicted on the way; what opens is
open already. Of several wishes in one `property/set` the safest wins: stopping over closing, closing over a position, a
position over opening.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag

from homeassistant.components.cover import ATTR_CURRENT_POSITION, ATTR_POSITION, CoverState
from homeassistant.core import State

from .aspect import ActionCall, Aspect, Kind, Reason, Refused, Value
from .attributes import PERCENT_RANGE, fixed_range, has_attribute, has_feature, number_of, percent
from .momentary import COMMAND, CommandSet

OPEN = "open"
CLOSE = "close"
STOP = "stop"
POSITION = "position"

SETTLED: Mapping[str, bool] = {CoverState.OPEN: True, CoverState.OPENING: True, CoverState.CLOSED: False}
"""Valves name their states as covers do."""

has_position = has_attribute(ATTR_CURRENT_POSITION)


@dataclass(frozen=True, slots=True)
class Opening:
    """How one domain opens, closes, stops and is brought to a position."""

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
                identifiers=opened,
            ),
            self.commands.aspect(*command, name_en="Operation", name_zh="操作"),
        )

    def plan(self, state: State, values: Mapping[str, Value]) -> list[ActionCall]:
        """Return the one action that these wishes come to; raises `Refused` when the entity doesn't know it."""
        command = values.get(COMMAND)
        if command == STOP:
            return [self.commands.call(STOP)]
        if command == CLOSE or values.get(OPEN) is False:
            return [self._move(state, CLOSE)]
        if isinstance(position := values.get(POSITION), int | float):
            return [ActionCall(self.commands.domain, self.set_position, {ATTR_POSITION: round(position)})]
        return [self._move(state, OPEN)] if command == OPEN or OPEN in values else []

    def _move(self, state: State, command: str) -> ActionCall:
        if command not in self.commands.options(state):
            raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} does not know how to {command}")
        return self.commands.call(command)
