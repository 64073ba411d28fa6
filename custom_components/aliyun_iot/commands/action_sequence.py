"""Sequences of Home Assistant actions that the user wrote: checked, run and judged in one place."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from homeassistant.core import Context, HomeAssistant, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.script import Script, async_validate_actions_config
import voluptuous as vol

from ..const import DOMAIN
from .outcome import run_script

type Actions = list[dict[str, Any]]


async def problem_of(hass: HomeAssistant, actions: Actions) -> str | None:
    """Return what is wrong with a sequence; what is stored is what was entered, as scripts do."""
    try:
        await _validated(hass, actions)
    except (vol.Invalid, HomeAssistantError) as err:
        return str(err)
    return None


async def run_sequence(
    hass: HomeAssistant, name: str, actions: Actions, variables: Mapping[str, object], context: Context
) -> ServiceResponse:
    """Run a sequence to its end and return its response.

    Raises vol.Invalid for one that can't be run and HomeAssistantError for one that gave up.
    """
    script = Script(hass, await _validated(hass, actions), name, DOMAIN, log_exceptions=False)
    try:
        result = await run_script(script.async_run(dict(variables), context))
    finally:
        await script.async_unload()
    return result.service_response if result else None


async def _validated(hass: HomeAssistant, actions: Actions) -> list[dict[str, Any]]:
    return await async_validate_actions_config(hass, cv.SCRIPT_SCHEMA(deepcopy(actions)))
