"""Answers to commands: each arrives, whatever becomes of the connection, and none vanishes for coming too fast."""

import asyncio
import json

import pytest

from custom_components.aliyun_iot.alink import answers
from custom_components.aliyun_iot.alink.answers import MOST, Answers
from custom_components.aliyun_iot.alink.command import Answer, Command
from custom_components.aliyun_iot.alink.errors import NotConnected
from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.mqtt.pacing import TokenBucket
from custom_components.aliyun_iot.alink.samples import Sample
from simulator import CloudDevice, Note, ServiceCall, Simulator

from ..conftest import DEVICE_NAME
from ..waiting import until
from .conftest import NewLink, Owner, call, config_for, is_back, obeys, sent
from .proxy import Proxy, Way

SAMPLE = {"LightSwitch": Sample(1, 1_700_000_000_000)}


class House:
    """Carries commands out when it is told to."""

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
    """Let the cloud set a property, and wait until the house has begun with it."""
    known = len(owner.commands)
    await call(cloud, "SetDeviceProperty", Items={"LightSwitch": 1})
    await until(lambda: len(owner.commands) > known)
    return device.service_calls[-1]


@pytest.mark.usefixtures("impatient")
async def test_the_connection_goes_before_the_answer(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, house: House
) -> None:
    """The cloud hears what became of its command as soon as the device is back."""
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


@pytest.mark.usefixtures("impatient")
async def test_the_answer_goes_with_its_connection(
    cloud: Simulator, device: CloudDevice, new_link: NewLink, proxy: Proxy, owner: Owner, house: House
) -> None:
    """It was sent into a connection that carried nothing any more, which nobody knew then."""
    link = new_link(config_for(proxy.port))
    await link.wait_online(5)
    wanted = await set_a_property(cloud, device, owner)
    proxy.swallow(frozenset({Way.UP}))
    house.finish.set()
    await until(lambda: link.answers._unproved)
    assert not wanted.replies
    proxy.cut()
    await is_back(link, device, 2)
    await until(lambda: wanted.replies)
    assert await obeys(cloud, device)
    assert len(wanted.replies) == 1


@pytest.mark.usefixtures("impatient")
async def test_what_has_arrived_is_not_said_again(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """The reply to a later request proves that the answer before it arrived."""
    assert await obeys(cloud, device)
    assert (await link.device.post_properties(SAMPLE)).ok
    cloud.faults.set(drop_connection=DEVICE_NAME)
    await is_back(link, device, 2)
    assert await obeys(cloud, device)
    assert [len(one.replies) for one in device.service_calls] == [1, 1]


@pytest.mark.usefixtures("impatient")
async def test_too_late_for_an_answer(
    cloud: Simulator, device: CloudDevice, link: Link, owner: Owner, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After minutes nobody waits for an answer any more."""
    monkeypatch.setattr(answers, "PATIENCE", -1.0)
    wanted = await set_a_property(cloud, device, owner)
    cloud.faults.set(drop_connection=DEVICE_NAME)
    await until(lambda: link.state is not LinkState.ONLINE)
    house.finish.set()
    await is_back(link, device, 2)
    monkeypatch.undo()
    assert await obeys(cloud, device)
    assert not wanted.replies


@pytest.mark.rate_limit
async def test_a_flood_of_commands(cloud: Simulator, device: CloudDevice, link: Link) -> None:
    """Faster than the platform takes answers: they come a little later, but all of them come."""
    cloud.faults.set(rate_limit=True)
    for number in range(40):
        await call(cloud, "SetDeviceProperty", Items={"Brightness": number})
    await until(lambda: all(one.replies for one in device.service_calls))
    assert all(one.note is not Note.RATE_LIMITED for one in sent(cloud, f"{link.device.topics.property_set}_reply"))


class Line:
    """A connection that is there or not."""

    def __init__(self) -> None:
        """Begin with a connection."""
        self.carries = True
        self.sent: list[int] = []

    def publish(self, _topic: str, payload: bytes, _qos: int) -> None:
        """Carry a message; raises NotConnected."""
        if not self.carries:
            raise NotConnected("the line is dead")
        self.sent.append(json.loads(payload))


def unlimited(line: Line) -> Answers:
    """Return answers that need not wait for their turn."""
    waiting = Answers(line.publish)
    waiting.limiter = TokenBucket(rate=1e9, burst=1e9)
    return waiting


async def give(waiting: Answers, number: int) -> None:
    """Answer a command."""
    await waiting.give("/reply", b"%d" % number, sync=False, last=False)


async def test_a_line_that_dies_again_and_again() -> None:
    """What waits is sent in order by the first line that carries it, and not again once it is proved to have arrived."""
    line = Line()
    waiting = unlimited(line)
    await give(waiting, 1)
    line.carries = False
    waiting.connection_lost()
    await give(waiting, 2)
    await waiting.connected()
    assert line.sent == [1]
    line.carries = True
    await waiting.connected()
    assert sorted(line.sent) == [1, 1, 2]
    waiting.connection_lost()
    await waiting.connected()
    assert sorted(line.sent) == [1, 1, 1, 2, 2]
    waiting.arrived(before=float("inf"))
    waiting.connection_lost()
    await waiting.connected()
    assert len(line.sent) == 5


async def test_the_oldest_gives_way() -> None:
    """Of more answers than anybody keeps, the newest are kept."""
    line = Line()
    waiting = unlimited(line)
    line.carries = False
    for number in range(MOST + 3):
        await give(waiting, number)
    line.carries = True
    await waiting.connected()
    assert line.sent == list(range(3, MOST + 3))


@pytest.mark.rate_limit
async def test_more_than_can_wait() -> None:
    """A flood without end does not fill the memory."""
    line = Line()
    waiting = Answers(line.publish)
    flood = [asyncio.create_task(give(waiting, number)) for number in range(2 * MOST)]
    await asyncio.sleep(0)
    assert sum(not task.done() for task in flood) <= MOST
    for task in flood:
        task.cancel()
    await asyncio.gather(*flood, return_exceptions=True)
    await waiting.give("/reply", b"7", sync=False, last=True)
    assert line.sent[-1] == 7


async def test_the_rate_of_answers_grows_with_the_rate_of_all(link: Link) -> None:
    """A host that takes more gets more; a slower device does not answer slower."""
    limiter = link.answers.limiter
    link.limit_to(2)
    assert limiter.rate + limiter.burst == 20
    link.limit_to(30)
    assert limiter.rate + limiter.burst == 60
