"""The running house: a Home Assistant that can be stopped and started again, with its entry and its entities."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
import gc
import heapq
from pathlib import Path

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from bench.home import NotSetUp, home_folder, set_up, start_home
from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.cloud_device import CloudDevice as Parts
from custom_components.aliyun_iot.const import CONF_DEVICE_NAME, DOMAIN
from custom_components.aliyun_iot.exposures import add_bindings, change_bindings
from custom_components.aliyun_iot.health.issues import Issue
from custom_components.aliyun_iot.health.sub_device_issues import SUB_DEVICE_ISSUES
from custom_components.aliyun_iot.mapping.binding import Binding
from custom_components.aliyun_iot.stored_device import StoredDevice, sub_devices_of
from custom_components.aliyun_iot.sub_device_row import identities_of
from simulator import CloudDevice

from .house import ALL_SENSORS, ALL_SWITCHES, BELL_ENTITY, MEASUREMENT, WISHES, property_row
from .resources import belongs_to
from .sub_devices import Child, key_of

PLATFORM = "chaos"
"""The sensors are registered with this name as their integration."""

LOAD_TIMEOUT = 60.0
REST_TIMEOUT = 10.0
POLL_INTERVAL = 0.1
RENAMING = 0.05
"""Seconds in which a renamed entity has no state."""

MILLISECOND = timedelta(milliseconds=1)


class Home:
    """The house.

    `listening` says whether a sample or an event of this moment has to arrive: while the integration is loaded anew or Home
    Assistant is stopped, nobody can know of it.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing runs before `start`."""
        self.values: dict[str, str] = dict.fromkeys(ALL_SENSORS, "0")
        """The present value of each sensor, whether or not it is available."""
        self.shown_again: set[tuple[str, str]] = set()
        """Sensors and values that got a state once more: from then on the value has another time."""
        self.listening = False
        self.undisturbed = False
        """Whether Home Assistant is about to be stopped, and what it answers at the end has to arrive.

        So there are no bursts, since it sends only some of many answers then, and no session is ended.
        """
        self.starts = 0
        self.lost: Counter[str] = Counter()
        """Samples and events that the integration has counted as lost in earlier runs, as `losses`."""
        self.dropped_events = 0
        """Events that it has counted as dropped in earlier runs."""
        self._folder = folder
        self._hass: HomeAssistant | None = None
        self._on_start: list[Callable[[HomeAssistant], None]] = []
        self._entry_id = ""
        self._gone: set[str] = set()
        self._bell: tuple[str, dict[str, object]] | None = None
        self._bell_fired_at = dt_util.utcnow()
        self._renamed = 0
        self._changing = asyncio.Lock()

    @property
    def hass(self) -> HomeAssistant:
        """The Home Assistant that runs; raises RuntimeError while there is none."""
        if self._hass is None:
            raise RuntimeError("Home Assistant does not run")
        return self._hass

    @property
    def runs(self) -> bool:
        """Whether Home Assistant runs."""
        return self._hass is not None

    @property
    def entry(self) -> ConfigEntry:
        """The entry of the device."""
        if entry := self.hass.config_entries.async_get_entry(self._entry_id):
            return entry
        raise RuntimeError("the entry was not added")

    @property
    def is_loaded(self) -> bool:
        """Whether the integration is loaded."""
        return self.runs and self.entry.state is ConfigEntryState.LOADED

    @property
    def parts(self) -> Parts | None:
        """What runs for the device, None while the integration is not loaded."""
        return self.entry.runtime_data.device if self.is_loaded else None

    @property
    def all_parts(self) -> list[Parts]:
        """What runs for the device and its sub-devices, nothing while the integration is not loaded."""
        return list(self.entry.runtime_data.devices) if self.is_loaded else []

    @property
    def is_online(self) -> bool:
        """Whether the device is connected, as the integration knows."""
        return self.is_loaded and self.entry.runtime_data.link.state is LinkState.ONLINE

    def is_offline(self, device: CloudDevice) -> bool:
        """Return whether the integration cannot send messages of a device, as it knows."""
        return not any(parts.device.is_online for parts in self.all_parts if parts.device.identity == device.key)

    @property
    def bound(self) -> set[str]:
        """The keys of the properties that are bound."""
        devices = [StoredDevice(self.entry), *sub_devices_of(self.entry)]
        return {
            key_of(device.data[CONF_DEVICE_NAME], binding.identifier)
            for device in devices
            for binding in device.bindings()
        }

    @property
    def losses(self) -> Counter[str]:
        """Samples and events that the integration has counted as lost so far, by the keys of their properties."""
        return self.lost + losses_of(self.all_parts)

    @property
    def dropped(self) -> int:
        """Events that the integration has counted as dropped so far."""
        return self.dropped_events + _dropped(self.parts)

    def each_start(self, act: Callable[[HomeAssistant], None]) -> None:
        """Call `act` now, and with each Home Assistant that is started from now on, before anything happens in it."""
        act(self.hass)
        self._on_start.append(act)

    async def start(self) -> None:
        """Start Home Assistant, and the integration if it has an entry."""
        self._hass = await start_home(self._folder, ALL_SWITCHES, self._furnish)
        self.starts += 1

    async def stop(self) -> None:
        """Stop Home Assistant. Its process would end here; in this one its timers would keep it in memory."""
        hass, self._hass = self.hass, None
        await hass.async_stop()
        timers = getattr(hass.loop, "_scheduled", [])
        timers[:] = [timer for timer in timers if not belongs_to(timer, "homeassistant") and not timer.cancelled()]
        heapq.heapify(timers)
        gc.collect()

    async def add(self, entry: ConfigEntry) -> None:
        """Add the entry; raises NotSetUp."""
        await self.hass.config_entries.async_add(entry)
        await self.hass.async_block_till_done()
        if entry.state is not ConfigEntryState.LOADED:
            raise NotSetUp(f"{entry.title}: {entry.state.value}, {entry.reason}")
        self._entry_id = entry.entry_id
        self.listening = True

    async def remove(self) -> None:
        """Remove the entry."""
        self.listening = False
        await self.hass.config_entries.async_remove(self._entry_id)
        await self.hass.async_block_till_done()

    async def reload(self) -> None:
        """Unload the integration and try to set it up again, while states change and commands come.

        It is finished even if the caller is cancelled, and so is a restart.
        """
        await asyncio.shield(asyncio.create_task(self._reload()))

    async def restart(self, meanwhile: Callable[[], None]) -> None:
        """Stop Home Assistant in the middle of everything, call `meanwhile`, and start it again."""
        await asyncio.shield(asyncio.create_task(self._restart(meanwhile)))

    async def finished(self) -> None:
        """Wait for the end of a reload or a restart."""
        async with self._changing:
            return

    async def loaded(self) -> None:
        """Wait until the integration is loaded: Home Assistant tries again by itself. Raises TimeoutError."""
        async with asyncio.timeout(LOAD_TIMEOUT):
            while not self.is_loaded:  # noqa: ASYNC110
                await asyncio.sleep(POLL_INTERVAL)

    def entity_id(self, name: str) -> str:
        """Return the present entity id for a name."""
        if name in ALL_SWITCHES:
            return f"input_boolean.{name}"
        if name in WISHES:
            return f"input_number.{name}"
        found = er.async_get(self.hass).async_get_entity_id("sensor", PLATFORM, name)
        return found or f"sensor.{name}"

    def value(self, name: str) -> str | None:
        """Return the state of an entity, or the last one before it was taken away."""
        if name in self._gone:
            return self.values[name]
        state = self.hass.states.get(self.entity_id(name))
        return state.state if state else None

    def is_available(self, child: Child) -> bool:
        """Return whether the device behind a sub-device is available."""
        states = [self.hass.states.get(self.entity_id(name)) for name in child.entities.values()]
        return any(state and state.state != STATE_UNAVAILABLE for state in states)

    def shows_connected(self, child: Child) -> bool:
        """Return whether Home Assistant shows a sub-device as connected."""
        key = StoredDevice(self.entry, identities_of(self.entry)[child.identity]).key
        entity_id = er.async_get(self.hass).async_get_entity_id("binary_sensor", DOMAIN, f"{key}_connected")
        return bool(entity_id and self.hass.states.is_state(entity_id, STATE_ON))

    def retry_sub_devices(self, issues: Collection[Issue] = SUB_DEVICE_ISSUES) -> None:
        """Do what a person does about issues of sub-devices once their causes are gone."""
        if self.is_loaded:
            for issue in issues:
                self.entry.runtime_data.sub_devices.retry(issue)

    def set_value(self, name: str, value: int) -> bool:
        """Give a sensor a value; return whether the integration has to report it."""
        self.values[name] = str(value)
        if not self.runs or name in self._gone:
            return False
        self._show(name)
        return self.listening

    def ring(self, number: int) -> int:
        """Fire the event entity, and return the time in UTC milliseconds.

        Its state is the time in milliseconds; the same state twice would be no event.
        """
        self._bell_fired_at = dt_util.utcnow()
        state = self._bell_fired_at.isoformat(timespec="milliseconds")
        if self._bell and self._bell[0] == state:
            self._bell_fired_at += MILLISECOND
            state = self._bell_fired_at.isoformat(timespec="milliseconds")
        self._bell = state, {"event_type": "ring", "number": number}
        self.hass.states.async_set(BELL_ENTITY, *self._bell)
        return int(self._bell_fired_at.timestamp() * 1000)

    def take_away(self, name: str, *, remove: bool) -> None:
        """Let a sensor or a lamp be unavailable, or have no state at all."""
        if not self.runs or name in self._gone:
            return
        entity_id = self.entity_id(name)
        if (state := self.hass.states.get(entity_id)) is None:
            return
        self._gone.add(name)
        if name in ALL_SWITCHES:
            self.values[name] = state.state
        if remove and name not in ALL_SWITCHES:
            self.hass.states.async_remove(entity_id)
        else:
            self.hass.states.async_set(entity_id, STATE_UNAVAILABLE, state.attributes)

    def bring_back(self, name: str) -> None:
        """Let it be available again."""
        if name in self._gone:
            self._gone.discard(name)
            if self.runs:
                self._show_again(name)

    async def rename(self, name: str) -> None:
        """Give a sensor another entity id; it gets its state back a moment later, as from its integration."""
        if not self.runs or name in self._gone:
            return
        before = self.entity_id(name)
        self._renamed += 1
        self._gone.add(name)
        try:
            er.async_get(self.hass).async_update_entity(before, new_entity_id=f"sensor.{name}_{self._renamed}")
            self.hass.states.async_remove(before)
            await asyncio.sleep(RENAMING)
        finally:
            self.bring_back(name)

    def bind(self, name: str) -> None:
        """Bind an extra sensor, or remove its binding."""
        if not self.runs:
            return
        if name in self.bound:
            change_bindings(self.hass, self.entry, removed=[name])
        else:
            add_bindings(self.hass, self.entry, [Binding.from_dict(property_row(name, self.entity_id(name)))])

    async def _furnish(self, hass: HomeAssistant) -> None:
        """Create the entities with their present values, and set the integration up."""
        self._hass = hass
        numbers = {name: {"min": 0, "max": 1_000_000_000, "step": 1} for name in WISHES}
        await set_up(hass, "input_number", {"input_number": numbers})
        registry = er.async_get(hass)
        for name in ALL_SENSORS:
            registry.async_get_or_create("sensor", PLATFORM, name, suggested_object_id=name)
            if name not in self._gone:
                self._show_again(name)
        if self._bell:
            hass.states.async_set(BELL_ENTITY, *self._bell)
        for act in self._on_start:
            act(hass)
        await set_up(hass, DOMAIN, {})

    async def _reload(self) -> None:
        async with self._deaf():
            await self.hass.config_entries.async_reload(self._entry_id)

    async def _restart(self, meanwhile: Callable[[], None]) -> None:
        async with self._deaf():
            await self.stop()
            meanwhile()
            await self.start()

    def _show_again(self, name: str) -> None:
        self.shown_again.add((name, self.values[name]))
        self._show(name)

    def _show(self, name: str) -> None:
        attributes = {} if name in ALL_SWITCHES else MEASUREMENT
        self.hass.states.async_set(self.entity_id(name), self.values[name], attributes)

    @asynccontextmanager
    async def _deaf(self) -> AsyncIterator[None]:
        """End one run of the integration and begin another, and keep what the first has counted."""
        async with self._changing:
            self.listening = False
            parts, all_parts = self.parts, self.all_parts
            try:
                yield
            finally:
                self.lost += losses_of(all_parts)
                self.dropped_events += _dropped(parts)
                with suppress(TimeoutError):  # under load there is always something to do
                    async with asyncio.timeout(REST_TIMEOUT):
                        await self.hass.async_block_till_done()  # events are followed in a task
                self.listening = True


@asynccontextmanager
async def home() -> AsyncIterator[Home]:
    """Run a house; raises NotSetUp."""
    with home_folder() as folder:
        house = Home(folder)
        await house.start()
        try:
            yield house
        finally:
            if house.runs:
                await house.stop()


def losses_of(all_parts: Iterable[Parts]) -> Counter[str]:
    """Return what these devices have counted as lost, by the keys of their properties."""
    losses: Counter[str] = Counter()
    for parts in all_parts:
        for identifier, loss in parts.reporter.losses.by_identifier.items():
            losses[key_of(parts.device.identity.device_name, identifier)] += loss.count
    return losses


def _dropped(parts: Parts | None) -> int:
    return parts.event_queue.counters.dropped if parts else 0
