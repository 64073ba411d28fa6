"""The conditions that guard commands: compiled once, and again when what they need appears or is renamed.

A condition may need an integration, a device or an entity that is not there yet, or not any more. Until it can be compiled it
does not hold, so what it guards is forbidden.
"""

import asyncio
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from homeassistant.const import EVENT_COMPONENT_LOADED, EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, device_registry as dr, entity_registry as er
from homeassistant.helpers.debounce import Debouncer
import voluptuous as vol

from ..alink.command import CommandKind
from ..alink.foreign import logger_of
from ..ha_internals import CompiledConditions, compile_conditions, on_entry_changed, validated_conditions

_LOGGER = logger_of(__name__)

COOLDOWN: Final = 2.0
"""Seconds to wait for related events before conditions are compiled again: much happens at once when Home Assistant starts."""

type ConditionConfig = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A property or a service with a condition of its own; a property and a service may have the same identifier."""

    kind: CommandKind
    identifier: str


type Guard = Guarded | None
"""What a condition guards; None for all commands."""


@dataclass(frozen=True, slots=True)
class PreparedConditions:
    """Conditions that can be used at once, by what they guard; `problems` are why some of the new ones cannot."""

    wanted: dict[Guard, ConditionConfig]
    compiled: dict[Guard, CompiledConditions] = field(default_factory=dict)
    problems: dict[Guard, str] = field(default_factory=dict)

    @callback
    def discard(self) -> None:
        """Unload what was compiled."""
        while self.compiled:
            self.compiled.popitem()[1].unload()


class Conditions:
    """The conditions of one device."""

    def __init__(self, hass: HomeAssistant, on_unusable: Callable[[Mapping[str, str]], None]) -> None:
        """`on_unusable` is called with `unusable` when that has changed, except by `follow`."""
        self.unusable: dict[str, str] = {}
        """Why conditions cannot be used, by the identifier of what they guard, "" for all commands."""
        self._hass = hass
        self._on_unusable = on_unusable
        self._configs: dict[Guard, ConditionConfig] = {}
        self._compiled: dict[Guard, CompiledConditions] = {}
        self._stopped = False
        self._in_turn = asyncio.Lock()
        self._unlisten: list[CALLBACK_TYPE] = []
        self._debouncer = Debouncer(hass, _LOGGER, cooldown=COOLDOWN, immediate=False, function=self._try_soon)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._configs)

    async def prepare(self, wanted: Mapping[Guard, ConditionConfig]) -> PreparedConditions:
        """Return conditions to be checked, of which those that are new or did not work have been compiled."""
        prepared = PreparedConditions(dict(wanted))
        try:
            for guard, config in wanted.items():
                if guard not in self._compiled or self._configs.get(guard) != config:
                    await self._prepare_one(prepared, guard, config)
        except BaseException:
            prepared.discard()
            raise
        return prepared

    @callback
    def use(self, prepared: PreparedConditions) -> None:
        """Check these conditions from now on, and no others; one that cannot be used does not hold. No effect after `stop`."""
        if self._stopped:
            prepared.discard()
            return
        unchanged = [guard for guard, config in prepared.wanted.items() if self._configs.get(guard) == config]
        kept = {guard: self._compiled.pop(guard) for guard in unchanged if guard in self._compiled}
        for compiled in self._compiled.values():
            compiled.unload()
        for guard in prepared.compiled.keys() & kept.keys():  # compiled twice meanwhile
            prepared.compiled.pop(guard).unload()
        self._configs = dict(prepared.wanted)
        self._compiled = kept | prepared.compiled
        known, self.unusable = self.unusable, {}
        for guard in self._configs.keys() - self._compiled.keys():
            name = _name(guard)
            problem = prepared.problems.get(guard) or known.get(name, "")
            self._note(name, problem, known.get(name))
        self._listen()

    async def follow(self, wanted: Mapping[Guard, ConditionConfig]) -> None:
        """Prepare conditions and use them."""
        self.use(await self.prepare(wanted))

    @callback
    def stop(self) -> None:
        """Unload all conditions for good."""
        self.use(PreparedConditions({}))
        self._stopped = True
        self._debouncer.async_shutdown()

    @callback
    def hold(self, guard: Guard) -> bool:
        """Return whether a command may be carried out now; one without a condition may."""
        if guard not in self._configs:
            return True
        if compiled := self._compiled.get(guard):
            return compiled.hold({"identifier": guard.identifier if guard else None})
        self._debouncer.async_schedule_call()
        return False

    def _unload(self, guard: Guard) -> None:
        if compiled := self._compiled.pop(guard, None):
            compiled.unload()

    @callback
    def _try_soon(self) -> None:
        """Compile in a task: a debouncer that waited for it would drop what happens meanwhile."""
        self._hass.async_create_task(self._try_again(), "Aliyun conditions")

    async def _try_again(self) -> None:
        async with self._in_turn:
            before = dict(self.unusable)
            for guard, config in list(self._configs.items()):
                if guard not in self._compiled:
                    await self._compile(guard, config)
            if self.unusable != before:
                self._on_unusable(self.unusable)

    async def _prepare_one(self, prepared: PreparedConditions, guard: Guard, config: ConditionConfig) -> None:
        try:
            prepared.compiled[guard] = await self._compiled_of(guard, config)
        except (vol.Invalid, HomeAssistantError) as err:
            prepared.problems[guard] = str(err)

    async def _compiled_of(self, guard: Guard, config: ConditionConfig) -> CompiledConditions:
        """Return a condition that can be checked; raises vol.Invalid or HomeAssistantError."""
        valid = await _validated(self._hass, config)
        return await compile_conditions(self._hass, valid, f"commands for {_name(guard) or 'this device'}")

    def _note(self, name: str, problem: str, known: str | None) -> None:
        self.unusable[name] = problem
        if problem != known:
            _LOGGER.warning(
                "The condition of %s cannot be used, so it does not hold: %s", name or "all commands", problem
            )

    async def _compile(self, guard: Guard, config: ConditionConfig) -> None:
        name = _name(guard)
        try:
            compiled = await self._compiled_of(guard, config)
        except (vol.Invalid, HomeAssistantError) as err:
            if self._configs.get(guard) == config:
                self._note(name, str(err), self.unusable.get(name))
            return
        if self._configs.get(guard) != config:  # changed or stopped meanwhile
            compiled.unload()
            return
        self._compiled[guard] = compiled
        if self.unusable.pop(name, None):
            _LOGGER.info("The condition of %s can be used now", name or "all commands")

    def _listen(self) -> None:
        """Listen to what a condition may wait for, as long as there are any conditions."""
        if self._configs and not self._unlisten:
            listen = self._hass.bus.async_listen
            self._unlisten = [
                listen(EVENT_COMPONENT_LOADED, self._something_appeared),
                listen(EVENT_HOMEASSISTANT_STARTED, self._something_appeared),
                listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._something_appeared),
                listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._entity_changed),
                on_entry_changed(self._hass, self._something_appeared),
            ]
        elif not self._configs:
            while self._unlisten:
                self._unlisten.pop()()

    @callback
    def _something_appeared(self, *_: object) -> None:
        if self._compiled.keys() != self._configs.keys():
            self._debouncer.async_schedule_call()

    @callback
    def _entity_changed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Compile conditions again that refer to a renamed entity by its registry id: they were compiled for its entity id."""
        data = event.data
        registered = er.async_get(self._hass).async_get(data["entity_id"])
        if registered and data["action"] == "update" and "entity_id" in data["changes"]:
            for guard, config in self._configs.items():
                if _mentions(config, registered.id):
                    self._unload(guard)
        self._something_appeared()


async def problem_of(hass: HomeAssistant, condition: ConditionConfig) -> str | None:
    """Return what is wrong with a condition, None if it is valid. Conditions are stored as entered, as automations are."""
    try:
        await _validated(hass, condition)
    except (vol.Invalid, HomeAssistantError) as err:
        return str(err)
    return None


async def _validated(hass: HomeAssistant, condition: ConditionConfig) -> ConditionConfig:
    return await validated_conditions(hass, cv.CONDITIONS_SCHEMA(deepcopy(condition)))


def _name(guard: Guard) -> str:
    return guard.identifier if guard else ""


def _mentions(config: object, text: str) -> bool:
    """Return whether a text is anywhere in a condition."""
    match config:
        case dict():
            return any(_mentions(value, text) for value in config.values())
        case list():
            return any(_mentions(value, text) for value in config)
        case _:
            return config == text
