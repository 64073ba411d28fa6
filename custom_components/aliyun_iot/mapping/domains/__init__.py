"""The Home Assistant domains that can be mapped: one file each, listed here.

Listed and not scanned for: looking through the folder would be a blocking call at import.
"""

from collections.abc import Mapping

from ..aspect import Aspect, Domain
from . import (
    binary_sensor,
    climate,
    cover,
    input_boolean,
    input_number,
    input_select,
    light,
    lock,
    number,
    select,
    sensor,
    switch,
)

DOMAINS: Mapping[str, Domain] = {
    module.DOMAIN.name: module.DOMAIN
    for module in (
        binary_sensor,
        climate,
        cover,
        input_boolean,
        input_number,
        input_select,
        light,
        lock,
        number,
        select,
        sensor,
        switch,
    )
}


def domain_of(entity_id: str) -> Domain | None:
    """Return the domain of an entity, None if it can't be mapped."""
    return DOMAINS.get(entity_id.partition(".")[0])


def aspect_of(entity_id: str, key: str) -> Aspect | None:
    """Return an aspect of an entity's domain, None if there is none of this name."""
    domain = domain_of(entity_id)
    return domain.aspect(key) if domain else None
