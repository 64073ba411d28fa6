"""Answers to commands: none is lost with a connection, and none vanishes for being sent too fast."""

import asyncio
from collections.abc import AsyncGenerator, Callable
import contextlib
import json

import pytest

from custom_components.aliyun_iot.alink.answers import ANSWERS_PER_SECOND, MAX_LESSER, Answers
from custom_components.aliyun_iot.alink.command import Answer, Command
from custom_components.aliyun_iot.alink.errors import NotConnected
from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.mqtt.pacing import PERIOD
from simulator import CloudDevice, Note, ServiceCall, Simulator

from ..conftest import DEVICE_NAME
from ..waiting import until
from .conftest import ALINK, NewLink, Owner, call, config_for, is_back, obeys, sent
from .proxy import Proxy, Way


class House:
    """Carries commands out when `finish` is set."""

    def __init__(self, owner: Owner) -> None:
        """Take over for the owner of the link."""
        self.finish = asyncio.Event()
        owner.act = self._act

    async def _act(self, _command: Command) -> Answer:
        await self.finish.wait()
        return Answer()


@pytest.fixture
def house(owner: Owner) -> House:
    """Return what carries the commands out."""
    return House(owner)


async def set_a_property(cloud: Simulator, device: CloudDevice, owner: Owner) -> ServiceCall:
    """Set a property from the cloud, and wait until the house has begun with it."""
    known = len(owner.commands)
    await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1})
    await until(lambda: len(owner.commands) > known)
    return device.service_calls[-1]


@pytest.mark.usefixtures("no_backoff")
async def test_answer_waits_for_the_next_connection(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, house: House
) -> None:
    """The connection is lost before the command has been carried out."""
    wanted = await set_a_property(cloud, device, owner)
    await cloud.stop()
    await until(lambda: link.state is not LinkState.ONLINE)
    house.finish.set()
    await asyncio.sleep(0)
    assert not wanted.replies
    await cloud.start()
    await until(lambda: wanted.replies)
    assert await obeys(cloud, device)
    assert len(wanted.replies) == 1


async def answer_into_a_dead_connection(
    cloud: Simulator, device: CloudDevice, link: Link, proxy: Proxy, owner: Owner, house: House
) -> ServiceCall:
    """Answer a command after the connection has stopped carrying anything to the cloud, which the link does not know."""
    await link.wait_online(30)
    wanted = await set_a_property(cloud, device, owner)
    proxy.swallow(frozenset({Way.UP}))
    house.finish.set()
    await until(lambda: link._answers._sent)
    return wanted


@pytest.mark.usefixtures("no_backoff")
async def test_answer_sent_into_a_dead_connection_is_repeated(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, proxy: Proxy, owner: Owner, house: House
) -> None:
    """The link did not know yet that the connection carried nothing any more."""
    link = new_link(config_for(proxy.port))
    wanted = await answer_into_a_dead_connection(cloud, device, link, proxy, owner, house)
    assert not wanted.replies
    proxy.cut()
    await is_back(link, device, 2)
    await until(lambda: wanted.replies)
    assert await obeys(cloud, device)
    assert len(wanted.replies) == 1


@pytest.mark.usefixtures("no_backoff")
async def test_answer_is_repeated_until_it_is_known_to_have_arrived(
    cloud: Simulator, device: CloudDevice, link: Link
) -> None:
    """However many connections are lost afterwards, and never after the link was stopped in order."""
    assert await obeys(cloud, device)
    for connections in (2, 3):
        cloud.faults.set(drop_connection=DEVICE_NAME)
        await is_back(link, device, connections)
        await until(lambda: not len(link._answers))
        await is_back(link, device, connections)  # its post is acknowledged, so what was sent before has arrived
    assert await obeys(cloud, device)
    assert [len(one.replies) for one in device.service_calls] == [2, 1]

    await link.stop()
    link.start()
    await link.wait_online(30)
    cloud.faults.set(drop_connection=DEVICE_NAME)
    await is_back(link, device, 5)
    assert await obeys(cloud, device)
    assert [len(one.replies) for one in device.service_calls] == [2, 1, 1]


async def test_answer_sent_into_a_dead_connection_before_the_link_was_stopped(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, proxy: Proxy, owner: Owner, house: House, no_backoff: None
) -> None:
    """Nobody knew that it was dead, so the answer is repeated after the next start."""
    link = new_link(config_for(proxy.port))
    wanted = await answer_into_a_dead_connection(cloud, device, link, proxy, owner, house)
    await link.stop()
    assert not wanted.replies
    proxy.cut()
    link.start()
    await is_back(link, device, 2)
    await until(lambda: wanted.replies)
    assert await obeys(cloud, device)
    assert len(wanted.replies) == 1


