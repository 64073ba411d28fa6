"""Values of Home Assistant that do not fit their property: kept by property, shown as one issue, logged as one line."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.aliyun_iot.const import CONF_THING_MODEL
from custom_components.aliyun_iot.diagnostics import async_get_config_entry_diagnostics
from custom_components.aliyun_iot.health import paced
from custom_components.aliyun_iot.health.issues import MAX_LISTED, Issue
from custom_components.aliyun_iot.mapping.aspect import Reason
from simulator import CloudDevice
from simulator.core.thing_model import ThingModel as CloudThingModel

from .conftest import DEVICE_NAME, SetUp
from .test_actions import act
from .test_issues import shown_issues, wait_for_issue
from .test_reporter import posted
from .waiting import until

WATT = {"unit_of_measurement": "W", "friendly_name": "Stove"}

TYPES: dict[str, dict[str, Any]] = {
    "Power": {"type": "int", "specs": {"min": "0", "max": "150", "unit": "W"}},
    "Mode": {"type": "enum", "specs": {"0": "关闭", "1": "制冷"}},
    "Note": {"type": "text", "specs": {"length": "8"}},
    "Level": {"type": "float", "specs": {"min": "0", "max": "10"}},
    "Sum": {"type": "double", "specs": {}},
    "Weight": {"type": "double", "specs": {"unit": "kg"}},
    "Pair": {"type": "array", "specs": {"size": "2", "item": {"type": "int", "specs": {}}}},
    "DoorPin": {"type": "text", "specs": {"length": "4"}},
    "Lock": {"type": "text", "specs": {"length": "4"}},
}

POWER = {"identifier": "Power", "entity": "sensor.stove", "aspect": "value"}


def model(types: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a thing model with properties of these types; one is called a password."""
    names = {"Lock": "开锁密码"}
    return {
        "properties": [
            {"identifier": key, "name": names.get(key, key), "accessMode": "rw", "dataType": one}
            for key, one in types.items()
        ]
    }


async def run(set_up: SetUp, device: CloudDevice, rows: list[dict[str, Any]], **options: Any) -> MockConfigEntry:
    """Set up bindings for these types."""
    device.thing_model = CloudThingModel.parse(model(TYPES))
    return await set_up(rows, options={CONF_THING_MODEL: model(TYPES), **options})


