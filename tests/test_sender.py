"""The delivery loop: what is sent again, what is split, and when it gives up, for each of the four lanes."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple, override

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink.errors import MessageError, NotConnected, RequestTimeout
from custom_components.aliyun_iot.alink.link import LinkState
from custom_components.aliyun_iot.alink.messages import Reply
from custom_components.aliyun_iot.reports.lanes import VALUES_PER_POST, Lane
from custom_components.aliyun_iot.reports.outbox import Counters
from custom_components.aliyun_iot.reports.sender import MAX_FAILED_IN_A_ROW, MAX_REFUSED_IN_A_ROW, Sender
from simulator import CloudDevice, Simulator

from .conftest import SetUp
from .outages import NOON, POWER, all_sent, end_outage, lose_connection, measure, quick_to_return
from .test_events import SMOKE, bind_event
from .waiting import until

SENDER = "custom_components.aliyun_iot.reports.sender"
ROLES = ("newest", "live", "past", "event")
BUSY, ACCOUNT_IN_ARREARS, REFUSED = 429, 403, 6306


class Item(NamedTuple):
    """What a fake lane holds."""

    identifier: str


type Batch = Mapping[int, Item]
type Host = Callable[[Batch], int]
"""Returns the code of the reply to a message, or raises what posting raises."""


def accept(_batch: Batch) -> int:
    """Accept any message."""
    return 200


class FakeLane(Lane[int, Item]):
    """Numbered items that wait; it has what each of the four lanes has. `host` decides what becomes of a message."""

    allowed = True
    batches = True

    def __init__(self, host: Host = accept) -> None:
        """Nothing waits."""
        super().__init__(None, Counters())
        self.host = host
        self.waiting: dict[int, Item] = {}
        self.posted: list[tuple[int, ...]] = []
        self.accepted: list[int] = []
        self.refused: dict[int, str] = {}

    def is_full(self) -> bool:
        """Return whether a message is full: never, so that the window counts."""
        return False

    def take(self, _identifiers: Collection[int] = ()) -> Batch:
        """Return everything that waits."""
        taken = dict(self.waiting)
        self.waiting.clear()
        return taken

    @override
    async def post(self, batch: Batch) -> Reply:
        self.posted.append(tuple(batch))
        return Reply("1", self.host(batch), "", {})

    @override
    def settle(self, batch: Batch, reasons: Mapping[str, str]) -> None:
        for number, item in batch.items():
            if reason := reasons.get(item.identifier):
                self.refused[number] = reason
            else:
                self.accepted.append(number)

    @override
    def put_back(self, batch: Batch) -> None:
        later = self.take()
        self.waiting.update({**batch, **later})

    def put(self, count: int) -> None:
        """Let so many more items wait."""
        known = len(self.waiting) + len(self.accepted) + len(self.refused)
        self.waiting.update({number: Item(f"P{number}") for number in range(known, known + count)})


class Loop:
    """A delivery loop over four fake lanes, of which one is used."""

    def __init__(self, hass: HomeAssistant, role: str = "newest", host: Host = accept) -> None:
        """`role` is the lane that is used."""
        self.link = SimpleNamespace(state=LinkState.ONLINE)
        self.counters = Counters()
        self.lanes = {name: FakeLane() for name in ROLES}
        self.lane = self.lanes[role]
        self.lane.host = host
        newest, live, past, event = (self.lanes[name] for name in ROLES)
        outbox = SimpleNamespace(
            waiting=newest.waiting,
            due=lambda: list(newest.waiting),
            take=newest.take,
            next_due=lambda: 0.0,
        )
        history = SimpleNamespace(live=live.waiting, past=past.waiting)
        events = SimpleNamespace(waiting=event.waiting)
        self.sender = Sender(
            hass, lambda: self.link.state is LinkState.ONLINE, outbox, history, events, self.counters, 0.0, **self.lanes
        )

    async def send(self, count: int) -> FakeLane:
        """Let items wait, send until nothing waits any more, and return the lane."""
        self.begin(count)
        await until(lambda: len(self.lane.accepted) + len(self.lane.refused) == count)
        await self.sender.stop()
        return self.lane

    def begin(self, count: int) -> None:
        """Let items wait, and start to send."""
        self.lane.put(count)
        self.sender.start()
        self.sender.wake_at_once()


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    """Return the lane that is used."""
    name: str = request.param
    return name


def senders() -> list[asyncio.Task[Any]]:
    """Return the loops that run."""
    return [task for task in asyncio.all_tasks() if task.get_name() == "Aliyun sender"]


def refuses(*numbers: int) -> Host:
    """Return a host that refuses every message with one of these items."""
    return lambda batch: REFUSED if set(numbers) & batch.keys() else 200


async def test_nothing_runs_while_nothing_waits(hass: HomeAssistant, role: str) -> None:
    """A house may have a thousand devices; what comes later is sent nevertheless."""
    loop = Loop(hass, role)
    for sent in (3, 6):
        loop.begin(3)
        await until(lambda sent=sent: len(loop.lane.accepted) == sent and not senders())
    await loop.sender.stop()
    loop.sender.wake()
    assert not senders()


async def test_bad_value_among_many_is_found_by_halving(hass: HomeAssistant) -> None:
    """Wherever it is: eight halvings of two messages each, after the first message; everything else is accepted once."""
    messages = []
    for bad in range(VALUES_PER_POST):
        lane = await Loop(hass, host=refuses(bad)).send(VALUES_PER_POST)
        assert list(lane.refused) == [bad]
        assert lane.accepted == [number for number in range(VALUES_PER_POST) if number != bad]
        messages.append(len(lane.posted))
    assert max(messages) <= 17


async def test_bad_value_is_refused_with_the_code(hass: HomeAssistant, role: str) -> None:
    """Each lane finds it; two of them are found as well."""
    lane = await Loop(hass, role, refuses(3, 6)).send(8)
    assert lane.accepted == [0, 1, 2, 4, 5, 7]
    assert {number: reason.split()[0] for number, reason in lane.refused.items()} == {3: "6306", 6: "6306"}


async def test_message_that_is_too_large_is_halved(hass: HomeAssistant, role: str) -> None:
    """Without a limit on the number of messages, as the fault is certain; an item that is too large alone is refused."""

    def host(batch: Batch) -> int:
        if len(batch) > 1 or 5 in batch:
            raise MessageError(None, "too many bytes", 460)
        return 200

    lane = await Loop(hass, role, host).send(60)
    assert lane.accepted == [number for number in range(60) if number != 5]
    assert lane.refused == {5: "too large for a message"}


async def test_search_ends_when_everything_is_refused(hass: HomeAssistant, role: str) -> None:
    """After so many refused messages the remaining batches are refused as they are, and so is the next one."""
    loop = Loop(hass, role, lambda _batch: REFUSED)
    lane = await loop.send(VALUES_PER_POST)
    assert MAX_REFUSED_IN_A_ROW <= len(lane.posted) <= MAX_REFUSED_IN_A_ROW + 8
    before = len(lane.posted)
    loop.begin(VALUES_PER_POST)
    await until(lambda: len(lane.refused) == 2 * VALUES_PER_POST)
    assert len(lane.posted) == before + 1
    await loop.sender.stop()


async def test_acceptance_starts_the_count_of_refusals_again(hass: HomeAssistant) -> None:
    """One bad value in every message is not a cloud that refuses everything."""
    loop = Loop(hass, host=refuses(*range(0, 400, 2)))
    lane = await loop.send(100)
    assert lane.accepted == list(range(1, 100, 2))


async def test_code_that_asks_to_wait_pauses_the_loop(
    hass: HomeAssistant, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing at all is sent meanwhile; what is on its way when the loop is stopped waits again."""
    monkeypatch.setattr(f"{SENDER}.RETRY_DELAY", 3600.0)
    loop = Loop(hass, role, lambda _batch: BUSY)
    loop.begin(3)
    await until(lambda: loop.lane.posted)
    for lane in loop.lanes.values():
        lane.put(1)
    loop.sender.wake_at_once()
    await hass.async_block_till_done()
    assert [len(lane.posted) for lane in loop.lanes.values()].count(0) == 3
    assert len(loop.lane.posted) == 1
    await loop.sender.stop()
    assert loop.lane.waiting.keys() >= {0, 1, 2}


