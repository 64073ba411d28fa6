"""The Home Assistant domains that can be mapped: one file each, listed here.

They are listed because scanning the folder would be a blocking call at import. `image` and `camera` are left out on
purpose: a picture can't be a property, and the attributes contain access tokens.
"""

from collections.abc import Callable, Mapping

from homeassistant.core import State

from ..aspect import Aspect, Domain
from . import (
    alarm_control_panel,
    automation,
    binary_sensor,
    button,
    climate,
    counter,
    cover,
    date,
    datetime,
    device_tracker,
    event,
    fan,
    humidifier,
    input_boolean,
    input_button,
    input_datetime,
    input_number,
    input_select,
    input_text,
    lawn_mower,
    light,
    lock,
    media_player,
    number,
    person,
    remote,
    scene,
    script,
    select,
    sensor,
    siren,
    sun,
    switch,
    text,
    time,
    timer,
    update,
    vacuum,
    valve,
    water_heater,
    weather,
)

DOMAINS: Mapping[str, Domain] = {
    module.DOMAIN.name: module.DOMAIN
    for module in (
        alarm_control_panel,
        automation,
        binary_sensor,
        button,
        climate,
        counter,
        cover,
        date,
        datetime,
        device_tracker,
        event,
        fan,
        humidifier,
        input_boolean,
        input_button,
        input_datetime,
        input_number,
        input_select,
        input_text,
        lawn_mower,
        light,
        lock,
        media_player,
        number,
        person,
        remote,
        scene,
        script,
        select,
        sensor,
        siren,
        sun,
        switch,
        text,
        time,
        timer,
        update,
        vacuum,
        valve,
        water_heater,
        weather,
    )
}


def domain_of(entity_id: str) -> Domain | None:
    """Return the domain of an entity, None if it can't be mapped."""
    return DOMAINS.get(entity_id.partition(".")[0])


def aspect_of(entity_id: str, key: str) -> Aspect | None:
    """Return an aspect of an entity's domain, None if there is none with this key."""
    domain = domain_of(entity_id)
    return domain.aspect(key) if domain else None


type Risk = Callable[[State, Aspect | None], bool]
"""Returns whether control of an aspect of an entity, or of any if there is none, needs the user's confirmation."""


def own_risk(state: State, aspect: Aspect | None = None) -> bool:
    """Return the `Risk` of an entity by itself, without that of what it passes a command on to."""
    domain = domain_of(state.entity_id)
    if domain is None:
        return False
    aspects = (aspect,) if aspect else domain.aspects
    return domain.risky(state) or any(each.risky and each.supported(state) for each in aspects)
