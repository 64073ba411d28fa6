"""Setting properties: check everything, then one plan of actions per entity.

Entities are independent of each other: one that can't do its part never stops the others. The properties of one entity
belong together: when one of them is refused, the entity is left alone, because half of a wish is not the wish. A
property with actions of its own is nobody's part: it succeeds or fails by itself, but waits for its entity's turn.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
import time
from weakref import WeakValueDictionary

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import Context, HomeAssistant, State
from homeassistant.helpers.entity import entity_sources

from ..alink.codes import Code
from ..alink.errors import InvalidValue
from ..alink.messages import JsonValue
from ..alink.model.thing_model import ThingModel
from ..bound import BoundProperties, BoundProperty
from ..mapping.aspect import ActionCall, Reason, Refused, Value
from ..mapping.domains import DOMAINS
from ..mapping.generic import NO_ENTITY_STATE
from .action_sequence import run_sequence
from .announcement import Change
from .discretion import complaint
from .outcome import Failure, Outcome, run_action, run_script

RUN_SCRIPTS = frozenset({"script", "template"})
"""Integrations whose entities are controlled by scripts that the user wrote."""

DRY_RUN = Failure(Code.DRY_RUN, "dry run: nothing was done")

_CODES = {
    Reason.CONFLICT: Code.PARAMETER_ERROR,
    Reason.NOT_AN_OPTION: Code.OUT_OF_RANGE,
    Reason.NOT_SUPPORTED: Code.READ_ONLY,
    Reason.OUT_OF_RANGE: Code.OUT_OF_RANGE,
    Reason.WRONG_TYPE: Code.TYPE_WRONG,
}


@dataclass(frozen=True, slots=True)
class Examined:
    """A property set that was looked at, but not carried out.

    `denied` is what will not be done, whatever happens. `foreseen` has in addition what the entities would refuse if it
    were their turn now. The rest of `values` is in the other two: together by entity, or on its own.
    """

    values: Mapping[str, JsonValue]
    denied: Mapping[str, Failure]
    foreseen: Mapping[str, Failure]
    by_entity: Mapping[str, Mapping[str, BoundProperty]]
    by_own_actions: Mapping[str, tuple[BoundProperty, Value]]

    @property
    def doable(self) -> dict[str, JsonValue]:
        """The values that nothing speaks against."""
        return {identifier: raw for identifier, raw in self.values.items() if identifier not in self.foreseen}

    def as_dry_run(self) -> Outcome:
        """Return the outcome where nothing is to be done: what would fail, and everything else as a dry run."""
        return Outcome({identifier: self.foreseen.get(identifier, DRY_RUN) for identifier in self.values})


class PropertySetter:
    """Carries property sets out."""

    def __init__(self, hass: HomeAssistant, objection: Callable[[str], Failure | None]) -> None:
        """Nothing is bound until `follow` is called; `objection` says why a bound property may not be set now."""
        self._hass = hass
        self._objection = objection
        self._bound = BoundProperties()
        self._model: ThingModel | None = None
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def follow(self, bound: BoundProperties, model: ThingModel | None) -> None:
        """Obey these bindings from now on."""
        self._bound = bound
        self._model = model

    def examine(self, values: Mapping[str, JsonValue]) -> Examined:
        """Find out what may be done of a set, and what the entities would refuse as they are now; nothing is done."""
        denied: dict[str, Failure] = {}
        by_entity: dict[str, dict[str, BoundProperty]] = defaultdict(dict)
        by_own_actions: dict[str, tuple[BoundProperty, Value]] = {}
        for identifier, raw in values.items():
            one = self._permitted(identifier)
            if isinstance(one, Failure):
                denied[identifier] = one
            elif not one.binding.actions:
                by_entity[one.entity_id][identifier] = one
            elif isinstance(value := _understand_one(one, raw, self._state_of(one)), Failure):
                denied[identifier] = value
            else:
                by_own_actions[identifier] = (one, value)
        foreseen = dict(denied)
        for entity_id, ones in by_entity.items():
            plan = self._plan(entity_id, ones, values)
            if isinstance(plan, dict):
                foreseen |= plan
        return Examined(values, denied, foreseen, by_entity, by_own_actions)

    def changes(self, examined: Examined, *, dry_run: bool = False) -> list[Change]:
        """Return what a set is about to do, as far as that can be told before its turn comes."""
        refusal = DRY_RUN if dry_run else None
        return [self._change(identifier, raw, examined, refusal) for identifier, raw in examined.values.items()]

    def entity_of(self, identifiers: Iterable[str]) -> str:
        """Return the entity that these properties belong to; empty if there is none or more than one."""
        bound = (self._bound.by_identifier.get(identifier) for identifier in identifiers)
        entities = {one.entity_id for one in bound if one} - {""}
        return entities.pop() if len(entities) == 1 else ""

    def _change(self, identifier: str, raw: JsonValue, examined: Examined, refusal: Failure | None) -> Change:
        refused = examined.foreseen.get(identifier, refusal)
        one = self._bound.by_identifier.get(identifier)
        if one is None:
            return Change(identifier, "", "", raw, refused)
        value = None if identifier in examined.denied else _understand_one(one, raw, self._state_of(one))
        legible = raw if value is None or isinstance(value, Failure) else _legible(one, value)
        return Change(identifier, one.entity_id, one.aspect.key, legible, refused)

    async def set(self, examined: Examined, context: Context, deadline: float) -> Outcome:
        """Do what may be done and return what failed; `deadline` is in seconds.

        An entity is asked again when its turn comes: it may have changed.
        """
        failures = dict(examined.denied)
        results = await asyncio.gather(
            *(
                self._set_entity(entity_id, ones, examined.values, context, deadline)
                for entity_id, ones in examined.by_entity.items()
            ),
            *(self._set_by_actions(one, value, context, deadline) for one, value in examined.by_own_actions.values()),
        )
        for result in results:
            failures.update(result)
        return Outcome({identifier: failures[identifier] for identifier in examined.values if identifier in failures})

    def _state_of(self, one: BoundProperty) -> State:
        state = self._hass.states.get(one.entity_id) if one.entity_id else None
        return state or NO_ENTITY_STATE

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
        return self._objection(identifier) or one

    async def _set_entity(
        self,
        entity_id: str,
        ones: Mapping[str, BoundProperty],
        values: Mapping[str, JsonValue],
        context: Context,
        deadline: float,
    ) -> dict[str, Failure]:
        """Set all properties of one entity, after the commands that came before and never together with one of them."""
        started = time.monotonic()
        turn = await self._turn(entity_id, deadline)
        if isinstance(turn, Failure):
            return dict.fromkeys(ones, turn)
        plan: list[ActionCall] | dict[str, Failure] = {}
        try:
            plan = self._plan(entity_id, ones, values)
        finally:
            if isinstance(plan, dict):
                turn.release()
        if isinstance(plan, dict):
            return plan
        action = self._act(entity_id, plan, context)
        if entity_sources(self._hass)[entity_id]["domain"] in RUN_SCRIPTS:
            action = run_script(action)
        result = await run_action(self._hass, _releasing(turn, action), deadline - (time.monotonic() - started))
        return dict.fromkeys(ones, result) if isinstance(result, Failure) else {}

    async def _set_by_actions(
        self, one: BoundProperty, value: Value, context: Context, deadline: float
    ) -> dict[str, Failure]:
        """Set a property by the actions of its binding; what its entity can do or is doing doesn't matter to them."""
        started = time.monotonic()
        turn = await self._turn(one.entity_id or one.identifier, deadline)
        if isinstance(turn, Failure):
            return {one.identifier: turn}
        sequence = run_sequence(
            self._hass,
            one.identifier,
            one.binding.actions,
            {"value": value, "identifier": one.identifier},
            context,
        )
        result = await run_action(self._hass, _releasing(turn, sequence), deadline - (time.monotonic() - started))
        return {one.identifier: result} if isinstance(result, Failure) else {}

    async def _turn(self, target: str, deadline: float) -> asyncio.Lock | Failure:
        """Wait for the commands that came before to the same target; whoever gets the turn has to release it."""
        turn = self._turns.setdefault(target, asyncio.Lock())
        try:
            async with asyncio.timeout(deadline):
                await turn.acquire()
        except TimeoutError:
            return Failure(Code.TIMED_OUT, f"not done, because an earlier command to {target} has not finished")
        return turn

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
        domain = DOMAINS[state.domain]
        try:
            return domain.actions_for(state, wanted)
        except Refused as err:
            return dict.fromkeys(ones, Failure(_CODES[err.reason], str(err)))

    async def _act(self, entity_id: str, calls: list[ActionCall], context: Context) -> None:
        for call in calls:
            await self._hass.services.async_call(
                call.domain, call.action, {**call.data, ATTR_ENTITY_ID: entity_id}, blocking=True, context=context
            )


