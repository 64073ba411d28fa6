"""More commands than the platform lets a device answer: what is carried out is answered, the rest is refused at once."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
import json
import math
from types import SimpleNamespace

import pytest

from custom_components.aliyun_iot.alink.answers import (
    ANSWERS_PER_SECOND,
    MAX_BYTES,
    MAX_QUEUED,
    MAX_SENT_BYTES,
    MAX_URGENT,
    SYNC_PATIENCE,
    Answers,
)
from custom_components.aliyun_iot.alink.codes import Code
from custom_components.aliyun_iot.alink.command import Answer, Command, CommandKind, Route
from custom_components.aliyun_iot.alink.downlink import MAX_RUNNING, Downlink, DownlinkMemory
from custom_components.aliyun_iot.alink.errors import NotConnected
from custom_components.aliyun_iot.alink.messages import MAX_PAYLOAD
from custom_components.aliyun_iot.alink.mqtt.transport import Delivery
from simulator.core.limits import SlidingWindow

from .conftest import ALINK
from .virtual_time import run_virtually

SET = Route(CommandKind.PROPERTY_SET, reply_to="/set_reply")
UP_PER_SECOND = 30
"""Messages of QoS 0 that the platform takes from a device in any second (docs/protocol.md §14)."""


@dataclass(slots=True)
class Answered:
    """An answer that arrived: its code, and how many seconds after its command."""

    code: int
    after: float


@dataclass
class Cloud:
    """Sends commands to a device and counts the answers, of which it drops those beyond its limit; in virtual time."""

    work: float = 0.0
    """Seconds that the house needs for each command."""
    memory: DownlinkMemory = field(default_factory=DownlinkMemory)
    carried_out: list[str] = field(default_factory=list)
    answers: dict[str, list[Answered]] = field(default_factory=dict)
    sent: dict[str, float] = field(default_factory=dict)
    dropped: int = 0
    overloads: int = 0
    connected: bool = True

    def __post_init__(self) -> None:
        """Connect a device."""
        self._window = SlidingWindow(UP_PER_SECOND, 1.0)
        self._clock = asyncio.get_running_loop().time
        self.memory.answers._limit.clock = self.memory.answers._flow.clock = self._clock
        self.device = Downlink(self._carry_out, self.memory, self._overloaded)

    def set(self, command_id: str) -> None:
        """Set a property; nobody waits for the answer."""
        self._send(command_id, SET, f"/set/{len(self.sent) % 7}")

    def call(self, command_id: str) -> None:
        """Set a property and wait for the answer."""
        route = Route(None, reply_to=f"/response/{command_id}", message_id=command_id)
        self._send(command_id, route, f"/request/{command_id}")

    async def flood(self, seconds: float, *, sets: float, calls: float) -> None:
        """Send so many sets and calls a second, and let every answer arrive."""
        pump = asyncio.create_task(self.memory.answers.pump(self._arrived))
        for second in range(int(seconds)):
            moments = [(number / sets, "set", number) for number in range(int(sets))]
            moments += [(number / calls, "call", number) for number in range(int(calls))]
            began = self._clock()
            for moment, kind, number in sorted(moments):
                await asyncio.sleep(began + moment - self._clock())
                (self.call if kind == "call" else self.set)(f"{kind} {second} {number}")
            await asyncio.sleep(began + 1 - self._clock())
        while len(self.memory.answers) or self.device._running:
            await asyncio.sleep(0.1)
        pump.cancel()

    def codes(self, kind: str) -> Counter[int]:
        """Return how many commands of a kind were answered with each code."""
        return Counter(each.code for key, found in self.answers.items() if key.startswith(kind) for each in found)

    def waited(self) -> list[float]:
        """Return the seconds until the answers to calls that were carried out, the shortest first."""
        done = set(self.carried_out)
        return sorted(each.after for key in done if key.startswith("call") for each in self.answers[key])

    def _send(self, command_id: str, route: Route, topic: str) -> None:
        self.sent[command_id] = self._clock()
        content = {"id": command_id, "method": "thing.service.property.set", "params": {"Value": len(self.sent)}}
        self.device.received(route, Delivery(topic, json.dumps(content).encode()))

    async def _carry_out(self, command: Command) -> Answer:
        self.carried_out.append(command.id)
        await asyncio.sleep(self.work)
        return Answer()

    def _arrived(self, _topic: str, payload: bytes) -> None:
        if not self.connected:
            raise NotConnected("no connection")
        if not self._window.take(self._clock()):
            self.dropped += 1
            return
        content = json.loads(payload)
        answered = Answered(content["code"], self._clock() - self.sent[content["id"]])
        self.answers.setdefault(content["id"], []).append(answered)

    def _overloaded(self) -> None:
        self.overloads += 1


@pytest.fixture(autouse=True)
def virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the answers expire by the clock of the loop."""
    clock = SimpleNamespace(monotonic=lambda: asyncio.get_running_loop().time())
    for module in ("answers", "recent_commands"):
        monkeypatch.setattr(f"{ALINK}.{module}.time", clock)


