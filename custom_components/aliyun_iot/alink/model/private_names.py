"""The identifiers of a thing model whose names for people say that their values are private."""

from collections.abc import Iterable, Iterator

from ..privacy import PrivateNames, is_private_name
from .datatypes import ArrayType, DataType, Field, StructType
from .thing_model import Property, ThingModel


def private_names(model: ThingModel | None) -> PrivateNames:
    """Return what a thing model calls private, at any depth; without one the identifiers alone decide."""
    named = _named(model) if model else ()
    return PrivateNames(identifier for identifier, name in named if is_private_name(name))


def holds_private(private: PrivateNames, prop: Property) -> bool:
    """Return whether the value of a property is private, or a member of it."""
    return prop.identifier in private or any(identifier in private for identifier, _ in _members(prop.data_type))


def _named(model: ThingModel) -> Iterator[tuple[str, str]]:
    """Yield identifier and name of everything that has a value, and of the services."""
    for prop in model.properties.values():
        yield prop.identifier, prop.name
        yield from _members(prop.data_type)
    for event in model.events.values():
        yield from _fields(event.output.values())
    for service in model.services.values():
        yield service.identifier, service.name
        yield from _fields([*service.input.values(), *service.output.values()])


def _fields(fields: Iterable[Field]) -> Iterator[tuple[str, str]]:
    for field in fields:
        yield field.identifier, field.name
        yield from _members(field.data_type)


def _members(data_type: DataType) -> Iterator[tuple[str, str]]:
    match data_type:
        case ArrayType():
            yield from _members(data_type.item)
        case StructType():
            yield from _fields(data_type.members.values())
