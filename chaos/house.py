"""The house: its entities, its thing model and its bindings."""

from collections.abc import Mapping
from secrets import token_hex
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigSubentryData

from custom_components.aliyun_iot.alink.auth import Identity
from custom_components.aliyun_iot.const import (
    CONF_BINDINGS,
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_ENDPOINT,
    CONF_OFFLINE_DELAY,
    CONF_PRODUCT_KEY,
    CONF_THING_MODELS,
    CONF_TRANSPORT,
    DOMAIN,
    SUBENTRY_EVENT,
    SUBENTRY_EXPOSURE,
    SUBENTRY_SERVICE,
)
from simulator import CloudDevice, Simulator

from .sub_devices import (
    CHILDREN,
    NUMBER,
    OFFLINE_DELAY,
    SUB_LEVELS,
    SUB_READINGS,
    SUB_SWITCHES,
    SWITCH,
    key_of,
    subentries,
    thing_models,
)

PRODUCT_KEY = "a1ChaosHome"
DEVICE_NAME = "chaos-1"
IDENTITIES = (Identity(PRODUCT_KEY, DEVICE_NAME), *(child.identity for child in CHILDREN))
"""The house's own device, which is a gateway, and its sub-devices."""

NEWEST = tuple(f"newest_{number}" for number in range(40))
"""Sensors whose newest value is posted; every fourth is posted at most twice a second."""
EVERY = tuple(f"every_{number}" for number in range(6))
"""Sensors whose every sample is posted."""
EXTRA = tuple(f"extra_{number}" for number in range(8))
"""Sensors that are bound and unbound again; at first every second one is bound."""
SENSORS = (*NEWEST, *EVERY, *EXTRA)
LAMPS = tuple(f"lamp_{number}" for number in range(4))
"""Lamps that the cloud sets."""
WISHES = tuple(f"wish_{number}" for number in range(2))
"""Numbers that the cloud sets as desired values only, each value once."""

ALL_SENSORS = (*SENSORS, *SUB_LEVELS, *SUB_READINGS)
ALL_SWITCHES = (*LAMPS, *SUB_SWITCHES)
ENTITIES: Mapping[str, str] = {name: name for name in (*SENSORS, *LAMPS, *WISHES)} | {
    key_of(child.identity.device_name, identifier): name
    for child in CHILDREN
    for identifier, name in child.entities.items()
}
"""The name of the entity behind each property of all devices, by its key."""
SAMPLED = tuple(key for key, name in ENTITIES.items() if name in (*EVERY, *SUB_READINGS))
"""The keys of the properties whose every sample is posted."""

SCENE, QUESTION = "Scene", "Question"
"""An asynchronous and a synchronous service; each fires an event on the bus with its argument `Number`."""
SCENE_MS = 200
"""Milliseconds that the first of them takes, so that something is always under way."""
EVENT_CALLED = "chaos_called"

BELL, ALARM = "Bell", "Alarm"
"""Events of the thing model, each with a number: one is bound to an event entity, one to a trigger."""
EVENTS = (BELL, ALARM)
BELL_ENTITY = "event.bell"
EVENT_ALARM = "chaos_alarm"
"""The event on the bus that triggers the alarm."""

MEASUREMENT = {"unit_of_measurement": "W", "state_class": "measurement"}


def thing_model() -> dict[str, Any]:
    """Return the thing model of the device."""
    properties = [
        {
            "identifier": name,
            "name": name,
            "accessMode": "rw" if name in (*LAMPS, *WISHES) else "r",
            "required": False,
            "dataType": SWITCH if name in LAMPS else NUMBER,
        }
        for name in (*SENSORS, *LAMPS, *WISHES)
    ]
    services = [
        {
            "identifier": identifier,
            "name": identifier,
            "required": False,
            "callType": call_type,
            "method": f"thing.service.{identifier}",
            "inputData": [{"identifier": "Number", "name": "Number", "dataType": NUMBER}],
            "outputData": [],
        }
        for identifier, call_type in ((SCENE, "async"), (QUESTION, "sync"))
    ]
    events = [
        {
            "identifier": identifier,
            "name": identifier,
            "required": False,
            "type": "info",
            "method": f"thing.event.{identifier}.post",
            "outputData": [{"identifier": "Number", "name": "Number", "dataType": NUMBER}],
        }
        for identifier in EVENTS
    ]
    return {
        "profile": {"productKey": PRODUCT_KEY},
        "properties": properties,
        "events": events,
        "services": services,
    }


