"""What the cloud may do at all, beyond what is bound: at most so often, only while a condition holds, or only for show."""

from collections import deque
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
import logging
import time
from typing import Any, Self, cast

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.condition import (
    ConditionsChecker,
    async_conditions_from_config,
    async_validate_conditions_config,
)
import voluptuous as vol

from ..alink.codes import Code
from ..alink.command import CommandKind
from ..const import CONF_COMMAND_CONDITION, CONF_COMMANDS_PER_MINUTE, CONF_DRY_RUN
from .outcome import Failure

_LOGGER = logging.getLogger(__name__)

MINUTE = 60.0

_NOT_NOW = Failure(Code.NOT_ALLOWED, "the condition for all commands does not hold now")
_NOT_THIS_NOW = Failure(Code.NOT_ALLOWED, "its condition does not hold now")

type ConditionConfig = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CommandRules:
    """What the user decided for all commands of a device.

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
    """One property or one service, which may share their names; what has a condition has its own."""

    kind: CommandKind
    identifier: str


class Policy:
    """Decides about commands of one device."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Without rules everything that is bound is allowed."""
        self.rules = CommandRules()
        self._hass = hass
        self._configs: dict[Guarded | None, ConditionConfig] = {}
        self._checkers: dict[Guarded | None, ConditionsChecker] = {}
        self._taken: deque[float] = deque()
        self._stopped = False

    async def follow(self, rules: CommandRules, conditions: Mapping[Guarded, ConditionConfig]) -> None:
        """Decide by these rules from now on; `conditions` are for one property or service alone.

        Until a new condition has been prepared it does not hold. Neither does one that can't be understood any more, because
        its entity has gone or an integration was removed: what it guards stays shut. After `stop` nothing is followed.
        """
        if self._stopped:
            return
        self.rules = rules
        wanted: dict[Guarded | None, ConditionConfig] = {key: one for key, one in conditions.items() if one}
        if rules.condition:
            wanted[None] = rules.condition
        for key in [key for key, config in self._configs.items() if wanted.get(key) != config]:
            self._forget(key)
        fresh = wanted.keys() - self._configs.keys()
        self._configs |= {key: wanted[key] for key in fresh}
        for key in fresh:
            checker = await self._compile(key, wanted[key])
            if checker and key in self._configs:
                self._checkers[key] = checker
            elif checker:  # stopped meanwhile
                checker.async_unload()

    @callback
    def stop(self) -> None:
        """Let go of what conditions watch, for good."""
        self._stopped = True
        for key in list(self._configs):
            self._forget(key)

    @callback
    def takes_one_more(self) -> bool:
        """Count a command, and tell whether it is still within the limit."""
        limit = self.rules.commands_per_minute
        if not limit:
            self._taken.clear()
            return True
        now = time.monotonic()
        while self._taken and now - self._taken[0] >= MINUTE:
            self._taken.popleft()
        if len(self._taken) >= limit:
            return False
        self._taken.append(now)
        return True

    @callback
    def objection(self) -> Failure | None:
        """Return why nothing may be commanded now; None if it may."""
        return None if self._holds(None) else _NOT_NOW

    @callback
    def objection_to(self, kind: CommandKind, identifier: str) -> Failure | None:
        """Return why this property may not be set, or this service not be called, now, for a reason of its own."""
        return None if self._holds(Guarded(kind, identifier)) else _NOT_THIS_NOW

    def _holds(self, key: Guarded | None) -> bool:
        if key not in self._configs:
            return True
        checker = self._checkers.get(key)
        return checker is not None and checker({"identifier": key.identifier if key else None})

    def _forget(self, key: Guarded | None) -> None:
        del self._configs[key]
        if checker := self._checkers.pop(key, None):
            checker.async_unload()

    async def _compile(self, key: Guarded | None, config: ConditionConfig) -> ConditionsChecker | None:
        name = f"commands for {key.identifier if key else 'this device'}"
        try:
            return await async_conditions_from_config(self._hass, await _valid(self._hass, config), _LOGGER, name)
        except (vol.Invalid, HomeAssistantError) as err:
            _LOGGER.warning("The condition of %s cannot be used, so it never holds: %s", name, err)
            return None


async def problem_of(hass: HomeAssistant, condition: ConditionConfig) -> str | None:
    """Return what is wrong with a condition; what is stored is what was entered, as automations do."""
    try:
        await _valid(hass, condition)
    except (vol.Invalid, HomeAssistantError) as err:
        return str(err)
    return None


async def _valid(hass: HomeAssistant, condition: ConditionConfig) -> ConditionConfig:
    # A template is a condition as well, which the signatures of these functions do not know.
    valid = await async_validate_conditions_config(hass, cv.CONDITIONS_SCHEMA(deepcopy(condition)))
    return cast("ConditionConfig", valid)
