"""What changed from one thing model to another."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from .thing_model import Event, Property, Service, ThingModel

type Feature = Property | Event | Service
"""What a thing model consists of."""


@dataclass(frozen=True, slots=True)
class ModelChange:
    """One feature, before and after; None where it did not exist, or does not any more."""

    before: Feature | None
    after: Feature | None


def model_changes(before: ThingModel, after: ThingModel) -> list[ModelChange]:
    """Return what differs, in the order of the new thing model, and then what is gone."""
    pairs: chain[tuple[Mapping[str, Feature], Mapping[str, Feature]]] = chain(
        [(before.properties, after.properties)], [(before.events, after.events)], [(before.services, after.services)]
    )
    return [
        ModelChange(old.get(identifier), new.get(identifier))
        for old, new in pairs
        for identifier in dict.fromkeys((*new, *old))
        if old.get(identifier) != new.get(identifier)
    ]
