"""A desired value that was carried out as a set while the device was online is cleared and not carried out again."""

import asyncio
from dataclasses import dataclass

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink.errors import RequestTimeout
from simulator import CloudDevice, Simulator

from .application import LAMP, TARGET, SetProperties
from .conftest import SetUp
from .desired import (
    CLEAR,
    SlowAnswers,
    cleared,
    fail_requests,
    is_on,
    journal,
    set_desired,
    set_desired_while_offline,
    slow_lamp,
    turn_off_while_offline,
)
from .outages import DESIRED, caught_up, end_outage, lose_connection, quick_to_return, uplinks
from .waiting import until


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """An answer, held back in `answers`, that says that the lamp is to be on; the lamp was set to the values in `set_to`."""

    entry: MockConfigEntry
    answers: SlowAnswers
    set_to: list[object]


@pytest.fixture(autouse=True)
async def home(house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up the house, and let connections be made again soon."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.SETTLE_DELAY", 0.05)


async def test_set_is_cleared_as_a_desired_value(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Otherwise it would be set again after the next connect."""
    entry = await set_up([LAMP])
    await caught_up(entry)
    await set_desired(cloud, device, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)
    await until(lambda: journal(entry)[-1][2] == "cleared: done when it was set (LightSwitch version 1)")


async def test_connection_lost_before_a_set_was_cleared(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value is not set again, even if the state has changed since."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.SETTLE_DELAY", 3600)
    entry = await set_up([LAMP])
    await caught_up(entry)
    await set_desired(cloud, device, LightSwitch=1)
    await until(lambda: is_on(hass))
    await turn_off_while_offline(hass, cloud, device, entry)
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


async def test_restart_before_a_set_was_cleared(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value is not set again by the next run, which clears it; one that is desired later is set."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.SETTLE_DELAY", 3600)
    entry = await set_up([LAMP])
    await caught_up(entry)
    await set_desired(cloud, device, LightSwitch=1)
    await until(lambda: is_on(hass))
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.services.async_call("input_boolean", "turn_off", {"entity_id": "input_boolean.lamp"}, blocking=True)
    await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: cleared(device, "LightSwitch"))
    await until(lambda: journal(entry)[-1][2] == "cleared: done before (LightSwitch version 1)")
    assert not is_on(hass)
    await set_desired_while_offline(cloud, device, entry, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)


async def test_set_during_the_request_for_another(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is fetched and cleared by a request of its own."""
    entry = await set_up([LAMP, TARGET])
    await caught_up(entry)
    answers = SlowAnswers(entry, monkeypatch)
    await set_desired(cloud, device, TargetTemperature=23.5)
    await until(lambda: answers.held)
    await set_desired(cloud, device, LightSwitch=1)
    await until(lambda: [kind for kind, _, _ in journal(entry)] == ["property_set", "property_set"])
    answers.release()
    await until(lambda: cleared(device, "LightSwitch", "TargetTemperature"))


async def test_set_during_the_request_after_a_connect(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cleared, although the answer is older than the set."""
    entry = await set_up([LAMP])
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    answers = SlowAnswers(entry, monkeypatch)
    end_outage(cloud)
    await until(lambda: answers.held)
    await set_desired(cloud, device, LightSwitch=1)
    await until(lambda: journal(entry))
    answers.release()
    await until(lambda: cleared(device, "LightSwitch"))


@pytest.fixture
async def late_answer(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> LateAnswer:
    """Return what was desired of the lamp while it was offline: the answer of the cloud that says so is still under way."""
    binding, set_to, go_on = slow_lamp(hass)
    go_on.set()
    entry = await set_up([binding])
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    answers = SlowAnswers(entry, monkeypatch, only_the_first=True)
    await set_desired(cloud, device, LightSwitch=1)
    end_outage(cloud)
    await until(lambda: answers.held)
    return LateAnswer(entry, answers, set_to)


async def test_set_that_was_settled_before_an_answer_arrived(
    device: CloudDevice, set_properties: SetProperties, late_answer: LateAnswer
) -> None:
    """What is in the answer was done as that set, and is not carried out again."""
    assert (await set_properties(LightSwitch=1)).code == 200
    await asyncio.sleep(0.2)
    late_answer.answers.release()
    await caught_up(late_answer.entry)
    await until(lambda: cleared(device, "LightSwitch"))
    assert late_answer.set_to == [True]


async def test_set_that_is_newer_than_an_answer(cloud: Simulator, device: CloudDevice, late_answer: LateAnswer) -> None:
    """The older value is not set after the newer one."""
    await set_desired(cloud, device, LightSwitch=0)
    await until(lambda: journal(late_answer.entry))
    late_answer.answers.release()
    await caught_up(late_answer.entry)
    await until(lambda: cleared(device, "LightSwitch"))
    assert late_answer.set_to == [False]


async def test_other_value_was_set_before_an_answer_arrived(
    device: CloudDevice, set_properties: SetProperties, late_answer: LateAnswer
) -> None:
    """The value that was desired earlier is cleared, or the next connect would set it."""
    assert (await set_properties(LightSwitch=0)).code == 200
    late_answer.answers.release()
    await until(lambda: cleared(device, "LightSwitch"))
    assert late_answer.set_to == [False]
    message = "cleared: not done, because another value was set meanwhile (LightSwitch version 1)"
    assert message in [row[2] for row in journal(late_answer.entry)]


async def test_refused_set_before_an_answer_arrived(
    device: CloudDevice, set_properties: SetProperties, late_answer: LateAnswer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was set instead, so what is desired is carried out, with the next answer."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.RETRY_INTERVAL", 0.05)
    assert (await set_properties(LightSwitch="unknown")).code != 200
    late_answer.answers.release()
    await until(lambda: cleared(device, "LightSwitch"))
    assert late_answer.set_to == [True]
    assert late_answer.answers.held > 1


async def test_unanswered_request_for_sets(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are kept until the next connect, and not carried out again."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.sender.RETRY_DELAY", 0.05)
    entry = await set_up([LAMP])
    await caught_up(entry)
    asked = len(uplinks(cloud, DESIRED))
    cloud.faults.set(answer_code={"code": 6661})
    await set_desired(cloud, device, LightSwitch=1)
    await until(lambda: len(uplinks(cloud, DESIRED)) > asked)
    await turn_off_while_offline(hass, cloud, device, entry)
    cloud.faults.set(answer_code=None)
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


async def test_set_that_cannot_be_cleared(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its version is stored, and it is not carried out again."""
    entry = await set_up([LAMP])
    await caught_up(entry)
    answers = SlowAnswers(entry, monkeypatch)
    await set_desired(cloud, device, LightSwitch=1)
    await until(lambda: answers.held)
    cloud.faults.set(answer_code={"code": 6661})
    answers.release()
    await until(lambda: uplinks(cloud, CLEAR))
    await turn_off_while_offline(hass, cloud, device, entry)
    cloud.faults.set(answer_code=None)
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


async def test_set_that_is_given_up_by_a_reload(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Its action goes on and may be done, so the next run does not begin it again."""
    binding, set_to, go_on = slow_lamp(hass)
    entry = await set_up([binding])
    await caught_up(entry)
    await set_desired(cloud, device, LightSwitch=1)
    await until(lambda: set_to)
    assert await hass.config_entries.async_unload(entry.entry_id)
    go_on.set()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: cleared(device, "LightSwitch"))
    assert set_to == [True]


async def test_partly_failed_set(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """Only the property that was set is cleared."""
    entry = await set_up([LAMP, TARGET])
    await caught_up(entry)
    await set_desired(cloud, device, LightSwitch=1, TargetTemperature=4000.0)
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)
    assert not cleared(device, "TargetTemperature")


async def test_set_under_way_while_desired_values_are_fetched(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    set_properties: SetProperties,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its end is awaited, and it is not carried out a second time."""
    binding, started, go_on = slow_lamp(hass)
    entry = await set_up([binding])
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    answers = SlowAnswers(entry, monkeypatch)
    await set_desired(cloud, device, LightSwitch=1)
    end_outage(cloud)
    await until(lambda: answers.held)
    reply = asyncio.create_task(set_properties(LightSwitch=1))
    await until(lambda: started)
    answers.release()
    await asyncio.sleep(0)
    go_on.set()
    assert (await reply).code == 200
    await until(lambda: cleared(device, "LightSwitch"))
    assert started == [True]


async def test_unanswered_request_for_sets_is_repeated(
    cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise they would be carried out again after a restart."""
    entry = await set_up([LAMP])
    await caught_up(entry)
    fail_requests(monkeypatch, "get_desired", RequestTimeout("no reply"), RequestTimeout("no reply"))
    await set_desired(cloud, device, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch"))
    assert device.connections == 1
