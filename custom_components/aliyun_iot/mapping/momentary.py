"""Commands that leave nothing to report: open, stop, return to base. An entity has one enumeration of its commands."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag

from homeassistant.core import State

from .aspect import ActionCall, Aspect, Kind, Value
from .attributes import has_feature

COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Command:
    """The action of a command, its fields, and the features of which an entity needs at least one, None for any entity."""

    action: str
    feature: IntFlag | None = None
    data: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class CommandSet:
    """The commands of one domain by option, in the order in which they are listed."""

    domain: str
    commands: Mapping[str, Command]

    def options(self, state: State) -> tuple[str, ...]:
        """Return the options of the commands that the entity supports."""
        return tuple(
            option
            for option, command in self.commands.items()
            if command.feature is None or has_feature(command.feature)(state)
        )

    def aspect(
        self,
        *identifiers: str,
        key: str = COMMAND,
        name_en: str = "Command",
        name_zh: str = "指令",
    ) -> Aspect:
        """Return the aspect; an entity that supports none of the commands doesn't have it."""
        return Aspect(
            key=key,
            kind=Kind.ENUM,
            name_en=name_en,
            name_zh=name_zh,
            source=lambda _: None,
            writable=True,
            supported=lambda state: bool(self.options(state)),
            options=self.options,
            momentary=True,
            identifiers=identifiers,
        )

    def call(self, option: Value) -> ActionCall:
        """Return the action of a command that passed `Aspect.require`."""
        command = self.commands[str(option)]
        return ActionCall(self.domain, command.action, dict(command.data or {}))
