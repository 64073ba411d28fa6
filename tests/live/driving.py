"""One real entity and an application in the cloud that knows it by its properties.

Every aspect of the entity is bound to a property of its own, in a thing model made from the entity. The stories speak of
aspects and of Python values (`color=(1, 2, 3)` is a struct, an option goes by its name); only what the wire carries is
compared.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigFlow
from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers.entity import Entity
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    mock_config_flow,
    mock_integration,
    mock_platform,
    setup_test_component_platform,
)

from custom_components.aliyun_iot.alink.model.datatypes import DateType, EnumType
from custom_components.aliyun_iot.alink.model.thing_model import Property, ThingModel
from custom_components.aliyun_iot.mapping.aspect import Aspect
from custom_components.aliyun_iot.mapping.domains import DOMAINS
from custom_components.aliyun_iot.mapping.model.infer import infer_data_type
from simulator import CloudDevice
from simulator.device import DeviceReply

from ..application import SetProperties

NAME = "thing"

type Said = Mapping[str, Any]
"""Values by aspect: a bool, number or text, the name of an option, a dict for a struct, an aware time."""


@dataclass(frozen=True, slots=True)
class Sets:
    """The cloud sets properties; `actions` is what Home Assistant must be asked for, `then` what the cloud must learn.

    Without `then`, what was set.
    """

    values: Said
    actions: tuple[str, ...]
    then: Said | None = None


@dataclass(frozen=True, slots=True)
class Happens:
    """Somebody at home runs an action on the entity, and the cloud learns of it."""

    action: str
    data: Mapping[str, Any]
    then: Said


@dataclass(frozen=True, slots=True)
class Changes:
    """The entity changes by itself: attributes of the Python object that is behind it."""

    attributes: Mapping[str, Any]
    then: Said


@dataclass(frozen=True, slots=True)
class Refuses:
    """The cloud sets what the entity can't take; nothing is done, and the answer has this code."""

    values: Said
    code: int


type Turn = Sets | Happens | Changes | Refuses


@dataclass(frozen=True, slots=True)
class Configured:
    """What stands under the name of a domain in `configuration.yaml`, for domains whose entities have no key there."""

    domain: Any


@dataclass(frozen=True, slots=True)
class Added:
    """An entity of a config entry, for domains that take none from `configuration.yaml`."""

    entity: Callable[[], Entity]


@dataclass(frozen=True, slots=True)
class Story:
    """A real entity (of a platform class, or the configuration of a helper) and what happens to it."""

    domain: str
    thing: Callable[[], Entity] | Mapping[str, Any] | Configured | Added
    at_first: Said
    turns: tuple[Turn, ...]
    about: str = ""
    name: str = NAME

    def __str__(self) -> str:
        """Return the name of the test."""
        return f"{self.domain} {self.about}".strip()


