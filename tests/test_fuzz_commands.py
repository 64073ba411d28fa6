"""Ten thousand malformed and valid downlinks: none causes an exception, and each that can be answered is answered."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
import gc
import json
import logging
from random import Random
import tracemalloc
from typing import Any

from homeassistant.const import EVENT_CALL_SERVICE, EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events, async_mock_service

from custom_components.aliyun_iot import logbook
from custom_components.aliyun_iot.const import EVENT_COMMAND, EVENT_COMMAND_FAILED, EVENT_RAW
from custom_components.aliyun_iot.listeners import Listener, TriggerKind, listeners_of
from simulator import CloudDevice, Direction, Simulator

from .application import LAMP, TARGET, SetProperties
from .conftest import DEVICE_NAME, PRODUCT_KEY, SetUp
from .waiting import until

DOWNLINKS = 10_000
INVENTED = 2_000
"""So many are of hypothesis; the rest are real ones that got damaged."""

BATCH = 100
WARM_UP = 20
"""Batches until everything that is remembered for a while is full."""

LEAK = 300_000
"""Bytes by which memory may differ between the middle and the end; one kilobyte for each of some thousand would be far more."""

SYSTEM = f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}/"
USER = f"/{PRODUCT_KEY}/{DEVICE_NAME}/user/"


@dataclass(frozen=True, slots=True)
class Downlink:
    """One message from the cloud."""

    topic: str
    payload: bytes


REAL = [
    ("thing/service/property/set", {"method": "thing.service.property.set", "params": {"LightSwitch": 1}}),
    ("thing/service/property/set", {"params": {"LightSwitch": 0, "TargetTemperature": 21.5}}),
    ("thing/service/property/set", {"params": {"TargetTemperature": "30.5", "Schedule": [{"Enabled": 1}]}}),
    ("thing/service/property/set", {"params": {"RGBColor": {"Red": 1, "Green": 2, "Blue": 3}, "HVACMode": 2}}),
    ("thing/service/property/get", {"params": ["LightSwitch", "TargetTemperature", "Schedule"]}),
    ("thing/service/ReadMeter", {"method": "thing.service.ReadMeter", "params": {"Channel": 3}}),
    ("thing/service/RunScene", {"params": {"SceneName": "night", "Transition": 5}}),
    ("thing/service/Nobody", {"params": {}}),
    ("rrpc/request/{number}", {"method": "thing.service.ReadMeter", "params": {"Channel": 3}}),
    ("rrpc/request/{number}", {"method": "thing.service.property.set", "params": {"LightSwitch": 1}}),
    ("rrpc/request/{number}", {"any": "thing"}),
    ("/ext/rrpc/{number}/sys/thing/service/ReadMeter", {"params": {"Channel": 9}}),
    ("/ext/rrpc/{number}/sys/thing/service/property/set", {"params": {"TargetTemperature": 12}}),
    ("/ext/rrpc/{number}/sys/thing/model/down_raw", {}),
    ("/ext/rrpc/{number}/user/get", {"say": "something"}),
    ("thing/model/down_raw", {}),
    ("thing/model/up_raw_reply", {"code": 200, "data": {}}),
    ("thing/event/property/post_reply", {"code": 200, "data": {"LightSwitch": "no"}, "message": "success"}),
    ("thing/event/SceneActivated/post_reply", {"code": 460, "data": {}}),
    ("thing/property/desired/get_reply", {"code": 200, "data": {"LightSwitch": {"value": 1, "version": 2}}}),
    ("thing/dsltemplate/get_reply", {"code": 200, "data": {}}),
    ("/user/get", {"hello": "world"}),
    ("thing/config/push", {"params": {"configId": "1"}}),
]
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2, 21.5, 1e300, 2**70, "", "1", "on", "\u0000", "温度", "\ud83d", "x" * 3000,
    [], {}, [[]], [None], {"": None}, {"value": 1, "time": 2}, [1] * 300, {f"k{n}": n for n in range(250)},
]  # fmt: skip
BYTES = [b"", b"\x00", b"\xff\xfe", b'"', b"{", b"}", b"[" * 60, b",", b"NaN", b"1e999", b"\\ud800", b"9" * 5000]
LEVELS = ["", "set", "get", "property", "_reply", "x" * 200, "温度", "ReadMeter_reply", "\t", "rrpc"]


def topic_of(path: str, number: int) -> str:
    """Return the full topic."""
    path = path.format(number=number).replace("/sys/", SYSTEM, 1).replace("/user/", USER, 1)
    return path if path.startswith("/") else f"{SYSTEM}{path}"


def damaged(downlinks: list[Downlink], random: Random) -> Iterator[Downlink]:
    """Yield real messages endlessly, most of them damaged."""
    ways: list[Callable[[Downlink], Downlink]] = [
        lambda one: one,
        lambda one: replace(one, payload=_with_odd_part(one.payload, random)),
        lambda one: replace(one, payload=_with_odd_part(_with_odd_part(one.payload, random), random)),
        lambda one: replace(one, payload=_with_odd_bytes(one.payload, random)),
        lambda one: replace(one, payload=one.payload[: random.randrange(len(one.payload) + 1)]),
        lambda one: replace(one, topic=_with_odd_level(one.topic, random)),
        lambda one: replace(one, topic=random.choice(downlinks).topic),
    ]
    number = 0
    while True:
        number += 1
        path, content = random.choice(REAL)
        message = {"id": str(number), "version": "1.0", **content}
        yield random.choice(ways)(Downlink(topic_of(path, number), json.dumps(message).encode()))


def _with_odd_part(payload: bytes, random: Random) -> bytes:
    """Replace a part of a JSON document."""
    document = json.loads(payload)
    node: Any = document
    while isinstance(node, dict | list) and node:
        key = random.choice(list(node)) if isinstance(node, dict) else random.randrange(len(node))
        inner = node[key]
        if random.random() < 0.4 or not (isinstance(inner, dict | list) and inner):
            match random.randrange(3):
                case 0 if isinstance(node, dict):
                    node[str(random.choice(ODD))] = node.pop(key)
                case 1:
                    del node[key]
                case _:
                    node[key] = random.choice(ODD)
            break
        node = inner
    return json.dumps(document, ensure_ascii=random.random() < 0.5).encode(errors="surrogatepass")


def _with_odd_bytes(payload: bytes, random: Random) -> bytes:
    begin = random.randrange(len(payload) + 1)
    end = min(len(payload), begin + random.randrange(4))
    return payload[:begin] + random.choice(BYTES) + payload[end:]


def _with_odd_level(topic: str, random: Random) -> str:
    levels = topic.split("/")
    levels[random.randrange(len(levels))] = random.choice(LEVELS)
    return "/".join(levels)


def invented(topics: list[str]) -> list[Downlink]:
    """Return downlinks generated by hypothesis: any JSON and any bytes on these topics."""
    found: list[Downlink] = []
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    anything = st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
        max_leaves=8,
    )
    names = st.sampled_from(["LightSwitch", "TargetTemperature", "Schedule", "Channel"]) | st.text(max_size=10)
    params = st.dictionaries(names, anything, max_size=4) | st.lists(names, max_size=4) | anything
    messages = st.fixed_dictionaries(
        {}, optional={"id": scalars, "params": params, "method": st.text(max_size=20), "version": scalars}
    )
    payloads = (messages | anything).map(lambda one: json.dumps(one).encode()) | st.binary(max_size=60)

    @settings(
        max_examples=INVENTED,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.builds(Downlink, st.sampled_from(topics), payloads))
    def collect(downlink: Downlink) -> None:
        found.append(downlink)

    collect()
    return found


def expected(downlink: Downlink) -> tuple[str, str] | None:
    """Return topic and id of the answer that the protocol demands, None if there is none."""
    if not downlink.topic.isprintable() or (reply_topic := _reply_topic(downlink.topic)) is None:
        return None
    try:
        document = json.loads(downlink.payload.decode())
    except ValueError, RecursionError:
        return None
    if not isinstance(document, dict) or ("code" in document and not document.keys() & {"method", "params"}):
        return None  # an answer is not answered
    message_id = document.get("id")
    if isinstance(message_id, bool) or not isinstance(message_id, int | str):
        return None
    text = str(message_id)
    if isinstance(message_id, int) and abs(message_id) >= 2**63:
        return None  # not an id of the platform
    return (reply_topic, text) if 0 < len(text) <= 64 and text.isascii() else None


def _reply_topic(topic: str) -> str | None:
    """Return the topic on which an Alink command on this topic is answered (docs/protocol.md §6)."""
    if topic.startswith("/ext/rrpc/"):
        number, _, called = topic.removeprefix("/ext/rrpc/").partition("/")
        return topic if number and _is_service(f"/{called}") else None
    if topic.startswith(request := f"{SYSTEM}rrpc/request/"):
        number = topic.removeprefix(request)
        return f"{SYSTEM}rrpc/response/{number}" if number and "/" not in number else None
    return f"{topic}_reply" if _is_service(topic) else None


def _is_service(topic: str) -> bool:
    called = topic.removeprefix(f"{SYSTEM}thing/service/")
    if called == topic:
        return False
    return called in ("property/set", "property/get") or bool(
        called and "/" not in called and not called.endswith("_reply")
    )


def answers(cloud: Simulator) -> Counter[tuple[str, str]]:
    """Return the topics and ids of all answers of the device."""
    found: Counter[tuple[str, str]] = Counter()
    for one in cloud.wire:
        if one.direction is Direction.UP and (one.topic.endswith("_reply") or "rrpc" in one.topic):
            found[one.topic, str(json.loads(one.payload)["id"])] += 1
    return found


def describe_all(hass: HomeAssistant, events: Iterable[Event]) -> None:
    """Describe all events as the logbook does."""
    describers: dict[str, Callable[[Event], dict[str, Any]]] = {}
    logbook.async_describe_events(hass, lambda _domain, name, describe: describers.setdefault(name, describe))
    for event in events:
        assert describers[str(event.event_type)](event)["message"]


class Recorder:
    """Records events, changes and actions."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Record from now on."""
        self._hass = hass
        self._fired = [async_capture_events(hass, name) for name in (EVENT_COMMAND, EVENT_COMMAND_FAILED, EVENT_RAW)]
        self._changed = async_capture_events(hass, EVENT_STATE_CHANGED)
        self._called = async_capture_events(hass, EVENT_CALL_SERVICE)

    def check(self) -> int:
        """Check that a valid command is the cause of everything that was done, and return the number of changes."""
        describe_all(self._hass, [event for caught in self._fired for event in caught])
        commands = {event.context.id: event.data for event in self._fired[0]}
        changes = 0
        for event in self._called:
            assert event.context.id in commands, event
        for event in self._changed:
            entity_id = event.data["entity_id"]
            if entity_id.startswith(("event.", "sensor.gw_1_")):  # of the integration itself
                continue
            changes += 1
            assert event.context.id in commands, event.data
            wanted = commands[event.context.id]["params"]
            match entity_id:
                case "input_boolean.lamp":
                    assert str(wanted["LightSwitch"]) in ("0", "1", "True", "False")
                case "input_number.target":
                    assert 10 <= float(wanted["TargetTemperature"]) <= 30
                case _:
                    pytest.fail(f"{entity_id} changed")
        for caught in (*self._fired, self._changed, self._called):
            caught.clear()
        return changes


