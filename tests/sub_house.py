"""Devices of Home Assistant that become sub-devices, and how the stories add them."""

from collections.abc import Sequence
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import entity_sources
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.mapping.binding import Access, Binding
from custom_components.aliyun_iot.sub_device_row import NewSubDevice, SubDeviceRow
from simulator import Simulator

LAMPS = "a1SubLamps"
SECRET = "5ec4e75ec4e75ec4e75ec4e75ec4e700"


def add_device(
    hass: HomeAssistant, name: str, *, area: str = "", model: str = "Lamp 1", domain: str = "light", **attributes: Any
) -> tuple[str, str]:
    """Create a device with one entity that is on, and return the device id and the entity id."""
    owner = next(iter(hass.config_entries.async_entries("demo")), None)
    if owner is None:
        owner = MockConfigEntry(domain="demo")
        owner.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=owner.entry_id, identifiers={("demo", name)}, name=name, manufacturer="Acme", model=model
    )
    if area:
        area_id = ar.async_get(hass).async_get_or_create(area).id
        dr.async_get(hass).async_update_device(device.id, area_id=area_id)
    entity = er.async_get(hass).async_get_or_create(
        domain, "demo", name, config_entry=owner, device_id=device.id, original_name=name
    )
    entity_sources(hass).setdefault(entity.entity_id, {"domain": "demo"})
    hass.states.async_set(entity.entity_id, "on", {"friendly_name": name, **attributes})
    return device.id, entity.entity_id


def lamp_binding(hass: HomeAssistant, entity_id: str) -> Binding:
    """Return the binding of the power of a lamp."""
    registered = er.async_get(hass).async_get(entity_id)
    return Binding("Power", registered.id if registered else entity_id, "power", Access.BOTH)


def new_lamp(
    hass: HomeAssistant, name: str, device_name: str, secret: str | None = SECRET, **more: Any
) -> NewSubDevice:
    """Create a lamp in Home Assistant, and return the sub-device for it."""
    device_id, entity_id = add_device(hass, name, **more)
    row = SubDeviceRow(LAMPS, device_name, secret, None, f"device:{device_id}")
    return NewSubDevice(row, name, (lamp_binding(hass, entity_id),))


def add_lamps_in_the_cloud(cloud: Simulator, names: Sequence[str], secret: str = SECRET) -> None:
    """Create devices in the cloud."""
    for name in names:
        cloud.add_device(LAMPS, name, secret)


def entity_of(hass: HomeAssistant, name: str) -> str:
    """Return the entity id of a device."""
    found = er.async_get(hass).async_get_entity_id("light", "demo", name)
    assert found
    return found
