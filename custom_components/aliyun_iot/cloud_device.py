"""The Home Assistant side of one device of the cloud: what is bound, and what runs for it."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .alink.command import Answer, Command, CommandKind
from .alink.device import Device
from .alink.foreign import logger_of
from .alink.messages import JsonValue, Reply
from .alink.model.private_names import private_names
from .alink.samples import Sample
from .alink.subscriptions import USER_TOPIC_LIMIT
from .bound import BoundProperties, Broken, Fault, bind_in_slices, with_present_entities
from .commands.announcement import Announcer
from .commands.commander import Commander
from .commands.conditions import Guarded
from .commands.loops import LoopGuard
from .commands.policy import CommandRules
from .commands.work import Work
from .const import SUBENTRY_EXPOSURE, SUBENTRY_SERVICE, SUBENTRY_SUB_DEVICE
from .exposures import absence, resolve_entity
from .health.health import Health
from .listeners import TriggerKind, listeners_of
from .log_text import some_of
from .management.manager import Management
from .mapping.binding import ServiceBinding
from .mapping.slices import in_slices
from .mapping.unreportable import Unreportable
from .reports.desired_values import DesiredValues
from .reports.events import EventQueue, EventReporter
from .reports.packs import Packs
from .reports.reporter import Reporter
from .reports.resync import Resync
from .reports.store import UnsentStore
from .settings import GUARDS, Settings, read_settings
from .stopping import stop_all
from .stored_device import StoredDevice
from .stored_faults import StoredFault, stored_faults

_LOGGER = logger_of(__name__)

UNREADABLE = Broken.of(Fault.UNREADABLE)

_HOLDERS: Final = frozenset({SUBENTRY_EXPOSURE, SUBENTRY_SUB_DEVICE})
"""The types of subentries that hold bindings."""


CATCHING_UP: Final = 2
"""Devices of an entry that ask for their desired values at once: values that have just changed must not queue behind 500 of
them."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the devices of an entry share; the entry's own device has no `packs`."""

    work: Work
    packs: Packs | None = None
    catching_up: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CATCHING_UP))


