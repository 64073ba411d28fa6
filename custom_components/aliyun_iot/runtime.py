"""What runs for one config entry: the link, its device, the rules and the health, and how changes reach them."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from operator import itemgetter

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .alink.command import Answer, Command
from .alink.errors import ConnectError, ConnectionLost, CredentialsRefused
from .alink.features import Notice
from .alink.foreign import logger_of
from .alink.link import FINAL_ANSWERS, LAST_ANSWERS, Link, LinkState
from .alink.mqtt.connecting import CONNECT_TIMEOUT, LinkConfig
from .cloud_device import CloudDevice, Shared
from .commands.work import Work
from .const import DOMAIN
from .follower import Follower
from .health.link_health import LinkHealth
from .link_config import downlink_memory
from .listeners import TriggerKind
from .mapping.slices import in_slices
from .mapping.stored import same_objects
from .references import settle_references
from .settings import read_settings
from .stopping import stop_all
from .stored_device import StoredDevice
from .sub_device_row import read_in_slices
from .sub_devices import SubDevices
from .titles import Titles
from .traffic_log import TrafficLog

_LOGGER = logger_of(__name__)

STARTING_PATIENCE = 3.0
"""Seconds to wait for the first connection while Home Assistant starts, as a silent cloud must not delay the start.
Home Assistant tries again once it has started."""

COOLDOWN = 1.0
"""Seconds to wait for further entities before event triggers that could not be attached are attached again."""

type AliyunConfigEntry = ConfigEntry[Runtime]


def link_signal(entry_id: str) -> str:
    """Return the dispatcher signal that is sent with every change of the link."""
    return f"{DOMAIN}_{entry_id}_link"


class Runtime:
    """The running parts of one entry."""

    def __init__(self, hass: HomeAssistant, entry: AliyunConfigEntry, config: LinkConfig) -> None:
        """Nothing runs before `connect`."""
        self._hass = hass
        self._entry = entry
        self.link = Link(
            config,
            on_command=self._commanded,
            on_state=self._link_changed,
            on_code=self._code_received,
            on_overload=self._overloaded,
            memory=downlink_memory(hass, config.triple),
            on_notice=self._noticed,
        )
        self.traffic_log = TrafficLog(hass, entry.entry_id, self.link.traffic)
        self.health = LinkHealth(hass, entry, self.link, self.traffic_log, self._busiest)
        self._work = Work(hass)
        shared = Shared(self._work)
        self.device = CloudDevice(hass, StoredDevice(entry), self.link.device, shared)
        """The entry's own device."""
        self.sub_devices = SubDevices(hass, self.device.stored, self.link, shared, self._code_received)
        self.follower = Follower(hass, entry, lambda: self.device.model)
        self.last_problem: tuple[ConnectError, datetime] | None = None
        """Why the last connection ended or failed, and when; it is kept while the device is connected again."""
        self.online_since: datetime | None = None
        """When the present connection was made."""
        self._titles = Titles(hass, entry)
        self._was_online = False
        self._loss_reported = False
        self._update_later = Debouncer(
            hass, _LOGGER, cooldown=COOLDOWN, immediate=False, function=self._entities_created
        )
        self._waits_for_retry = False
        self._applied: list[object] = []
        self._updating = False
        self._update_lock = asyncio.Lock()
        self._stopping: asyncio.Task[None] | None = None
        self._ends: list[CALLBACK_TYPE] = []

    async def connect(self) -> None:
        """Start the link and wait for the first connection; raises a ConnectError when there is none.

        A ConnectError other than refused credentials stops only the link: a retry may follow, and what happens in the house
        until then is kept. Every other exception, a cancellation included, stops everything.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.stop)
            await (self._apply() if self._waits_for_retry else self._prepare())
            try:
                await self._connect_link()
            except CredentialsRefused:
                raise
            except ConnectError:
                if not self._stopping:
                    await self.link.stop()
                    self._wait_for_retry()
                    stack.pop_all()
                raise
            stack.pop_all()

    def cloud_device(self, owner: str) -> CloudDevice | None:
        """Return the running parts of one device, None if a sub-device does not run."""
        return self.sub_devices.running.get(owner) if owner else self.device

    @property
    def devices(self) -> Iterator[CloudDevice]:
        """Everything that runs, the entry's own device first."""
        yield self.device
        yield from self.sub_devices.running.values()

    @callback
    def start(self) -> None:
        """Start to post and to follow; called once Home Assistant has started and its entities are there."""
        self.device.start()
        self.sub_devices.start()
        self.follower.start()
        self._titles.start()
        self.health.start()

    async def stop(self, _event: Event | None = None) -> None:
        """Disconnect and stop everything; all callers wait for the same stop, and a cancelled one does not cancel it."""
        if self._stopping is None:
            self._stopping = self._hass.async_create_task(self._stop(), "Aliyun stop")
        await asyncio.shield(self._stopping)

    async def suspend(self) -> None:
        """Disconnect for a while, as the platform closes this connection when another one logs in with its identity."""
        await self.link.stop()

    def resume(self) -> None:
        """Connect again after `suspend`, unless everything was stopped meanwhile."""
        if not self._stopping:
            self.link.start()

    async def entry_updated(self) -> None:
        """Apply a change of the entry, unless only titles have changed; see `update`."""
        if not same_objects(self._stored(), self._applied):
            await self.update()

    async def update(self) -> None:
        """Apply changed options, subentries and entities without disconnecting.

        Binding a whole house writes hundreds of subentries, each of which causes a call. The first call applies all changes
        that are made in one iteration of the event loop.
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
            await self._apply()
        finally:
            self._update_lock.release()

    async def first_replies(self, timeout: float) -> None:
        """Wait until what is stored now is applied, and for the cloud's replies to all values that it does not have then.

        The second wait lasts at most `timeout` seconds.
        """
        if self._updating:  # that update applies what is stored when its turn comes
            await asyncio.sleep(0)
        else:
            await self.entry_updated()
        async with self._update_lock:
            snapshot = self.device.reporter.outbox.snapshot(with_sending=True)
        await snapshot.wait(timeout)

    @callback
    def _update_soon(self) -> None:
        self._entry.async_create_task(self._hass, self.update(), "Aliyun entities changed")

    async def _prepare(self) -> None:
        # Home Assistant may stop while this waits. Not `async_listen_once`, because `stop` removes the listener.
        self._ends.append(self._hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, self.stop))
        # Entities are renamed while a set-up waits for its next try, too.
        self._ends.append(self._hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._registry_changed))
        self._limit()
        await self.traffic_log.start()
        await in_slices(read_in_slices(self._entry))
        settle_references(self._hass, self._entry)
        await self.device.follow()
        if self._stopping:  # nothing is bound, so everything stored would be dropped as unbound
            return
        await self.device.resync.load()
        await self.sub_devices.follow()
        await self.device.listen()

    def _stored(self) -> list[object]:
        """Return what is applied of the entry; Home Assistant replaces these objects when they change."""
        return [self._entry.options, *(subentry.data for subentry in self._entry.subentries.values())]

    async def _apply(self) -> None:
        # Before the first pause, in which further calls ask whether something has changed.
        self._applied = self._stored()
        await in_slices(read_in_slices(self._entry))
        self._limit()
        self.health.settings_changed()
        settle_references(self._hass, self._entry)
        await self.device.update()
        if not self._stopping:
            self.follower.updated()
            self._titles.updated()
            await self.device.listen()
            await self.sub_devices.follow()
            self.health.subscriptions_changed()
            async_dispatcher_send(self._hass, link_signal(self._entry.entry_id))

    def _limit(self) -> None:
        self.link.limit_to(read_settings(self._entry.options)[0].uplink_rate)

    async def _connect_link(self) -> None:
        if self._stopping:
            raise ConnectionLost("stopped meanwhile")
        self.link.start()
        patience = self.link.config.pacer.delay() + 2 * CONNECT_TIMEOUT
        await self.link.wait_online(patience if self._hass.is_running else STARTING_PATIENCE)

    @callback
    def _wait_for_retry(self) -> None:
        @callback
        def started(_hass: HomeAssistant) -> None:
            self.device.start()
            self.sub_devices.start()

        if not self._waits_for_retry:
            self._waits_for_retry = True
            self._ends.append(async_at_started(self._hass, started))

    async def _stop(self) -> None:
        patience = FINAL_ANSWERS if self._hass.is_stopping else LAST_ANSWERS
        await stop_all(
            self._update_later.async_shutdown,
            self.follower.stop,
            self._titles.stop,
            *self._ends,
            # Before the sub-devices are logged out, whose answers are refused then.
            partial(self.link.give_up, patience),
            self.sub_devices.stop,
            partial(self.link.stop, patience),
            self._work.stop,
            self.device.stop,
            self.sub_devices.stop_devices,
            self.health.stop,
            self.traffic_log.stop,
        )

    @callback
    def _registry_changed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Handle a bound entity that was renamed, removed, disabled or enabled, or came back."""
        data = event.data
        if data["action"] == "update" and data["changes"].keys().isdisjoint(("disabled_by", "entity_id")):
            return
        registered = er.async_get(self._hass).async_get(data["entity_id"])
        references = {data["entity_id"], data.get("old_entity_id"), registered.id if registered else None}
        concerned = self.sub_devices.entities_changed(references)
        if self.device.concerns(references):
            self.device.entities_changed()
            concerned = True
        if concerned:
            self._update_soon()
        elif data["action"] == "create":
            self._update_later.async_schedule_call()

    @callback
    def _entities_created(self) -> None:
        """Attach the event triggers again that could not be attached: one of them may need a new entity."""
        if self.sub_devices.entities_created() or self.device.events.problems:
            self._update_soon()

    def _busiest(self, count: int) -> list[tuple[str, int]]:
        """Return the properties of which most values were sent; one of a sub-device has the name of that in front."""
        own = self.device.reporter.outbox.busiest(count)
        others = [
            (f"{device.stored.title} {identifier}", number)
            for device in self.sub_devices.running.values()
            for identifier, number in device.reporter.outbox.busiest(count)
        ]
        return sorted([*own, *others], key=itemgetter(1), reverse=True)[:count]

    async def _commanded(self, command: Command) -> Answer:
        return await self.device.commander.handle(command)

    @callback
    def _noticed(self, notice: Notice) -> None:
        self.device.management.noticed(notice)

    @callback
    def _overloaded(self) -> None:
        self.device.health.command_refused()

    @callback
    def _code_received(self, code: int) -> None:
        self.health.code_received(code)

    @callback
    def _link_changed(self, state: LinkState, error: ConnectError | None) -> None:
        name = self._entry.title
        self.online_since = dt_util.utcnow() if state is LinkState.ONLINE else None
        if error:
            self.last_problem = error, dt_util.utcnow()
        if state is LinkState.ONLINE:
            if self._loss_reported:
                _LOGGER.info("%s is connected again", name)
            self._was_online = True
            self._loss_reported = False
            self.device.notify(TriggerKind.CONNECTED, {})
            self.device.connected()
            self.sub_devices.connected()
        elif state in (LinkState.BACKING_OFF, LinkState.AUTH_FAILED) and self._was_online and not self._loss_reported:
            _LOGGER.info("%s lost its connection: %s", name, error)
            self._loss_reported = True
            self.device.notify(TriggerKind.DISCONNECTED, {"reason": str(error)})
        if state is not LinkState.ONLINE:
            self.device.disconnected()
        self.health.link_changed(state, error)
        async_dispatcher_send(self._hass, link_signal(self._entry.entry_id))
