"""Alink services: input data become variables, an action sequence or a script runs, its response becomes output data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from homeassistant.components.script import DOMAIN as SCRIPT_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util.json import JsonObjectType

from ..alink.codes import Code
from ..alink.command import Answer
from ..alink.errors import InvalidValue
from ..alink.messages import JsonValue
from ..alink.model.datatypes import Field
from ..alink.model.thing_model import Service
from ..alink.privacy import PrivateNames
from ..exposures import Absence, absence, resolve_entity
from ..ha_internals import ScriptInputs, script_action, script_inputs
from ..mapping.binding import ServiceBinding
from ..mapping.wire import to_wire, untyped_to_wire
from .outcome import Failure, NotAllowedNow, answer_of
from .running import Run, run_script, run_sequence
from .script_units import in_script_units
from .work import Place, Work

_RESERVED: Final = frozenset({"context", "this"})
"""Variables of each script that Home Assistant defines."""


@dataclass(frozen=True, slots=True)
class ServiceRun:
    """What a call needs to run: the command, its place, and the function that returns why it must not start any more."""

    run: Run
    work: Work
    place: Place
    refusal: Callable[[], Failure | None]


async def call_service(
    hass: HomeAssistant,
    binding: ServiceBinding,
    service: Service | None,
    variables: dict[str, object],
    private: PrivateNames,
    call: ServiceRun,
) -> Answer:
    """Run the script or the sequence that a service is bound to and return the answer.

    `variables` are what `read_input` returned. With a thing model (`service`) the output data must conform to it.
    """
    context = call.run.context
    action = (
        run_script(hass, _run_script(hass, binding, service, variables, call), context)
        if binding.script
        else _run_actions(hass, binding, variables, call)
    )
    response = await call.work.run(action, call.run, call.place)
    if isinstance(response, Failure):
        return answer_of({binding.identifier: response})
    if service:
        return write_output(service.output, response, private)
    return Answer(data={name: untyped_to_wire(value) for name, value in response.items()})


async def _run_script(
    hass: HomeAssistant,
    binding: ServiceBinding,
    service: Service | None,
    variables: dict[str, object],
    call: ServiceRun,
) -> JsonObjectType:
    entity_id = resolve_entity(hass, binding.script or "")
    action = script_action(hass, entity_id) if entity_id else None
    if entity_id is None or action is None:
        why = absence(hass, binding.script or "")
        if entity_id is None:
            raise ServiceValidationError(f"the script {why}")
        raise ServiceValidationError(f"the script {entity_id} {why if why is Absence.DISABLED else 'is not there'}")
    taken = taken_by(script_inputs(hass, entity_id), variables, defined=service is not None)
    if service:
        taken = in_script_units(hass, action, service.input, taken)
    if failure := call.refusal():
        raise NotAllowedNow(failure)
    response = await hass.services.async_call(
        SCRIPT_DOMAIN,
        action,
        taken,
        blocking=True,
        context=call.run.context,
        return_response=True,
    )
    return response or {}


def taken_by(inputs: ScriptInputs, variables: Mapping[str, object], *, defined: bool) -> dict[str, object]:
    """Return which of the input data a script gets.

    Never a variable that the script defines itself: the cloud would override it. If the thing model has not `defined` the
    input data, a script with fields gets only these.
    """
    own = inputs.variables | _RESERVED
    limited = inputs.fields if inputs.fields and not defined else variables.keys()
    return {name: value for name, value in variables.items() if name in limited and name not in own}


async def _run_actions(
    hass: HomeAssistant, binding: ServiceBinding, variables: dict[str, object], call: ServiceRun
) -> JsonObjectType:
    response = await run_sequence(hass, binding.identifier, binding.actions, variables, call.run.context, call.refusal)
    if response is not None and not isinstance(response, dict):
        raise ServiceValidationError(f"it ran, but its response is no mapping but of type {type(response).__name__}")
    return response or {}


def read_input(
    service: Service | None, arguments: Mapping[str, JsonValue], private: PrivateNames
) -> tuple[dict[str, object], dict[str, Failure]]:
    """Return the input data as variables, and the parameters that the thing model does not allow.

    Parameters may be missing: a thing model does not say which ones are required. Without a thing model the input is passed on
    as it is.
    """
    if service is None:
        return dict(arguments), {}
    values: dict[str, object] = {}
    failures: dict[str, Failure] = {}
    for name, raw in arguments.items():
        if (field := service.input.get(name)) is None:
            failures[name] = Failure(Code.PARAMETER_ERROR, "the service has no such parameter")
            continue
        try:
            values[name] = field.data_type.decode(raw, name)
        except InvalidValue as err:
            message = Failure.of_value(err, private=private.is_private(name, raw)).message
            failures[name] = Failure(Code.PARAMETER_ERROR, message)
    return values, failures


def write_output(fields: Mapping[str, Field], response: Mapping[str, object], private: PrivateNames) -> Answer:
    """Return the answer with the response as output data, without what the service does not define."""
    data: dict[str, JsonValue] = {}
    failures: dict[str, Failure] = {}
    for name, field in fields.items():
        if name not in response:
            continue
        try:
            data[name] = to_wire(field.data_type, response[name], name)
        except InvalidValue as err:
            message = Failure.of_value(err, private=private.is_private(name, response[name])).message
            failures[name] = Failure(Code.ACTION_FAILED, f"it ran, but its response does not fit: {message}")
    return answer_of(failures, data)
