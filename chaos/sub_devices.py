"""The sub-devices of the house: eight of two products, what they are bound to, and their thing models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.config_entries import ConfigSubentryData

from custom_components.aliyun_iot.alink.auth import Identity
from custom_components.aliyun_iot.const import CONF_BINDINGS, SUBENTRY_SUB_DEVICE
from custom_components.aliyun_iot.sub_device_row import SubDeviceRow

LAMP_KEY, PLUG_KEY = "a1ChaosLamp", "a1ChaosPlug"

POWER, LEVEL, READING = "Power", "Level", "Reading"
"""A switch that the cloud sets, a sensor whose newest value is posted, and one whose every sample is posted."""

OFFLINE_DELAY = 1
"""Seconds for which a sub-device stays online while its device is unavailable."""

NUMBER = {"type": "int", "specs": {"min": "0", "max": "2147483647", "step": "1"}}
SWITCH = {"type": "bool", "specs": {"0": "off", "1": "on"}}


@dataclass(frozen=True, slots=True)
class Child:
    """A sub-device, and the names of the entities behind its properties, by identifier."""

    identity: Identity
    entities: Mapping[str, str]


def _child(number: int) -> Child:
    """Return a sub-device; those with the numbers 0 and 1 share their switch, 4 and 5 their samples, as does nobody else."""
    product_key = LAMP_KEY if number < 4 else PLUG_KEY
    entities = {POWER: f"sub_{number}_power", READING: f"sub_{number}_reading"}
    if product_key == LAMP_KEY:
        entities[LEVEL] = f"sub_{number}_level"
    return Child(Identity(product_key, f"sub-{number}"), {**entities, **_SHARED.get(number, {})})


_SHARED: Mapping[int, Mapping[str, str]] = {1: {POWER: "sub_0_power"}, 5: {READING: "sub_4_reading"}}

CHILDREN = tuple(map(_child, range(8)))
_NAMES = frozenset(child.identity.device_name for child in CHILDREN)

SUB_SWITCHES, SUB_LEVELS, SUB_READINGS = (
    tuple(dict.fromkeys(child.entities[identifier] for child in CHILDREN if identifier in child.entities))
    for identifier in (POWER, LEVEL, READING)
)
"""The names of their entities."""


def key_of(device_name: str, identifier: str) -> str:
    """Return what a property of any device is called in the records: its identifier, for a sub-device after its name."""
    return f"{device_name}.{identifier}" if device_name in _NAMES else identifier


def thing_models() -> dict[str, dict[str, Any]]:
    """Return the thing models of their products."""
    return {child.identity.product_key: _thing_model(child) for child in CHILDREN}


def subentries(secrets: Mapping[Identity, str]) -> list[ConfigSubentryData]:
    """Return the subentries, with these secrets."""
    return [
        ConfigSubentryData(
            data={**row.as_dict(), CONF_BINDINGS: [_binding(*bound) for bound in child.entities.items()]},
            subentry_type=SUBENTRY_SUB_DEVICE,
            title=row.device_name,
            unique_id=row.unique_id,
        )
        for child in CHILDREN
        for row in [SubDeviceRow(*child.identity, secrets[child.identity])]
    ]


def _binding(identifier: str, name: str) -> dict[str, Any]:
    if identifier == POWER:
        return {"identifier": POWER, "entity": f"input_boolean.{name}", "aspect": "power", "access": "both"}
    every = {"every_sample": True} if identifier == READING else {}
    return {"identifier": identifier, "entity": f"sensor.{name}", "aspect": "value", **every}


def _thing_model(child: Child) -> dict[str, Any]:
    properties = [
        {
            "identifier": identifier,
            "name": identifier,
            "accessMode": "rw" if identifier == POWER else "r",
            "required": False,
            "dataType": SWITCH if identifier == POWER else NUMBER,
        }
        for identifier in child.entities
    ]
    return {
        "profile": {"productKey": child.identity.product_key},
        "properties": properties,
        "events": [],
        "services": [],
    }