def shown(hass: HomeAssistant) -> dict[str, str]:
    """Return the facts of the issue, none if there is none."""
    return shown_issues(hass).get(Issue.PROPERTY_UNREPORTABLE, {})


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged about it."""
    return [text for record in caplog.records if "cannot report" in (text := record.getMessage())]


async def test_value_outside_the_range(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """200 W in a property of 0 to 150 W: the cloud keeps the last value, and everything says why."""
    hass.states.async_set("sensor.stove", "100", WATT)
    entry = await run(set_up, device, [POWER])
    await posted(device, "Power", 100)
    assert not shown(hass)

    hass.states.async_set("sensor.stove", "200", WATT)
    await until(lambda: shown(hass))
    reason = "the property takes integer 0 to 150 W, 200 is outside"
    assert shown(hass)["device"] == DEVICE_NAME
    assert shown(hass)["count"] == "1"
    for part in ("Stove", "Power", reason):
        assert part in shown(hass)["properties"]
    assert lines(caplog) == [f"{DEVICE_NAME} cannot report Power of sensor.stove ({reason})"]
    status = entry.runtime_data.device.reporter.outbox.status["Power"]
    assert status.unreportable.reason is Reason.OUT_OF_RANGE
    assert (status.why_not(), status.accepted.value) == (reason, 100)
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["reporter"]["unreportable"] == {"Power": reason}
    assert diagnostics["reporter"]["properties"]["Power"]["why_not"] == reason
    assert (await act(hass, "request_sync", entry.entry_id))["unreportable"] == {"Power": reason}

    hass.states.async_set("sensor.stove", "unavailable")
    await hass.async_block_till_done()
    assert shown(hass)  # the cloud still has an old value

    hass.states.async_set("sensor.stove", "120", WATT)
    await posted(device, "Power", 120)
    await until(lambda: not shown(hass))
    assert status.unreportable is None
    assert len(lines(caplog)) == 1


async def test_everything_that_cannot_be_reported_is_one_line(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the reason; the texts are in the language of the installation."""
    hass.config.language = "zh-Hans"
    hass.states.async_set("sensor.stove", "-1", WATT)
    hass.states.async_set("select.mode", "dry", {"options": ["off", "cool", "dry"]})
    hass.states.async_set("input_text.note", "九个字以上的文本")
    hass.states.async_set("sensor.level", "12,5", {"unit_of_measurement": "m"})
    rows = [
        POWER,
        {"identifier": "Mode", "entity": "select.mode", "aspect": "option"},
        {"identifier": "Note", "entity": "input_text.note", "aspect": "text"},
        {**POWER, "identifier": "Weight"},
        {"identifier": "Level", "entity": "sensor.level", "aspect": "value"},
        {"identifier": "Sum", "entity": "", "aspect": "template", "source": "{{ states('sensor.x') | float }}"},
        {"identifier": "Pair", "entity": "", "aspect": "template", "source": "{{ [1, 2, 3] }}", "every_sample": True},
    ]
    entry = await run(set_up, device, rows)
    issue = await wait_for_issue(hass, Issue.PROPERTY_UNREPORTABLE)
    assert issue["count"] == "7"
    for words in (
        "-1 超出范围",
        "其中没有 'dry'",
        "24 字节",
        "'12,5' 不是数字",
        "模板出错：",
        "最多 2 个元素",
        "W 无法换算为 kg",
    ):
        assert words in issue["properties"]
    [line] = lines(caplog)
    assert line.endswith("and 2 more")
    outbox = entry.runtime_data.device.reporter.outbox
    assert {key: why.reason for key, why in outbox.unreportable.items()} == {
        "Power": Reason.OUT_OF_RANGE,
        "Mode": Reason.NOT_AN_OPTION,
        "Note": Reason.OUT_OF_RANGE,
        "Level": Reason.WRONG_TYPE,
        "Sum": Reason.NOT_SUPPORTED,
        "Pair": Reason.OUT_OF_RANGE,
        "Weight": Reason.NOT_SUPPORTED,
    }


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_whole_house_is_one_line(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture, at_once: bool
) -> None:
    """223 problems, before the set-up or after it, are one issue and one line."""
    types = {f"P{number}": TYPES["Power"] for number in range(223)}
    rows = [{"identifier": key, "entity": f"sensor.{key.lower()}", "aspect": "value"} for key in types]
    value = "200" if at_once else "100"
    for row in rows:
        hass.states.async_set(str(row["entity"]), value, WATT)
    device.thing_model = CloudThingModel.parse(model(types))
    await set_up(rows, options={CONF_THING_MODEL: model(types)})
    for row in rows:
        hass.states.async_set(str(row["entity"]), "200", WATT)
    await until(lambda: shown(hass).get("count") == "223")
    assert shown(hass)["properties"].count("\n") == MAX_LISTED
    [line] = lines(caplog)
    assert line.endswith("and 218 more")


async def test_a_sensor_that_flaps_is_no_flood(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
    freezer: FrozenDateTimeFactory,
) -> None:
    """It crosses the limit a thousand times in a few minutes; the last word counts."""
    hass.states.async_set("sensor.stove", "100", WATT)
    await run(set_up, device, [POWER])
    updates: list[str] = []
    hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, lambda event: updates.append(event.data["action"]))
    for second in range(300):
        hass.states.async_set("sensor.stove", str(200 + second), WATT)
        await hass.async_block_till_done()
        hass.states.async_set("sensor.stove", "100", WATT)
        await hass.async_block_till_done()
        freezer.tick(1)
        async_fire_time_changed(hass)
    assert len(updates) <= paced.AT_ONCE + 300 / paced.INTERVAL + 1
    assert len(lines(caplog)) == 1
    hass.states.async_set("sensor.stove", "200", WATT)
    freezer.tick(60)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert shown(hass)


