"""The Home Assistant side of one device of the cloud: what is bound, and what runs for it."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
import logging

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback

from .alink.command import Answer, Command, CommandKind
from .alink.link import Link
from .alink.messages import JsonValue
from .alink.model.private_names import private_names
from .alink.model.thing_model import ThingModel
from .bound import BoundProperties, bind
from .commands.announcement import Announcer
from .commands.commander import Commander
from .commands.loops import LoopGuard
from .commands.policy import CommandRules, Guarded
from .const import CONF_DESIRED_HOURS, CONF_THING_MODEL, CONF_WINDOW, DEFAULT_DESIRED_HOURS, DEFAULT_WINDOW
from .exposures import exposed_bindings, service_bindings
from .health.health import Health
from .listeners import TriggerKind, listeners_of
from .reports.desired_values import DesiredValues
from .reports.events import EventQueue, EventReporter
from .reports.reporter import Reporter
from .reports.resync import Resync
from .reports.store import UnsentStore
from .stopping import stop_all

_LOGGER = logging.getLogger(__name__)

MAX_LOGGED = 5
"""Bindings in one line of the log."""


def thing_model_of(entry: ConfigEntry) -> ThingModel | None:
    """Return the stored thing model, if there is one; raises ThingModelError."""
    document = entry.options.get(CONF_THING_MODEL)
    return ThingModel.parse(document) if document else None


class CloudDevice:
    """The running parts of one device."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, link: Link, health: Health) -> None:
        """Nothing runs before `follow` and `start`. Raises ThingModelError."""
        self.bound = BoundProperties()
        self.bound_services: Collection[str] = ()
        """The identifiers of the services that something is bound to."""
        self._hass = hass
        self._entry = entry
        self._link = link
        self._health = health
        self._stopped = False
        self._take_thing_model()
        self.loops = LoopGuard(hass, entry)
        self.event_queue = EventQueue(on_added=self._event_added, on_dropped=health.events_dropped)
        self.events = EventReporter(hass, entry, self.event_queue)
        self.reporter = Reporter(
            hass,
            link,
            entry.options.get(CONF_WINDOW, DEFAULT_WINDOW),
            self.event_queue,
            on_change=self.loops.record_change,
            on_unsent=self._unsent,
            on_past=self._past_changed,
            on_overflow=health.samples_dropped,
            on_refused=self._refused,
            on_refusals_changed=health.refusals_changed,
            on_unreportable_changed=self._unreportable_changed,
            on_event_refused=self.events.note,
        )
        self._store = UnsentStore(hass, entry, self.reporter.outbox, self.reporter.history, self.event_queue)
        self.commander = Commander(
            hass,
            Announcer(hass, entry),
            self.loops,
            present=self.reporter.present,
            confirm=self.reporter.confirm,
            on_answered=self._command_answered,
        )
        self.desired = DesiredValues(
            hass,
            link,
            self._store,
            carry_out=self.commander.carry_out,
            sets_answered=self.commander.sets_answered,
            note=self.commander.journal.note,
        )
        self.resync = Resync(hass, self.reporter, self.desired, self._store)

    @property
    def services(self) -> Iterable[str]:
        """The services to listen to."""
        return self.model.services if self.model else ()

    @callback
    def start(self) -> None:
        """Start to send and to follow events; called once Home Assistant has started and its entities are there."""
        self.resync.start()
        self.events.start(self.model)

    async def stop(self) -> None:
        """Stop everything, and keep on disk what is unsent."""
        self._stopped = True
        await stop_all(
            self.events.stop,
            self.resync.stop,
            self.desired.pause,
            self.reporter.stop,
            self._store.stop,
            self.commander.policy.stop,
            self.loops.stop,
        )

    async def follow(self) -> None:
        """Apply the stored bindings, unless everything was stopped meanwhile.

        The conditions come first, so that nothing can be commanded before its guard is in place.
        """
        bindings, services = exposed_bindings(self._entry), service_bindings(self._entry)
        # Of several bindings of one property the first works.
        conditions = {
            Guarded(CommandKind.PROPERTY_SET, binding.identifier): binding.condition for binding in reversed(bindings)
        }
        conditions |= {Guarded(CommandKind.SERVICE, key): binding.condition for key, binding in services.items()}
        await self.commander.policy.follow(CommandRules.from_options(self._entry.options), conditions)
        if self._stopped:
            return
        known_problems = self.bound.problems
        self.bound = bind(self._hass, bindings, self.model)
        self._log_problems(
            {key: problem for key, problem in self.bound.problems.items() if known_problems.get(key) != problem}
        )
        self.bound_services = services.keys()
        self.reporter.outbox.private = self.private
        self.reporter.follow(self.bound)
        self.desired.follow(self.bound, self._entry.options.get(CONF_DESIRED_HOURS, DEFAULT_DESIRED_HOURS))
        self.commander.follow(self.bound, services, self.model, self.private)
        self._health.follow(self.bound, services, self.model)

    async def update(self) -> None:
        """Apply changed options, subentries and entities; raises ThingModelError."""
        if self._entry.options.get(CONF_THING_MODEL) != self._document:
            self._take_thing_model()
        self.reporter.sender.window = self._entry.options.get(CONF_WINDOW, DEFAULT_WINDOW)
        await self.follow()
        if not self._stopped:
            self.events.follow(self.model)

    @callback
    def concerns(self, entity_ids: Collection[object], *, created: bool) -> bool:
        """Return whether a change of these entities in the registry matters; a `created` one may solve a problem."""
        return bool(
            entity_ids & self.bound.by_entity.keys()
            or self.events.concerns(entity_ids)
            or (created and (self.bound.problems or self.events.problems))
        )

    def _log_problems(self, problems: Mapping[str, str]) -> None:
        """Log bindings that do not work; one line for all of them."""
        some = [f"{identifier} ({problem})" for identifier, problem in islice(problems.items(), MAX_LOGGED)]
        more = f" and {len(problems) - MAX_LOGGED} more" if len(problems) > MAX_LOGGED else ""
        if some:
            _LOGGER.warning("Bindings of %s do not work: %s%s", self._entry.title, ", ".join(some), more)

    def _take_thing_model(self) -> None:
        self._document = self._entry.options.get(CONF_THING_MODEL)
        self.model = thing_model_of(self._entry)
        self.private = private_names(self.model)

    @callback
    def _command_answered(self, command: Command, answer: Answer) -> None:
        self.desired.command_answered(command, answer)

    @callback
    def _unreportable_changed(self) -> None:
        self._health.unreportable_changed(lambda: self.reporter.outbox.unreportable)

    @callback
    def _event_added(self) -> None:
        self.reporter.sender.wake_at_once()
        self._unsent()

    @callback
    def _unsent(self) -> None:
        self._store.write_soon()

    @callback
    def _past_changed(self, numbers: Iterable[int]) -> None:
        self._store.past_changed(numbers)

    @callback
    def _refused(self, identifier: str, reason: str, value: JsonValue) -> None:
        details = {
            "config_entry_id": self._entry.entry_id,
            "device": self._entry.title,
            "identifier": identifier,
            "reason": reason,
            "value": value,
        }
        listeners_of(self._hass).notify(
            self._entry.entry_id, TriggerKind.PROPERTY_REJECTED, details, names=[identifier]
        )