@pytest.mark.long
async def test_ten_thousand_downlinks(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    house: None,
    set_up: SetUp,
    set_properties: SetProperties,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Through the real link: no exception, one answer where there can be one, and only valid commands are carried out."""
    caplog.set_level(logging.WARNING)
    hass.loop.set_debug(False)  # takes three quarters of the time
    monkeypatch.setattr("custom_components.aliyun_iot.commands.commander.SYNC_DEADLINE", 0.02)
    # Bounded memories that are full after the warm-up.
    monkeypatch.setattr("custom_components.aliyun_iot.alink.recent_commands.REMEMBERED_BYTES", 200_000)
    monkeypatch.setattr("custom_components.aliyun_iot.alink.answers.MAX_SENT_BYTES", 50_000)
    monkeypatch.setattr("custom_components.aliyun_iot.commands.policy.MINUTE", 1.0)
    monkeypatch.setattr("custom_components.aliyun_iot.commands.loops.MAX_CONTEXTS", 50)
    calls = async_mock_service(hass, "test", "meter")
    service = {"identifier": "ReadMeter", "actions": [{"action": "test.meter"}]}
    entry = await set_up([LAMP, TARGET], [service], {"commands_per_minute": 0})
    for kind in (TriggerKind.RAW_RECEIVED, TriggerKind.MESSAGE_RECEIVED, TriggerKind.PROPERTY_SET_RECEIVED):
        listeners_of(hass).add(Listener(entry.entry_id, kind, None, lambda *_: None))

    random = Random(4)  # noqa: S311 - the same messages each time
    real = [Downlink(topic_of(path, number), b"") for number, (path, _) in enumerate(REAL)]
    damage = damaged(real, random)
    downlinks = invented([one.topic for one in real])
    downlinks += [next(damage) for _ in range(DOWNLINKS - len(downlinks))]
    random.shuffle(downlinks)

    recorder = Recorder(hass)
    changes, answered = 0, 0
    memory: dict[int, int] = {}
    batches = len(downlinks) // BATCH
    for number in range(batches):
        if number == WARM_UP:
            tracemalloc.start()
        if number == (batches + WARM_UP) // 2:
            memory[number] = _traced()
        wanted = await _send(cloud, device, downlinks[number * BATCH : (number + 1) * BATCH])
        await hass.async_block_till_done()
        changes += recorder.check()
        answered += wanted
        assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
        _forget(cloud, device, caplog)
        calls.clear()
    middle, end = memory.popitem()[1], _traced()
    tracemalloc.stop()

    assert answered > DOWNLINKS / 5
    assert changes > DOWNLINKS / 200
    assert end - middle < LEAK
    assert device.connections == 1
    assert (await set_properties(LightSwitch=1)).code == 200


async def _send(cloud: Simulator, device: CloudDevice, downlinks: list[Downlink]) -> int:
    """Send messages all at once, wait until all that can be answered are answered once, and return how many those are."""
    assert device.connection
    for one in downlinks:
        device.connection.send(one.topic, one.payload, 0)
    wanted = Counter(key for one in downlinks if (key := expected(one)))
    with suppress(TimeoutError):  # the comparison below shows more
        await until(lambda: wanted <= answers(cloud))
    found = answers(cloud)
    assert [(*key, found[key], count) for key, count in wanted.items() if found[key] != count] == []
    return wanted.total()


def _traced() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _forget(cloud: Simulator, device: CloudDevice, caplog: pytest.LogCaptureFixture) -> None:
    """Drop what the test itself has collected."""
    cloud.wire.clear()
    device.samples.clear()
    caplog.clear()
