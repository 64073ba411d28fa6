"""Whether a suggestion would tell the truth: the entity has the aspect for certain, and the property covers it."""

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import State

from ...alink.model.datatypes import INT_MAX, INT_MIN, BoolType, DataType, EnumType, IntType
from ..aspect import Aspect, Kind
from ..binding import NO_CONVERSION
from ..convert import refused_items, unmatched_options
from ..domains import domain_of
from ..kinds.items import labels_tell

_PROBES = ("0", "x")
"""States of which one is a number and one is text."""


def has_aspect(state: State, aspect: Aspect) -> bool | None:
    """Return whether an entity has an aspect, None while that is not known.

    The state of a sensor without a unit shows whether it is a number or text, and an unavailable entity has lost the
    attributes that show what it measures. So what depends on them is not known while the state is unknown or unavailable.
    """
    if state.state not in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return aspect.supported(state)
    possible = (state, *(State(state.entity_id, probe, state.attributes) for probe in _PROBES))
    answers = {aspect.supported(one) for one in possible}
    return answers.pop() if len(answers) == 1 else None


def is_incomplete(state: State) -> bool:
    """Return whether an entity has aspects that may be suggested as soon as its state is known."""
    domain = domain_of(state.entity_id)
    return domain is not None and any(
        has_aspect(state, aspect) is None for aspect in domain.aspects if not aspect.private
    )


def can_be_reported(state: State, aspect: Aspect, data_type: DataType) -> bool:
    """Return whether the property has a value for every option that the entity can remain in.

    Otherwise the cloud would keep the last value that it has an item for, and nobody would see that it is wrong.
    """
    if aspect.kind is not Kind.ENUM:
        return True
    options = aspect.options(state)
    if not options:
        return not isinstance(data_type, EnumType)
    lost = unmatched_options(aspect, data_type, NO_CONVERSION, state)
    return len(lost) < len(options) and set(lost) <= set(aspect.dispensable(state))


def can_be_controlled(state: State, aspect: Aspect, data_type: DataType) -> bool:
    """Return whether the entity can be set to at least two items, or to all."""
    if not isinstance(data_type, EnumType):
        return True
    count = len(data_type.items)
    return count - len(refused_items(aspect, data_type, NO_CONVERSION, state)) >= min(count, 2)


def labels_fit(aspect: Aspect, data_type: DataType) -> bool:
    """Return whether no and yes are what the property calls its two values; an integer must have room for just them."""
    match data_type:
        case BoolType() | EnumType():
            return labels_tell(aspect, data_type)
        case IntType(low, high):
            return (low, high) in ((0, 1), (INT_MIN, INT_MAX))
        case _:
            return True
