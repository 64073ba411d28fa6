"""What the cloud may do beyond the bindings: a limit for each minute, conditions, and a dry run."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import time
from typing import Final, Self

from homeassistant.core import HomeAssistant, callback

from ..alink.codes import Code
from ..alink.command import CommandKind
from ..settings import Settings
from .conditions import ConditionConfig, Conditions, Guard, Guarded
from .outcome import Failure

MINUTE = 60.0

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
    commands_per_minute: int = 0
    dry_run: bool = False
    readable: bool = True

    @classmethod
    def of(cls, settings: Settings, *, readable: bool) -> Self:
        """Return the rules for the settings of a device."""
        return cls(settings.command_condition, settings.commands_per_minute, settings.dry_run, readable)


class Policy:
    """Decides which commands of one device are allowed."""

    def __init__(self, hass: HomeAssistant, on_unusable: Callable[[Mapping[str, str]], None]) -> None:
        """Allow everything until `follow` is called; `on_unusable` is as for `Conditions`."""
        self.rules = CommandRules()
        self._conditions = Conditions(hass, on_unusable)
        self._admitted: deque[float] = deque()
        self._stopped = False

    @property
    def unusable_conditions(self) -> Mapping[str, str]:
        """Why conditions cannot be used, by the identifier of what they guard, "" for all commands."""
        return self._conditions.unusable

    async def follow(self, rules: CommandRules, conditions: Mapping[Guarded, ConditionConfig]) -> None:
        """Use these rules from now on; `conditions` are those of single properties and services.

        After `stop` this has no effect.
        """
        if self._stopped:
            return
        self.rules = rules
        wanted: dict[Guard, ConditionConfig] = {key: config for key, config in conditions.items() if config}
        if rules.condition:
            wanted[None] = rules.condition
        await self._conditions.follow(wanted)

    @callback
    def stop(self) -> None:
        """Unload all conditions for good."""
        self._stopped = True
        self._conditions.stop()

    @callback
    def admit(self) -> bool:
        """Count a command, and return whether it is within the limit."""
        limit = self.rules.commands_per_minute
        if not limit:
            self._admitted.clear()
            return True
        now = time.monotonic()
        while self._admitted and now - self._admitted[0] >= MINUTE:
            self._admitted.popleft()
        if len(self._admitted) >= limit:
            return False
        self._admitted.append(now)
        return True

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