async def test_a_property_that_is_refused_again_and_again_is_no_flood(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The cloud has another limit than the stored thing model."""
    wide = {**TYPES["Power"], "specs": {"min": "0", "max": "1000"}}
    hass.states.async_set("sensor.stove", "100", WATT)
    device.thing_model = CloudThingModel.parse(model(TYPES))
    entry = await set_up([POWER], options={CONF_THING_MODEL: model({"Power": wide}), "window": 0})
    await posted(device, "Power", 100)
    status = entry.runtime_data.device.reporter.outbox.status["Power"]
    updates: list[str] = []
    hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, lambda event: updates.append(event.data["issue_id"]))
    for turn in range(40):
        value = 200 + turn if turn % 2 == 0 else 50 + turn
        hass.states.async_set("sensor.stove", str(value), WATT)
        await until(
            lambda value=value: (
                value in (status.accepted and status.accepted.value, status.refusal and status.refusal.value)
            )
        )
    rejected = [text for record in caplog.records if "The cloud rejected" in (text := record.getMessage())]
    assert len(rejected) == 1
    assert sum("property_rejected" in one for one in updates) <= paced.AT_ONCE + 1


async def test_problems_that_come_one_by_one_are_logged_together(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    caplog: pytest.LogCaptureFixture,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The first at once, those of the next ten minutes in one line, and none of them again until its binding changes."""
    types = {f"P{number}": TYPES["Power"] for number in range(20)}
    rows = [{"identifier": key, "entity": f"sensor.{key.lower()}", "aspect": "value"} for key in types]
    for row in rows:
        hass.states.async_set(str(row["entity"]), "100", WATT)
    device.thing_model = CloudThingModel.parse(model(types))
    entry = await set_up(rows, options={CONF_THING_MODEL: model(types)})

    async def pass_time(seconds: float) -> None:
        freezer.tick(seconds)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()

    for row in rows:
        hass.states.async_set(str(row["entity"]), "200", WATT)
        await pass_time(10)
    for _ in range(10):
        await pass_time(60)
    assert ["more" in line for line in lines(caplog)] == [False, True]
    assert lines(caplog)[1].endswith("and 14 more")

    subentry = next(iter(entry.subentries.values()))
    changed = [{**rows[0], "conversion": {"scale": 2}}, *rows[1:]]
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": changed})
    await hass.async_block_till_done()
    await pass_time(600)
    assert len(lines(caplog)) == 3
    assert "P0 of sensor.p0 (the property takes integer 0 to 150 W, 400 is outside)" in lines(caplog)[2]


async def test_private_values_are_in_no_reason(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """By the identifier, or by the name in the thing model."""
    hass.states.async_set("input_text.pin", "hunter2")
    source = "{{ 'hunter2' | float }}"
    rows = [
        {"identifier": "DoorPin", "entity": "input_text.pin", "aspect": "text", "conversion": {"options": {"a": "b"}}},
        {"identifier": "Lock", "entity": "", "aspect": "template", "source": source},
    ]
    entry = await run(set_up, device, rows)
    issue = await wait_for_issue(hass, Issue.PROPERTY_UNREPORTABLE)
    assert issue["count"] == "2"
    assert "the property has no item for the value (it is private)" in issue["properties"]
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("custom_components")]
    for text in (str(issue), str(diagnostics), str(ours)):
        assert "hunter2" not in text.replace(source, "")


async def test_unbound_property_leaves_the_issue(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """And one that is bound differently is judged anew."""
    hass.states.async_set("sensor.stove", "200", WATT)
    hass.states.async_set("sensor.oven", "300", WATT)
    oven = {**POWER, "entity": "sensor.oven", "identifier": "Level"}
    entry = await run(set_up, device, [POWER, oven])
    await until(lambda: shown(hass).get("count") == "2")
    subentry = next(iter(entry.subentries.values()))
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": [POWER]})
    await until(lambda: shown(hass).get("count") == "1")
    fixed = {**POWER, "conversion": {"clamp": True}}
    hass.config_entries.async_update_subentry(entry, subentry, data={"bindings": [fixed]})
    await until(lambda: not shown(hass))
    await posted(device, "Power", 150)
    hass.states.async_set("sensor.stove", "unknown")
    await hass.async_block_till_done()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not shown(hass)


async def test_bindings_that_do_not_work_are_one_line(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """They have no property in the thing model."""
    rows = [{**POWER, "identifier": f"Q{number}"} for number in range(223)]
    hass.states.async_set("sensor.stove", "200", WATT)
    await run(set_up, device, rows)
    warned = [record.getMessage() for record in caplog.records if "do not work" in record.getMessage()]
    assert len(warned) == 1
    assert warned[0].endswith("Q4 (the thing model has no such property), and 218 more")
