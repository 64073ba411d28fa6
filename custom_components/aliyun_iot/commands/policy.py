"""What the cloud may do beyond the bindings: a limit for each minute, conditions, and a dry run."""

from collections import deque
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
import logging
import time
from typing import Any, Final, Self

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..alink.codes import Code
from ..alink.command import CommandKind
from ..const import CONF_COMMAND_CONDITION, CONF_COMMANDS_PER_MINUTE, CONF_DRY_RUN
from ..ha_internals import CompiledConditions, compile_conditions, validated_conditions
from .outcome import Failure

_LOGGER = logging.getLogger(__name__)

MINUTE = 60.0

_NOT_NOW: Final = Failure(Code.NOT_ALLOWED, "the condition for all commands does not hold now")
_NOT_THIS_NOW: Final = Failure(Code.NOT_ALLOWED, "its condition does not hold now")

type ConditionConfig = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CommandRules:
    """The options of a device for all commands.

    `commands_per_minute` 0 means no limit. With `dry_run` everything is checked and nothing is done.
    """

    condition: ConditionConfig = field(default_factory=list)
    commands_per_minute: int = 0
    dry_run: bool = False

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Read the options of an entry."""
        return cls(
            condition=list(options.get(CONF_COMMAND_CONDITION, [])),
            commands_per_minute=int(options.get(CONF_COMMANDS_PER_MINUTE, 0)),
            dry_run=bool(options.get(CONF_DRY_RUN, False)),
        )


@dataclass(frozen=True, slots=True)
class Guarded:
    """A property or a service with a condition of its own; a property and a service may have the same identifier."""

    kind: CommandKind
    identifier: str


class Policy:
    """Decides which commands of one device are allowed."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Allow everything until `follow` is called."""
        self.rules = CommandRules()
        self._hass = hass
        self._configs: dict[Guarded | None, ConditionConfig] = {}
        self._checkers: dict[Guarded | None, CompiledConditions] = {}
        self._admitted: deque[float] = deque()
        self._stopped = False

    async def follow(self, rules: CommandRules, conditions: Mapping[Guarded, ConditionConfig]) -> None:
        """Use these rules from now on; `conditions` are those of single properties and services.

        A new condition does not hold until it has been prepared, nor does one that has become invalid because its entity or
        integration was removed: what it guards stays forbidden. After `stop` this has no effect.
        """
        if self._stopped:
            return
        self.rules = rules
        wanted: dict[Guarded | None, ConditionConfig] = {key: config for key, config in conditions.items() if config}
        if rules.condition:
            wanted[None] = rules.condition
        for key in [key for key, config in self._configs.items() if wanted.get(key) != config]:
            self._remove(key)
        new = wanted.keys() - self._configs.keys()
        self._configs |= {key: wanted[key] for key in new}
        for key in new:
            checker = await self._compile(key, wanted[key])
            if checker and key in self._configs:
                self._checkers[key] = checker
            elif checker:  # stopped meanwhile
                checker.unload()

    @callback
    def stop(self) -> None:
        """Unload all conditions for good."""
        self._stopped = True
        for key in list(self._configs):
            self._remove(key)

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
        if not self._configs:
            return None
        if not self._holds(None):
            return _NOT_NOW
        return None if self._holds(Guarded(kind, identifier)) else _NOT_THIS_NOW

    def _holds(self, key: Guarded | None) -> bool:
        if key not in self._configs:
            return True
        checker = self._checkers.get(key)
        return checker is not None and checker.hold({"identifier": key.identifier if key else None})

    def _remove(self, key: Guarded | None) -> None:
        del self._configs[key]
        if checker := self._checkers.pop(key, None):
            checker.unload()

    async def _compile(self, key: Guarded | None, config: ConditionConfig) -> CompiledConditions | None:
        name = f"commands for {key.identifier if key else 'this device'}"
        try:
            return await compile_conditions(self._hass, await _validated(self._hass, config), name)
        except (vol.Invalid, HomeAssistantError) as err:
            _LOGGER.warning("The condition of %s cannot be used, so it never holds: %s", name, err)
            return None


async def problem_of(hass: HomeAssistant, condition: ConditionConfig) -> str | None:
    """Return what is wrong with a condition, None if it is valid. Conditions are stored as entered, as automations are."""
    try:
        await _validated(hass, condition)
    except (vol.Invalid, HomeAssistantError) as err:
        return str(err)
    return None


async def _validated(hass: HomeAssistant, condition: ConditionConfig) -> ConditionConfig:
    return await validated_conditions(hass, cv.CONDITIONS_SCHEMA(deepcopy(condition)))