async def _releasing[T](turn: asyncio.Lock, action: Coroutine[None, None, T]) -> T:
    """Run an action; the turn ends with it, also when nobody waits for it any more."""
    try:
        return await action
    finally:
        turn.release()


def _understand(
    ones: Mapping[str, BoundProperty], values: Mapping[str, JsonValue], state: State
) -> tuple[dict[str, Value], dict[str, Failure]]:
    """Return what the aspects of an entity must become, and what can't be understood."""
    wanted: dict[str, Value] = {}
    failures: dict[str, Failure] = {}
    for identifier, one in ones.items():
        if one.domain and one.domain.risky(state) and not one.binding.confirmed:
            failures[identifier] = Failure(Code.NOT_ALLOWED, f"control of {state.entity_id} was not confirmed")
            continue
        value = _understand_one(one, values[identifier], state)
        if isinstance(value, Failure):
            failures[identifier] = value
        elif wanted.setdefault(one.aspect.key, value) != value:
            failures[identifier] = Failure(Code.PARAMETER_ERROR, "contradicts another property of the same set")
    return wanted, failures


def _understand_one(one: BoundProperty, raw: JsonValue, state: State) -> Value | Failure:
    """Return what the aspect must become, or why that can't be told."""
    try:
        return one.to_aspect(one.decode(raw, state), state)
    except InvalidValue as err:
        return Failure(Code.TYPE_WRONG if err.wrong_type else Code.OUT_OF_RANGE, complaint(err))
    except Refused as err:
        return Failure(_CODES[err.reason], str(err))


def _legible(one: BoundProperty, value: Value) -> JsonValue:
    """Return a value of an aspect as people read it in the logbook."""
    match value:
        case bool():
            return one.aspect.words[value]
        case datetime():
            return value.isoformat()
        case tuple():
            return ", ".join("" if part is None else f"{part:g}" for part in value)
        case _:
            return value
