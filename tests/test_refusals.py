"""Refused values are shown as an issue that says what to do, until it is solved."""

import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
import pytest

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.reports.reporter import Reporter
from custom_components.aliyun_iot.words.refusal_texts import refusal_text
from simulator import CloudDevice, Simulator

from .conftest import SetUp
from .outages import BATCH, POST, POWER, WATT, end_outage, lose_connection, measure, on_topic, quick_to_return
from .test_reporter import CELSIUS, TEMPERATURE, posted
from .waiting import until

STRANGER = {"identifier": "Stranger", "entity": "sensor.stranger", "aspect": "value"}
NO_MODEL = {"thing_model": None}


def issue(hass: HomeAssistant, entry_id: str) -> ir.IssueEntry | None:
    """Return the issue about refused properties."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"property_rejected_{entry_id}")


async def test_issue_lists_refused_property_until_accepted(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The property is missing in the console; after it was added, the next post deletes the issue."""
    hass.states.async_set("sensor.stranger", "1", WATT)
    entry = await set_up([STRANGER], options=NO_MODEL)
    await until(lambda: issue(hass, entry.entry_id))
    shown = issue(hass, entry.entry_id)
    assert shown.translation_key == "property_rejected"
    assert shown.translation_placeholders["count"] == "1"
    assert shown.translation_placeholders["properties"] == (
        "- stranger · Value → Stranger (Report): The product has no such property. Compare the thing model here with the one"
        " in the console (tsl parse: params not exist -> Stranger)"
    )

    device.thing_model = None
    hass.states.async_set("sensor.stranger", "2", WATT)
    await posted(device, "Stranger", 2)
    await until(lambda: issue(hass, entry.entry_id) is None)


async def test_issue_in_chinese(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """The text also has the cloud's own words, as the console shows them; here the whole message is refused."""
    hass.config.language = "zh-Hans"
    hass.states.async_set("sensor.living_room", "20", {**CELSIUS, "friendly_name": "客厅温度"})
    cloud.faults.set(answer_code={"code": 6306})
    entry = await set_up([TEMPERATURE])
    await until(lambda: issue(hass, entry.entry_id))
    properties = issue(hass, entry.entry_id).translation_placeholders["properties"]
    assert properties.startswith("- 客厅温度 · 数值 → ")
    assert "CurrentTemperature" in properties
    assert "（上报）：值不是物模型范围内的整数（int）（6306 " in properties


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("tsl parse: data type is not int -> N", "值不是物模型范围内的整数（int）"),
        ("tsl parse: data type is not text", "值不是文本（text），或超过物模型规定的长度"),
        ("tsl parse: params not exist", "产品没有该属性，请核对此处与控制台的物模型"),
        ("tsl parse: 6308 value is 2 -> N", "布尔值（bool）只能是 0 或 1"),
        ("6813", "平台不接受该 Topic 或消息格式"),
        ("tsl parse: data type is not quaternion", "云端不接受该值"),
        ("the moon is full", "云端不接受该值"),
    ],
)
def test_reason_in_chinese(reason: str, meaning: str) -> None:
    """Whatever the cloud says, a sentence in the user's language comes first."""
    assert refusal_text(reason, "zh-Hans") == f"{meaning}（{reason}）"
    english = refusal_text(reason, "en")
    assert english.isascii()
    assert english.endswith(f" ({reason})")


