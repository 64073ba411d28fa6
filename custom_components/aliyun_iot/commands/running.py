"""Running Home Assistant's actions to their end, and finding out whether they succeeded."""

import asyncio
from collections.abc import Coroutine, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
import logging
import time
import traceback
from typing import Any

from homeassistant.core import Context, HomeAssistant, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from ..alink.codes import Code
from ..alink.privacy import WITHHELD, Secrets
from ..ha_internals import FINISHED, clear_trace, run_actions, script_end, traces_work, validated_actions
from .outcome import Failure

_LOGGER = logging.getLogger(__name__)

type Actions = list[dict[str, Any]]


@dataclass(slots=True)
class Run:
    """What the actions of a command have in common.

    `context` is the context of everything that they cause. The answer is due at `until`, in monotonic seconds. No text that
    leaves the command may contain one of the `secrets`.
    """

    context: Context
    until: float
    secrets: Secrets

    @property
    def remaining(self) -> float:
        """Seconds until the answer is due."""
        return self.until - time.monotonic()


async def run_action[T](hass: HomeAssistant, action: Coroutine[None, None, T], run: Run) -> T | Failure:
    """Run an action to its end and return its result, or why it failed.

    When the answer is due the action is left running, and the failure says so: interrupting it would be worse.
    """
    timeout = run.remaining
    task = hass.async_create_task(action, "Aliyun command")
    try:
        if not task.done():
            await asyncio.wait({task}, timeout=timeout)
    finally:
        if not task.done():
            task.add_done_callback(partial(_log_late_failure, run.secrets))
    if not task.done():
        return Failure(Code.TIMED_OUT, f"the action has not finished after {timeout:.2g} s and is still running")
    if task.cancelled():  # by something that it waited for, since this task is not known anywhere else
        return Failure(Code.ACTION_FAILED, "the action was cancelled")
    try:
        return task.result()
    except (HomeAssistantError, vol.Invalid) as err:
        return Failure.of_action(err, run.secrets, expected=True)
    except Exception as err:  # noqa: BLE001 - logged without what is private
        log_unexpected(err, "An action for the cloud failed unexpectedly", run.secrets)
        return Failure.of_action(err, run.secrets, expected=False)


async def run_script[T](hass: HomeAssistant, action: Coroutine[None, None, T], *, always: bool = True) -> T:
    """Run an action that runs a script; raises HomeAssistantError if the script stopped early, or if that is not known.

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
    return result


async def run_sequence(
    hass: HomeAssistant, name: str, actions: Actions, variables: Mapping[str, object], context: Context
) -> ServiceResponse:
    """Run a sequence that the user wrote to its end and return its response.

    Raises vol.Invalid if it is not valid and HomeAssistantError if it stopped early.
    """
    valid = await _validated(hass, actions)
    return await run_script(hass, run_actions(hass, name, valid, variables, context))


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
    _LOGGER.error("%s:\n%s", sentence, whole)


def _log_late_failure(secrets: Secrets, task: asyncio.Task[object]) -> None:
    if not task.cancelled() and (err := task.exception()):
        _LOGGER.warning("An action for the cloud failed after its deadline: %s", secrets.withheld(str(err)))