@pytest.mark.parametrize("code", [BUSY, ACCOUNT_IN_ARREARS])
async def test_batch_is_sent_again_after_the_pause(
    hass: HomeAssistant, role: str, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """How long the pause is depends on the code; it is not a refusal."""
    monkeypatch.setattr(f"{SENDER}.RETRY_DELAY", 0.0 if code == BUSY else 3600.0)
    monkeypatch.setattr(f"{SENDER}.DEVICE_DELAY", 3600.0 if code == BUSY else 0.0)
    codes = [code, code, 200]
    loop = Loop(hass, role, lambda _batch: codes.pop(0))
    lane = await loop.send(3)
    assert lane.posted == [(0, 1, 2)] * 3
    assert (lane.accepted, lane.refused, loop.counters.retried) == ([0, 1, 2], {}, 6)


async def test_message_without_a_reply_is_sent_again(hass: HomeAssistant, role: str) -> None:
    """It is unknown whether it arrived."""
    replies: list[Exception | int] = [RequestTimeout("no reply"), 200]

    def host(_batch: Batch) -> int:
        if isinstance(reply := replies.pop(0), Exception):
            raise reply
        return reply

    loop = Loop(hass, role, host)
    lane = await loop.send(3)
    assert (lane.posted, loop.counters.retried) == ([(0, 1, 2)] * 2, 3)


async def test_lost_connection_keeps_all_pending_parts(hass: HomeAssistant, role: str) -> None:
    """The part that was on its way, and those that were not sent yet; the next connection sends them, in order."""

    def host(batch: Batch) -> int:
        if len(batch) == 2:
            loop.link.state = LinkState.BACKING_OFF
            raise NotConnected("the connection was lost")
        return REFUSED

    loop = Loop(hass, role, host)
    loop.begin(8)
    await until(lambda: len(loop.lane.posted) == 3)
    await until(lambda: loop.lane.waiting)
    assert list(loop.lane.waiting) == list(range(8))
    loop.sender.wake_at_once()
    await hass.async_block_till_done()
    assert len(loop.lane.posted) == 3

    loop.lane.host = accept
    loop.link.state = LinkState.ONLINE
    loop.sender.wake_at_once()
    await until(lambda: loop.lane.accepted == list(range(8)))
    await loop.sender.stop()


async def test_stopping_keeps_what_is_on_its_way(
    hass: HomeAssistant, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop is cancelled while it waits for the reply to the second of three parts."""
    loop = Loop(hass, role, refuses(0, 4))
    real_post = loop.lane.post

    async def post(batch: Batch) -> Reply:
        if len(batch) == 2:
            await hass.loop.create_future()
        return await real_post(batch)

    monkeypatch.setattr(loop.lane, "post", post)
    loop.begin(8)
    await until(lambda: len(loop.lane.posted) == 2)
    await loop.sender.stop()
    assert list(loop.lane.waiting) == list(range(8))
    assert not loop.lane.accepted


async def test_unexpected_error_keeps_the_batch(
    hass: HomeAssistant, role: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the batch is sent again after a pause."""
    monkeypatch.setattr(f"{SENDER}.RETRY_DELAY", 0.0)
    errors = [ZeroDivisionError()]

    def host(_batch: Batch) -> int:
        if errors:
            raise errors.pop()
        return 200

    lane = await Loop(hass, role, host).send(3)
    assert lane.posted == [(0, 1, 2)] * 2
    assert "Sending failed unexpectedly" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_value_that_always_fails_does_not_block_the_others(
    hass: HomeAssistant, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some tries it is searched for like a value that is refused."""
    monkeypatch.setattr(f"{SENDER}.RETRY_DELAY", 0.0)

    def host(batch: Batch) -> int:
        if 5 in batch:
            raise ZeroDivisionError
        return 200

    lane = await Loop(hass, role, host).send(8)
    assert sorted(lane.accepted) == [0, 1, 2, 3, 4, 6, 7]
    assert lane.refused == {5: "unexpected ZeroDivisionError"}
    assert len(lane.posted) <= 4 * (MAX_FAILED_IN_A_ROW + 1)


async def test_nothing_is_sent_without_a_connection(hass: HomeAssistant, role: str) -> None:
    """What waits is sent when there is one."""
    loop = Loop(hass, role)
    loop.link.state = LinkState.CONNECTING
    loop.begin(3)
    await hass.async_block_till_done()
    assert not loop.lane.posted
    loop.link.state = LinkState.ONLINE
    loop.sender.wake_at_once()
    await until(lambda: loop.lane.accepted == [0, 1, 2])
    await loop.sender.stop()


@pytest.mark.parametrize("method", ["post_properties", "post_batch", "post_history", "post_event"])
async def test_nothing_is_lost_by_an_unexpected_error(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    """Newest values, live samples, past samples and events: what could not be posted is posted a moment later."""
    monkeypatch.setattr(f"{SENDER}.RETRY_DELAY", 0.0)
    quick_to_return(monkeypatch)
    device.thing_model = None
    measure(hass, "sensor.power", 1, 0)
    measure(hass, "sensor.voltage", 230, 0)
    voltage = {"identifier": "Voltage", "entity": "sensor.voltage", "aspect": "value"}
    entry = await set_up([POWER, voltage], options={"thing_model": None})
    await bind_event(hass, entry, identifier="Smoke", triggers=SMOKE)
    await all_sent(entry)
    await lose_connection(cloud, device, entry)
    for second in range(1, 6):
        measure(hass, "sensor.power", second + 1, second * 1000)
    cloud_device = entry.runtime_data.link.device
    real, failed = getattr(cloud_device, method), []

    async def fail_once(*args: Any) -> Reply:
        if not failed:
            failed.append(args)
            raise ZeroDivisionError
        reply: Reply = await real(*args)
        return reply

    monkeypatch.setattr(cloud_device, method, fail_once)
    end_outage(cloud)
    await until(lambda: entry.runtime_data.link.state is LinkState.ONLINE)
    for second in range(6, 11):
        measure(hass, "sensor.power", second + 1, second * 1000)
    measure(hass, "sensor.voltage", 231, 1000)
    hass.bus.async_fire("smoke")
    await all_sent(entry)
    await until(lambda: failed)
    await all_sent(entry)
    assert sorted(set(device.samples["Power"])) == [(second + 1, NOON + second * 1000) for second in range(11)]
    assert device.properties["Power"][0] == 11
    assert device.properties["Voltage"] == (231, NOON + 1000)
    assert len(device.events) == 1