async def test_many_refusals_are_one_issue(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """With the thing model of another product everything is refused; ten properties are listed, all are counted."""
    rows = [{**STRANGER, "identifier": f"Stranger{n}", "entity": f"sensor.s{n}"} for n in range(18)]
    for row in rows:
        hass.states.async_set(row["entity"], "1", WATT)
    entry = await set_up(rows, options=NO_MODEL)
    await until(lambda: issue(hass, entry.entry_id))
    shown = issue(hass, entry.entry_id).translation_placeholders
    assert shown["count"] == "18"
    assert shown["properties"].splitlines()[10:] == ["- and 8 more"]
    await hass.config_entries.async_unload(entry.entry_id)
    assert issue(hass, entry.entry_id) is None


async def test_issue_is_deleted_with_the_binding(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """Removing the binding solves it as well."""
    hass.states.async_set("sensor.stranger", "1", WATT)
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([STRANGER, TEMPERATURE], options=NO_MODEL)
    await until(lambda: issue(hass, entry.entry_id))
    subentry = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": [TEMPERATURE]})
    await hass.async_block_till_done()
    assert issue(hass, entry.entry_id) is None


async def test_property_with_refused_samples_rests_until_the_next_connection(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A property that the cloud does not have causes three messages, however often it changes; a reconnect tries again."""
    quick_to_return(monkeypatch)
    measure(hass, "sensor.power", 1)
    entry = await set_up([POWER], options=NO_MODEL)
    outbox = entry.runtime_data.device.reporter.outbox
    for value in range(2, 12):
        measure(hass, "sensor.power", value)
        await until(lambda: entry.runtime_data.device.reporter.buffered == 0)
    assert outbox.status["Power"].rests
    assert len(on_topic(cloud, BATCH) + on_topic(cloud, POST)) == 3
    assert entry.runtime_data.device.reporter.losses.by_identifier["Power"].count == 11

    await lose_connection(cloud, device, entry)
    device.thing_model = None
    measure(hass, "sensor.power", 20)
    measure(hass, "sensor.power", 21)
    end_outage(cloud)
    await until(lambda: [value for value, _ in device.samples.get("Power", [])] == [21, 20])
    await until(lambda: not outbox.refusals)


async def report_power(hass: HomeAssistant, device: CloudDevice, set_up: SetUp, binding: dict[str, Any]) -> Reporter:
    """Bind the sensor of the power to a product that takes any property, and post its first value, 1."""
    device.thing_model = None
    measure(hass, "sensor.power", 1)
    entry = await set_up([binding], options={**NO_MODEL, "window": 0.01})
    await posted(device, "Power", 1)
    reporter: Reporter = entry.runtime_data.device.reporter
    return reporter


@pytest.mark.parametrize("every_sample", [False, True])
async def test_value_that_was_refused_comes_back_while_another_is_on_its_way(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, *, every_sample: bool
) -> None:
    """The same value is not sent again while it is refused; once the cloud takes another one, it is the present value."""
    reporter = await report_power(hass, device, set_up, {**POWER, "every_sample": every_sample})
    cloud.faults.set(answer_code={"code": 460, "count": 1})
    measure(hass, "sensor.power", 2)
    await until(lambda: reporter.outbox.refusals)
    cloud.faults.set(delay_replies=0.2)
    measure(hass, "sensor.power", 3)
    await posted(device, "Power", 3)
    measure(hass, "sensor.power", 2)
    await posted(device, "Power", 2)
    await until(lambda: not reporter.outbox.refusals)


async def test_samples_while_a_property_rests(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A sample that was sent before ends the rest: the newest one follows, although it was counted as lost."""
    reporter = await report_power(hass, device, set_up, POWER)
    cloud.faults.set(answer_code={"code": 460, "count": 6}, delay_replies=0.1)
    for value in (2, 3, 4, 5):  # refused: all, 2 and 3, 2, 3, 4 and 5, 4; it rests, and 5 is taken
        measure(hass, "sensor.power", value)
    await until(lambda: reporter.outbox.status["Power"].rests)
    measure(hass, "sensor.power", 6)
    assert reporter.losses.by_identifier["Power"].count == 4
    await posted(device, "Power", 6)
    assert [value for value, _ in device.samples["Power"]] == [1, 5, 6]
    assert not reporter.outbox.refusals


async def test_sample_of_a_wrong_clock_before_one_that_is_taken(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A time more than a day ahead loses the sample, but the value is true now; an older sample is no end of the matter."""
    reporter = await report_power(hass, device, set_up, POWER)
    measure(hass, "sensor.power", 2)
    hass.states.async_set("sensor.power", "3", WATT, timestamp=time.time() + 2 * 86_400)
    await posted(device, "Power", 3)
    assert [value for value, _ in device.samples["Power"]] == [1, 2, 3]
    assert reporter.losses.by_identifier["Power"].count == 1
    assert not reporter.outbox.refusals


async def test_refused_sample_of_a_renamed_entity(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The refusal is over with the rename, so the sample is posted again, with its time, and no other for the same value."""
    device.thing_model = None
    registry = er.async_get(hass)
    sensor = registry.async_get_or_create("sensor", "test", "power", suggested_object_id="power")
    measure(hass, sensor.entity_id, 1)
    entry = await set_up([{**POWER, "entity": sensor.entity_id}], options=NO_MODEL)
    reporter = entry.runtime_data.device.reporter
    await posted(device, "Power", 1)
    cloud.faults.set(answer_code={"code": 460, "count": 1})
    measure(hass, sensor.entity_id, 2)
    await until(lambda: reporter.outbox.refusals)
    hass.states.async_remove(sensor.entity_id)
    registry.async_update_entity(sensor.entity_id, new_entity_id="sensor.main_power")
    await hass.async_block_till_done()
    assert not reporter.outbox.refusals
    measure(hass, "sensor.main_power", 2)
    await posted(device, "Power", 2)
    measure(hass, "sensor.main_power", 3)
    await posted(device, "Power", 3)
    assert [value for value, _ in device.samples["Power"]] == [1, 2, 3]


async def test_device_codes_do_not_count_as_refusals(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account in arrears or a disabled device: as soon as that is over, everything is posted again."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.sender.DEVICE_DELAY", 0.01)
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    await posted(device, "CurrentTemperature", 20)
    cloud.faults.set(answer_code={"code": 403})
    for degree in (21, 22, 23, 24):
        retried = entry.runtime_data.device.reporter.counters.retried
        hass.states.async_set("sensor.living_room", str(degree), CELSIUS)
        await until(lambda before=retried: entry.runtime_data.device.reporter.counters.retried > before)
    cloud.faults.set(answer_code=None)
    await posted(device, "CurrentTemperature", 24)
    assert not entry.runtime_data.device.reporter.outbox.refusals


def many(hass: HomeAssistant, count: int) -> list[dict[str, str]]:
    """Return bindings of so many sensors, which have a value."""
    rows = [{"identifier": f"P{n}", "entity": f"sensor.p{n}", "aspect": "value"} for n in range(count)]
    for row in rows:
        hass.states.async_set(row["entity"], "1", WATT)
    return rows


async def test_bad_value_among_many_is_found(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """When the cloud refuses a whole message, it does not say which value is wrong; all others arrive."""
    device.thing_model = None
    rows = many(hass, 64)
    cloud.faults.set(answer_code={"code": 6306, "count": 7})  # down to the bad value
    entry = await set_up(rows, options=NO_MODEL)
    await until(lambda: len(device.properties) == 63)
    assert list(entry.runtime_data.device.reporter.outbox.refusals) == ["P0"]
    hass.states.async_set("sensor.p0", "2", WATT)
    await posted(device, "P0", 2)


async def test_search_ends_when_everything_is_refused(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The values are not tried one by one."""
    cloud.faults.set(answer_code={"code": 6321})
    entry = await set_up(many(hass, 64), options=NO_MODEL)
    await until(lambda: len(entry.runtime_data.device.reporter.outbox.refusals) == 64)
    assert len(on_topic(cloud, POST)) > 64
    assert entry.runtime_data.device.reporter.counters.posts < 30
