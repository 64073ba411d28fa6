"""How values are sent during a connection: together, below the rate limit, and each sample once."""

from collections import Counter
from types import SimpleNamespace

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink.samples import Sample
from custom_components.aliyun_iot.mapping.aspect import Reason
from custom_components.aliyun_iot.mapping.unreportable import Unreportable
from custom_components.aliyun_iot.reports.outbox import Counters, Outbox, Refusal
from simulator import CloudDevice, Simulator

from .conftest import DEVICE_NAME, SetUp
from .outages import (
    BATCH,
    NOON,
    POST,
    POWER,
    VOLTAGE,
    WATT,
    all_sent,
    caught_up,
    measure,
    on_topic,
    quick_to_return,
    uplinks,
)
from .test_reporter import CELSIUS, SWITCH, TEMPERATURE, posted
from .waiting import until

NO_MODEL = {"thing_model": None}


async def test_every_sample_arrives_once_in_order_and_in_few_messages(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Samples are sent in batches, each with its own time."""
    device.thing_model = None
    measure(hass, "sensor.power", 0, 0)
    measure(hass, "sensor.voltage", 230, 0)
    entry = await set_up([POWER, VOLTAGE], options={**NO_MODEL, "window": 0.1})
    await all_sent(entry)
    for tick in range(1, 151):
        measure(hass, "sensor.power", tick, tick * 10)
        if tick % 10 == 0:
            measure(hass, "sensor.voltage", 230 + tick, tick * 10)
    await all_sent(entry)
    assert device.samples["Power"] == [(tick, NOON + tick * 10) for tick in range(151)]
    assert [value for value, _ in device.samples["Voltage"]] == [230, *range(240, 381, 10)]
    assert len(uplinks(cloud, BATCH)) <= 3
    assert entry.runtime_data.device.reporter.counters.sent == 151 + 16


async def test_sample_is_sent_when_a_value_returns(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Back to the value that the cloud has is no change for a newest value, but it is another sample."""
    device.thing_model = None
    measure(hass, "sensor.power", 1, 0)
    entry = await set_up([POWER], options=NO_MODEL)
    await all_sent(entry)
    cloud.faults.set(delay_replies=0.1)
    for turn in range(1, 7):
        measure(hass, "sensor.power", 1 + turn % 2, turn * 1000)
    await all_sent(entry)
    assert [value for value, _ in device.samples["Power"]] == [1, 2, 1, 2, 1, 2, 1]


async def test_dead_band_applies_to_every_sample(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """A change within the dead-band is no sample; the minimum interval does not apply to samples."""
    device.thing_model = None
    measure(hass, "sensor.power", 10, 0)
    entry = await set_up([{**POWER, "dead_band": 2, "min_interval": 600}], options=NO_MODEL)
    await all_sent(entry)
    for tick, watt in enumerate((11, 12.5, 13, 15), start=1):
        measure(hass, "sensor.power", watt, tick * 1000)
    await posted(device, "Power", 15)
    assert [value for value, _ in device.samples["Power"]] == [10, 12.5, 15]


@pytest.mark.rate_limit
async def test_flood_of_changes_stays_below_the_limit(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """However many changes there are, the platform drops no message: each has its reply."""
    device.thing_model = None
    cloud.faults.set(rate_limit=True)
    rows = [{**TEMPERATURE, "identifier": f"P{n}", "entity": f"sensor.s{n}"} for n in range(10)]
    measure(hass, "sensor.power", 0, 0)
    for row in rows:
        hass.states.async_set(row["entity"], "0", CELSIUS)
    entry = await set_up([*rows, POWER], options={**NO_MODEL, "window": 0})
    for turn in range(1, 401):
        for row in rows:
            hass.states.async_set(row["entity"], str(turn), CELSIUS)
        measure(hass, "sensor.power", turn, turn * 10)
        if turn % 10 == 0:
            await until(lambda wanted=turn: device.properties.get("Power", (0,))[0] >= wanted - 100)
    await all_sent(entry)
    assert {key: value for key, (value, _) in device.properties.items()} == {
        **{row["identifier"]: 400 for row in rows}, "Power": 400
    }  # fmt: skip
    counters = entry.runtime_data.device.reporter.counters
    assert counters.retried == 0
    assert counters.merged > 3000
    assert Counter(value for value, _ in device.samples["Power"]) == Counter(range(401))


async def test_one_message_is_sent_at_a_time(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """All changes during the wait for a reply become one more message."""
    hass.states.async_set("sensor.living_room", "0", CELSIUS)
    entry = await set_up([TEMPERATURE])
    await all_sent(entry)
    cloud.faults.set(delay_replies=0.3)
    before = len(uplinks(cloud, POST))
    for degree in range(1, 50):
        hass.states.async_set("sensor.living_room", str(degree), CELSIUS)
        await until(lambda: len(uplinks(cloud, POST)) > before)
    assert len(uplinks(cloud, POST)) == before + 1
    await posted(device, "CurrentTemperature", 49.0)
    assert len(uplinks(cloud, POST)) == before + 2


async def test_samples_without_a_reply_are_sent_again_with_their_time(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost when a reply is lost, and for the cloud the same sample twice is one sample."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.lanes.REPLY_TIMEOUT", 0.05)
    device.thing_model = None
    measure(hass, "sensor.power", 1, 0)
    entry = await set_up([POWER], options=NO_MODEL)
    await all_sent(entry)
    cloud.faults.set(lose_replies=2)
    measure(hass, "sensor.power", 2, 1000)
    await until(lambda: entry.runtime_data.device.reporter.counters.retried == 2)
    measure(hass, "sensor.power", 3, 2000)
    await all_sent(entry)
    assert sorted(set(device.samples["Power"])) == [(1, NOON), (2, NOON + 1000), (3, NOON + 2000)]
    assert device.properties["Power"][0] == 3


async def test_samples_that_are_too_large_for_a_message_are_divided(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are divided; one that is too large alone is left out, and the others arrive."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.messages.MAX_PAYLOAD", 600)
    device.thing_model = None
    row = {"identifier": "Text", "entity": "sensor.text", "aspect": "text", "every_sample": True}
    hass.states.async_set("sensor.text", "first")
    entry = await set_up([row], options={**NO_MODEL, "window": 0.05})
    await all_sent(entry)
    for n in range(9):
        hass.states.async_set("sensor.text", str(n) * 100)
    hass.states.async_set("sensor.text", "\N{PILE OF POO}" * 200)
    hass.states.async_set("sensor.text", "last")
    await all_sent(entry)
    assert [value for value, _ in device.samples["Text"]] == ["first", *(str(n) * 100 for n in range(9)), "last"]
    assert entry.runtime_data.device.reporter.counters.rejected == 1


async def test_samples_wait_while_the_cloud_is_busy(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a code that says "not now" no sample is lost, and it is not a refusal."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.sender.RETRY_DELAY", 0.01)
    device.thing_model = None
    measure(hass, "sensor.power", 1, 0)
    entry = await set_up([POWER], options=NO_MODEL)
    await all_sent(entry)
    cloud.faults.set(answer_code={"code": 429, "count": 2})
    measure(hass, "sensor.power", 2, 1000)
    await all_sent(entry)
    assert device.samples["Power"] == [(1, NOON), (2, NOON + 1000)]
    assert not entry.runtime_data.device.reporter.outbox.refusals


async def test_changed_rate_applies_without_a_reconnect(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """The option of the user applies at once."""
    entry = await set_up([], options={"uplink_rate": 2})
    limit = entry.runtime_data.link._limit
    assert limit.messages == 2
    hass.config_entries.async_update_entry(entry, options={**entry.options, "uplink_rate": 30})
    await hass.async_block_till_done()
    assert limit.messages == 30
    assert device.connections == 1


async def test_search_ends_when_all_batches_are_refused(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search for the bad sample ends soon, and the property is refused with the reason."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.sender.MAX_REFUSED_IN_A_ROW", 5)
    device.thing_model = None
    hass.states.async_set("sensor.power", "0", WATT)
    entry = await set_up([POWER], options=NO_MODEL)
    await all_sent(entry)
    cloud.faults.set(answer_code={"code": 6813})
    for value in range(1, 101):
        measure(hass, "sensor.power", value)
    await all_sent(entry)
    assert "6813" in entry.runtime_data.device.reporter.outbox.refusals["Power"].reason
    assert len(uplinks(cloud, BATCH)) < 20
    assert len(on_topic(cloud, POST)) <= 1


async def test_unexpected_error_does_not_end_the_sending(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, and the next value is sent."""
    device.thing_model = None
    monkeypatch.setattr("custom_components.aliyun_iot.reports.sender.RETRY_DELAY", 0.01)
    measure(hass, "sensor.power", 1, 0)
    entry = await set_up([{**POWER, "every_sample": False}], options=NO_MODEL)
    await all_sent(entry)

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as context:
        context.setattr(entry.runtime_data.link.device, "post_properties", broken)
        measure(hass, "sensor.power", 2, 1000)
        await until(lambda: "Sending failed unexpectedly" in caplog.text)
    measure(hass, "sensor.power", 3, 2000)
    await device.wait_for(lambda device: device.properties["Power"][0] == 3)


class TestIntervals:
    """The minimum interval begins with the last post that arrived."""

    async def test_value_is_sent_right_after_boot(
        self, hass: HomeAssistant, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Monotonic time starts with the machine; a device that has not posted yet does not wait."""
        monkeypatch.setattr(
            "custom_components.aliyun_iot.reports.outbox.time", SimpleNamespace(monotonic=lambda: 300.0)
        )
        hass.states.async_set("sensor.living_room", "20", CELSIUS)
        await set_up([{**TEMPERATURE, "min_interval": 3600}])
        await posted(device, "CurrentTemperature", 20)

    async def test_lost_post_does_not_start_the_interval(
        self,
        hass: HomeAssistant,
        cloud: Simulator,
        device: CloudDevice,
        set_up: SetUp,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A post that was lost with its connection is repeated by the next one, not an hour later."""
        quick_to_return(monkeypatch)
        entry = await set_up([{**TEMPERATURE, "min_interval": 3600}])
        await caught_up(entry)
        cloud.faults.set(freeze=DEVICE_NAME)
        hass.states.async_set("sensor.living_room", "21", CELSIUS)
        await until(lambda: entry.runtime_data.device.reporter.outbox.status["CurrentTemperature"].sending)
        device.connection.close("the line is dead")
        await posted(device, "CurrentTemperature", 21)


@pytest.mark.parametrize(("before", "after"), [("20.1", "20.2"), ("0.2", "0.3"), ("0.7", "0.8")])
async def test_change_as_large_as_the_dead_band_is_reported(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, before: str, after: str
) -> None:
    """A step as large as the dead-band is reported, though 20.2 - 20.1 is a little less than 0.1."""
    hass.states.async_set("sensor.living_room", before, CELSIUS)
    await set_up([{**TEMPERATURE, "dead_band": 0.1}])
    await posted(device, "CurrentTemperature", float(before))
    hass.states.async_set("sensor.living_room", after, CELSIUS)
    await posted(device, "CurrentTemperature", float(after))


@pytest.fixture
def outbox() -> Outbox:
    """Return an outbox in which two values wait."""
    outbox = Outbox(
        Counters(),
        on_refused=lambda *_: None,
        on_refusals_changed=lambda _refusals: None,
        on_taken_again=lambda _identifiers: None,
        on_unreportable_changed=lambda: None,
    )
    outbox.follow({"A", "B"}, {})
    outbox.put("A", Sample(1, 1))
    outbox.put("B", Sample(1, 1))
    return outbox


class TestUnboundWhileSent:
    """A property is unbound, or bound to something else, while its value is on its way."""

    @pytest.mark.parametrize("arrives", [False, True])
    def test_snapshot_ends(self, outbox: Outbox, arrives: bool) -> None:
        """Whether the value arrives or not; an action waits for the snapshot."""
        snapshot = outbox.snapshot()
        batch = outbox.take(["A"])
        outbox.follow({"B"}, {})
        if arrives:
            outbox.settle({"A": Sample(1, 1)}, {})
        else:
            outbox.put_back(batch, {"B"}.__contains__)
        assert snapshot.waiting == {"B"}
        assert outbox.waiting.keys() == {"B"}
        assert outbox.status.keys() <= {"B"}
        outbox.take(["B"])
        outbox.settle({"B": Sample(1, 1)}, {})
        assert snapshot.done

    def test_value_of_the_old_binding_is_not_sent_again(self, outbox: Outbox) -> None:
        """It would mean something else now."""
        snapshot = outbox.snapshot()
        batch = outbox.take(["A", "B"])
        outbox.forget(["A"])
        outbox.put_back(batch, lambda _identifier: True)
        assert outbox.waiting.keys() == {"B"}
        assert snapshot.waiting == {"B"}

    def test_value_of_the_new_binding_stays(self, outbox: Outbox) -> None:
        """The snapshot waits for it then."""
        snapshot = outbox.snapshot()
        batch = outbox.take(["A", "B"])
        outbox.follow({"B"}, {})
        outbox.follow({"A", "B"}, {})
        outbox.put("A", Sample(2, 2))
        outbox.put_back(batch, lambda _identifier: True)
        assert outbox.waiting["A"].sample == Sample(2, 2)
        assert list(outbox.waiting) == ["B", "A"]
        outbox.take(["A", "B"])
        outbox.settle({"A": Sample(2, 2), "B": Sample(1, 1)}, {})
        assert snapshot.done


def test_many_properties_are_forgotten_in_one_pass(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting up ten thousand bindings must not compare all refusals ten thousand times."""
    passes: list[int] = []

    def counted(outbox: Outbox) -> dict[str, Refusal]:
        passes.append(len(outbox.status))
        return {}

    monkeypatch.setattr(Outbox, "refusals", property(counted))
    many = [f"P{number}" for number in range(1000)]
    outbox.follow(many, {})
    outbox.forget(many)
    assert len(passes) <= 4


def test_refused_past_value_says_nothing_about_the_present_one(outbox: Outbox) -> None:
    """What the cloud has stays known, so that it is not sent again."""
    outbox.take(["A"])
    outbox.settle({"A": Sample(5, 5)}, {})
    outbox.settle({"A": Sample(3, 3)}, {"A": "6306"}, past=True)
    assert outbox.known("A") == Sample(5, 5)
    outbox.settle({"A": Sample(6, 6)}, {"A": "6306"})
    assert outbox.known("A") is None


async def test_nothing_is_kept_about_unbound_properties(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp
) -> None:
    """Neither what was accepted, refused or not reportable, nor when; asking for the status of one keeps nothing either."""
    stranger = {**TEMPERATURE, "identifier": "Stranger", "entity": "sensor.stranger"}
    for entity_id, state in (("sensor.living_room", "20"), ("switch.lamp", "off"), ("sensor.stranger", "1")):
        hass.states.async_set(entity_id, state, CELSIUS)
    entry = await set_up([TEMPERATURE, SWITCH, stranger], options=NO_MODEL)
    reporter = entry.runtime_data.device.reporter
    await until(lambda: "Stranger" in reporter.outbox.refusals)
    await all_sent(entry)
    why = Unreportable(Reason.NOT_AN_OPTION, ("neither on nor off", "既不是开也不是关"))
    reporter.outbox.set_unreportable("LightSwitch", why)
    subentry = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": [TEMPERATURE]})
    await hass.async_block_till_done()
    await all_sent(entry)
    assert reporter.outbox.status.keys() == {"CurrentTemperature"}
    assert (reporter.outbox.unreportable, reporter.outbox.refusals) == ({}, {})
    sample, status = reporter.status("Stranger")
    assert (sample, status.sent, status.why_not()) == (None, None, "")
    assert reporter.outbox.status.keys() == {"CurrentTemperature"}
