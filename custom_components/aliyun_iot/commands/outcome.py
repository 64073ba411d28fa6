"""What became of a command, and running Home Assistant's actions so that it is known."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
import logging
from typing import Self

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.trace import script_execution_get, trace_clear, trace_get
import voluptuous as vol

from ..alink.codes import Code
from ..alink.messages import JsonValue

_LOGGER = logging.getLogger(__name__)

MESSAGE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something was not done: a code for the cloud and a sentence for people."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command: nothing failed and perhaps there is data, or what failed is named."""

    failures: Mapping[str, Failure] = field(default_factory=dict)
    data: dict[str, JsonValue] = field(default_factory=dict)

    @classmethod
    def failed(cls, identifier: str, failure: Failure) -> Self:
        """Return the outcome of a command of which one thing failed."""
        return cls({identifier: failure})


async def run_action[T](hass: HomeAssistant, action: Coroutine[None, None, T], deadline: float) -> T | Failure:
    """Run an action to its end and return its result, or why it failed.

    After `deadline` seconds the action is left to run on, and the answer says so: breaking off half-way would be worse.
    """
    task = hass.async_create_task(action, "Aliyun command")
    try:
        await asyncio.wait({task}, timeout=deadline)
    finally:
        if not task.done():
            task.add_done_callback(_log_late_failure)
    if not task.done():
        return Failure(Code.TIMED_OUT, f"the action has not finished after {deadline:.2g} s and is still running")
    if task.cancelled():  # by whatever it waited for; nobody else knows of the task
        return Failure(Code.ACTION_FAILED, "the action was cancelled")
    try:
        return task.result()
    except (HomeAssistantError, vol.Invalid) as err:
        return Failure(Code.ACTION_FAILED, str(err)[:MESSAGE_LENGTH] or type(err).__name__)
    except Exception as err:
        _LOGGER.exception("An action for the cloud failed unexpectedly")
        return Failure(Code.ACTION_FAILED, f"{type(err).__name__}: {err}"[:MESSAGE_LENGTH])


async def run_script[T](action: Coroutine[None, None, T]) -> T:
    """Run an action that is known to run a script, and raise HomeAssistantError if the script gave up.

    A script that meets an unfulfilled condition, a `stop` with `error` or a busy single mode ends without an exception; only
    its trace tells. The trace is kept in the context of the task, which whatever the action triggers inherits. So this is
    not for actions without a script of their own: they would be judged by somebody else's.
    """
    trace_clear()
    result = await action
    if (reason := script_execution_get()) not in (None, "finished"):
        raise HomeAssistantError(f"the script behind the action stopped early: {_last_words() or reason}")
    return result


def _last_words() -> str:
    """Return why a script stopped, if its last step says so."""
    steps = [step.as_dict() for steps in (trace_get(clear=False) or {}).values() for step in steps]
    last = steps[-1] if steps else {}
    return str(last.get("result", {}).get("stop") or last.get("error") or "")


def _log_late_failure(task: asyncio.Task[object]) -> None:
    if not task.cancelled() and (err := task.exception()):
        _LOGGER.warning("An action for the cloud failed after its deadline: %s", err)
