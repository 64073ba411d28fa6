"""A house with 300 entities, from an empty entry to a thing model with everything bound and posted."""

import json
from math import ceil
import time

from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockModule,
    MockPlatform,
    mock_config_flow,
    mock_integration,
    mock_platform,
)

from custom_components.aliyun_iot.const import CONF_THING_MODEL, SUBENTRY_EXPOSURE
from custom_components.aliyun_iot.exposures import exposed_bindings, resolve_entity
from custom_components.aliyun_iot.stored_device import model_document
from simulator import CloudDevice, Simulator, ThingModel

from .big_house import DOMAINS, INTEGRATION, things
from .conftest import SetUp
from .walk import Walk


@pytest.fixture
async def big_house(hass: HomeAssistant) -> ConfigEntry:
    """Set up the house."""

    async def set_up(hass: HomeAssistant, entry: ConfigEntry) -> bool:
        await hass.config_entries.async_forward_entry_setups(entry, list(DOMAINS))
        return True

    mock_integration(hass, MockModule(INTEGRATION, async_setup_entry=set_up))
    mock_platform(hass, f"{INTEGRATION}.config_flow", None)
    for name, domain in DOMAINS.items():

        async def add(
            _: HomeAssistant,
            entry: ConfigEntry,
            add_entities: AddConfigEntryEntitiesCallback,
            domain: type[Entity] = domain,
        ) -> None:
            add_entities(things(entry, domain))

        mock_platform(hass, f"{INTEGRATION}.{name}", MockPlatform(async_setup_entry=add))
    entry = MockConfigEntry(domain=INTEGRATION)
    entry.add_to_hass(hass)
    with mock_config_flow(INTEGRATION, ConfigFlow):
        assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def test_from_an_empty_entry_to_a_thing_model(
    hass: HomeAssistant, big_house: ConfigEntry, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """One pass through the pages binds the house, one generates its thing model, and the cloud accepts every value."""
    device.thing_model = None
    entry = await set_up(options={CONF_THING_MODEL: None})
    entities = {
        entity.entity_id for entity in er.async_entries_for_config_entry(er.async_get(hass), big_house.entry_id)
    }
    assert len(entities) == 300
    assert len({entity_id.partition(".")[0] for entity_id in entities}) >= 12
    started = time.perf_counter()

    walk = await Walk.options(hass, entry, "select", "select_anyway")
    everything = {"hidden_too": False, "diagnostic_too": True}
    await walk.submit(integrations=[INTEGRATION], leave_out={}, also=everything, follow=True)
    offered = list(walk.choices("bindings"))
    await walk.submit(bindings=offered)
    await walk.submit()
    assert walk.saved
    bound = exposed_bindings(entry)
    assert {resolve_entity(hass, binding.entity) for binding in bound} == entities
    assert len(exposures(entry)) == 60

    walk = await Walk.options(hass, entry, "thing_model", "thing_model_generate")
    documents = []
    while walk.step in ("thing_model_split", "thing_model_module"):
        if walk.step == "thing_model_split":
            await walk.submit()
            continue
        documents.append(json.loads(walk.values[CONF_THING_MODEL]))
        await walk.submit(**walk.values)
    await walk.submit()
    assert walk.saved
    assert model_document(entry)

    await hass.async_block_till_done()

    # The console imports the documents, and the device posts everything again, checked against the thing model.
    device.thing_model = ThingModel.parse(documents, strict_values=True)
    device.properties.clear()
    cloud.wire.clear()
    entry.runtime_data.device.reporter.post_everything()
    reported = {binding.identifier for binding in exposed_bindings(entry) if binding.access.reports}
    says_something = entry.runtime_data.device.reporter.present(reported).keys()
    assert len(says_something) >= 300
    await device.wait_for(lambda device: device.properties.keys() >= says_something)
    posts = [message for message in cloud.wire if message.topic.endswith("/event/property/post")]
    assert len(posts) == ceil(len(says_something) / 200)
    assert not entry.runtime_data.device.reporter.outbox.refusals
    assert not entry.runtime_data.device.reporter.outbox.unreportable
    assert not entry.runtime_data.device.bound.problems
    assert device.connections == 1
    print(  # noqa: T201 - visible with -s
        f"{len(entities)} entities, {len(bound)} bindings, {len(documents)} modules, "
        f"{len(says_something)} values in {len(posts)} messages, {time.perf_counter() - started:.1f} s"
    )


def exposures(entry: ConfigEntry) -> list[ConfigSubentry]:
    """Return the exposures."""
    return [subentry for subentry in entry.subentries.values() if subentry.subentry_type == SUBENTRY_EXPOSURE]
