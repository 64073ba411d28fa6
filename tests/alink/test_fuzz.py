"""Random deliveries on all kinds of topics: nothing raises, and each one that can be answered is answered exactly once."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable
import contextlib
from dataclasses import dataclass
import json
import logging
import math
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.aliyun_iot.alink.command import Answer, Command
from custom_components.aliyun_iot.alink.link import Link, LinkState
from custom_components.aliyun_iot.alink.recent_commands import REMEMBERED_BYTES

from ..conftest import DEVICE_NAME, PRODUCT_KEY
from ..waiting import until
from .conftest import ALINK, NewLink, Owner, config_for
from .generated import JSON_VALUES
from .scripted import ScriptedHost

SYS = f"/sys/{PRODUCT_KEY}/{DEVICE_NAME}"
USER = f"/{PRODUCT_KEY}/{DEVICE_NAME}/user"
DATA_ANSWER = b"\x00 no JSON"


# Deliveries


@dataclass(frozen=True, slots=True)
class Place:
    """A topic, with `N` for the number of a call, and the topics of the answers to Alink requests and to data on it."""

    topic: str
    alink_reply: str | None = None
    data_reply: str | None = None

    def numbered(self, number: int) -> Place:
        """Return the place for one call."""
        return Place(
            *(one and one.replace("N", str(number)) for one in (self.topic, self.alink_reply, self.data_reply))
        )


def _asynchronous(path: str) -> Place:
    return Place(f"{SYS}/thing/service/{path}", f"{SYS}/thing/service/{path}_reply")


def _long(topic: str, *, data: bool) -> Place:
    called = f"/ext/rrpc/N{topic}"
    return Place(called, None, called) if data else Place(called, called)


PLACES = [
    _asynchronous("property/set"),
    _asynchronous("property/get"),
    _asynchronous("RunScene"),
    _asynchronous("mod:Run"),
    _asynchronous("不是 a service?"),
    _long(f"{SYS}/thing/service/ReadMeter", data=False),
    _long(f"{SYS}/thing/service/property/set", data=False),
    _long(f"{SYS}/thing/service/property/get", data=False),
    _long(f"{SYS}/thing/model/down_raw", data=True),
    _long(f"{USER}/ask", data=True),
    _long(f"{USER}//a/网", data=True),
    Place(f"{SYS}/rrpc/request/N", f"{SYS}/rrpc/response/N", f"{SYS}/rrpc/response/N"),
    Place(f"{SYS}/thing/model/down_raw", None, f"{SYS}/thing/model/down_raw_reply"),
    Place(f"{USER}/get"),
    Place(f"{USER}/"),
    Place(f"{SYS}/thing/model/up_raw_reply"),
    Place(f"{SYS}/thing/event/property/post_reply"),
    Place(f"{SYS}/thing/property/desired/get_reply"),
    Place(f"{SYS}/thing/service/property/set_reply"),
    Place(f"{SYS}/thing/service/a/b/c"),
    Place(f"/sys/{PRODUCT_KEY}/other/thing/service/property/set"),
    Place(f"/ext/rrpc/N/sys/{PRODUCT_KEY}/other/thing/service/Run"),
    Place(f"/ext/rrpc/N/{PRODUCT_KEY}/other/user/get"),
    Place("/ext/rrpc/N"),
    Place("/"),
]

REAL: list[dict[str, Any]] = [
    {"id": "1770000001", "version": "1.0", "method": "thing.service.property.set", "params": {"LightSwitch": 1, "T": 21.5}},
    {"id": 42, "version": "1.0.0", "method": "thing.service.property.get", "params": ["LightSwitch", "Brightness"]},
    {"id": "7", "version": "1.0", "method": "thing.service.ReadMeter", "params": {"Channel": 1, "At": "1700000000000"}},
    {"id": "8", "params": {"RGBColor": {"Red": 1, "Green": 2, "Blue": 3}, "Levels": [1, 2, 3]}},
    {"id": "9", "code": 200, "message": "success", "data": {"Brightness": {"value": 30, "version": 2}}},
]  # fmt: skip

MEMBERS = st.sampled_from(["id", "params", "method", "version", "code", "data", "sys", "网"])
IDS = st.sampled_from(["1", 2, 3.5, True, None, "", "x" * 300, -1, 2**70, [1], "\ud800"])


@st.composite
def _documents(draw: st.DrawFn) -> bytes:
    """Draw a real message with some members changed, added or removed."""
    document = dict(draw(st.sampled_from(REAL)))
    for _ in range(draw(st.integers(0, 2))):
        document[draw(MEMBERS)] = draw(JSON_VALUES)
    if draw(st.booleans()):
        document["id"] = draw(IDS)
    for key in draw(st.lists(MEMBERS, max_size=2)):
        document.pop(key, None)
    return json.dumps(document).encode()


@st.composite
def _broken(draw: st.DrawFn) -> bytes:
    """Draw a real message with bytes changed, removed or repeated."""
    payload = bytearray(draw(_documents()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(payload)))
        end = draw(st.integers(at, len(payload)))
        piece = draw(
            st.sampled_from([b"", b"\xff", b"\0", b'"', b"{", b"}", b"NaN", b"1e999", bytes(payload[at:end]) * 2])
        )
        payload[at:end] = piece
    return bytes(payload)


PAYLOADS = (
    _documents()
    | _broken()
    | st.binary(max_size=20)
    | JSON_VALUES.map(lambda value: json.dumps(value).encode())
    | st.sampled_from([b"", b"[" * 50_000])
)


# Expected answers


def readable_id(payload: bytes) -> str | None:
    """Return the id of the answer to this payload, or None when it can't be answered."""

    def number(convert: Callable[[str], float], text: str, limit: float) -> float | None:
        return value if math.isfinite(value := convert(text)) and abs(value) < limit else None

    try:
        document = json.loads(
            payload.decode(),
            parse_constant=lambda _: None,
            parse_float=lambda text: number(float, text, math.inf),
            parse_int=lambda text: number(int, text, 2**63),
        )
    except ValueError, RecursionError:
        return None
    if not isinstance(document, dict) or ("code" in document and not document.keys() & {"method", "params"}):
        return None
    match document.get("id"):
        case bool():
            return None
        case int() | float() | str() as one if 0 < len(str(one)) <= 256 and str(one).isascii():
            return str(one)
        case str(one) if 0 < len(one) <= 256 and not any("\ud800" <= letter <= "\udfff" for letter in one):
            return one
    return None


