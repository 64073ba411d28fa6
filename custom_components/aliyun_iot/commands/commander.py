"""Cloud → Home Assistant: commands become actions, and are answered with what really happened.

Every command gets a context of its own and a bus event, fired before the actions with that context, so that the logbook can
attribute the changes to it. Only what is bound can be reached, and the code 200 means that Home Assistant finished without an
error.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
import time
from typing import Final

from homeassistant.core import Context, CoreState, HomeAssistant, callback

from ..alink.codes import Code
from ..alink.command import Answer, Command, CommandKind
from ..alink.foreign import safe
from ..alink.messages import JsonValue
from ..alink.model.thing_model import Service, ThingModel
from ..alink.privacy import BY_NAME_ALONE, HIDDEN, PrivateNames, Secrets
from ..alink.samples import Sample
from ..bound import BoundProperties
from ..mapping.binding import ServiceBinding
from .announcement import Announcer, CommandRun
from .journal import Journal
from .loops import LoopGuard
from .outcome import DRY_RUN, Failure, TooBusy, answer_of
from .policy import Policy
from .property_set import PropertySetter
from .running import Run, log_unexpected
from .service_call import ServiceRun, call_service, read_input
from .work import GOING_OFFLINE, Work

SYNC_DEADLINE = 4.5
"""Seconds; the caller in the cloud waits for five (docs/protocol.md §6.4)."""

DEADLINE = 30.0
"""Seconds for commands without a caller that waits."""

_STARTING_OR_STOPPING: Final = "Home Assistant is starting or stopping, try again later"
_REBOUND: Final = Failure(Code.NOT_ALLOWED, "not done, because its binding was changed meanwhile")


@dataclass(frozen=True, slots=True)
class OpenCommand:
    """A command that can still be answered.

    `service` is its definition in the thing model, if there is one. A command that `is_data`, a raw frame or a message, is
    answered with bytes.
    """

    service: Service | None
    is_data: bool
    reply: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Replies:
    """The open commands of one device, by the id that triggers have as `trigger.command_id`."""

    def __init__(self) -> None:
        """Start without open commands."""
        self._open: dict[str, OpenCommand] = {}

    @contextmanager
    def expected(self, command_id: str, service: Service | None, *, is_data: bool) -> Iterator[asyncio.Future[Answer]]:
        """Open a command, yield the future of its answer, and close it again. Automations are notified in between."""
        command = self._open[command_id] = OpenCommand(service, is_data)
        try:
            yield command.reply
        finally:
            del self._open[command_id]

    @callback
    def find(self, command_id: str) -> OpenCommand | None:
        """Return a command that has not been answered yet."""
        command = self._open.get(command_id)
        return None if command is None or command.reply.done() else command

    @callback
    def give(self, command_id: str, answer: Answer) -> None:
        """Answer a command that `find` has just returned."""
        self._open[command_id].reply.set_result(answer)


class Commander:
    """Carries out the commands of one device."""

    def __init__(
        self,
        hass: HomeAssistant,
        announcer: Announcer,
        loops: LoopGuard,
        work: Work,
        *,
        present: Callable[[Iterable[str]], Mapping[str, Sample]],
        confirm: Callable[[Iterable[str], float], None],
        on_received: Callable[[Command], None],
        on_answered: Callable[[Command, Answer], None],
        on_given_up: Callable[[Command, Collection[str]], None],
        on_unusable: Callable[[Mapping[str, str]], None],
        on_overload: Callable[[], None],
    ) -> None:
        """Refuse everything until `follow` is called.

        `work` is shared by all devices of an entry. `present` returns the present values of properties, without those that
        are not reported or have none. `confirm` posts them, except what has changed since a time (monotonic seconds) and is
        posted anyway. `on_received` takes each command of the cloud, `on_answered` the command and its answer, and
        `on_given_up` a set that is given up when something of it has begun, with these properties.
        `on_unusable` is as for `Conditions`. `on_overload` is called with each command that is refused because there are too
        many.
        """
        self.journal = Journal()
        self.policy = Policy(hass, on_unusable)
        self.replies = Replies()
        self._hass = hass
        self._announcer = announcer
        self._loops = loops
        self._present = present
        self._confirm = confirm
        self._on_received = on_received
        self._on_answered = on_answered
        self._on_given_up = on_given_up
        self._on_overload = on_overload
        self._work = work
        self._stopped = False
        self._setter = PropertySetter(hass, self.policy, loops, self._work, self._not_now)
        self._services: Mapping[str, ServiceBinding] = {}
        self._broken_services: Mapping[str, str] = {}
        self._model: ThingModel | None = None
        self._private = BY_NAME_ALONE
        self._sets: set[asyncio.Event] = set()

    @callback
    def follow(
        self,
        bound: BoundProperties,
        services: Mapping[str, ServiceBinding],
        model: ThingModel | None,
        private: PrivateNames,
        broken_services: Mapping[str, str],
    ) -> None:
        """Use these bindings from now on; `broken_services` are why services cannot be called, by identifier."""
        self._setter.follow(bound, model, private)
        self._services = services
        self._broken_services = broken_services
        self._model = model
        self._private = private
        self._loops.keep_only(bound.by_identifier)

    @callback
    def stop(self) -> None:
        """Refuse everything; the actions that still run end with the work."""
        self._stopped = True
        self.policy.stop()

    async def handle(self, command: Command) -> Answer:
        """Carry out a command of the cloud and return the answer."""
        ended = asyncio.Event()
        if command.kind is CommandKind.PROPERTY_SET:
            self._sets.add(ended)
        self._on_received(command)
        try:
            answer = await self.carry_out(command)
            self._on_answered(command, answer)
        finally:
            self._sets.discard(ended)
            ended.set()
        return answer

    @callback
    def lets_trigger(self) -> bool:
        """Return whether automations may be notified now of something that the cloud sends besides commands.

        It counts as a command, and the settings for all commands apply.
        """
        try:
            self.policy.admit()
        except TooBusy:
            self._on_overload()
            return False
        running = self._hass.state is CoreState.running and not self._stopped
        return running and not self.policy.rules.dry_run and self.policy.refusal(CommandKind.MESSAGE) is None

    async def sets_answered(self) -> None:
        """Wait until the property sets that the cloud has sent so far are answered."""
        for ended in list(self._sets):
            await ended.wait()

    async def carry_out(self, command: Command) -> Answer:
        """Carry out a command, whether the cloud has sent it or not, and return the answer."""
        started = time.monotonic()
        run: CommandRun | None = None
        try:
            run = self._admitted(command, started)
            answer = _without_secrets(await self._run_safely(run), run.secrets)
            if not run.dry_run:
                self._announcer.answered(run, answer)
        except TooBusy as err:
            answer = Answer(Code.TOO_BUSY, message=str(err))
            if err.overload:
                self._on_overload()
        except asyncio.CancelledError:
            if run and run.begun:
                self._on_given_up(command, run.begun)
            raise
        self.journal.add(
            command,
            answer,
            time.monotonic() - started,
            params=run.params if run else None,
            entities=run.entities if run else (),
            dry_run=bool(run and run.dry_run),
        )
        return answer

    def _admitted(self, command: Command, started: float) -> CommandRun:
        """Return the run of a command that may be carried out now; raises TooBusy for any other."""
        if self._hass.state is not CoreState.running:
            raise TooBusy(_STARTING_OR_STOPPING, overload=False)
        if self._stopped:
            raise TooBusy(GOING_OFFLINE, overload=False)
        until = started + (SYNC_DEADLINE if command.sync else DEADLINE)
        run = CommandRun(Context(), until, Secrets(), self.policy.admit(), command, started)
        run.dry_run = self.policy.rules.dry_run
        return run

    def _not_now(self, run: Run) -> Failure | None:
        """Return why a command whose turn has come must not begin with anything, whatever it is about."""
        if self._hass.state is not CoreState.running:
            return Failure(Code.TOO_BUSY, _STARTING_OR_STOPPING)
        if self._stopped or self._work.stopped:
            return Failure(Code.TOO_BUSY, GOING_OFFLINE)
        return self.policy.excess(run.admitted)

    async def _run_safely(self, run: CommandRun) -> Answer:
        """Carry out a command; an unexpected error is logged and answered without its text."""
        try:
            return await self._run(run)
        except TooBusy:
            raise
        except Exception as err:  # noqa: BLE001 - logged here, where it is known what must not be
            log_unexpected(err, f"A {run.command.kind} failed unexpectedly", run.secrets)
            return Answer(Code.INTERNAL_ERROR, message="internal error of the device")

    async def _run(self, run: CommandRun) -> Answer:
        command = run.command
        match command.kind, command.params:
            case CommandKind.PROPERTY_SET, dict() as values:
                return await self._set(run, values)
            case CommandKind.PROPERTY_GET, list() as wanted:
                run.params = wanted
                return self._get(run, wanted)
            case CommandKind.SERVICE, dict() as arguments if command.identifier:
                return await self._call(run, command.identifier, arguments)
            case ((CommandKind.RAW | CommandKind.MESSAGE), _):
                return await self._forward(run)
        return Answer(Code.PARAMETER_ERROR, message="the command cannot be understood")

    async def _set(self, run: CommandRun, values: Mapping[str, JsonValue]) -> Answer:
        """Set properties. Their present values are posted in any case: the cloud takes them from a post only."""
        examined = self._setter.examine(values)
        if examined.doable and self._loops.record_command(examined.doable, run.context):
            examined = self._setter.examine(values)  # a loop was interrupted just now
        run.examined = examined
        run.params = {requested.identifier: requested.masked for requested in examined.properties}
        run.secrets.add(part for requested in examined.properties for part in self._setter.private_parts(requested))
        with self._setter.admitted(examined) as working:
            self._announcer.announce(run)
            if examined.doable:
                self._announcer.notify(run, examined.doable)
            failures = await self._setter.set(examined, working, run)
        if bound := [requested.identifier for requested in examined.properties if requested.bound]:
            self._confirm(bound, run.started)
        return answer_of(failures)

    def _get(self, run: CommandRun, wanted: Iterable[JsonValue]) -> Answer:
        """Return present values, and post them as well: the cloud takes them from a post only."""
        identifiers = [identifier for identifier in wanted if isinstance(identifier, str)]
        values = {key: sample.value for key, sample in self._present(identifiers).items()}
        missing = [
            str(identifier) for identifier in wanted if not isinstance(identifier, str) or identifier not in values
        ]
        if missing:
            run.refusal = Answer(Code.NOT_MAPPED, values, f"no value for {', '.join(map(safe, missing))}")
        self._announcer.announce(run)
        self._confirm(values, time.monotonic())
        return run.refusal or Answer(data=values)

    async def _call(self, run: CommandRun, identifier: str, arguments: Mapping[str, JsonValue]) -> Answer:
        """Call a service: the script or the actions that it is bound to run, or else an automation may answer."""
        whole = identifier in self._private  # what changes a password has one as its input, whatever that is called
        run.params = {key: HIDDEN if whole else self._private.masked(key, raw) for key, raw in arguments.items()}
        run.secrets.add(self._private.private_parts(identifier, arguments, whole=whole))
        with self._work.take([f"service {identifier}"]) as [place]:
            binding = self._services.get(identifier)
            run.script = binding.script or "" if binding else ""
            service = self._model.services.get(identifier) if self._model else None
            variables, failures = read_input(service, arguments, self._private)
            run.secrets.add(self._private.private_parts(identifier, variables, whole=whole))
            if refusal := self._service_refusal(identifier, binding):
                failures = {identifier: refusal}
            run.refusal = answer_of(failures) if failures else None
            self._announcer.announce(run)
            if run.refusal:
                return run.refusal
            if self.policy.rules.dry_run:
                return answer_of({identifier: DRY_RUN})
            if binding is None:
                answer = await self._ask(run, run.remaining, service, variables)
                return answer or answer_of({identifier: self._unbound(identifier)})

            def refusal_now() -> Failure | None:
                dry_run = DRY_RUN if self.policy.rules.dry_run else None
                return self._not_now(run) or self._service_refusal(identifier, binding) or dry_run

            self._announcer.notify(run, variables)
            call = ServiceRun(run, self._work, place, refusal_now)
            return await call_service(self._hass, binding, service, variables, self._private, call)

    def _service_refusal(self, identifier: str, binding: ServiceBinding | None) -> Failure | None:
        """Return why a service must not be called now; `binding` is what it was bound to when its call came."""
        if why := self._broken_services.get(identifier):
            return Failure(Code.NOT_MAPPED, why)
        if (present := self._services.get(identifier)) != binding:
            return _REBOUND if present else self._unbound(identifier)
        if binding is None and not self._announcer.has_listener(identifier):
            return self._unbound(identifier)
        return self.policy.refusal(CommandKind.SERVICE, identifier)

    async def _forward(self, run: CommandRun) -> Answer:
        """Hand a message or a raw frame to automations: only they know what it means and whether to answer it.

        The answer is for the journal if none of them answers: the device sends nothing then.
        """
        command = run.command
        if refusal := self.policy.refusal(command.kind) or (DRY_RUN if self.policy.rules.dry_run else None):
            return Answer(refusal.code, message=refusal.message)
        self._announcer.announce(run)
        if command.kind is CommandKind.MESSAGE and not command.sync:
            self._announcer.notify(run)
            return Answer()
        answer = await self._ask(run, min(run.remaining, SYNC_DEADLINE))
        return answer or (Answer(Code.NOT_MAPPED, message="no automation answered") if command.sync else Answer())

    async def _ask(
        self,
        run: CommandRun,
        timeout: float,
        service: Service | None = None,
        values: Mapping[str, object] | None = None,
    ) -> Answer | None:
        """Notify automations and return the answer of one of them, None if no one listens or answers in time."""
        with self.replies.expected(run.context.id, service, is_data=run.command.is_data) as reply:
            if not self._announcer.notify(run, values):
                return None
            try:
                async with asyncio.timeout(timeout):
                    return await reply
            except TimeoutError:
                return None

    def _unbound(self, identifier: str) -> Failure:
        if self._model is None or identifier in self._model.services:
            return Failure(Code.NOT_MAPPED, "the service is not bound to anything, and no automation answered")
        return Failure(Code.UNKNOWN, "the thing model has no such service")


def _without_secrets(answer: Answer, secrets: Secrets) -> Answer:
    """Return an answer without private values; the output data of a success are what the cloud asked for."""
    data = answer.data if answer.code == Code.SUCCESS else secrets.removed(answer.data)
    return replace(answer, data=data, message=secrets.withheld(answer.message))
