"""Cloud → Home Assistant: commands become actions, and are answered with what really happened.

Every command gets a context of its own and a bus event, fired before the actions with that context, so that the logbook can
tell who did it. Only what is bound can be reached, and a reply 200 means that Home Assistant finished without an error.
"""

from collections.abc import Iterable, Mapping
import time

from homeassistant.core import Context, CoreState, HomeAssistant, callback

from ..alink.codes import Code
from ..alink.command import Answer, Command, CommandKind
from ..alink.messages import JsonValue
from ..alink.model.thing_model import Service, ThingModel
from ..bound import BoundProperties
from ..mapping.binding import ServiceBinding
from ..reports.reporter import Reporter
from .announcement import Announcer
from .journal import Journal
from .loops import LoopGuard
from .outcome import Failure, Outcome
from .policy import Policy
from .property_set import DRY_RUN, PropertySetter
from .replies import Replies
from .service_call import call_service, read_input

SYNC_DEADLINE = 4.5
"""Seconds; the caller in the cloud waits five (docs/protocol.md §6.4)."""

DEADLINE = 30.0
"""Seconds for everything nobody waits for."""


class Commander:
    """Carries the commands of one device out."""

    def __init__(
        self,
        hass: HomeAssistant,
        announcer: Announcer,
        reporter: Reporter,
        loops: LoopGuard,
    ) -> None:
        """Commands are checked against nothing until `follow` is called, so all of them are refused."""
        self.journal = Journal()
        self.policy = Policy(hass)
        self.replies = Replies()
        self._hass = hass
        self._announcer = announcer
        self._reporter = reporter
        self._loops = loops
        self._setter = PropertySetter(hass, self._objection)
        self._services: Mapping[str, ServiceBinding] = {}
        self._model: ThingModel | None = None

    @callback
    def follow(self, bound: BoundProperties, services: Mapping[str, ServiceBinding], model: ThingModel | None) -> None:
        """Obey these bindings from now on."""
        self._setter.follow(bound, model)
        self._services = services
        self._model = model

    async def handle(self, command: Command) -> Answer:
        """Carry a command out and return the answer to it."""
        started = time.monotonic()
        if self._hass.state is not CoreState.running:
            answer = Answer(Code.TOO_BUSY, message="Home Assistant is starting or stopping, try again later")
        elif not self.policy.takes_one_more():
            limit = self.policy.rules.commands_per_minute
            answer = Answer(Code.TOO_BUSY, message=f"more than {limit} commands in a minute")
        else:
            context = Context()
            answer = await self._carry_out(command, context, started)
            subject = self._setter.entity_of(command.params) if isinstance(command.params, dict) else ""
            self._announcer.answered(command, context, answer, subject)
        self.journal.add(command, answer, time.monotonic() - started)
        return answer

    async def _carry_out(self, command: Command, context: Context, started: float) -> Answer:
        deadline = SYNC_DEADLINE if command.sync else DEADLINE
        match command.kind, command.params:
            case CommandKind.PROPERTY_SET, dict() as values:
                return await self._set(command, values, context, started + deadline)
            case CommandKind.PROPERTY_GET, list() as identifiers:
                self._announcer.announce(command, context)
                return self._get(identifiers)
            case CommandKind.SERVICE, dict() as arguments if command.identifier:
                self._announcer.announce(command, context)
                return await self._serve(command, command.identifier, arguments, context, deadline)
            case ((CommandKind.RAW | CommandKind.MESSAGE), _):
                return await self._hand_on(command, context, deadline)
        return Answer(Code.PARAMETER_ERROR, message="the command cannot be understood")

    async def _set(self, command: Command, values: dict[str, JsonValue], context: Context, until: float) -> Answer:
        """Set properties; what follows from it is posted by the reporter, with the values that really are."""
        started = time.monotonic()
        examined = self._setter.examine(values)
        dry_run = self.policy.rules.dry_run
        self._announcer.announce(command, context, self._setter.changes(examined, dry_run=dry_run))
        if dry_run:
            outcome = examined.as_dry_run()
        else:
            self._loops.commanded(examined.doable, context)
            if examined.doable:
                self._announcer.tell(command, context, examined.doable)
            outcome = await self._setter.set(examined, context, until - started)
        self._reporter.confirm(values, since=started)
        return answer_of(outcome)

    def _get(self, wanted: Iterable[JsonValue]) -> Answer:
        """Return present values; the cloud takes the new state from a post only, so there is one as well."""
        identifiers = [one for one in wanted if isinstance(one, str)]
        values = {key: sample.value for key, sample in self._reporter.present(identifiers).items()}
        self._reporter.confirm(values, since=time.monotonic())
        missing = [str(one) for one in wanted if not isinstance(one, str) or one not in values]
        if missing:
            return Answer(Code.NOT_MAPPED, values, f"no value for {', '.join(missing)}")
        return Answer(data=values)

    async def _serve(
        self, command: Command, identifier: str, arguments: Mapping[str, JsonValue], context: Context, deadline: float
    ) -> Answer:
        """Call a service: what it is bound to runs, else whichever automation listens may answer."""
        binding = self._services.get(identifier)
        if binding is None and not self._announcer.is_heard(command):
            return self._unbound(identifier)
        if objection := self.policy.objection() or self.policy.objection_to(CommandKind.SERVICE, identifier):
            return answer_of(Outcome.failed(identifier, objection))
        service = self._model.services.get(identifier) if self._model else None
        variables, failures = read_input(service, arguments)
        if failures:
            return answer_of(Outcome(failures))
        if self.policy.rules.dry_run:
            return answer_of(Outcome.failed(identifier, DRY_RUN))
        if binding is None:
            return await self._ask(command, context, deadline, service, variables) or self._unbound(identifier)
        self._announcer.tell(command, context, variables)
        outcome = await call_service(self._hass, binding, service, variables, context=context, deadline=deadline)
        return answer_of(outcome)

    async def _hand_on(self, command: Command, context: Context, deadline: float) -> Answer:
        """Let automations have a message or a raw frame; only they know what it means, and whether to answer.

        What is returned without an answer of theirs is for the journal: a device says nothing then.
        """
        if refusal := self.policy.objection() or (DRY_RUN if self.policy.rules.dry_run else None):
            return Answer(refusal.code, message=refusal.message)
        self._announcer.announce(command, context)
        if command.kind is CommandKind.MESSAGE and not command.sync:
            self._announcer.tell(command, context)
            return Answer()
        answer = await self._ask(command, context, min(deadline, SYNC_DEADLINE))
        return answer or (Answer(Code.NOT_MAPPED, message="no automation answered") if command.sync else Answer())

    async def _ask(
        self,
        command: Command,
        context: Context,
        deadline: float,
        service: Service | None = None,
        details: Mapping[str, object] | None = None,
    ) -> Answer | None:
        """Tell automations and return what one of them answers; None if nobody listens or nobody answers in time."""
        self.replies.expect(context.id, service, is_data=command.is_data)
        if not self._announcer.tell(command, context, details):
            self.replies.close(context.id)
            return None
        return await self.replies.wait(context.id, deadline)

    def _objection(self, identifier: str) -> Failure | None:
        """Return why a property that is bound may not be set now."""
        if self._loops.is_paused(identifier):
            return Failure(Code.LOOP, "paused, because a cloud rule and an automation set each other off")
        return self.policy.objection() or self.policy.objection_to(CommandKind.PROPERTY_SET, identifier)

    def _unbound(self, identifier: str) -> Answer:
        if self._model is None or identifier in self._model.services:
            failure = Failure(Code.NOT_MAPPED, "the service is not bound to anything, and no automation answered")
        else:
            failure = Failure(Code.UNKNOWN, "the thing model has no such service")
        return answer_of(Outcome.failed(identifier, failure))


def answer_of(outcome: Outcome) -> Answer:
    """Put an outcome in the words of the wire: the first failure decides the code, `data` names every failed identifier."""
    if not outcome.failures:
        return Answer(data=outcome.data)
    first = next(iter(outcome.failures.values()))
    message = "; ".join(_sentence(name, failure) for name, failure in outcome.failures.items())
    data: dict[str, JsonValue] = {name: failure.message for name, failure in outcome.failures.items()}
    return Answer(first.code, data, message)


def _sentence(name: str, failure: Failure) -> str:
    """Return the message with the name in front, unless it names the place by itself, as `RGBColor.Red: …` does."""
    named = failure.message.startswith((f"{name}:", f"{name}.", f"{name}["))
    return failure.message if named else f"{name}: {failure.message}"
