"""Cloud → Home Assistant: commands become actions, and are answered with what really happened.

Every command gets a context of its own and a bus event, fired before the actions with that context, so that the logbook can
tell who did it. Only what is bound can be reached, and a reply 200 means that Home Assistant finished without an error.
"""

import base64
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
import time

from homeassistant.core import Context, CoreState, HomeAssistant
from homeassistant.util import dt as dt_util

from .alink.codes import Code
from .alink.commands import Answer, Command, CommandKind
from .alink.messages import JsonValue
from .alink.thing_model import ThingModel
from .bound import BoundProperties
from .const import EVENT_COMMAND, EVENT_RAW
from .mapping.binding import ServiceBinding
from .outcome import MESSAGE_LENGTH, Failure, Outcome
from .property_set import PropertySetter
from .reporter import Reporter
from .service_call import call_service

SYNC_DEADLINE = 4.5
"""Seconds; the caller in the cloud waits five (docs/protocol.md §6.4)."""

DEADLINE = 30.0
"""Seconds for everything nobody waits for."""

JOURNAL_LENGTH = 100


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One command and its outcome, for diagnostics."""

    at: str
    kind: str
    id: str
    target: list[str]
    code: int
    message: str
    milliseconds: float


class Commander:
    """Carries the commands of one device out."""

    def __init__(self, hass: HomeAssistant, entry_id: str, reporter: Reporter) -> None:
        """Commands are checked against nothing until `follow` is called, so all of them are refused."""
        self._journal: deque[JournalRow] = deque(maxlen=JOURNAL_LENGTH)
        self._hass = hass
        self._entry_id = entry_id
        self._reporter = reporter
        self._setter = PropertySetter(hass)
        self._services: Mapping[str, ServiceBinding] = {}
        self._model: ThingModel | None = None

    def follow(self, bound: BoundProperties, services: Mapping[str, ServiceBinding], model: ThingModel | None) -> None:
        """Obey these bindings from now on."""
        self._setter.follow(bound, model)
        self._services = services
        self._model = model

    async def handle(self, command: Command) -> Answer:
        """Carry a command out and return the answer to it."""
        started = time.monotonic()
        context = Context()
        self._announce(command, context)
        if self._hass.state is not CoreState.running:
            answer = Answer(Code.TOO_BUSY, message="Home Assistant is starting or stopping, try again later")
        else:
            answer = await self._carry_out(command, context, started)
        self._journal.append(
            JournalRow(
                at=dt_util.utcnow().isoformat(timespec="milliseconds"),
                kind=command.kind,
                id=command.id,
                target=_targets(command),
                code=answer.code,
                message=answer.message[:MESSAGE_LENGTH],
                milliseconds=round((time.monotonic() - started) * 1000, 1),
            )
        )
        return answer

    def journal_rows(self) -> list[dict[str, object]]:
        """Return the last commands, oldest first."""
        return [asdict(row) for row in self._journal]

    async def _carry_out(self, command: Command, context: Context, started: float) -> Answer:
        deadline = SYNC_DEADLINE if command.sync else DEADLINE
        match command.kind, command.params:
            case CommandKind.PROPERTY_SET, dict() as values:
                outcome = await self._setter.set(values, context, deadline)
                self._reporter.confirm(values, since=started)
                return answer_of(outcome)
            case CommandKind.PROPERTY_GET, list() as identifiers:
                return self._get(identifiers)
            case CommandKind.SERVICE, dict() as arguments if command.identifier:
                service = self._model.services.get(command.identifier) if self._model else None
                binding = self._services.get(command.identifier)
                if binding is None:
                    return _unbound(command.identifier, known=service is not None or self._model is None)
                outcome = await call_service(
                    self._hass, binding, service, arguments, context=context, deadline=deadline
                )
                return answer_of(outcome)
            case CommandKind.RAW, _:
                return Answer()
        return Answer(Code.PARAMETER_ERROR, message="the command cannot be understood")

    def _get(self, wanted: Iterable[JsonValue]) -> Answer:
        """Return present values; the cloud takes the new state from a post only, so there is one as well."""
        identifiers = [one for one in wanted if isinstance(one, str)]
        values = {key: sample.value for key, sample in self._reporter.present(identifiers).items()}
        self._reporter.confirm(values, since=time.monotonic())
        missing = [str(one) for one in wanted if not isinstance(one, str) or one not in values]
        if missing:
            return Answer(Code.NOT_MAPPED, values, f"no value for {', '.join(missing)}")
        return Answer(data=values)

    def _announce(self, command: Command, context: Context) -> None:
        """Tell the event bus, so that automations and the logbook know what comes and from where."""
        if command.kind is CommandKind.RAW:
            data = {"entry_id": self._entry_id, "data": base64.b64encode(command.payload).decode()}
            self._hass.bus.async_fire(EVENT_RAW, data, context=context)
            return
        self._hass.bus.async_fire(
            EVENT_COMMAND,
            {
                "entry_id": self._entry_id,
                "kind": command.kind.value,
                "id": command.id,
                "identifier": command.identifier,
                "params": command.params,
                "sync": command.sync,
            },
            context=context,
        )


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


def _unbound(identifier: str, *, known: bool) -> Answer:
    if known:
        return answer_of(Outcome.failed(identifier, Failure(Code.NOT_MAPPED, "the service is not bound to anything")))
    return answer_of(Outcome.failed(identifier, Failure(Code.UNKNOWN, "the thing model has no such service")))


def _targets(command: Command) -> list[str]:
    """Return the identifiers that a command is about; their values are nobody's business in diagnostics."""
    if command.identifier:
        return [command.identifier]
    match command.params:
        case dict() as values:
            return list(values)
        case list() as identifiers:
            return [str(one) for one in identifiers]
        case _:
            return []
