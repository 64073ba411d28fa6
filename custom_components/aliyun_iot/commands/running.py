"""Running Home Assistant's actions to their end, and finding out whether they succeeded."""

from collections.abc import Callable, Coroutine, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
import time
import traceback
from typing import Any

from homeassistant.core import Context, HomeAssistant, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..alink.foreign import logger_of, safe_lines
from ..alink.privacy import WITHHELD, Secrets
from ..ha_internals import (
    FINISHED,
    clear_trace,
    nested_script_end,
    run_actions,
    script_end,
    traces_work,
    validated_actions,
)
from .outcome import Failure, NotAllowedNow

_LOGGER = logger_of(__name__)

type Actions = list[dict[str, Any]]


@dataclass(slots=True)
class Run:
    """What the actions of a command have in common.

    `context` is the context of everything that they cause. The answer is due at `until`, in monotonic seconds. No text that
    leaves the command may contain one of the `secrets`. `admitted` is when it was admitted (`Policy.admit`), `begun` are the
    properties whose actions have begun.
    """

    context: Context
    until: float
    secrets: Secrets
    admitted: float
    begun: set[str] = field(default_factory=set, kw_only=True)

    @property
    def remaining(self) -> float:
        """Seconds until the answer is due."""
        return self.until - time.monotonic()


async def run_script[T](
    hass: HomeAssistant, action: Coroutine[None, None, T], context: Context, *, always: bool = True
) -> T:
    """Run an action that runs a script; raises HomeAssistantError if the script stopped early, or if that is not known.

    That includes script entities and automations that it runs in turn; `context` is that of the action.

    A script raises no exception when a condition does not hold, at a `stop` with `error`, or when it is in single mode and
    already running: only its trace shows it. The trace is kept in the context of the task, which everything that the action
    triggers inherits. So this must not be used for actions that run no script themselves: the trace would be another script's.
    With `always` unset, the action may have no script, or may leave it running.
    """
    clear_trace()
    result = await action
    end = script_end()
    if end is None:
        if always or not await traces_work(hass):
            raise HomeAssistantError("it is not known how the script behind the action ended")
    elif end.word != FINISHED:
        raise HomeAssistantError(f"the script behind the action stopped early: {end.reason or end.word}")
    if nested := nested_script_end(hass, context):
        raise HomeAssistantError(f"the action has run {nested}, which stopped early")
    return result


async def run_sequence(
    hass: HomeAssistant,
    name: str,
    actions: Actions,
    variables: Mapping[str, object],
    context: Context,
    refusal: Callable[[], Failure | None],
) -> ServiceResponse:
    """Run a sequence that the user wrote to its end and return its response.

    It may take a while to load what the sequence needs, so `refusal` is asked before the first action why it must not start.

    Raises NotAllowedNow, vol.Invalid if it is not valid and HomeAssistantError if it stopped early.
    """
    valid = await _validated(hass, actions)
    if failure := refusal():
        raise NotAllowedNow(failure)
    return await run_script(hass, run_actions(hass, name, valid, variables, context), context)


async def problem_of(hass: HomeAssistant, actions: Actions) -> str | None:
    """Return what is wrong with a sequence, None if it is valid. Sequences are stored as entered, as scripts are."""
    try:
        await _validated(hass, actions)
    except (vol.Invalid, HomeAssistantError) as err:
        return str(err)
    return None


async def _validated(hass: HomeAssistant, actions: Actions) -> Actions:
    return await validated_actions(hass, cv.SCRIPT_SCHEMA(deepcopy(actions)))


def log_unexpected(error: Exception, sentence: str, secrets: Secrets) -> None:
    """Log an unexpected exception with its traceback, of which only the places are logged if it contains a private value."""
    whole = "".join(traceback.format_exception(error))
    if secrets.appear_in(whole):
        whole = f"{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}: {WITHHELD}"
    _LOGGER.error("%s:\n%s", sentence, safe_lines(whole))
