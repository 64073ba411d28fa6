"""The sub-devices of an entry: what runs for each of them, and whether each should be online.

A sub-device is online in the cloud while the device of Home Assistant that it stands for is available. The gateway brings that
about (`alink/gateway.py`); what runs for a sub-device is the same as for the entry's own device (`cloud_device.py`).
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from itertools import batched
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .alink.auth import Identity
from .alink.command import Answer, Command
from .alink.errors import NotConnected, RequestTimeout, SubDeviceError
from .alink.features import Notice
from .alink.foreign import logger_of
from .alink.gateway import Gateway
from .alink.link import Link
from .alink.sub_device import SubDevice, SubDeviceState
from .availability import Availability
from .cloud_device import CloudDevice, Shared
from .const import DOMAIN, SUBENTRY_EVENT, SUBENTRY_SERVICE
from .health.issues import Issue, async_remove_issues
from .health.sub_device_issues import SubDeviceIssues
from .listeners import TriggerKind
from .mapping.stored import same_objects
from .reports.packs import Packs
from .reports.store import async_remove_unsent, async_unsent_owners
from .settings import read_settings
from .stopping import stop_all
from .stored_device import StoredDevice, sub_devices_of
from .sub_device_row import SubDeviceRow, store_row, sub_device_row

_LOGGER = logger_of(__name__)

AT_ONCE: Final = 20
"""Sub-devices that begin, change or stop together, so that the event loop does other things between them."""

LOGGED_OUT: Final = "it was logged out"
"""Why a sub-device is offline that nothing is wrong with: its device is unavailable, or the gateway lost its connection."""


def sub_device_signal(entry_id: str, owner: str) -> str:
    """Return the dispatcher signal that is sent when the state of a sub-device has changed."""
    return f"{DOMAIN}_{entry_id}_{owner}"


class SubDevices:
    """The sub-devices of one entry; without any it costs nothing and sends nothing."""

    def __init__(
        self,
        hass: HomeAssistant,
        stored: StoredDevice,
        link: Link,
        shared: Shared,
        on_code: Callable[[int], None],
    ) -> None:
        """Take `stored` for the gateway, the entry's own device; `on_code` is called with each code but 200."""
        self.running: dict[str, CloudDevice] = {}
        """What runs, by owner."""
        self.gateway = Gateway(link, on_change=self._changed, store_secrets=self._store_secrets)
        self._packs = Packs(lambda: self.gateway)
        self._hass = hass
        self._stored = stored
        self._link = link
        self._shared = replace(shared, packs=self._packs)
        self._on_code = on_code
        self._owners: dict[Identity, str] = {}
        self._referring: dict[object, list[str]] | None = None
        self._following = 0
        self._applied: dict[str, list[object]] = {}
        self._stale: set[str] = set()
        self._started = False
        self._starting: asyncio.Task[None] | None = None
        self._stopped = False
        self._removing: set[Identity] = set()
        """What was deleted here and is still in the topology."""
        self._cleaning: asyncio.Task[None] | None = None
        self._unlisten: CALLBACK_TYPE | None = None
        self._issues = SubDeviceIssues(hass, stored, lambda: self.gateway, self._title)
        self._availability = Availability(hass, self._offline_delay, self._available)

    def state(self, owner: str) -> SubDevice | None:
        """Return what the gateway knows of a sub-device, None if it does not run."""
        device = self.running.get(owner)
        return self.gateway.sub_devices.get(device.device.identity) if device else None

    def owner_of(self, identity: Identity) -> str | None:
        """Return the owner of the sub-device with these names, None if it does not run."""
        return self._owners.get(identity)

    @callback
    def retry(self, issue: Issue) -> None:
        """Try those again that an issue is about."""
        for owner in self._issues.owners_of(issue):
            if state := self.state(owner):
                self.gateway.retry(state.identity)

    @callback
    def remove_orphans(self) -> None:
        """Remove those whose device of Home Assistant was removed."""
        for owner in self._issues.owners_of(Issue.SUB_DEVICE_WITHOUT_DEVICE):
            self._hass.config_entries.async_remove_subentry(self._stored.entry, owner)

    @callback
    def start(self) -> None:
        """Start to post and to follow; a second call does nothing.

        Called once Home Assistant has started and its entities are there.
        """
        if self._started:
            return
        self._started = True
        self._starting = self._stored.entry.async_create_task(self._hass, self._start(), "Aliyun sub-devices")

    async def _start(self) -> None:
        for some in batched(list(self.running.items()), AT_ONCE, strict=False):
            for owner, device in some:
                if self.running.get(owner) is device:
                    device.start()
            await asyncio.sleep(0)
        await self._availability.start()
        self._issues.start()
        listen = self._hass.bus.async_listen
        self._unlisten = listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, self._device_removed, event_filter=_is_removal)

    async def stop(self) -> None:
        """Log all out, and stop everything; called before the link is stopped."""
        self._stopped = True
        if self._starting:
            self._starting.cancel()
        if self._unlisten:
            self._unlisten()
            self._unlisten = None
        self._availability.stop()
        self._issues.stop()
        if self._cleaning:
            self._cleaning.cancel()
        await self.gateway.stop()

    async def stop_devices(self) -> None:
        """Stop what runs, and keep on disk what is unsent; called after the link was stopped."""
        for some in batched(self.running.values(), AT_ONCE, strict=False):
            await asyncio.gather(*(stop_all(device.stop) for device in some))
        await self._packs.stop()

    async def follow(self) -> None:
        """Apply what is stored: begin with what is new, end what was removed, change what has changed."""
        self._following += 1
        self._referring = None
        try:
            await self._follow()
        finally:
            self._following -= 1

    async def _follow(self) -> None:
        stored = {device.owner: device for device in sub_devices_of(self._stored.entry)}
        # What changes while this waits is applied by the next call.
        objects = _stored_objects(self._stored.entry, stored)
        stale, self._stale = self._stale, set()
        rows = {
            owner: row
            for owner, device in stored.items()
            if isinstance(row := sub_device_row(device.entry.subentries[owner]), SubDeviceRow)
        }
        for owner, running in list(self.running.items()):
            stored_row = rows.get(owner)
            if stored_row is None or stored_row.identity != running.device.identity:
                await self._end(owner, running)
        new = [owner for owner, row in rows.items() if owner not in self.running and row.identity not in self._owners]
        unsent = await async_unsent_owners(self._hass, self._stored.entry.entry_id) if new else frozenset()
        for some in batched(new, AT_ONCE, strict=False):
            if self._stopped:  # nobody would stop them
                return
            await asyncio.gather(*(self._begin(stored[owner], rows[owner], unsent) for owner in some))
        changed = [
            owner
            for owner in self.running.keys() - set(new)
            if owner in stale or not same_objects(objects[owner], self._applied.get(owner, []))
        ]
        for some in batched(changed, AT_ONCE, strict=False):
            await asyncio.gather(*(self.running[owner].update() for owner in some if owner in self.running))
        if self._stopped:
            return
        for owner, device in self.running.items():
            self._applied[owner] = objects[owner]
            self.gateway.put(rows[owner].config)
            if owner in changed:
                await device.listen()
        if self.running:
            self.gateway.start()
        self._availability.follow({owner: device.entity_ids for owner, device in self.running.items()})
        self._issues.stored_changed()

    @callback
    def entities_changed(self, references: Collection[object]) -> bool:
        """Use the present ids of renamed entities; return whether a sub-device is concerned."""
        known = self._referring if self._referring is not None else self._index()
        concerned = {owner for reference in references for owner in known.get(reference, ())} & self.running.keys()
        for owner in concerned:
            self.running[owner].entities_changed()
        if concerned:
            self._referring = None
        self._stale.update(concerned)
        return bool(concerned)

    @callback
    def entities_created(self) -> bool:
        """Return whether a trigger of an event could not be attached, so that new entities may matter."""
        waiting = [owner for owner, device in self.running.items() if device.events.problems]
        self._stale.update(waiting)
        return bool(waiting)

    async def _begin(self, stored: StoredDevice, row: SubDeviceRow, unsent: Collection[str]) -> None:
        owner = stored.owner
        self._removing.discard(row.identity)
        self._owners[row.identity] = owner
        device = self._link.attach(
            row.identity,
            partial(self._commanded, owner),
            on_code=self._on_code,
            on_overload=partial(self._overloaded, owner),
            on_notice=partial(self._noticed, owner),
        )
        self.running[owner] = running = CloudDevice(self._hass, stored, device, self._shared)
        await running.follow()
        if self._stopped:
            return
        await running.resync.load(anything=owner in unsent)
        await running.listen()
        if self._started:
            running.start()

    async def _commanded(self, owner: str, command: Command) -> Answer:
        return await self.running[owner].commander.handle(command)

    @callback
    def _overloaded(self, owner: str) -> None:
        self.running[owner].health.command_refused()

    @callback
    def _noticed(self, owner: str, notice: Notice) -> None:
        self.running[owner].management.noticed(notice)

    async def _end(self, owner: str, device: CloudDevice) -> None:
        """End what runs for a sub-device that was removed, and take it out of the topology of the gateway."""
        del self.running[owner]
        self._applied.pop(owner, None)
        identity = device.device.identity
        del self._owners[identity]
        self._removing.add(identity)
        self.gateway.want(identity, online=False)
        await device.stop()
        await self._link.detach(identity)
        async_remove_issues(self._hass, device.stored.key)
        self._remove_rows_of(owner)
        await async_remove_unsent(self._hass, self._stored.entry.entry_id, owner)
        self.clean()

    @callback
    def _remove_rows_of(self, owner: str) -> None:
        """Remove the services and events of a sub-device whose subentry is gone."""
        entry = self._stored.entry
        if owner not in entry.subentries:
            for subentry in [one for one in entry.subentries.values() if one.data.get("owner") == owner]:
                self._hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)

    @callback
    def connected(self) -> None:
        """Handle a new connection of the gateway."""
        self._packs.enabled = True
        self.clean()

    @callback
    def clean(self) -> None:
        """Take what was removed out of the topology, now or, without a connection, after the next connect."""
        if self._removing and self._cleaning is None:
            self._cleaning = self._stored.entry.async_create_background_task(
                self._hass, self._clean(), "Aliyun topology"
            )

    async def _clean(self) -> None:
        try:
            while identities := {one for one in self._removing if one not in self._owners}:
                self._removing -= identities  # each may be added and removed again meanwhile
                try:
                    refused = await self.gateway.remove(identities)
                except BaseException:
                    self._removing |= identities
                    raise
                for identity, error in refused.items():
                    _LOGGER.warning("%s stays in the topology: %s", identity.device_name, error)
                    if identity not in self._owners:
                        self.gateway.drop(identity)
        except (NotConnected, RequestTimeout, SubDeviceError) as err:
            _LOGGER.debug("Sub-devices are removed from the topology after the next connect: %s", err)
        finally:
            self._cleaning = None
            self._issues.stored_changed()

    @callback
    def _device_removed(self, _event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        self._issues.stored_changed()

    def _index(self) -> dict[object, list[str]]:
        """Return which sub-devices an entity concerns, by its ids: there are as many new entities as sub-devices."""
        found: dict[object, list[str]] = {}
        for owner, device in self.running.items():
            for reference in device.references:
                found.setdefault(reference, []).append(owner)
        if not self._following:
            self._referring = found
        return found

    def _offline_delay(self) -> float:
        return read_settings(self._stored.entry.options)[0].offline_delay

    @callback
    def _available(self, owner: str, *, available: bool) -> None:
        if device := self.running.get(owner):
            self.gateway.want(device.device.identity, online=available)

    @callback
    def _changed(self, sub: SubDevice) -> None:
        """Handle another state of a sub-device, or another error."""
        owner = self._owners.get(sub.identity)
        device = self.running.get(owner) if owner else None
        if owner is None or device is None:
            return
        online = sub.state is SubDeviceState.ONLINE
        if online is not device.online:
            if online:
                device.notify(TriggerKind.CONNECTED, {})
                device.connected()
            else:
                device.disconnected()
                if not self._stopped:
                    device.notify(TriggerKind.DISCONNECTED, {"reason": str(sub.error or LOGGED_OUT)})
        self._issues.changed(sub)
        async_dispatcher_send(self._hass, sub_device_signal(self._stored.entry.entry_id, owner))

    async def _store_secrets(self, secrets: Mapping[Identity, str]) -> None:
        """Store what the cloud has just given, before it is used."""
        entry = self._stored.entry
        for identity, secret in secrets.items():
            owner = self._owners.get(identity)
            subentry = entry.subentries.get(owner) if owner else None
            if subentry:
                row = SubDeviceRow(identity.product_key, identity.device_name, secret, None, _stands_for(subentry.data))
                store_row(self._hass, entry, subentry, row)

    def _title(self, identity: Identity) -> str:
        owner = self._owners.get(identity)
        return self.running[owner].stored.title if owner and owner in self.running else identity.device_name


@callback
def _is_removal(data: dr.EventDeviceRegistryUpdatedData) -> bool:
    return data["action"] == "remove"


def _stands_for(data: Mapping[str, object]) -> str:
    return str(data.get("stands_for", ""))


def _stored_objects(entry: ConfigEntry, stored: Mapping[str, StoredDevice]) -> dict[str, list[object]]:
    """Return what is applied of each sub-device, by owner; Home Assistant replaces these objects when they change."""
    objects: dict[str, list[object]] = {owner: [entry.options, device.data] for owner, device in stored.items()}
    for subentry in entry.subentries.values():
        if subentry.subentry_type in (SUBENTRY_SERVICE, SUBENTRY_EVENT):
            objects.get(subentry.data.get("owner", ""), []).append(subentry.data)
    return objects
