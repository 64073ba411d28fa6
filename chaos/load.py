"""The load: random changes of states, events, commands and desired values, whether or not there is a connection."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
import json
import random

from homeassistant.util import dt as dt_util

from custom_components.aliyun_iot.alink.auth import Identity
from simulator import Simulator

from .home import Home
from .house import (
    ALARM,
    BELL,
    EVENT_ALARM,
    EVERY,
    EXTRA,
    IDENTITIES,
    LAMPS,
    NEWEST,
    QUESTION,
    SCENE,
    WISHES,
)
from .recorder import Recorder
from .sub_devices import CHILDREN, POWER, SUB_LEVELS, SUB_READINGS

STATES_PER_SECOND = 60.0
SAMPLES_PER_SECOND = 15.0
COMMANDS_PER_SECOND = 3.0
EVENTS_PER_SECOND = 2.0
WISHES_PER_SECOND = 0.5
SUB_STATES_PER_SECOND = 8.0
SUB_SAMPLES_PER_SECOND = 4.0
SUB_COMMANDS_PER_SECOND = 2.0
BURST_PER_SECOND = 50.0


class Load:
    """Makes the load. Samples and events pause while the integration cannot know of them."""

    def __init__(self, house: Home, cloud: Simulator, recorder: Recorder, seed: int) -> None:
        """Draw the load from the seed."""
        self._house = house
        self._cloud = cloud
        self._recorder = recorder
        self._seed = seed
        self._tasks: list[asyncio.Task[None]] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._number = 0

    def start(self) -> None:
        """Start the load."""
        streams: Mapping[str, tuple[float, Callable[[random.Random], None]]] = {
            "states": (STATES_PER_SECOND, lambda draw: self._change(draw, (*NEWEST, *EXTRA))),
            "samples": (SAMPLES_PER_SECOND, lambda draw: self._measure(draw, EVERY)),
            "commands": (COMMANDS_PER_SECOND, self._command),
            "events": (EVENTS_PER_SECOND, self._fire),
            "wishes": (WISHES_PER_SECOND, self._wish),
            "states of sub-devices": (SUB_STATES_PER_SECOND, lambda draw: self._change(draw, SUB_LEVELS)),
            "samples of sub-devices": (SUB_SAMPLES_PER_SECOND, lambda draw: self._measure(draw, SUB_READINGS)),
            "commands to sub-devices": (SUB_COMMANDS_PER_SECOND, self._command_sub_device),
        }
        self._tasks = [
            asyncio.create_task(self._stream(rate, act, random.Random(f"{self._seed} {name}")))  # noqa: S311
            for name, (rate, act) in streams.items()
        ]

    async def stop(self) -> None:
        """Stop the load, and wait for the commands in progress."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*self._calls)

    async def burst(self, seconds: float) -> None:
        """Send more sets than the platform lets a device answer."""
        draw = random.Random(f"{self._seed} burst {self._number}")  # noqa: S311
        for _ in range(int(seconds * BURST_PER_SECOND)):
            if self._house.undisturbed:
                return
            self._number += 1
            self._set(draw)
            await asyncio.sleep(1 / BURST_PER_SECOND)

    async def _stream(self, rate: float, act: Callable[[random.Random], None], draw: random.Random) -> None:
        while True:
            await asyncio.sleep(draw.expovariate(rate))
            act(draw)

    def _change(self, draw: random.Random, names: Sequence[str]) -> None:
        self._number += 1
        self._house.set_value(draw.choice(names), self._number)

    def _measure(self, draw: random.Random, names: Sequence[str]) -> None:
        name = draw.choice(names)
        self._number += 1
        if self._house.listening and self._house.set_value(name, self._number):
            self._recorder.record_sample(name, self._number)

    def _fire(self, draw: random.Random) -> None:
        identifier = draw.choice((BELL, ALARM))
        if not self._house.listening:
            return
        self._number += 1
        if identifier == BELL:
            self._recorder.record_event(identifier, self._number, self._house.ring(self._number))
        else:
            self._house.hass.bus.async_fire(EVENT_ALARM, {"number": self._number})
            # The trigger takes the time in the next iteration of the loop, and the clock may be set before it.
            asyncio.get_running_loop().call_soon(self._alarmed, self._number)

    def _alarmed(self, number: int) -> None:
        self._recorder.record_event(ALARM, number, int(dt_util.utcnow().timestamp() * 1000))

    def _command(self, draw: random.Random) -> None:
        self._number += 1
        kind = draw.random()
        if kind < 0.6:
            self._set(draw)
        else:
            service = SCENE if kind < 0.8 else QUESTION
            self._call("InvokeThingService", Identifier=service, Args=json.dumps({"Number": self._number}))

    def _command_sub_device(self, draw: random.Random) -> None:
        identity = draw.choice(CHILDREN).identity
        self._call("SetDeviceProperty", identity, Items=json.dumps({POWER: draw.randint(0, 1)}))

    def _set(self, draw: random.Random) -> None:
        values = {name: draw.randint(0, 1) for name in draw.sample(LAMPS, draw.randint(1, 2))}
        self._call("SetDeviceProperty", Items=json.dumps(values))

    def _wish(self, draw: random.Random) -> None:
        name = draw.choice(WISHES)
        self._number += 1
        self._recorder.record_wish(name, self._number)
        self._call("SetDeviceDesiredProperty", Items=json.dumps({name: self._number}))

    def _call(self, action: str, identity: Identity = IDENTITIES[0], **fields: str) -> None:
        """Send a command as an application does; if the device is offline, the refusal is the outcome."""
        call = self._cloud.call(action, ProductKey=identity.product_key, DeviceName=identity.device_name, **fields)
        task = asyncio.create_task(_finished(call))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)


async def _finished(call: Coroutine[object, object, object]) -> None:
    await call
