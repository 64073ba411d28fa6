"""Alink services: input data become variables, an action sequence or a script runs, its response becomes output data."""

from collections.abc import Mapping

from homeassistant.core import Context, HomeAssistant, split_entity_id
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util.json import JsonObjectType

from ..alink.codes import Code
from ..alink.errors import InvalidValue
from ..alink.messages import JsonValue
from ..alink.model.datatypes import Field
from ..alink.model.thing_model import Service
from ..exposures import resolve_entity
from ..mapping.binding import ServiceBinding
from ..mapping.wire import to_wire
from .action_sequence import run_sequence
from .discretion import complaint
from .outcome import Failure, Outcome, run_action, run_script


async def call_service(
    hass: HomeAssistant,
    binding: ServiceBinding,
    service: Service | None,
    variables: dict[str, object],
    *,
    context: Context,
    deadline: float,
) -> Outcome:
    """Run what a service is bound to and return its output data, or what failed; `deadline` is in seconds.

    `variables` are what `read_input` returned. With a thing model (`service`) the output is held to it.
    """
    run = (
        run_script(_run_script(hass, binding, variables, context))
        if binding.script
        else _run_actions(hass, binding, variables, context)
    )
    response = await run_action(hass, run, deadline)
    if isinstance(response, Failure):
        return Outcome.failed(binding.identifier, response)
    return write_output(service.output, response) if service else Outcome(data=dict(response))


async def _run_script(
    hass: HomeAssistant, binding: ServiceBinding, variables: dict[str, object], context: Context
) -> JsonObjectType:
    entity_id = resolve_entity(hass, binding.script or "")
    if entity_id is None or not hass.services.has_service(*split_entity_id(entity_id)):
        raise ServiceValidationError(f"the script {entity_id or binding.script} is not there")
    response = await hass.services.async_call(
        *split_entity_id(entity_id),
        variables,
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
        raise ServiceValidationError(f"it ran, but its response is no mapping: {response!r}")
    return response or {}


def read_input(
    service: Service | None, arguments: Mapping[str, JsonValue]
) -> tuple[dict[str, object], dict[str, Failure]]:
    """Return the input data as variables, and what of it the thing model does not allow.

    A parameter may be missing: thing models do not say which ones are needed. Without a thing model the input passes as
    it is.
    """
    if service is None:
        return dict(arguments), {}
    fields = service.input
    values: dict[str, object] = {}
    failures: dict[str, Failure] = {}
    for name, raw in arguments.items():
        if (field := fields.get(name)) is None:
            failures[name] = Failure(Code.PARAMETER_ERROR, "the service has no such parameter")
            continue
        try:
            values[name] = field.data_type.decode(raw, name)
        except InvalidValue as err:
            failures[name] = Failure(Code.PARAMETER_ERROR, complaint(err))
    return values, failures


def write_output(fields: Mapping[str, Field], response: Mapping[str, object]) -> Outcome:
    """Return the response as output data; what the service does not define is left out."""
    data: dict[str, JsonValue] = {}
    failures: dict[str, Failure] = {}
    for name, field in fields.items():
        if name not in response:
            continue
        try:
            data[name] = to_wire(field.data_type, response[name], name)
        except InvalidValue as err:
            failures[name] = Failure(Code.ACTION_FAILED, f"it ran, but its response does not fit: {err}")
    return Outcome(failures, data)
