"""What the cloud may do at all, beyond what is bound: at most so often, only while a condition holds, or only for show."""

from collections import deque
from collections.abc import Mapping
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

from .alink.codes import Code
from .const import CONF_COMMAND_CONDITION, CONF_COMMANDS_PER_MINUTE, CONF_DRY_RUN
from .outcome import Failure

_LOGGER = logging.getLogger(__name__)

MINUTE = 60.0

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


class Policy:
    """Decides about commands of one device."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Without rules everything that is bound is allowed."""
        self.rules = CommandRules()
        self._hass = hass
        self._configs: dict[str | None, ConditionConfig] = {}
        self._checkers: dict[str | None, ConditionsChecker] = {}
        self._taken: deque[float] = deque()

    async def follow(self, rules: CommandRules, conditions: Mapping[str, ConditionConfig]) -> None:
        """Decide by these rules from now on; `conditions` are by identifier, for its property or service alone.

        A condition that can't be understood any more, because its entity has gone or an integration was removed, never
        holds: what it guards stays shut.
        """
        self.rules = rules
        wanted: dict[str | None, ConditionConfig] = {key: list(one) for key, one in conditions.items() if one}
        if rules.condition:
            wanted[None] = rules.condition
        for key in [key for key, config in self._configs.items() if wanted.get(key) != config]:
            del self._configs[key]
            if checker := self._checkers.pop(key, None):
                checker.async_unload()
        for key in wanted.keys() - self._configs.keys():
            self._configs[key] = wanted[key]
            if checker := await self._compile(key, wanted[key]):
                self._checkers[key] = checker

    @callback
    def stop(self) -> None:
        """Let go of what conditions watch."""
        for checker in self._checkers.values():
            checker.async_unload()
        self._checkers.clear()
        self._configs.clear()

    @callback
    def takes_one_more(self) -> bool:
        """Count a command, and tell whether it is still within the limit."""
        now = time.monotonic()
        while self._taken and now - self._taken[0] >= MINUTE:
            self._taken.popleft()
        limit = self.rules.commands_per_minute
        if limit and len(self._taken) >= limit:
            return False
        if limit:
            self._taken.append(now)
        return True

    @callback
    def objection(self, identifier: str) -> Failure | None:
        """Return why a property may not be set, or a service not be called, now; None if it may."""
        for key in (None, identifier):
            if key in self._configs and not self._holds(key, identifier):
                whose = "the condition for all commands" if key is None else "its condition"
                return Failure(Code.NOT_ALLOWED, f"{whose} does not hold now")
        return None

    def _holds(self, key: str | None, identifier: str) -> bool:
        checker = self._checkers.get(key)
        try:
            return checker is not None and checker({"identifier": identifier})
        except HomeAssistantError as err:
            _LOGGER.warning("The condition for %s cannot be checked: %s", identifier, err)
            return False

    async def _compile(self, key: str | None, config: ConditionConfig) -> ConditionsChecker | None:
        name = f"commands for {key or 'this device'}"
        try:
            valid = await async_validate_conditions_config(self._hass, cv.CONDITIONS_SCHEMA(config))
            # A template is a condition as well, which the signature of this function does not know.
            return await async_conditions_from_config(self._hass, cast("ConditionConfig", valid), _LOGGER, name)
        except (vol.Invalid, HomeAssistantError) as err:
            _LOGGER.warning("The condition of %s cannot be used, so it never holds: %s", name, err)
            return None
