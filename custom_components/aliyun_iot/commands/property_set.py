"""Property sets: each property is looked up once, then each entity gets one plan of actions.

Entities are independent of each other: a failure of one does not affect the others. The properties of one entity are set
together or not at all: a light that should turn on with a certain brightness must not turn on with another one. A property
with its own actions succeeds or fails alone, but has the same turn as its entity.

Commands to one entity are carried out one after the other. When the turn of an entity comes, everything that may have changed
since the command came is checked again: the binding, the permission and the state.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from homeassistant.components.text import TextMode
from homeassistant.const import ATTR_ENTITY_ID, ATTR_MODE
from homeassistant.core import Context, HomeAssistant, State

from ..alink.codes import Code
from ..alink.command import CommandKind
from ..alink.errors import InvalidValue
from ..alink.messages import JsonValue
from ..alink.model.thing_model import ThingModel
from ..alink.privacy import BY_NAME_ALONE, HIDDEN, PrivateNames
from ..bound import BoundProperties, BoundProperty
from ..mapping.aspect import ActionCall, Refused, Value
from ..mapping.domains import DOMAINS
from ..mapping.generic import NO_ENTITY_STATE
from ..risk import risk_of, runs_scripts
from .effects import require_members, unavailability, without_effect
from .loops import LoopGuard
from .outcome import DRY_RUN, Failure, NotAllowedNow
from .policy import Policy
from .running import Run, run_script, run_sequence
from .work import Place, Work

_PAUSED: Final = Failure(Code.LOOP, "paused, because a cloud rule and an automation trigger each other")
_CONTRADICTION: Final = Failure(Code.PARAMETER_ERROR, "contradicts another property of the same set")
_REBOUND: Final = Failure(Code.NOT_ALLOWED, "not done, because its binding was changed meanwhile")


@dataclass(frozen=True, slots=True)
class RequestedProperty:
    """One property of a set, looked up and understood.

    `denied` is why it must not be set; the other properties of its entity are not affected. `refused` is why nothing of its
    entity can be set: the value does not fit, or the entity is unavailable. `value` is what the aspect is to become, None if
    the property is denied or the value is not understood. `state` is the state with which it was understood. `masked` is what
    may be shown of the value `raw`.
    """

    identifier: str
    raw: JsonValue
    masked: JsonValue
    bound: BoundProperty | None = None
    state: State = NO_ENTITY_STATE
    value: Value | None = None
    denied: Failure | None = None
    refused: Failure | None = None

    @property
    def private(self) -> bool:
        """Whether the value is private, or a part of it."""
        return bool(self.masked != self.raw)

    @property
    def legible(self) -> JsonValue:
        """The value as people read it in the logbook: that of the aspect, or else the one that the cloud sent, masked."""
        match self.value:
            case None:
                return self.masked
            case _ if self.private:
                return self.masked
            case bool() as on if self.bound:
                return self.bound.aspect.words[on]
            case datetime() as moment:
                return moment.isoformat()
            case tuple() as parts:
                return ", ".join("" if part is None else f"{part:g}" for part in parts)
            case value:
                return value


type Action = Callable[[Run], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Step:
    """What is done in one turn: all properties of an entity are set, or one property by its own actions.

    `target` is what has to be free: the entity, or a property without one. Without an `action` there is nothing to do, and
    `refusals` (by identifier) say why.
    """

    target: str
    properties: tuple[RequestedProperty, ...]
    action: Action | None = None
    refusals: Mapping[str, Failure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Examined:
    """A property set that was examined, but not carried out.

    `refusals` are what would not be done if it were carried out now, in the order of the set. `doable` are the values of the
    other properties. `entity_id` is the entity that the set is about, empty if there is none or more than one.
    """

    properties: tuple[RequestedProperty, ...] = ()
    steps: tuple[Step, ...] = ()
    refusals: Mapping[str, Failure] = field(default_factory=dict)
    doable: Mapping[str, JsonValue] = field(default_factory=dict)
    entity_id: str = ""


class PropertySetter:
    """Carries property sets out."""

    def __init__(
        self, hass: HomeAssistant, policy: Policy, loops: LoopGuard, work: Work, gate: Callable[[Run], Failure | None]
    ) -> None:
        """Refuse everything until `follow` is called; `gate` returns why a command must not begin with anything now."""
        self._hass = hass
        self._policy = policy
        self._loops = loops
        self._work = work
        self._gate = gate
        self._bound = BoundProperties()
        self._model: ThingModel | None = None
        self._private = BY_NAME_ALONE

    def follow(self, bound: BoundProperties, model: ThingModel | None, private: PrivateNames) -> None:
        """Use these bindings from now on."""
        self._bound = bound
        self._model = model
        self._private = private

    def examine(self, values: Mapping[str, JsonValue]) -> Examined:
        """Find out what can be done of a set as things are now; nothing is done."""
        properties = tuple([self._look_up(identifier, raw) for identifier, raw in values.items()])
        steps = self._plan(properties)
        found = {requested.identifier: requested.denied for requested in properties}
        for step in steps:
            found |= step.refusals
        refusals = {identifier: failure for identifier, failure in found.items() if failure}
        doable = {identifier: raw for identifier, raw in values.items() if identifier not in refusals}
        entities = {requested.bound.entity_id for requested in properties if requested.bound} - {""}
        return Examined(properties, steps, refusals, doable, entities.pop() if len(entities) == 1 else "")

    @contextmanager
    def admitted(self, examined: Examined) -> Iterator[list[tuple[Step, Place]]]:
        """Take a place for each step that does something or has to wait; raises as `Work.take` does."""
        working = [step for step in examined.steps if step.action or self._is_busy(step.target)]
        with self._work.take([step.target for step in working]) as places:
            yield list(zip(working, places, strict=True))

    async def set(self, examined: Examined, working: Sequence[tuple[Step, Place]], run: Run) -> dict[str, Failure]:
        """Do what can be done in time, and return what failed, in the order of the set; `working` are the admitted steps."""
        found = {requested.identifier: requested.denied for requested in examined.properties}
        idle = [step for step in examined.steps if all(step is not other for other, _ in working)]
        for step in idle:
            found |= step.refusals
        if len(working) == 1:  # the usual case needs no task of its own
            found |= await self._take_turn(*working[0], run)
        else:
            for failures in await asyncio.gather(*(self._take_turn(step, place, run) for step, place in working)):
                found |= failures
        return {identifier: failure for identifier, failure in found.items() if failure}

    def private_parts(self, requested: RequestedProperty) -> Iterator[object]:
        """Yield what no text may contain of a property that was asked for."""
        if requested.private:
            whole = requested.masked == HIDDEN
            yield from self._private.private_parts(requested.identifier, requested.raw, whole=whole)
            yield from self._private.private_parts(requested.identifier, requested.value, whole=True)

    def _look_up(self, identifier: str, raw: JsonValue, earlier: RequestedProperty | None = None) -> RequestedProperty:
        """Look a property up as it is now; returns `earlier` if that is still true."""
        bound = self._bound.by_identifier.get(identifier)
        denied = self._denial(identifier, bound)
        state = (self._hass.states.get(bound.entity_id) if bound and bound.entity_id else None) or NO_ENTITY_STATE
        if earlier and not denied and bound is earlier.bound and state is earlier.state:
            return earlier
        masked = HIDDEN if _is_password_field(state) else self._private.masked(identifier, raw)
        if bound is None or denied:
            return RequestedProperty(identifier, raw, masked, bound, denied=denied)
        own_actions = bool(bound.binding.actions)
        value: Value | None = None
        refused = None if own_actions else unavailability(self._hass, bound.entity_id)
        if refused is None:
            try:
                value = bound.to_aspect(bound.decode(raw, state), state)
            except (InvalidValue, Refused) as err:
                refused = Failure.of_value(err, private=bool(masked != raw))
            if (
                not own_actions
                and not bound.binding.confirmed
                and (culprit := risk_of(self._hass, state, bound.aspect))
            ):
                refused = _unconfirmed(bound.entity_id, culprit)
        return RequestedProperty(identifier, raw, masked, bound, state, value, refused=refused)

    def _denial(self, identifier: str, bound: BoundProperty | None) -> Failure | None:
        """Return why a property must not be set now; only what the user allowed may be set."""
        if bound is None:
            if self._model and identifier not in self._model.properties:
                return Failure(Code.UNKNOWN, "the thing model has no such property")
            return Failure(Code.NOT_MAPPED, str(self._bound.problems.get(identifier, "not bound to anything")))
        if not bound.writable:
            return Failure(Code.READ_ONLY, "read-only")
        if not bound.binding.access.controls:
            return Failure(Code.NOT_ALLOWED, "its binding does not allow control")
        if self._loops.is_paused(identifier):
            return _PAUSED
        return self._policy.refusal(CommandKind.PROPERTY_SET, identifier)

    def _plan(self, properties: Iterable[RequestedProperty]) -> tuple[Step, ...]:
        """Return the steps that set the properties that are not denied."""
        by_entity: defaultdict[str, list[RequestedProperty]] = defaultdict(list)
        steps: list[Step] = []
        for requested in properties:
            if requested.denied or (bound := requested.bound) is None:
                continue
            if bound.binding.actions:
                steps.append(self._own_step(requested, bound))
            else:
                by_entity[bound.entity_id].append(requested)
        steps += [self._entity_step(entity_id, tuple(group)) for entity_id, group in by_entity.items()]
        return tuple(steps)

    def _own_step(self, requested: RequestedProperty, bound: BoundProperty) -> Step:
        refused = requested.refused or (DRY_RUN if self._policy.rules.dry_run else None)
        return Step(
            bound.entity_id or requested.identifier,
            (requested,),
            None if refused else partial(self._run_own_actions, requested, bound),
            {requested.identifier: refused} if refused else {},
        )

    def _entity_step(self, entity_id: str, properties: tuple[RequestedProperty, ...]) -> Step:
        wanted: dict[str, Value] = {}
        refusals: dict[str, Failure] = {}
        for requested in properties:
            if requested.refused:
                refusals[requested.identifier] = requested.refused
            elif (
                requested.bound
                and requested.value is not None
                and wanted.setdefault(requested.bound.aspect.key, requested.value) != requested.value
            ):
                refusals[requested.identifier] = _CONTRADICTION
        if refusals:
            first = next(iter(refusals))
            others = Failure(refusals[first].code, f"not set, because {first} was not")
            return Step(entity_id, properties, refusals=_all(properties, others) | refusals)
        try:
            calls = DOMAINS[properties[0].state.domain].actions_for(properties[0].state, wanted)
        except Refused as err:
            failure = Failure.of_value(err, private=any(requested.private for requested in properties))
            return Step(entity_id, properties, refusals=_all(properties, failure))
        if self._policy.rules.dry_run:
            return Step(entity_id, properties, refusals=_all(properties, DRY_RUN))
        return Step(entity_id, properties, partial(self._call_actions, entity_id, calls))

    def _is_busy(self, target: str) -> bool:
        """Return whether a step with this target has to wait for an earlier one."""
        turn = self._work.turns.get(target)
        return turn is not None and turn.locked()

    async def _take_turn(self, step: Step, place: Place, run: Run) -> dict[str, Failure]:
        """Do a step after those of earlier commands with the same target, and return what failed."""
        turn = self._work.turns.setdefault(step.target, asyncio.Lock())
        waits = turn.locked()
        try:
            async with asyncio.timeout(run.remaining if waits else None):
                await turn.acquire()
        except TimeoutError:
            late = f"not done, because an earlier command to {step.target} has not finished"
            return _all(step.properties, Failure(Code.TIMED_OUT, late))
        failures: dict[str, Failure] = {}
        result = await self._work.run(self._in_turn(step, turn, run, failures, afresh=waits), run, place)
        return _all(step.properties, result) | failures if isinstance(result, Failure) else failures

    async def _in_turn(
        self, step: Step, turn: asyncio.Lock, run: Run, failures: dict[str, Failure], *, afresh: bool
    ) -> None:
        """Do a step whose turn has come. The turn ends when its action does, also after the deadline.

        `failures` gets what is not done, before the action starts. Everything is asked again: `afresh` if the step had to wait,
        otherwise as far as it has changed.
        """
        try:
            if failure := self._gate(run):
                failures |= _all(step.properties, failure)
                return
            properties = [
                self._look_up(requested.identifier, requested.raw, None if afresh else requested)
                for requested in step.properties
            ]
            run.secrets.add(part for requested in properties for part in self.private_parts(requested))
            failures |= {requested.identifier: requested.denied for requested in properties if requested.denied}
            same = all(now is before for now, before in zip(properties, step.properties, strict=True))
            for now in (step,) if same and not self._policy.rules.dry_run else self._plan(properties):
                if now.target != step.target:
                    failures |= _all(now.properties, _REBOUND)
                elif now.action:
                    run.begun.update(requested.identifier for requested in now.properties)
                    await now.action(run)
                else:
                    failures |= now.refusals
        finally:
            turn.release()

    async def _run_own_actions(self, requested: RequestedProperty, bound: BoundProperty, run: Run) -> None:
        """Run the actions of a binding, whatever its entity can do or is doing."""

        def refusal() -> Failure | None:
            now = self._look_up(requested.identifier, requested.raw, requested)
            rebound = None if now.bound == requested.bound else _REBOUND
            dry_run = DRY_RUN if self._policy.rules.dry_run else None
            return self._gate(run) or now.denied or rebound or now.refused or dry_run

        variables = {"value": requested.value, "identifier": requested.identifier}
        await run_sequence(self._hass, requested.identifier, bound.binding.actions, variables, run.context, refusal)

    async def _call_actions(self, entity_id: str, calls: Iterable[ActionCall], run: Run) -> None:
        action = self._call_each(entity_id, calls, run.context)
        state = self._hass.states.get(entity_id)
        if state is None or not runs_scripts(self._hass, state):
            await action
        else:
            await run_script(self._hass, action, run.context, always=False)

    async def _call_each(self, entity_id: str, calls: Iterable[ActionCall], context: Context) -> None:
        for call in calls:
            if failure := without_effect(self._hass, entity_id, call.action):
                raise NotAllowedNow(failure)
            await self._hass.services.async_call(
                call.domain, call.action, {**call.data, ATTR_ENTITY_ID: entity_id}, blocking=True, context=context
            )
            require_members(self._hass, entity_id)


def _unconfirmed(entity_id: str, culprit: str) -> Failure:
    reach = "" if culprit == entity_id else f", which is needed because of {culprit}"
    return Failure(Code.NOT_ALLOWED, f"control of {entity_id} was not confirmed{reach}")


def _is_password_field(state: State) -> bool:
    """Return whether an entity is a text that Home Assistant itself shows as dots."""
    return state.attributes.get(ATTR_MODE) == TextMode.PASSWORD


def _all(properties: Iterable[RequestedProperty], failure: Failure) -> dict[str, Failure]:
    """Return the same failure for each property."""
    return {requested.identifier: failure for requested in properties}
