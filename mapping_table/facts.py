"""Facts about each aspect of a domain, computed from its example entities."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from homeassistant.components.button import ButtonDeviceClass
from homeassistant.components.cover import CoverDeviceClass
from homeassistant.components.switch import SwitchDeviceClass
from homeassistant.components.valve import ValveDeviceClass
from homeassistant.const import ATTR_DEVICE_CLASS
from homeassistant.core import State

from custom_components.aliyun_iot.alink.model.datatypes import DataType
from custom_components.aliyun_iot.mapping.aspect import ActionCall, Aspect, Domain, Kind, Range, Refused, Value
from custom_components.aliyun_iot.mapping.model.infer import infer_data_type

from .examples import EXAMPLES

DEVICE_CLASSES: Mapping[str, tuple[str, ...]] = {
    "button": tuple(ButtonDeviceClass),
    "cover": tuple(CoverDeviceClass),
    "switch": tuple(SwitchDeviceClass),
    "valve": tuple(ValveDeviceClass),
}
"""The device classes of domains whose entities can be set."""

MOMENT = datetime(2026, 11, 23, 8, tzinfo=UTC)
SAMPLES: Mapping[Kind, tuple[Value, ...]] = {
    Kind.BOOL: (False, True),
    Kind.COLOR: ((255, 120, 0),),
    Kind.DATE: (MOMENT,),
    Kind.TEXT: ("hello", "08:00:00"),
}


class NoExample(Exception):  # noqa: N818 - named after what is missing
    """No example entity has an aspect, or none lets an aspect be set that is writable."""


@dataclass(frozen=True, slots=True)
class AspectFacts:
    """One aspect of an example entity; `actions` are those that set it, none if it is only reported."""

    aspect: Aspect
    data_type: DataType
    range: Range | None
    unit: str | None
    options: tuple[str, ...]
    actions: tuple[str, ...]


def facts_of(domain: Domain) -> Iterator[AspectFacts]:
    """Yield the facts of each aspect of a domain; raises NoExample."""
    for aspect in domain.aspects:
        state = example_of(domain, aspect)
        yield AspectFacts(
            aspect,
            infer_data_type(aspect, state),
            aspect.range(state),
            aspect.unit(state),
            aspect.options(state),
            _actions(domain, aspect),
        )


def example_of(domain: Domain, aspect: Aspect) -> State:
    """Return the first example that supports an aspect and, if it is writable, lets it be set; raises NoExample."""
    for state in EXAMPLES.get(domain.name, ()):
        if aspect.supported(state) and aspect.controllable(state) == aspect.writable:
            return state
    raise NoExample(f"{domain.name}.{aspect.key}")


def risky_device_classes(domain: Domain) -> tuple[str, ...] | None:
    """Return the device classes of risky entities, None if all entities of the domain are risky."""
    example = EXAMPLES[domain.name][0]
    plain = State(example.entity_id, example.state, {**example.attributes, ATTR_DEVICE_CLASS: None})
    if domain.risky(plain):
        return None
    return tuple(
        device_class
        for device_class in DEVICE_CLASSES.get(domain.name, ())
        if domain.risky(State(plain.entity_id, plain.state, {**plain.attributes, ATTR_DEVICE_CLASS: device_class}))
    )


def _actions(domain: Domain, aspect: Aspect) -> tuple[str, ...]:
    """Return the actions for the sample values on any example, without duplicates; raises NoExample."""
    if not aspect.writable:
        return ()
    actions = dict.fromkeys(
        _readable(call)
        for state in EXAMPLES[domain.name]
        if aspect.controllable(state)
        for value in _samples(aspect, state)
        for call in _calls(domain, aspect, state, value)
    )
    if not actions:
        raise NoExample(f"{domain.name}.{aspect.key} accepts none of the sample values")
    return tuple(actions)


def _samples(aspect: Aspect, state: State) -> tuple[Value, ...]:
    match aspect.kind:
        case Kind.ENUM:
            return aspect.options(state)
        case Kind.NUMBER:
            limits = aspect.range(state) or Range(None, None)
            return tuple(dict.fromkeys(limits.clamp(value) for value in (0.0, 50.0)))
        case kind:
            return SAMPLES[kind]


def _calls(domain: Domain, aspect: Aspect, state: State, value: Value) -> list[ActionCall]:
    """Return the actions for a value; if it is refused alone, with the first other aspect that makes it accepted."""
    others = (other for other in domain.aspects if other is not aspect and other.controllable(state))
    companions = ({other.key: sample} for other in others for sample in reversed(_samples(other, state)))
    for companion in ({}, *companions):
        try:
            return domain.actions_for(state, {aspect.key: value, **companion})
        except Refused:
            continue
    return []


def _readable(call: ActionCall) -> str:
    """Return an action with its fields: `light.turn_on(brightness)`."""
    fields = ", ".join(call.data)
    return f"{call.domain}.{call.action}({fields})" if fields else f"{call.domain}.{call.action}"
