"""The load: random changes of states, events and commands, whether or not there is a connection."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
import json
import random

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from simulator import Simulator

from .house import (
    ALARM,
    BELL,
    BELL_ENTITY,
    DEVICE_NAME,
    EVENT_ALARM,
    EVERY,
    LAMPS,
    MEASUREMENT,
    NEWEST,
    PRODUCT_KEY,
    QUESTION,
    SCENE,
    entity_id,
)
from .recorder import Recorder

STATES_PER_SECOND = 60.0
SAMPLES_PER_SECOND = 15.0
COMMANDS_PER_SECOND = 3.0
EVENTS_PER_SECOND = 2.0

MILLISECOND = timedelta(milliseconds=1)


class Load:
    """Makes the load; it is `paused` while Home Assistant reloads the integration."""

    def __init__(self, hass: HomeAssistant, cloud: Simulator, recorder: Recorder, seed: int) -> None:
        """Draw the load from the seed."""
        self.paused = False
        self._hass = hass
        self._cloud = cloud
        self._recorder = recorder
        self._seed = seed
        self._tasks: list[asyncio.Task[None]] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._number = 0
        self._bell_fired_at = dt_util.utcnow()

    def start(self) -> None:
        """Start the load."""
        streams = (
            (STATES_PER_SECOND, self._change),
            (SAMPLES_PER_SECOND, self._measure),
            (COMMANDS_PER_SECOND, self._command),
            (EVENTS_PER_SECOND, self._fire),
        )
        self._tasks = [
            asyncio.create_task(self._stream(rate, act, random.Random(f"{self._seed} {act.__name__}")))  # noqa: S311
            for rate, act in streams
        ]

    async def stop(self) -> None:
        """Stop the load, and wait for the commands in progress."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*self._calls)

    async def _stream(self, rate: float, act: Callable[[random.Random], None], draw: random.Random) -> None:
        while True:
            await asyncio.sleep(draw.expovariate(rate))
            if not self.paused:
                act(draw)

    def _change(self, draw: random.Random) -> None:
        self._number += 1
        self._hass.states.async_set(entity_id(draw.choice(NEWEST)), str(self._number), MEASUREMENT)

    def _measure(self, draw: random.Random) -> None:
        name = draw.choice(EVERY)
        self._number += 1
        self._hass.states.async_set(entity_id(name), str(self._number), MEASUREMENT)
        self._recorder.record_sample(name, self._number)

    def _fire(self, draw: random.Random) -> None:
        self._number += 1
        identifier = draw.choice((BELL, ALARM))
        if identifier == BELL:
            at = self._fire_bell()
        else:
            at = dt_util.utcnow()
            self._hass.bus.async_fire(EVENT_ALARM, {"number": self._number})
        self._recorder.record_event(identifier, self._number, int(at.timestamp() * 1000))

    def _fire_bell(self) -> datetime:
        """Fire the event entity, whose state is the time in milliseconds; the same state twice would be no event."""
        self._bell_fired_at = max(dt_util.utcnow(), self._bell_fired_at + MILLISECOND)
        state = self._bell_fired_at.isoformat(timespec="milliseconds")
        self._hass.states.async_set(BELL_ENTITY, state, {"event_type": "ring", "number": self._number})
        return self._bell_fired_at

    def _command(self, draw: random.Random) -> None:
        self._number += 1
        kind = draw.random()
        if kind < 0.6:
            values = {name: draw.randint(0, 1) for name in draw.sample(LAMPS, draw.randint(1, 2))}
            call = self._call("SetDeviceProperty", Items=json.dumps(values))
        else:
            service = SCENE if kind < 0.8 else QUESTION
            call = self._call("InvokeThingService", Identifier=service, Args=json.dumps({"Number": self._number}))
        task = asyncio.create_task(self._finish(call))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _finish(self, call: Awaitable[object]) -> None:
        await call

    async def _call(self, action: str, **fields: str) -> None:
        """Send a command as an application does; if the device is offline, the refusal is the outcome."""
        await self._cloud.call(action, ProductKey=PRODUCT_KEY, DeviceName=DEVICE_NAME, **fields)