@dataclass(slots=True)
class Remote:
    """The application: it knows properties and values, and nothing of Home Assistant."""

    hass: HomeAssistant
    device: CloudDevice
    set_properties: SetProperties
    entity_id: str
    entity: Entity | None
    model: ThingModel
    actions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The actions that Home Assistant was asked to run on the entity, with their fields."""

    def said(self) -> dict[str, Any]:
        """Return the newest value of every property."""
        return {key: self._value(key) for key in self.model.properties if key in self.device.properties}

    async def learns(self, values: Said) -> None:
        """Wait until the cloud knows these values; fails with what it knows instead."""
        wanted = {identifier(key): value for key, value in values.items()}
        try:
            await self.device.wait_for(lambda _: all(self.said().get(key) == value for key, value in wanted.items()))
        except TimeoutError:
            said = self.said()
            assert {key: said.get(key) for key in wanted} == wanted

    async def sets(self, values: Said) -> DeviceReply:
        """Set properties and return the answer."""
        return await self.set_properties(**{identifier(key): self._wire(key, value) for key, value in values.items()})

    async def play(self, story: Story) -> None:
        """Live through a story."""
        await self.learns(story.at_first)
        for turn in story.turns:
            await self._play(turn)

    async def _play(self, turn: Turn) -> None:
        match turn:
            case Sets(values, actions, then):
                self.actions.clear()
                reply = await self.sets(values)
                assert (reply.code, reply.message) == (200, "success")
                assert tuple(name for name, _ in self.actions) == actions
                await self.learns(values if then is None else then)
            case Refuses(values, code):
                self.actions.clear()
                assert (await self.sets(values)).code == code
                assert not self.actions
            case Happens(action, data, then):
                domain, _, name = action.partition(".")
                await self.hass.services.async_call(domain, name, {**data, ATTR_ENTITY_ID: self.entity_id}, True)
                await self.learns(then)
            case Changes(attributes, then):
                assert self.entity
                for name, value in attributes.items():
                    setattr(self.entity, name, value)
                self.entity.async_write_ha_state()
                await self.learns(then)

    def _value(self, key: str) -> Any:
        data_type = self.model.properties[key].data_type
        raw = self.device.properties[key][0]
        value = data_type.decode(raw, key)
        return data_type.items[value] if isinstance(data_type, EnumType) else value

    def _wire(self, key: str, value: Any) -> Any:
        data_type = self.model.properties[identifier(key)].data_type
        if isinstance(data_type, DateType):
            return data_type.encode(value)
        if isinstance(data_type, EnumType):
            value = next((number for number, label in data_type.items.items() if label == value), len(data_type.items))
        return int(value) if isinstance(value, bool) else value


type Drive = Callable[[Story], Awaitable[Remote]]


def identifier(key: str) -> str:
    """Return the property of an aspect: `target_temperature` is `TargetTemperature`."""
    return "".join(part.capitalize() for part in key.split("_"))


async def furnish(hass: HomeAssistant, story: Story) -> Entity | None:
    """Put the entity of a story into Home Assistant; a helper has no object to be got hold of."""
    if isinstance(story.thing, Mapping | Configured):
        config = story.thing.domain if isinstance(story.thing, Configured) else {NAME: dict(story.thing)}
        assert await async_setup_component(hass, story.domain, {story.domain: config})
        await hass.async_block_till_done()
        return None
    if isinstance(story.thing, Added):
        return await _add(hass, story.domain, story.thing.entity())
    entity = story.thing()
    entity.entity_id = f"{story.domain}.{NAME}"
    setup_test_component_platform(hass, story.domain, [entity])
    assert await async_setup_component(hass, story.domain, {story.domain: {"platform": "test"}})
    await hass.async_block_till_done()
    return entity


async def _add(hass: HomeAssistant, domain: str, entity: Entity) -> Entity:
    """Add an entity as an integration with a config entry does."""

    async def set_up(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, [Platform(domain)])
        return True

    entity.entity_id = f"{domain}.{NAME}"
    mock_integration(hass, MockModule("test", async_setup_entry=set_up))
    mock_platform(hass, "test.config_flow")
    setup_test_component_platform(hass, domain, [entity], from_config_entry=True)
    entry = MockConfigEntry(domain="test")
    entry.add_to_hass(hass)
    with mock_config_flow("test", ConfigFlow):
        assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entity


def model_of(state: State) -> ThingModel:
    """Return a thing model with one property for each aspect of an entity."""
    return ThingModel(
        properties={
            identifier(aspect.key): Property(
                identifier=identifier(aspect.key),
                name=aspect.name_zh,
                writable=aspect.controllable(state),
                readable=True,
                required=False,
                data_type=infer_data_type(aspect, state),
            )
            for aspect in _aspects(state)
        }
    )


def bindings_of(state: State) -> list[dict[str, Any]]:
    """Return a binding for each aspect of an entity, both ways where it can be, and confirmed."""
    return [
        {
            "identifier": identifier(aspect.key),
            "entity": state.entity_id,
            "aspect": aspect.key,
            "access": _access(aspect, state),
            "confirmed": True,
        }
        for aspect in _aspects(state)
    ]


def _access(aspect: Aspect, state: State) -> str:
    if aspect.momentary:
        return "control"
    return "both" if aspect.controllable(state) else "report"


def _aspects(state: State) -> list[Aspect]:
    return [aspect for aspect in DOMAINS[state.domain].aspects if aspect.supported(state)]


def watch(remote: Remote) -> None:
    """Write down the actions that the entity is asked for."""

    @callback
    def note(event: Event[Any]) -> None:
        data = dict(event.data["service_data"])
        if data.pop(ATTR_ENTITY_ID, None) == remote.entity_id:
            remote.actions.append((f"{event.data['domain']}.{event.data['service']}", data))

    remote.hass.bus.async_listen("call_service", note)
