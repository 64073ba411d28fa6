"""Setting properties: check everything, then one plan of actions per entity.

Entities are independent of each other: one that can't do its part never stops the others. The properties of one entity
belong together: when one of them is refused, the entity is left alone, because half of a wish is not the wish.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
import time
from weakref import WeakValueDictionary

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.helpers.entity import entity_sources

from .alink.codes import Code
from .alink.errors import InvalidValue
from .alink.messages import JsonValue
from .alink.thing_model import ThingModel
from .bound import BoundProperties, BoundProperty
from .mapping.aspect import ActionCall, Reason, Refused, Value
from .mapping.convert import ConversionError
from .outcome import Failure, Outcome, run_action, run_script

RUN_SCRIPTS = frozenset({"script", "template"})
"""Integrations whose entities are controlled by scripts that the user wrote."""

_CODES = {
    Reason.CONFLICT: Code.PARAMETER_ERROR,
    Reason.NOT_AN_OPTION: Code.OUT_OF_RANGE,
    Reason.NOT_SUPPORTED: Code.READ_ONLY,
    Reason.OUT_OF_RANGE: Code.OUT_OF_RANGE,
    Reason.WRONG_TYPE: Code.TYPE_WRONG,
}


class PropertySetter:
    """Carries property sets out."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is bound until `follow` is called."""
        self._hass = hass
        self._bound = BoundProperties()
        self._model: ThingModel | None = None
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def follow(self, bound: BoundProperties, model: ThingModel | None) -> None:
        """Obey these bindings from now on."""
        self._bound = bound
        self._model = model

    async def set(self, values: Mapping[str, JsonValue], context: Context, deadline: float) -> Outcome:
        """Give properties these values and return what failed; `deadline` is in seconds."""
        failures: dict[str, Failure] = {}
        by_entity: dict[str, dict[str, BoundProperty]] = defaultdict(dict)
        for identifier in values:
            one = self._permitted(identifier)
            if isinstance(one, Failure):
                failures[identifier] = one
            else:
                by_entity[one.entity_id][identifier] = one
        results = await asyncio.gather(
            *(self._set_entity(entity_id, ones, values, context, deadline) for entity_id, ones in by_entity.items())
        )
        for result in results:
            failures.update(result)
        return Outcome({identifier: failures[identifier] for identifier in values if identifier in failures})

    def _permitted(self, identifier: str) -> BoundProperty | Failure:
        """Return the bound property if the cloud may set it: everything is denied that nobody allowed."""
        one = self._bound.by_identifier.get(identifier)
        if one is None:
            if self._model and identifier not in self._model.properties:
                return Failure(Code.UNKNOWN, "the thing model has no such property")
            return Failure(Code.NOT_MAPPED, self._bound.problems.get(identifier, "not bound to anything"))
        if not one.writable:
            return Failure(Code.READ_ONLY, "read-only")
        if not one.binding.access.controls:
            return Failure(Code.NOT_ALLOWED, "its binding does not allow control")
        return one

    async def _set_entity(
        self,
        entity_id: str,
        ones: Mapping[str, BoundProperty],
        values: Mapping[str, JsonValue],
        context: Context,
        deadline: float,
    ) -> dict[str, Failure]:
        """Set all properties of one entity, after the commands that came before and never together with one of them."""
        turn = self._turns.setdefault(entity_id, asyncio.Lock())
        started = time.monotonic()
        try:
            async with asyncio.timeout(deadline):
                await turn.acquire()
        except TimeoutError:
            late = f"not done, because an earlier command to {entity_id} has not finished"
            return dict.fromkeys(ones, Failure(Code.TIMED_OUT, late))
        plan: list[ActionCall] | dict[str, Failure] = {}
        try:
            plan = self._plan(entity_id, ones, values)
        finally:
            if isinstance(plan, dict):
                turn.release()
        if isinstance(plan, dict):
            return plan
        action = self._act(entity_id, plan, context, turn)
        if entity_sources(self._hass)[entity_id]["domain"] in RUN_SCRIPTS:
            action = run_script(action)
        result = await run_action(self._hass, action, deadline - (time.monotonic() - started))
        return dict.fromkeys(ones, result) if isinstance(result, Failure) else {}

    def _plan(
        self, entity_id: str, ones: Mapping[str, BoundProperty], values: Mapping[str, JsonValue]
    ) -> list[ActionCall] | dict[str, Failure]:
        """Return the actions that set all properties of an entity, or why none of them can be set."""
        state = self._hass.states.get(entity_id)
        if state is None or state.state == STATE_UNAVAILABLE:
            problem = "has gone" if state is None else "is unavailable"
            return dict.fromkeys(ones, Failure(Code.UNAVAILABLE, f"{entity_id} {problem}"))
        if entity_id not in entity_sources(self._hass):  # Home Assistant would only log that it is missing
            return dict.fromkeys(ones, Failure(Code.UNAVAILABLE, f"{entity_id} is a state without an entity"))
        wanted, failures = _understand(ones, values, state)
        if failures:
            others = Failure(next(iter(failures.values())).code, f"not set, because {next(iter(failures))} was not")
            return dict.fromkeys(ones, others) | failures
        try:
            return next(iter(ones.values())).domain.commands(state, wanted)
        except Refused as err:
            return dict.fromkeys(ones, Failure(_CODES[err.reason], str(err)))

    async def _act(self, entity_id: str, calls: list[ActionCall], context: Context, turn: asyncio.Lock) -> None:
        """Run the actions; the turn ends with the last of them, also when nobody waits for it any more."""
        try:
            for call in calls:
                await self._hass.services.async_call(
                    call.domain, call.action, {**call.data, ATTR_ENTITY_ID: entity_id}, blocking=True, context=context
                )
        finally:
            turn.release()


def _understand(
    ones: Mapping[str, BoundProperty], values: Mapping[str, JsonValue], state: State
) -> tuple[dict[str, Value], dict[str, Failure]]:
    """Return what the aspects of an entity must become, and what can't be understood."""
    wanted: dict[str, Value] = {}
    failures: dict[str, Failure] = {}
    for identifier, one in ones.items():
        if one.domain.risky(state) and not one.binding.confirmed:
            failures[identifier] = Failure(Code.NOT_ALLOWED, f"control of {state.entity_id} was not confirmed")
            continue
        try:
            value = one.to_aspect(one.decode(values[identifier], state), state)
        except InvalidValue as err:
            failures[identifier] = Failure(Code.TYPE_WRONG if err.wrong_type else Code.OUT_OF_RANGE, str(err))
        except ConversionError as err:
            failures[identifier] = Failure(_CODES[err.reason], str(err))
        else:
            if wanted.setdefault(one.aspect.key, value) != value:
                failures[identifier] = Failure(Code.PARAMETER_ERROR, "contradicts another property of the same set")
    return wanted, failures
