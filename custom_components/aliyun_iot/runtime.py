"""What runs for one config entry: the link, the reporter and the commander, and how changes reach them."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.start import async_at_started

from .alink.command import Answer, Command, CommandKind
from .alink.errors import ConnectError, ConnectionLost, CredentialsRefused
from .alink.link import Link, LinkState
from .alink.messages import JsonValue
from .alink.model.thing_model import ThingModel
from .alink.mqtt.connecting import CONNECT_TIMEOUT, LinkConfig
from .alink.subscriptions import USER_TOPIC_LIMIT
from .bound import BoundProperties, bind
from .commands.announcement import Announcer
from .commands.commander import Commander
from .commands.loops import LoopGuard
from .commands.policy import CommandRules, Guarded
from .const import (
    CONF_DESIRED_HOURS,
    CONF_THING_MODEL,
    CONF_UPLINK_RATE,
    CONF_WINDOW,
    DEFAULT_DESIRED_HOURS,
    DEFAULT_UPLINK_RATE,
    DEFAULT_WINDOW,
    DOMAIN,
)
from .exposures import exposed_bindings, service_bindings
from .follower import Follower
from .health.clock_watch import ClockWatch
from .health.connection_issues import ConnectionIssues
from .health.watch import Health
from .link_config import downlink_memory
from .listeners import TriggerKind, listeners_of
from .reports.desired_values import DesiredValues
from .reports.events import EventsOut
from .reports.rejections import Rejections
from .reports.reporter import Reporter
from .reports.resync import CatchingUp
from .reports.store import UnsentStore

_LOGGER = logging.getLogger(__name__)

STARTING_PATIENCE = 3.0
"""Seconds that a starting Home Assistant waits for the first connection: a cloud that is silent must not hold it up.
Home Assistant tries again when it has started."""

type AliyunConfigEntry = ConfigEntry[Runtime]


def link_signal(entry_id: str) -> str:
    """Return the dispatcher signal that tells of every change of the link."""
    return f"{DOMAIN}_{entry_id}_link"


def thing_model_of(entry: ConfigEntry) -> ThingModel | None:
    """Return the stored thing model, if the user gave one; raises ThingModelError."""
    document = entry.options.get(CONF_THING_MODEL)
    return ThingModel.parse(document) if document else None


class Runtime:
    """The running parts of one entry."""

    def __init__(self, hass: HomeAssistant, entry: AliyunConfigEntry, config: LinkConfig) -> None:
        """Make the parts; nothing runs before `connect`. Raises ThingModelError."""
        self.bound = BoundProperties()
        self._hass = hass
        self._entry = entry
        self._take_thing_model()
        self.link = Link(
            config,
            on_command=self._commanded,
            on_state=self._link_changed,
            on_code=self._code_came,
            services=self._services(),
            memory=downlink_memory(hass, config.triple),
        )
        self._issues = ConnectionIssues(hass, entry)
        self._clock = ClockWatch(hass, entry, self.link)
        self.loops = LoopGuard(hass, entry)
        self.reporter = Reporter(
            hass,
            self.link,
            entry.options.get(CONF_WINDOW, DEFAULT_WINDOW),
            on_change=self.loops.record_change,
            rejections=Rejections(self._rejected),
        )
        self._health = Health(hass, entry, self.reporter)
        self.commander = Commander(
            hass,
            Announcer(hass, entry),
            self.reporter,
            self.loops,
            on_answered=self._command_answered,
        )
        self._unsent = UnsentStore(hass, entry.entry_id, self.reporter.outbox, self.reporter.history)
        self.desired = DesiredValues(
            hass,
            self.link,
            self._unsent,
            carry_out=self.commander.carry_out,
            sets_answered=self.commander.sets_answered,
            note=self.commander.journal.note,
        )
        self._catching_up = CatchingUp(hass, self.reporter, self.desired, self._unsent)
        self.follower = Follower(hass, entry, lambda: self.model)
        self.events_out = EventsOut(hass, entry, self.link)
        self._was_online = False
        self._loss_told = False
        self._between_tries = False
        self._updating = False
        self._update_lock = asyncio.Lock()
        self._stopped = False
        self._ends: list[CALLBACK_TYPE] = []

    async def connect(self) -> None:
        """Start the link and wait for the first connection; raises a ConnectError when there is none.

        Then another try may follow, and until then what happens in the house is kept: only refused credentials and what is
        no ConnectError stop everything.
        """
        try:
            await (self._take_over() if self._between_tries else self._prepare())
            self._start_link()
            patience = self.link.config.pacer.delay() + 2 * CONNECT_TIMEOUT
            await self.link.wait_online(patience if self._hass.is_running else STARTING_PATIENCE)
        except BaseException as err:  # a set-up that is cancelled must leave nothing behind either
            if isinstance(err, ConnectError) and not (self._stopped or isinstance(err, CredentialsRefused)):
                await self.link.stop()
                self._wait_for_another_try()
            else:
                await self.stop()
            raise

    async def _prepare(self) -> None:
        # Home Assistant may stop while this waits. Not to be listened to once: the listener is removed by what it calls.
        self._ends.append(self._hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, self.stop))
        await self._apply()
        if self._stopped:  # nothing is bound then, and all that was kept would be dropped as unbound
            return
        await self._catching_up.load()
        await self.link.device.listen_to_topics(self._topics())
        self._ends.append(listeners_of(self._hass).track_topics(self._entry.entry_id, self._topics_changed))

    def _start_link(self) -> None:
        if self._stopped:
            raise ConnectionLost("stopped meanwhile")
        self.link.start()

    @callback
    def _wait_for_another_try(self) -> None:
        @callback
        def started(_hass: HomeAssistant) -> None:
            self._catching_up.start()

        if not self._between_tries:
            self._between_tries = True
            self._ends.append(async_at_started(self._hass, started))

    @callback
    def start(self) -> None:
        """Begin to post and to follow; called once Home Assistant has started and its entities are there."""
        self._catching_up.start()
        self.follower.start()
        self.events_out.start(self.model)
        self._clock.start()

    async def stop(self, _event: Event | None = None) -> None:
        """Disconnect and stop everything."""
        self._stopped = True  # first: what is under way, such as a set-up, must not begin anything meanwhile
        self.follower.stop()
        await self.events_out.stop()
        await self._clock.stop()
        while self._ends:
            self._ends.pop()()
        await self.link.stop()
        await self.reporter.stop()
        await self._catching_up.stop()
        self.commander.policy.stop()
        self.loops.stop()
        self._issues.stop()
        self._health.stop()

    async def suspend(self) -> None:
        """Disconnect for a while: a second login with the same identity would kick this one out."""
        await self.link.stop()

    def resume(self) -> None:
        """Connect again after `suspend`, unless all has been stopped meanwhile."""
        if not self._stopped:
            self.link.start()

    async def update(self) -> None:
        """Take over changed options, subentries and entities without disconnecting; raises ThingModelError.

        Binding a house writes hundreds of subentries, each of which is told of: all of one turn of the loop are taken
        over at once, by the first that comes.
        """
        if self._updating:
            return
        self._updating = True
        try:
            await asyncio.sleep(0)
            await self._update_lock.acquire()
        finally:
            self._updating = False
        try:
            await self._take_over()
        finally:
            self._update_lock.release()

    async def _take_over(self) -> None:
        if self._entry.options.get(CONF_THING_MODEL) != self._document:
            self._take_thing_model()
        self.reporter.sender.window = self._entry.options.get(CONF_WINDOW, DEFAULT_WINDOW)
        await self._apply()
        if self._stopped:
            return
        self.follower.refresh()
        await self.events_out.follow(self.model)
        await self.link.device.listen_to(self._services())

    @callback
    def _topics_changed(self) -> None:
        """Listen to the user topics that automations listen to."""
        self._entry.async_create_task(self._hass, self.link.device.listen_to_topics(self._topics()), "Aliyun topics")

    def _topics(self) -> list[str]:
        topics = sorted(filter(self._can_listen_to, listeners_of(self._hass).topics(self._entry.entry_id)))
        if len(topics) > USER_TOPIC_LIMIT:
            _LOGGER.warning("Automations listen to %d topics, %d are possible", len(topics), USER_TOPIC_LIMIT)
        return topics[:USER_TOPIC_LIMIT]

    def _can_listen_to(self, topic: str) -> bool:
        try:
            self.link.device.topics.user(topic)
        except ValueError as err:  # only with the names of the device it became too long
            _LOGGER.warning("An automation cannot listen to a topic: %s", err)
            return False
        return True

    @callback
    def _rejected(self, identifier: str, reason: str, value: JsonValue) -> None:
        details = {"identifier": identifier, "reason": reason, "value": value}
        self._tell(TriggerKind.PROPERTY_REJECTED, details, [identifier])

    def _tell(self, kind: TriggerKind, details: Mapping[str, Any], names: Collection[str] = ()) -> None:
        common = {"config_entry_id": self._entry.entry_id, "device": self._entry.title}
        listeners_of(self._hass).notify(self._entry.entry_id, kind, {**common, **details}, names=names)

    def _services(self) -> Iterable[str]:
        return self.model.services if self.model else ()

    def _take_thing_model(self) -> None:
        self._document = self._entry.options.get(CONF_THING_MODEL)
        self.model = thing_model_of(self._entry)

    async def _apply(self) -> None:
        """Bring the stored bindings to life, unless all has been stopped meanwhile.

        The conditions come first, so that nothing can be reached before what guards it is there.
        """
        bindings, services = exposed_bindings(self._entry), service_bindings(self._entry)
        # Of several bindings of one property the first works.
        conditions = {Guarded(CommandKind.PROPERTY_SET, one.identifier): one.condition for one in reversed(bindings)}
        conditions |= {Guarded(CommandKind.SERVICE, key): one.condition for key, one in services.items()}
        await self.commander.policy.follow(CommandRules.from_options(self._entry.options), conditions)
        if self._stopped:
            return
        known_problems = self.bound.problems
        self.bound = bind(self._hass, bindings, self.model)
        for identifier, problem in self.bound.problems.items():
            if known_problems.get(identifier) != problem:
                _LOGGER.warning("Property %s does not work: %s", identifier, problem)
        self.link.limit_to(self._entry.options.get(CONF_UPLINK_RATE, DEFAULT_UPLINK_RATE))
        self.reporter.follow(self.bound)
        self.desired.follow(self.bound, self._entry.options.get(CONF_DESIRED_HOURS, DEFAULT_DESIRED_HOURS))
        self.commander.follow(self.bound, services, self.model)
        self._health.follow(self.bound, services, self.model)

    @callback
    def registry_changed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Follow a bound entity that was renamed, removed or came back."""
        data = event.data
        names = {data["entity_id"], data.get("old_entity_id")}
        came_back = data["action"] == "create" and (self.bound.problems or self.events_out.problems)
        if names & self.bound.by_entity.keys() or self.events_out.concerns(names) or came_back:
            self._entry.async_create_task(self._hass, self.update(), "Aliyun entities changed")

    async def _commanded(self, command: Command) -> Answer:
        return await self.commander.handle(command)

    @callback
    def _command_answered(self, command: Command, answer: Answer) -> None:
        self.desired.command_answered(command, answer)

    @callback
    def _code_came(self, code: int) -> None:
        self._clock.code_came(code)
        self._health.code_came(code)

    @callback
    def _link_changed(self, state: LinkState, error: ConnectError | None) -> None:
        name = self._entry.title
        if state is LinkState.ONLINE:
            if self._loss_told:
                _LOGGER.info("%s is connected again", name)
            self._was_online = True
            self._loss_told = False
            self._tell(TriggerKind.CONNECTED, {})
            self._catching_up.connected()
            self._clock.connected()
        elif state in (LinkState.BACKING_OFF, LinkState.AUTH_FAILED) and self._was_online and not self._loss_told:
            _LOGGER.info("%s lost its connection: %s", name, error)
            self._loss_told = True
            self._tell(TriggerKind.DISCONNECTED, {"reason": str(error)})
        if state is not LinkState.ONLINE:
            self._catching_up.disconnected()
        self._issues.link_changed(state, error)
        self._health.link_changed(state, error)
        async_dispatcher_send(self._hass, link_signal(self._entry.entry_id))