@pytest.mark.usefixtures("no_backoff")
async def test_outdated_answer_is_dropped(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After minutes no caller waits for an answer any more."""
    monkeypatch.setattr(f"{ALINK}.answers.PATIENCE", -1.0)
    wanted = await set_a_property(cloud, device, owner)
    cloud.faults.set(drop_connection=DEVICE_NAME)
    await until(lambda: link.state is not LinkState.ONLINE)
    house.finish.set()
    await is_back(link, device, 2)
    monkeypatch.undo()
    assert await obeys(cloud, device)
    assert not wanted.replies


async def test_flood_of_commands_is_answered_at_the_rate_of_the_platform(
    cloud: Simulator, device: CloudDevice, link: Link
) -> None:
    """The answers come a little later, but all of them come."""
    cloud.faults.set(rate_limit=True)
    for number in range(40):
        await call(cloud, "SetDeviceProperty", Items={"Brightness": number})
    await until(lambda: all(one.replies for one in device.service_calls))
    assert all(one.note is not Note.RATE_LIMITED for one in sent(cloud, f"{link.device.topics.property_set}_reply"))


@pytest.mark.parametrize("sets", [80, 200])
async def test_answer_that_a_caller_waits_for_goes_first(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, sets: int
) -> None:
    """It passes those of the asynchronous commands, and finds a place that is reserved for it."""
    for number in range(sets):
        await call(cloud, "SetDeviceProperty", Items={"Brightness": number % 100})
    await until(lambda: len(owner.commands) == sets)
    assert (await call(cloud, "InvokeThingService", Identifier="ReadMeter", Args={"Channel": 1}))["Success"]
    assert sum(bool(one.replies) for one in device.service_calls[:sets]) < ANSWERS_PER_SECOND


class Pumped:
    """What a pump sends, by a clock that passes as fast as the pump waits."""

    def __init__(self, answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace the clock of the answers."""
        self.now = 1000.0
        self.times: list[float] = []
        self._answers = answers
        answers._limit.clock = answers._flow.clock = lambda: self.now
        monkeypatch.setattr(Answers, "_wait", self._wait)

    async def run(self) -> None:
        """Pump until no answer waits."""
        with pytest.raises(NotConnected):
            await self._answers.pump(lambda _topic, _payload: self.times.append(self.now))

    async def _wait(self, timeout: float | None) -> None:
        if timeout is None:
            raise NotConnected("no answer waits any more")
        self.now += timeout


@pytest.mark.parametrize(("urgent", "sustained"), [(True, 20), (False, 19)])
async def test_rate_of_answers_is_used_and_never_passed(
    monkeypatch: pytest.MonkeyPatch, *, urgent: bool, sustained: int
) -> None:
    """Never more than 20 in any second, and close to that for as long as some wait."""
    answers = Answers()
    for number in range(600):
        answer(answers, number, urgent=urgent)
    monkeypatch.setattr(f"{ALINK}.answers.time.monotonic", lambda: 0.0)
    pumped = Pumped(answers, monkeypatch)
    await pumped.run()
    times = pumped.times
    assert len(times) == 600
    assert max(sum(at <= other < at + 1 for other in times) for at in times) == sustained
    assert times[-1] - times[0] <= PERIOD * 600 / sustained


class Line:
    """A connection that carries messages or not; answers are sent into it as fast as they come."""

    def __init__(self, answers: Answers) -> None:
        """Begin without a connection."""
        self.sent: list[int] = []
        self._answers = answers
        self._carries = False

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncGenerator[None]:
        """Be connected, send what waits, and lose the connection."""
        self._carries = True
        pump = asyncio.create_task(self._answers.pump(self._send))
        await until(lambda: not len(self._answers))
        yield
        self._carries = False
        self._answers.connection_lost()
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)

    def _send(self, _topic: str, payload: bytes) -> None:
        if not self._carries:
            raise NotConnected("the line is dead")
        self.sent.append(json.loads(payload))


def answer(answers: Answers, number: int, *, urgent: bool = False) -> None:
    """Answer a command."""
    answers.put("/reply", b"%d" % number, urgent=urgent)


@pytest.mark.usefixtures("unlimited")
async def test_answers_over_connections_that_are_lost_again_and_again() -> None:
    """Each is sent by the first connection that carries it, and again by the next three."""
    answers = Answers()
    line = Line(answers)
    async with line.connected():
        answer(answers, 1)
        await until(lambda: line.sent == [1])
    answer(answers, 2)
    for expected in ((2, 1), (3, 2), (4, 3), (4, 4), (4, 4)):
        async with line.connected():
            assert (line.sent.count(1), line.sent.count(2)) == expected


@pytest.mark.usefixtures("unlimited")
async def test_answers_stay_in_order_when_the_connection_is_lost_while_sending() -> None:
    """The one that could not be sent is the first of the next connection."""
    answers = Answers()
    line = Line(answers)
    for number in range(3):
        answer(answers, number)
    await answers.pump(line._send)
    assert len(answers) == 3
    async with line.connected():
        assert line.sent == [0, 1, 2]


@pytest.mark.usefixtures("unlimited")
async def test_answer_that_was_sent_long_before_the_loss_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can hardly have been lost with the connection."""
    monkeypatch.setattr(f"{ALINK}.answers.REPEATED_FOR", -1.0)
    answers = Answers()
    line = Line(answers)
    async with line.connected():
        answer(answers, 1)
        await until(lambda: line.sent == [1])
    async with line.connected():
        assert line.sent == [1]


@pytest.mark.usefixtures("unlimited")
@pytest.mark.parametrize("urgent", [True, False])
async def test_refusals_that_wait_are_bounded(*, urgent: bool) -> None:
    """An endless flood does not fill the memory; the oldest are kept. Callers who wait are told as long as they do."""
    answers = Answers()
    line = Line(answers)
    bound = MAX_LESSER + (ANSWERS_PER_SECOND if urgent else 0)
    for number in range(2 * bound):
        answers.put("/reply", b"%d" % number, urgent=urgent, lesser=True)
    async with line.connected():
        assert sorted(line.sent) == list(range(bound))
        answers.put("/reply", b"-1", urgent=urgent, lesser=True)
        await until(lambda: line.sent[-1] == -1)


async def test_rate_of_answers_grows_with_the_rate_of_messages(link: Link) -> None:
    """A host that takes more gets more; a slower device does not answer slower."""
    limit: Callable[[], float] = lambda: link._answers.rate  # noqa: E731
    link.limit_to(2)
    assert limit() == 20
    link.limit_to(30)
    assert limit() == 60