def expected_answer(place: Place, payload: bytes) -> tuple[str, str | None] | None:
    """Return the topic and the id of the answer, without an id for data; None for no answer."""
    if place.alink_reply and (message_id := readable_id(payload)) is not None:
        return place.alink_reply, message_id
    return (place.data_reply, None) if place.data_reply else None


# The test


@pytest.fixture
async def host(socket_enabled: None) -> AsyncGenerator[ScriptedHost]:
    """Return a host that delivers anything on any topic."""
    async with ScriptedHost() as host:
        yield host


@pytest.fixture
async def link(unlimited: None, host: ScriptedHost, new_link: NewLink, owner: Owner) -> Link:
    """Return a link to it, whose owner answers everything."""

    async def act(command: Command) -> Answer:
        return Answer(raw=DATA_ANSWER) if command.is_data else Answer()

    owner.act = act
    link = new_link(config_for(host.port))
    await link.wait_online(30)
    return link


@pytest.mark.long
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(deliveries=st.lists(st.tuples(st.sampled_from(PLACES), PAYLOADS), min_size=20, max_size=45))
async def test_every_delivery_is_answered_once_or_not_at_all(
    host: ScriptedHost,
    link: Link,
    owner: Owner,
    caplog: pytest.LogCaptureFixture,
    deliveries: list[tuple[Place, bytes]],
) -> None:
    """All topics and kinds of payloads at once, each delivered twice on one connection."""
    host.received.clear()
    owner.commands.clear()
    expected: Counter[tuple[str, str | None]] = Counter()
    for number, (template, payload) in enumerate(deliveries):
        place = template.numbered(number)
        for _ in range(2):
            host.publish(place.topic, payload)
        if answer := expected_answer(place, payload):
            expected[answer] += 2

    # Answers that should not be sent arrive before the answer to a last command.
    with contextlib.suppress(TimeoutError):
        await until(lambda: len(host.published) >= expected.total())
    last = f"{SYS}/thing/service/Last"
    host.publish(last, b'{"id": "last"}')
    expected[f"{last}_reply", "last"] += 1
    await until(lambda: any(one.topic == f"{last}_reply" for one in host.published))

    answers = Counter(
        (one.topic, None if one.payload == DATA_ANSWER else json.loads(one.payload)["id"]) for one in host.published
    )
    assert answers == expected
    assert link.state is LinkState.ONLINE
    assert not [one for one in caplog.records if one.name.startswith(ALINK) and one.levelno >= logging.WARNING]
    assert not link.device.downlink._running
    memory = link.device.downlink._memory
    assert max(memory.commands._bytes, memory.data._bytes) <= REMEMBERED_BYTES
