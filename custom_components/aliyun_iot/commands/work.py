"""The work that commands of the devices of an entry cause: how much there may be, and what becomes of actions that never end.

A command takes a place for each entity, or for the service, that it works on, before anything is done, and keeps it until its
action has really ended, also after the deadline. A target that has some may take more of them up to half of what is
free. So a slow entity refuses further commands to itself, and leaves room for those to others.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from weakref import WeakValueDictionary

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
import voluptuous as vol

from ..alink.codes import Code
from ..alink.foreign import logger_of
from ..alink.privacy import Secrets
from .outcome import Failure, NotAllowedNow, TooBusy
from .running import Run, log_unexpected

_LOGGER = logger_of(__name__)

MAX_WORK: Final = 100
"""Places that are taken before every other command is refused."""

MAX_OF_ONE: Final = MAX_WORK // 3
"""Places that a target takes before other commands to it are refused, if it is the only one: then twice as many are free."""

GOING_OFFLINE: Final = "the device is going offline, try again later"

GRACE: Final = 2.0
"""Seconds that actions have to end when the device stops, before they are cancelled."""

CANCEL_TIMEOUT: Final = 1.0
"""Seconds to wait for the end of an action that was cancelled; one that ignores it does not keep the device alive."""

_OWN_ACTION: ContextVar[asyncio.Task[Any] | None] = ContextVar("aliyun_iot_action", default=None)
"""The action in which something happens, with everything that it starts: it may stop the very device it runs for."""


@dataclass(slots=True)
class Place:
    """The place of one command at one target; `in_use` by an action, which keeps it until it ends."""

    target: str
    in_use: bool = False


class Work:
    """The actions that run, and the commands that wait for them.

    The devices of an entry share it, as they may share entities.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Start without any."""
        self.turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Whose turn it is, by target: commands to one entity are carried out one after the other."""
        self._hass = hass
        self._taken: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.stopped = False

    @contextmanager
    def take(self, targets: Collection[str]) -> Iterator[list[Place]]:
        """Take a place at each target, or none at all; raises TooBusy if one of them has no room.

        Those that no action uses by the end of the context are left then.
        """
        if self.stopped:
            raise TooBusy(GOING_OFFLINE, overload=False)
        free = MAX_WORK - self._taken.total()
        if targets and free <= 0:
            raise TooBusy("too many commands at once, try again later")
        for target, number in Counter(targets).items():
            if self._taken[target] and self._taken[target] + number > free / 2:
                raise TooBusy(f"too many commands to {target} have not finished, try again later")
        self._taken.update(targets)
        places = [Place(target) for target in targets]
        try:
            yield places
        finally:
            for place in places:
                if not place.in_use:
                    self._leave(place)

    async def run[T](self, action: Coroutine[None, None, T], run: Run, place: Place) -> T | Failure:
        """Run an action to its end and return its result, or why it failed.

        When the answer is due the action is left running, and the failure says so: interrupting it would be worse.
        """
        timeout = run.remaining
        place.in_use = True
        task = self._hass.async_create_task(_known(action), "Aliyun command")
        try:
            if not task.done():
                self._tasks.add(task)
                await asyncio.wait({task}, timeout=timeout)
        finally:
            if task.done():
                self._ended(place, task)
            else:
                task.add_done_callback(partial(self._ended, place))
                task.add_done_callback(partial(_log_late_failure, run.secrets))
        if not task.done():
            return Failure(Code.TIMED_OUT, f"the action has not finished after {timeout:.2g} s and is still running")
        if task.cancelled():  # by something that it waited for, or because the device stops
            return Failure(Code.ACTION_FAILED, "the action was cancelled")
        try:
            return task.result()
        except NotAllowedNow as err:
            return err.failure
        except (HomeAssistantError, vol.Invalid) as err:
            return Failure.of_action(err, run.secrets, expected=True)
        except Exception as err:  # noqa: BLE001 - logged without what is private
            log_unexpected(err, "An action for the cloud failed unexpectedly", run.secrets)
            return Failure.of_action(err, run.secrets, expected=False)

    async def stop(self) -> None:
        """Admit nothing more, and cancel what has not ended after a while, except for the action that stops the device."""
        self.stopped = True
        if not (tasks := self._tasks - {_OWN_ACTION.get()}):
            return
        _, pending = await asyncio.wait(tasks, timeout=GRACE)
        for task in pending:
            task.cancel()
        if pending:
            _LOGGER.warning("%d actions for the cloud had not ended and were cancelled", len(pending))
            await asyncio.wait(pending, timeout=CANCEL_TIMEOUT)

    @callback
    def _ended(self, place: Place, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._leave(place)

    def _leave(self, place: Place) -> None:
        self._taken[place.target] -= 1
        if not self._taken[place.target]:
            del self._taken[place.target]


async def _known[T](action: Coroutine[None, None, T]) -> T:
    """Run an action that is known as such to everything that it starts."""
    _OWN_ACTION.set(asyncio.current_task())
    return await action


def _log_late_failure(secrets: Secrets, task: asyncio.Task[object]) -> None:
    if not task.cancelled() and (err := task.exception()):
        _LOGGER.warning("An action for the cloud failed after its deadline: %s", secrets.withheld(str(err)))
