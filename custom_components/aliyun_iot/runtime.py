"""What runs for one config entry: the link, the reporter and the commander, and how changes reach them."""

from collections.abc import Iterable, Mapping
import logging
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .alink.commands import Answer, Command
from .alink.errors import ConnectError, CredentialsRefused
from .alink.link import CONNECT_TIMEOUT, Link, LinkConfig, LinkState
from .alink.thing_model import ThingModel
from .bound import BoundProperties, bind
from .commander import Commander
from .connection import link_config
from .const import CONF_THING_MODEL, CONF_WINDOW, DEFAULT_WINDOW, DOMAIN
from .exposures import exposed_bindings, service_bindings
from .reporter import Reporter

_LOGGER = logging.getLogger(__name__)

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
            services=self._services(),
        )
        self.reporter = Reporter(hass, self.link, entry.options.get(CONF_WINDOW, DEFAULT_WINDOW))
        self.commander = Commander(hass, entry.entry_id, self.reporter)
        self._was_online = False
        self._loss_told = False

    async def connect(self) -> None:
        """Start the link and wait for the first connection; raises a ConnectError and stops when there is none."""
        self.apply()
        self.link.start()
        try:
            await self.link.wait_online(self.link.config.pacer.delay() + 2 * CONNECT_TIMEOUT)
        except BaseException:  # a set-up that is cancelled must leave nothing behind either
            await self.stop()
            raise

    async def stop(self, _event: Event | None = None) -> None:
        """Disconnect and stop everything."""
        await self.link.stop()
        # Last: while the link takes its leave, a change of the entity registry can still renew what is followed.
        await self.reporter.stop()

    async def suspend(self) -> None:
        """Disconnect for a while: a second login with the same identity would kick this one out."""
        await self.link.stop()

    def resume(self) -> None:
        """Connect again after `suspend`."""
        self.link.start()

    async def update(self) -> None:
        """Take over changed options and subentries without disconnecting; raises ThingModelError."""
        if self._entry.options.get(CONF_THING_MODEL) != self._document:
            self._take_thing_model()
        self.reporter.window = self._entry.options.get(CONF_WINDOW, DEFAULT_WINDOW)
        self.apply()
        await self.link.listen_to(self._services())

    def connects_as(self, data: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
        """Tell whether an entry with these data and options would connect just as this one does.

        Whoever stores other data and whoever reloads for them have to agree on it, or nobody connects again.
        Raises TripleInvalid or EndpointInvalid.
        """
        return link_config(self._hass, data, options) == self.link.config

    def _services(self) -> Iterable[str]:
        return self.model.services if self.model else ()

    def _take_thing_model(self) -> None:
        self._document = self._entry.options.get(CONF_THING_MODEL)
        self.model = thing_model_of(self._entry)

    @callback
    def apply(self) -> None:
        """Bring the stored bindings to life."""
        known_problems = self.bound.problems
        self.bound = bind(self._hass, exposed_bindings(self._entry), self.model)
        for identifier, problem in self.bound.problems.items():
            if known_problems.get(identifier) != problem:
                _LOGGER.warning("Property %s does not work: %s", identifier, problem)
        self.reporter.follow(self.bound)
        self.commander.follow(self.bound, service_bindings(self._entry), self.model)

    @callback
    def registry_changed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Follow a bound entity that was renamed, removed or came back."""
        data = event.data
        names = {data["entity_id"], data.get("old_entity_id")}
        if names & self.bound.by_entity.keys() or (data["action"] == "create" and self.bound.problems):
            self.apply()

    async def _commanded(self, command: Command) -> Answer:
        return await self.commander.handle(command)

    @callback
    def _link_changed(self, state: LinkState, error: ConnectError | None) -> None:
        name = self._entry.title
        if state is LinkState.ONLINE:
            if self._was_online:
                _LOGGER.info("%s is connected again", name)
            self._was_online = True
            self._loss_told = False
            self.reporter.post_everything()
            # Nobody needs to answer the question for another secret now.
            for flow in self._entry.async_get_active_flows(self._hass, {SOURCE_REAUTH}):
                self._hass.config_entries.flow.async_abort(flow["flow_id"])
        elif state in (LinkState.BACKING_OFF, LinkState.AUTH_FAILED) and self._was_online and not self._loss_told:
            _LOGGER.info("%s lost its connection: %s", name, error)
            self._loss_told = True
        if isinstance(error, CredentialsRefused) and state is LinkState.AUTH_FAILED and self._was_online:
            self._entry.async_start_reauth(self._hass)
        async_dispatcher_send(self._hass, link_signal(self._entry.entry_id))
