"""The differences between two thing models."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from .thing_model import Event, Property, Service, ThingModel

type Feature = Property | Event | Service
"""A part of a thing model."""


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A feature before and after; None where it did not exist, or does not exist any more."""

    before: Feature | None
    after: Feature | None


def model_changes(before: ThingModel, after: ThingModel) -> list[ModelChange]:
    """Return the differences in the order of the new thing model, removed features of each kind last."""
    pairs: chain[tuple[Mapping[str, Feature], Mapping[str, Feature]]] = chain(
        [(before.properties, after.properties)], [(before.events, after.events)], [(before.services, after.services)]
    )
    return [
        ModelChange(old.get(identifier), new.get(identifier))
        for old, new in pairs
        for identifier in dict.fromkeys((*new, *old))
        if old.get(identifier) != new.get(identifier)
    ]
