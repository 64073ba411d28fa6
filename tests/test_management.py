"""Device management: what the user switches on is done, and nothing else."""

from datetime import timedelta
from typing import Any

from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, floor_registry as fr
from homeassistant.loader import async_get_integration
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.aliyun_iot.alink.features import Feature, feature_filters
from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.alink.topics import reply_topic
from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.management.tags import COOLDOWN, OWN_KEYS, tags_of_device
from custom_components.aliyun_iot.sub_device_row import add_sub_devices
from simulator import CloudDevice, Direction, Simulator

from .conftest import SetUp
from .outages import end_outage, lose_connection, quick_to_return
from .sub_house import LAMPS, add_lamps_in_the_cloud, new_lamp
from .waiting import until
from .walk import Walk

TAGS = {"sync_tags": True}


def tag_messages(cloud: Simulator) -> list[str]:
    """Return the topics of all requests about tags."""
    return [one.topic for one in cloud.wire if one.direction is Direction.UP and "/deviceinfo/" in one.topic]


async def pass_cooldown(hass: HomeAssistant) -> None:
    """Let the time pass in which further changes are awaited."""
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=COOLDOWN + 1))
    await hass.async_block_till_done()


async def options(hass: HomeAssistant, entry: MockConfigEntry, **changes: Any) -> None:
    """Change options as the options flow does."""
    hass.config_entries.async_update_entry(entry, options={**entry.options, **changes})
    await hass.async_block_till_done()


async def test_off_costs_nothing(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """Without a setting there is neither a subscription nor a message."""
    entry = await set_up()
    await pass_cooldown(hass)
    topics = entry.runtime_data.link.device.topics
    filters = {one for feature in Feature for one in feature_filters(topics, feature)}
    assert not [one for one in filters if one in device.connection.subscriptions]
    parts = ("/deviceinfo/", "/config/", "/ota/", "/log/", "/shadow/")
    assert not [one.topic for one in cloud.wire if any(part in one.topic for part in parts)]


async def test_tags_follow_home_assistant(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are sent once, then only what changes; tags of others stay; switched off, ours are deleted."""
    quick_to_return(monkeypatch)
    device.tags |= {"room": "attic", "ha_area": "old"}
    entry = await set_up(options=TAGS)
    await pass_cooldown(hass)
    version = str((await async_get_integration(hass, DOMAIN)).version)
    known = {"room": "attic", "ha_version": __version__, "ha_integration_version": version}
    await device.wait_for(lambda one: one.tags == known)

    floor = fr.async_get(hass).async_create("一楼")
    area = ar.async_get(hass).async_create("Living room", floor_id=floor.floor_id)
    [registered] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    dr.async_get(hass).async_update_device(registered.id, area_id=area.id)
    await pass_cooldown(hass)
    await device.wait_for(lambda one: one.tags == known | {"ha_area": "Living_room", "ha_floor": "一楼"})
    ar.async_get(hass).async_update(area.id, name="客厅", floor_id=None)
    await pass_cooldown(hass)
    await device.wait_for(lambda one: one.tags == known | {"ha_area": "客厅"})

    before = len(tag_messages(cloud))
    dr.async_get(hass).async_update_device(registered.id, name_by_user="Gateway")
    await pass_cooldown(hass)
    await lose_connection(cloud, device, entry)
    end_outage(cloud)
    await until(lambda: entry.runtime_data.link.state is LinkState.ONLINE)
    await pass_cooldown(hass)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await pass_cooldown(hass)
    assert len(tag_messages(cloud)) == before

    await options(hass, entry, sync_tags=False)
    await pass_cooldown(hass)
    await device.wait_for(lambda one: one.tags == {"room": "attic"})
    topics = entry.runtime_data.link.device.topics
    await until(lambda: reply_topic(topics.tags_update) not in device.connection.subscriptions)


async def test_refused_tags(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal is logged, and the tags are sent again on the next connection."""
    entry = await set_up(options=TAGS)
    cloud.faults.set(answer_code={"code": 6100, "count": 1})
    await pass_cooldown(hass)
    await until(lambda: "refuses the tags of gw-1" in caplog.text)
    assert not device.tags
    entry.runtime_data.device.management.connected()
    await pass_cooldown(hass)
    await device.wait_for(lambda one: "ha_version" in one.tags)


async def test_tags_of_a_device(hass: HomeAssistant) -> None:
    """A device that stands for one of Home Assistant has its maker, model and version; all keys are ours."""
    entry = MockConfigEntry(domain="test")
    entry.add_to_hass(hass)
    registered = dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={("test", "1")},
        manufacturer="小米 (Xiaomi)",
        model="🏠",
        sw_version="1.2.3",
    )
    tags = tags_of_device(hass, registered)
    assert tags == {"ha_manufacturer": "小米_Xiaomi", "ha_sw_version": "1.2.3"}
    assert tags.keys() <= OWN_KEYS


async def test_tags_of_sub_devices(
    hass: HomeAssistant, cloud: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sub-device has the tags of the device of Home Assistant that it stands for."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.gateway.RECONNECT_SPREAD", 0.0)
    entry = await set_up(options=TAGS | {"thing_model": None})
    add_lamps_in_the_cloud(cloud, ["lamp-1"])
    add_sub_devices(hass, entry, [new_lamp(hass, "Lamp 1", "lamp-1", area="Study")])
    lamp = cloud.device(LAMPS, "lamp-1")
    await lamp.wait_for(lambda one: one.online)
    await until(lambda: next(iter(entry.runtime_data.sub_devices.running.values())).online)
    await pass_cooldown(hass)
    await lamp.wait_for(lambda one: one.tags == {"ha_area": "Study", "ha_manufacturer": "Acme", "ha_model": "Lamp_1"})


async def test_settings(hass: HomeAssistant, set_up: SetUp) -> None:
    """They are a section of the page Settings."""
    entry = await set_up()
    walk = await Walk.options(hass, entry, "settings")
    await walk.submit(
        keep_alive=60, window=0.25, uplink_rate=9, monthly_quota=0, commands={}, management={"sync_tags": True}
    )
    await hass.async_block_till_done()
    assert entry.options["sync_tags"] is True
    assert entry.runtime_data.device.management._tags.in_use
