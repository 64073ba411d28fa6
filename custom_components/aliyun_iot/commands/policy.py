"""What the cloud may do beyond the bindings: a limit for each minute, conditions, and a dry run."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import time
from typing import Final, Self

from homeassistant.core import HomeAssistant, callback

from ..alink.codes import Code
from ..alink.command import CommandKind
from ..const import CONF_COMMANDS_PER_MINUTE, DEFAULT_COMMANDS_PER_MINUTE
from ..settings import RANGES, Settings
from .conditions import ConditionConfig, Conditions, Guard, Guarded, PreparedConditions
from .outcome import Failure, TooBusy

MINUTE = 60.0

_HIGHEST_LIMIT: Final = int(RANGES[CONF_COMMANDS_PER_MINUTE][1])

_NOT_NOW: Final = Failure(Code.NOT_ALLOWED, "the condition for all commands does not hold now")
_NOT_THIS_NOW: Final = Failure(Code.NOT_ALLOWED, "its condition does not hold now")

_UNREADABLE: Final = Failure(Code.NOT_ALLOWED, "the settings for commands cannot be read")


@dataclass(frozen=True, slots=True)
class CommandRules:
    """The options of a device for all commands.

    `commands_per_minute` 0 means no limit. With `dry_run` everything is checked and nothing is done. Without `readable`, not
    all of these could be read, and nothing is allowed.
    """

    condition: ConditionConfig = field(default_factory=list)
    commands_per_minute: int = DEFAULT_COMMANDS_PER_MINUTE
    dry_run: bool = False
    readable: bool = True

    @classmethod
    def of(cls, settings: Settings, *, readable: bool) -> Self:
        """Return the rules for the settings of a device."""
        return cls(settings.command_condition, settings.commands_per_minute, settings.dry_run, readable)


@dataclass(frozen=True, slots=True)
class PreparedPolicy:
    """Rules and conditions that can be used; `discard` has to be called if they are not."""

    rules: CommandRules
    conditions: PreparedConditions

    @callback
    def discard(self) -> None:
        """Unload the conditions."""
        self.conditions.discard()


class Policy:
    """Decides which commands of one device are allowed."""

    def __init__(self, hass: HomeAssistant, on_unusable: Callable[[Mapping[str, str]], None]) -> None:
        """Allow everything until `use` is called; `on_unusable` is as for `Conditions`."""
        self.rules = CommandRules()
        self._conditions = Conditions(hass, on_unusable)
        self._admitted: list[float] = []
        """When the commands of the last minute were admitted, as many of them as any limit counts."""

    @property
    def unusable_conditions(self) -> Mapping[str, str]:
        """Why conditions cannot be used, by the identifier of what they guard, "" for all commands."""
        return self._conditions.unusable

    async def prepare(self, rules: CommandRules, conditions: Mapping[Guarded, ConditionConfig]) -> PreparedPolicy:
        """Return rules to be used, and the conditions of single properties and services; nothing changes yet."""
        wanted: dict[Guard, ConditionConfig] = {key: config for key, config in conditions.items() if config}
        if rules.condition:
            wanted[None] = rules.condition
        return PreparedPolicy(rules, await self._conditions.prepare(wanted))

    @callback
    def use(self, prepared: PreparedPolicy) -> None:
        """Use these rules from now on, all of them at once."""
        self.rules = prepared.rules
        self._conditions.use(prepared.conditions)

    @callback
    def stop(self) -> None:
        """Unload all conditions for good."""
        self._conditions.stop()

    @callback
    def admit(self) -> float:
        """Count a command, and return when it was admitted; raises TooBusy beyond the limit for a minute."""
        now = time.monotonic()
        del self._admitted[: bisect_right(self._admitted, now - MINUTE)]
        limit = self.rules.commands_per_minute
        if limit and len(self._admitted) >= limit:
            raise TooBusy(_beyond(limit), overload=limit >= DEFAULT_COMMANDS_PER_MINUTE)
        self._admitted.append(now)
        del self._admitted[:-_HIGHEST_LIMIT]
        return now

    @callback
    def excess(self, admitted: float) -> Failure | None:
        """Return why a command that was admitted then would not be now: the limit was lowered while it waited."""
        limit = self.rules.commands_per_minute
        if not limit or time.monotonic() - admitted >= MINUTE or sum(at <= admitted for at in self._admitted) <= limit:
            return None
        return Failure(Code.TOO_BUSY, _beyond(limit))

    @callback
    def refusal(self, kind: CommandKind, identifier: str = "") -> Failure | None:
        """Return why a property must not be set, or a service not be called, now; None if it may.

        Without an identifier only the condition for all commands counts.
        """
        if not self.rules.readable:
            return _UNREADABLE
        if not self._conditions:
            return None
        if not self._conditions.hold(None):
            return _NOT_NOW
        return None if self._conditions.hold(Guarded(kind, identifier)) else _NOT_THIS_NOW


def _beyond(limit: int) -> str:
    return f"more than {limit} commands in a minute"
