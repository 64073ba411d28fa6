"""A real entity, and a cloud application that uses its properties.

Every aspect of the entity is bound to a property, in a thing model made from the entity. Stories use aspects and Python
values (`color={"Red": 1, …}` is a struct, an option is its name); the values on the wire are compared.
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
from simulator import CloudDevice, DeviceReply

from ..application import SetProperties

NAME = "thing"

type Values = Mapping[str, Any]
"""Values by aspect: a bool, number or text, the name of an option, a dict for a struct, an aware time."""


@dataclass(frozen=True, slots=True)
class CloudSet:
    """The cloud sets properties; `actions` are the expected actions, `then` the expected reports.

    Without `then`, the values that were set are expected.
    """

    values: Values
    actions: tuple[str, ...]
    then: Values | None = None


@dataclass(frozen=True, slots=True)
class UserAction:
    """A user runs an action on the entity; `then` are the expected reports."""

    action: str
    data: Mapping[str, Any]
    then: Values


@dataclass(frozen=True, slots=True)
class StateChange:
    """Attributes of the entity object change; `then` are the expected reports."""

    attributes: Mapping[str, Any]
    then: Values


@dataclass(frozen=True, slots=True)
class RefusedSet:
    """The cloud sets invalid values; no action is expected, and an answer with this code."""

    values: Values
    code: int


type Step = CloudSet | UserAction | StateChange | RefusedSet


@dataclass(frozen=True, slots=True)
class Configured:
    """The configuration of a domain in `configuration.yaml`, for domains whose entities have no key there."""

    domain: Any


@dataclass(frozen=True, slots=True)
class Added:
    """An entity of a config entry, for domains without `configuration.yaml`."""

    entity: Callable[[], Entity]


@dataclass(frozen=True, slots=True)
class Story:
    """A real entity (a platform class, or the configuration of a helper) and the steps of the test."""

    domain: str
    thing: Callable[[], Entity] | Mapping[str, Any] | Configured | Added
    initial: Values
    steps: tuple[Step, ...]
    about: str = ""
    name: str = NAME

    def __str__(self) -> str:
        """Return the name of the test."""
        return f"{self.domain} {self.about}".strip()


@dataclass(slots=True)
class CloudApplication:
    """The cloud application, which uses properties and values, and the actions that it causes in Home Assistant."""

    hass: HomeAssistant
    device: CloudDevice
    set_properties: SetProperties
    entity_id: str
    entity: Entity | None
    model: ThingModel
    actions: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """The actions that were called for the entity, with their fields."""

    def values(self) -> dict[str, Any]:
        """Return the newest value of every property."""
        return {key: self._value(key) for key in self.model.properties if key in self.device.properties}

    async def expect(self, values: Values) -> None:
        """Wait until the cloud has these values; fails with the values that it has instead."""
        wanted = {identifier(key): value for key, value in values.items()}
        try:
            await self.device.wait_for(lambda _: all(self.values().get(key) == value for key, value in wanted.items()))
        except TimeoutError:
            known = self.values()
            assert {key: known.get(key) for key in wanted} == wanted

    async def sets(self, values: Values) -> DeviceReply:
        """Set properties and return the answer."""
        return await self.set_properties(**{identifier(key): self._wire(key, value) for key, value in values.items()})

    async def run(self, story: Story) -> None:
        """Run a story."""
        await self.expect(story.initial)
        for step in story.steps:
            await self._run_step(step)

    async def _run_step(self, step: Step) -> None:
        match step:
            case CloudSet(values, actions, then):
                self.actions.clear()
                reply = await self.sets(values)
                assert (reply.code, reply.message) == (200, "success")
                assert tuple(name for name, _ in self.actions) == actions
                await self.expect(values if then is None else then)
            case RefusedSet(values, code):
                self.actions.clear()
                assert (await self.sets(values)).code == code
                assert not self.actions
            case UserAction(action, data, then):
                domain, _, name = action.partition(".")
                await self.hass.services.async_call(domain, name, {**data, ATTR_ENTITY_ID: self.entity_id}, True)
                await self.expect(then)
            case StateChange(attributes, then):
                assert self.entity
                for name, value in attributes.items():
                    setattr(self.entity, name, value)
                self.entity.async_write_ha_state()
                await self.expect(then)

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


type Drive = Callable[[Story], Awaitable[CloudApplication]]


def identifier(key: str) -> str:
    """Return the identifier for an aspect: `TargetTemperature` for `target_temperature`."""
    return "".join(part.capitalize() for part in key.split("_"))


async def furnish(hass: HomeAssistant, story: Story) -> Entity | None:
    """Create the entity of a story and return it, None for a helper, which has no accessible object."""
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
    """Return a confirmed binding for each aspect of an entity, in both directions if possible."""
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


def watch(app: CloudApplication) -> None:
    """Record the actions that are called for the entity."""

    @callback
    def record(event: Event[Any]) -> None:
        data = dict(event.data["service_data"])
        if data.pop(ATTR_ENTITY_ID, None) == app.entity_id:
            app.actions.append((f"{event.data['domain']}.{event.data['service']}", data))

    app.hass.bus.async_listen("call_service", record)
