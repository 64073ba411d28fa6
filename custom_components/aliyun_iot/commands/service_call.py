"""Alink services: input data become variables, an action sequence or a script runs, its response becomes output data."""

from collections.abc import Mapping

from homeassistant.components.script import DOMAIN as SCRIPT_DOMAIN
from homeassistant.core import Context, HomeAssistant
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
from ..ha_internals import script_action
from ..mapping.binding import ServiceBinding
from ..mapping.wire import to_wire, untyped_to_wire
from .outcome import Failure, answer_of
from .running import Run, run_action, run_script, run_sequence
from .script_units import in_script_units


async def call_service(
    hass: HomeAssistant,
    binding: ServiceBinding,
    service: Service | None,
    variables: dict[str, object],
    run: Run,
    private: PrivateNames,
) -> Answer:
    """Run the script or the sequence that a service is bound to and return the answer.

    `variables` are what `read_input` returned. With a thing model (`service`) the output data must conform to it.
    """
    action = (
        run_script(hass, _run_script(hass, binding, service, variables, run.context))
        if binding.script
        else _run_actions(hass, binding, variables, run.context)
    )
    response = await run_action(hass, action, run)
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
    context: Context,
) -> JsonObjectType:
    entity_id = resolve_entity(hass, binding.script or "")
    action = script_action(hass, entity_id) if entity_id else None
    if action is None:
        why = absence(hass, binding.script or "")
        if entity_id is None:
            raise ServiceValidationError(f"the script {why}")
        raise ServiceValidationError(f"the script {entity_id} {why if why is Absence.DISABLED else 'is not there'}")
    response = await hass.services.async_call(
        SCRIPT_DOMAIN,
        action,
        in_script_units(hass, action, service.input, variables) if service else variables,
        blocking=True,
        context=context,
        return_response=True,
    )
    return response or {}


async def _run_actions(
    hass: HomeAssistant, binding: ServiceBinding, variables: dict[str, object], context: Context
) -> JsonObjectType:
    response = await run_sequence(hass, binding.identifier, binding.actions, variables, context)
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