def add_devices(cloud: Simulator, secrets: Mapping[Identity, str]) -> list[CloudDevice]:
    """Create the devices in the cloud, the house's own one first."""
    models = {PRODUCT_KEY: thing_model(), **thing_models()}
    return [cloud.add_device(*identity, secrets[identity], models[identity.product_key]) for identity in IDENTITIES]


def entry(port: int, secrets: Mapping[Identity, str]) -> ConfigEntry:
    """Return the entry of the device with all its bindings, and with its sub-devices."""
    fired = {"event": EVENT_CALLED, "event_data": {"number": "{{ Number }}"}}
    rows: list[tuple[str, Mapping[str, Any]]] = [(SUBENTRY_EXPOSURE, {CONF_BINDINGS: _bindings()})]
    rows += [
        (SUBENTRY_SERVICE, {"identifier": SCENE, "actions": [fired, {"delay": {"milliseconds": SCENE_MS}}]}),
        (SUBENTRY_SERVICE, {"identifier": QUESTION, "actions": [fired]}),
    ]
    rows += [(SUBENTRY_EVENT, row) for row in _event_bindings()]
    return ConfigEntry(
        version=1,
        minor_version=1,
        domain=DOMAIN,
        title=DEVICE_NAME,
        source=SOURCE_USER,
        unique_id=f"{PRODUCT_KEY}.{DEVICE_NAME}",
        data={
            CONF_PRODUCT_KEY: PRODUCT_KEY,
            CONF_DEVICE_NAME: DEVICE_NAME,
            CONF_DEVICE_SECRET: secrets[IDENTITIES[0]],
            CONF_ENDPOINT: f"127.0.0.1:{port}",
            CONF_TRANSPORT: "tcp",
        },
        options={
            CONF_THING_MODELS: {PRODUCT_KEY: thing_model(), **thing_models()},
            CONF_OFFLINE_DELAY: OFFLINE_DELAY,
        },
        discovery_keys=MappingProxyType({}),
        subentries_data=[
            *(
                ConfigSubentryData(data=data, subentry_type=kind, title=str(number), unique_id=str(number))
                for number, (kind, data) in enumerate(rows)
            ),
            *subentries(secrets),
        ],
    )


def new_secrets() -> dict[Identity, str]:
    """Return a new secret for each device."""
    return {identity: token_hex(16) for identity in IDENTITIES}


def property_row(name: str, entity_id: str) -> dict[str, Any]:
    """Return the binding of a sensor."""
    return {"identifier": name, "entity": entity_id, "aspect": "value"}


def _bindings() -> list[dict[str, Any]]:
    newest = [_row(name) | ({"min_interval": 0.5} if number % 4 == 0 else {}) for number, name in enumerate(NEWEST)]
    every = [_row(name) | {"every_sample": True} for name in EVERY]
    both = {"access": "both"}
    lamps = [{"identifier": name, "entity": f"input_boolean.{name}", "aspect": "power", **both} for name in LAMPS]
    wishes = [{"identifier": name, "entity": f"input_number.{name}", "aspect": "value", **both} for name in WISHES]
    return [*newest, *every, *map(_row, EXTRA[::2]), *lamps, *wishes]


def _event_bindings() -> list[dict[str, Any]]:
    bell = {"identifier": BELL, "entity": BELL_ENTITY, "output": {"Number": "{{ attributes.number }}"}}
    triggers = [{"trigger": "event", "event_type": EVENT_ALARM}]
    alarm = {"identifier": ALARM, "triggers": triggers, "output": {"Number": "{{ trigger.event.data.number }}"}}
    return [bell, alarm]


def _row(name: str) -> dict[str, Any]:
    return property_row(name, f"sensor.{name}")