class CloudDevice:
    """The running parts of one device: the entry's own one, or a sub-device."""

    def __init__(self, hass: HomeAssistant, stored: StoredDevice, device: Device, shared: Shared) -> None:
        """Nothing runs before `follow` and `start`."""
        self.stored = stored
        self.device = device
        self.online = False
        """Whether the cloud takes its messages: it is connected, or as a sub-device logged in."""
        self.health = health = Health(hass, stored)
        self.bound = BoundProperties()
        self.bound_services: Collection[str] = ()
        """The identifiers of the services that something is bound to."""
        self._hass = hass
        self._health = health
        self._packs = shared.packs
        self._stopped = False
        self._following = asyncio.Lock()
        self._services: Mapping[str, ServiceBinding] = {}
        self._settings = Settings()
        self._referred: frozenset[str] = frozenset()
        self._absent: frozenset[str] = frozenset()
        self.faults: Sequence[StoredFault] = ()
        """What is stored and cannot be read."""
        self._untrack: CALLBACK_TYPE | None = None
        self._take_thing_model()
        self.loops = LoopGuard(hass, stored)
        self.event_queue = EventQueue(on_added=self._event_added, on_dropped=health.events_dropped)
        self.events = EventReporter(hass, stored, self.event_queue, on_unreportable_changed=self._unreportable_changed)
        self.reporter = Reporter(
            hass,
            device,
            self._is_online,
            read_settings(stored.entry.options)[0].window,
            self.event_queue,
            post=self._post,
            on_change=self.loops.record_change,
            on_unsent=self._unsent,
            on_past=self._past_changed,
            on_overflow=health.samples_dropped,
            on_refused=self._refused,
            on_refusals_changed=health.refusals_changed,
            on_unreportable_changed=self._unreportable_changed,
            on_losses_changed=health.losses_changed,
        )
        self._store = UnsentStore(hass, stored, self.reporter.outbox, self.reporter.history, self.event_queue)
        self.commander = Commander(
            hass,
            Announcer(hass, stored),
            self.loops,
            shared.work,
            present=self.reporter.present,
            confirm=self.reporter.confirm,
            on_received=self._command_received,
            on_answered=self._command_answered,
            on_given_up=self._set_given_up,
            on_unusable=health.conditions_changed,
            on_overload=health.command_refused,
        )
        self.desired = DesiredValues(
            hass,
            device,
            self._store,
            carry_out=self.commander.carry_out,
            sets_answered=self.commander.sets_answered,
            note=self.commander.journal.note,
        )
        self.resync = Resync(hass, self.reporter, self.desired, self._store, shared.catching_up)
        self.management = Management(hass, stored, device, self.commander.lets_trigger)

    @property
    def services(self) -> Iterable[str]:
        """The services to listen to."""
        return self.model.services if self.model else ()

    def problems(self, language: str | None = None) -> dict[str, str]:
        """Return the properties that do not work, and why: what is broken, refused, or cannot be reported.

        The reasons are in the language of the installation unless another one is given.
        """
        language = language or self._hass.config.language
        status = self.reporter.outbox.status
        problems = {key: broken.describe(language) for key, broken in self.bound.problems.items()}
        return problems | {key: why for key, one in status.items() if (why := one.why_not(language))}

    @callback
    def unreportable(self) -> dict[str, Unreportable]:
        """Return why values cannot be sent: of properties by identifier, of events as `Event.Parameter`."""
        return self.reporter.outbox.unreportable | {
            f"{event}.{name}": why for event, left_out in self.events.left_out.items() for name, why in left_out.items()
        }

    @property
    def entity_ids(self) -> frozenset[str]:
        """The entities that properties are bound to."""
        return frozenset(self.bound.by_entity)

    @property
    def unreadable_rows(self) -> int:
        """Rows of what waited for the cloud in an earlier run that cannot be read."""
        return self._store.unreadable

    @callback
    def start(self) -> None:
        """Start to send and to follow events; called once Home Assistant has started and its entities are there."""
        self.resync.start()
        self.events.start(self.model)
        self.health.start()

    async def stop(self) -> None:
        """Stop everything, and keep on disk what is unsent."""
        self._stopped = True
        await stop_all(
            *filter(None, (self._untrack,)),
            self.management.stop,
            self.events.stop,
            self.resync.stop,
            self.desired.pause,
            self.reporter.stop,
            self._store.stop,
            self.commander.stop,
            self.loops.stop,
            self.health.stop,
        )

    async def listen(self) -> None:
        """Subscribe to the services, and to the user topics that automations listen to."""
        if self._untrack is None and not self._stopped:
            listeners = listeners_of(self._hass)
            self._untrack = listeners.track(self.stored.key, TriggerKind.MESSAGE_RECEIVED, self._topics_changed)
        await self.device.listen(self.services, self._topics())

    @callback
    def connected(self) -> None:
        """Bring the cloud up to date, now that it takes messages of the device."""
        self.online = True
        self.resync.connected()
        self.management.connected()

    @callback
    def disconnected(self) -> None:
        """Keep everything until the cloud takes messages again; does nothing while it takes none."""
        self.online = False
        self.resync.disconnected()
        self.management.disconnected()

    @callback
    def notify(self, kind: TriggerKind, details: Mapping[str, JsonValue], names: Collection[str] = ()) -> None:
        """Notify the automations that listen to something that happened to the device; `names` are as for `Listeners`."""
        common = {"config_entry_id": self.stored.entry.entry_id, "device": self.stored.title}
        listeners_of(self._hass).notify(self.stored.key, kind, {**common, **details}, names=names)

    async def _post(self, samples: Mapping[str, Sample], timeout: float) -> Reply:
        """Post newest values, of a sub-device together with those of others.

        A pack does not say which value of it was refused. So a value goes into one only if the thing model allows it, or if
        the cloud has accepted the property before.
        """
        status = self.reporter.outbox.status
        known = self.model or all(key in status and status[key].accepted_at for key in samples)
        if self._packs and known:
            return await self._packs.post(self.device, samples, timeout)
        return await self.device.post_properties(samples, timeout)

    def _is_online(self) -> bool:
        return self.online

    async def follow(self) -> None:
        """Apply the stored bindings, unless everything was stopped meanwhile.

        Compiling conditions takes a while, in which everything stays as it is. Then the new bindings and their guards replace
        the old ones at once, so that nothing can be commanded without its guard in between.
        """
        async with self._following:
            bindings, services = self.stored.bindings(), self.stored.services()
            bound = await in_slices(bind_in_slices(self._hass, bindings, self.model))
            self._find_faults()
            conditions = {
                Guarded(CommandKind.PROPERTY_SET, key): prop.binding.condition
                for key, prop in bound.by_identifier.items()
            }
            conditions |= {Guarded(CommandKind.SERVICE, key): binding.condition for key, binding in services.items()}
            settings, unreadable = read_settings(self.stored.entry.options)
            rules = CommandRules.of(settings, readable=GUARDS.isdisjoint(row.name for row in unreadable))
            prepared = await self.commander.policy.prepare(rules, conditions)
            if self._stopped:
                prepared.discard()
                return
            self.commander.policy.use(prepared)
            self._services, self._settings = services, settings
            # An entity may have been renamed meanwhile.
            self._use(with_present_entities(self._hass, self._with_unreadable(bound)))
            await self.management.follow(settings)

    @callback
    def entities_changed(self) -> None:
        """Use the present ids of renamed entities at once, before another entity has a state with an old one."""
        self._use(with_present_entities(self._hass, self.bound))
        self.events.follow(self.model)

    @callback
    def _use(self, bound: BoundProperties) -> None:
        """Use these bindings from now on."""
        services = self._services
        known_problems, self.bound = self.bound.problems, bound
        problems = self.bound.problems.items()
        if news := [f"{key} ({problem})" for key, problem in problems if known_problems.get(key) != problem]:
            _LOGGER.warning("Bindings of %s do not work: %s", self.stored.title, some_of(news))
        self.bound_services = services.keys()
        self.reporter.outbox.private = self.private
        self.reporter.follow(self.bound)
        self.desired.follow(self.bound, self._settings.desired_hours)
        self.commander.follow(self.bound, services, self.model, self.private, self._broken_services(services))
        referred = {reference for _, reference in self.stored.references()}
        self._referred = frozenset(filter(None, (resolve_entity(self._hass, reference) for reference in referred)))
        self._absent = frozenset(reference for reference in referred if absence(self._hass, reference))
        self._health.follow(self.bound, services, self.model, self.faults, self.commander.policy.unusable_conditions)

    @callback
    def _topics_changed(self) -> None:
        self.stored.entry.async_create_task(self._hass, self.device.listen_to_topics(self._topics()), "Aliyun topics")

    def _topics(self) -> list[str]:
        topics = sorted(filter(self._can_listen_to, listeners_of(self._hass).topics(self.stored.key)))
        if len(topics) > USER_TOPIC_LIMIT:
            _LOGGER.warning("Automations listen to %d topics, %d are possible", len(topics), USER_TOPIC_LIMIT)
        return topics[:USER_TOPIC_LIMIT]

    def _can_listen_to(self, topic: str) -> bool:
        try:
            self.device.topics.user(topic)
        except ValueError as err:  # with the names of the device it is too long
            _LOGGER.warning("An automation cannot listen to a topic: %s", err)
            return False
        return True

    async def update(self) -> None:
        """Apply changed options, subentries and entities."""
        if self.stored.model_document != self._document:
            self._take_thing_model()
        self.reporter.sender.window = read_settings(self.stored.entry.options)[0].window
        await self.follow()
        if not self._stopped:
            self.events.follow(self.model)

    @property
    def references(self) -> frozenset[str]:
        """The entity ids and registry ids whose changes matter."""
        return self._referred | self._absent

    @callback
    def concerns(self, references: Collection[object]) -> bool:
        """Return whether a change of an entity with one of these entity ids or registry ids matters."""
        return not (self._referred.isdisjoint(references) and self._absent.isdisjoint(references))

    def _take_thing_model(self) -> None:
        self._document = self.stored.model_document
        self.model, self._model_faults = self.stored.read_thing_model()
        self.private = private_names(self.model)

    def _find_faults(self) -> None:
        known = {str(fault) for fault in self.faults}
        self.faults = stored_faults(self.stored.entry, self._model_faults, self.stored.owner)
        if news := [text for text in map(str, self.faults) if text not in known]:
            _LOGGER.warning("%s: stored rows cannot be read and do not work: %s", self.stored.title, some_of(news))

    def _broken_services(self, services: Iterable[str]) -> dict[str, str]:
        """Return why services cannot be called: their row, or perhaps their definition, cannot be read.

        An automation must not answer them either, as a condition in the row may forbid it.
        """
        broken = {fault.name: str(UNREADABLE) for fault in self.faults if fault.kind == SUBENTRY_SERVICE}
        if self.model and self._model_faults:
            undefined = "its definition in the thing model cannot be read"
            broken |= dict.fromkeys((key for key in services if key not in self.model.services), undefined)
        return broken

    def _with_unreadable(self, bound: BoundProperties) -> BoundProperties:
        """Return what is bound with a problem for each row that cannot be read."""
        unreadable = {fault.name: UNREADABLE for fault in self.faults if fault.kind in _HOLDERS}
        return replace(bound, problems={**unreadable, **bound.problems})

    @callback
    def _command_received(self, command: Command) -> None:
        self.desired.command_received(command)

    @callback
    def _set_given_up(self, command: Command, begun: Collection[str]) -> None:
        self.desired.set_given_up(command, begun)

    @callback
    def _command_answered(self, command: Command, answer: Answer) -> None:
        self.desired.command_answered(command, answer)

    @callback
    def _unreportable_changed(self) -> None:
        self._health.unreportable_changed(self.unreportable)

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
        details = {"identifier": identifier, "reason": reason, "value": value}
        self.notify(TriggerKind.PROPERTY_REJECTED, details, names=[identifier])