@pytest.mark.parametrize("work", [0.0, 0.5], ids=["at once", "half a second each"])
@pytest.mark.parametrize("rate", [5, 15, 25, 50])
def test_every_command_is_answered_once(rate: int, work: float) -> None:
    """A minute of sets with two synchronous calls a second beside them, under the platform's limits."""

    async def story() -> None:
        cloud = Cloud(work)
        await cloud.flood(60, sets=rate, calls=2)
        assert cloud.dropped == 0
        assert len(cloud.answers) == len(cloud.sent) == 60 * (rate + 2)
        assert all(len(found) == 1 for found in cloud.answers.values())
        done = {key for key, found in cloud.answers.items() if found[0].code == Code.SUCCESS}
        assert done == set(cloud.carried_out)
        refused = cloud.codes("set")[Code.TOO_BUSY]
        assert (refused > 0) is (rate > 20)
        assert cloud.overloads == refused
        assert cloud.codes("call") == {Code.SUCCESS: 120}
        assert max(cloud.waited()) < work + 1

    run_virtually(story())


def test_callers_alone_are_served_in_time_or_refused() -> None:
    """More of them than there are answers: those that are carried out are answered before their callers give up."""

    async def story() -> None:
        cloud = Cloud()
        await cloud.flood(30, sets=1, calls=40)
        assert all(len(found) == 1 for found in cloud.answers.values())
        assert len(cloud.answers) == len(cloud.sent)
        waited = cloud.waited()
        assert len(waited) > 30 * 15
        assert waited[-1] < SYNC_PATIENCE
        assert waited[math.ceil(0.5 * len(waited))] < MAX_URGENT / ANSWERS_PER_SECOND + 1

    run_virtually(story())


def test_endless_calls_do_not_hold_up_other_answers() -> None:
    """Some of them are sent in between."""

    async def story() -> None:
        cloud = Cloud()
        await cloud.flood(60, sets=2, calls=25)
        waited = [each.after for key, found in cloud.answers.items() if key.startswith("set") for each in found]
        assert len(waited) == 120
        assert max(waited) < 5
        assert all(len(found) == 1 for found in cloud.answers.values())

    run_virtually(story())


def test_slow_house_refuses_what_it_cannot_do() -> None:
    """A number of commands runs at once; they are answered, and the others are refused."""

    async def story() -> None:
        cloud = Cloud(work=10)
        await cloud.flood(10, sets=15, calls=0)
        assert len(cloud.answers) == len(cloud.sent) == 150
        assert cloud.codes("set") == {Code.SUCCESS: MAX_RUNNING, Code.TOO_BUSY: 50}

    run_virtually(story())


def test_answers_that_wait_for_a_connection_do_not_let_more_be_done_than_can_be_answered() -> None:
    """The device cannot send, but commands that came before are still being carried out."""

    async def story() -> None:
        cloud = Cloud(connected=False)
        for number in range(1000):
            cloud.set(f"set {number}")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert len(cloud.carried_out) == MAX_QUEUED
        cloud.connected = True
        await cloud.flood(1, sets=1, calls=0)
        assert all(len(found) == 1 for found in cloud.answers.values())
        assert len(cloud.answers) == 1001

    run_virtually(story())


def test_large_answers_count_by_their_bytes() -> None:
    """They would fill the memory long before their number is reached."""
    sent: list[int] = []
    number = 0

    def send(_topic: str, payload: bytes) -> None:
        if len(sent) == number:
            raise NotConnected("no connection")
        sent.append(len(payload))

    async def story() -> None:
        nonlocal number
        answers = Answers()
        answers._limit.clock = answers._flow.clock = asyncio.get_running_loop().time
        while answers.has_room(0, urgent=False):
            answers.put("/reply", b"x" * MAX_PAYLOAD, urgent=False)
            number += 1
        assert number == MAX_BYTES // MAX_PAYLOAD
        assert not answers.has_room(0, urgent=True)
        answers.put("/reply", b"x", urgent=False)
        await answers.pump(send)
        assert answers._sent_bytes <= MAX_SENT_BYTES
        assert answers.has_room(0, urgent=False)

    run_virtually(story())


def test_late_answer_to_a_caller_is_still_sent() -> None:
    """After those that are in time: what was carried out is answered."""
    sent: list[bytes] = []

    def send(_topic: str, payload: bytes) -> None:
        sent.append(payload)
        if len(sent) == 3:
            raise NotConnected("no connection")

    async def story() -> None:
        answers = Answers()
        answers._limit.clock = answers._flow.clock = asyncio.get_running_loop().time
        answers.put("/response", b"late", urgent=True)
        await asyncio.sleep(SYNC_PATIENCE + 1)
        answers.put("/set_reply", b"set", urgent=False)
        answers.put("/response", b"in time", urgent=True)
        await answers.pump(send)

    run_virtually(story())
    assert sent == [b"in time", b"set", b"late"]
