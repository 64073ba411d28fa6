"""What an application wants while the device is there is done at once; the cloud keeps it, so it is cleared, never done twice."""

import asyncio

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink.errors import RequestTimeout
from simulator import CloudDevice, Simulator

from .application import LAMP, TARGET, SetProperties
from .conftest import SetUp
from .outages import DESIRED, caught_up, end_outage, lose_connection, quick_to_return, uplinks
from .waiting import until
from .wishes import CLEAR, SlowAnswers, cleared, desire, fail_to_ask, is_on, journal, slow_lamp, turn_off_while_away


@pytest.fixture(autouse=True)
async def home(house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Furnish the house, and let connections come back soon."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.SETTLE_DELAY", 0.05)


async def test_a_wish_that_was_fulfilled_when_it_was_made(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The cloud keeps what it has sent as a set; it is cleared, or the next connect would undo what happened since."""
    entry = await set_up([LAMP])
    await caught_up(entry)
    await desire(cloud, device, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)
    await until(lambda: journal(entry)[-1][2] == "cleared: done when it was set (LightSwitch version 1)")


async def test_a_connection_lost_before_a_wish_could_be_cleared(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done already is not done again, even when somebody has changed it since."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.SETTLE_DELAY", 3600)
    entry = await set_up([LAMP])
    await caught_up(entry)
    await desire(cloud, device, LightSwitch=1)
    await until(lambda: is_on(hass))
    await turn_off_while_away(hass, cloud, device, entry)
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


async def test_a_wish_fulfilled_while_it_is_asked_for_another(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer says nothing of it, so it is asked for by itself."""
    entry = await set_up([LAMP, TARGET])
    await caught_up(entry)
    answers = SlowAnswers(entry, monkeypatch)
    await desire(cloud, device, TargetTemperature=23.5)
    await until(lambda: answers.held)
    await desire(cloud, device, LightSwitch=1)
    await until(lambda: [kind for kind, _, _ in journal(entry)] == ["property_set", "property_set"])
    answers.let_through()
    await until(lambda: cleared(device, "LightSwitch", "TargetTemperature"))


async def test_a_wish_fulfilled_while_a_return_asks_for_all(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is older than the wish, which is cleared all the same."""
    entry = await set_up([LAMP])
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    answers = SlowAnswers(entry, monkeypatch)
    end_outage(cloud)
    await until(lambda: answers.held)
    await desire(cloud, device, LightSwitch=1)
    await until(lambda: journal(entry))
    answers.let_through()
    await until(lambda: cleared(device, "LightSwitch"))


async def test_a_question_about_fulfilled_wishes_that_gets_no_answer(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are remembered until the next connect, and not done again."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.sender.RETRY_DELAY", 0.05)
    entry = await set_up([LAMP])
    await caught_up(entry)
    asked = len(uplinks(cloud, DESIRED))
    cloud.faults.set(answer_code={"code": 6661})
    await desire(cloud, device, LightSwitch=1)
    await until(lambda: len(uplinks(cloud, DESIRED)) > asked)
    await turn_off_while_away(hass, cloud, device, entry)
    cloud.faults.set(answer_code=None)
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


async def test_a_fulfilled_wish_that_the_cloud_does_not_let_go(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its version is remembered, and it is not done again."""
    entry = await set_up([LAMP])
    await caught_up(entry)
    answers = SlowAnswers(entry, monkeypatch)
    await desire(cloud, device, LightSwitch=1)
    await until(lambda: answers.held)
    cloud.faults.set(answer_code={"code": 6661})
    answers.let_through()
    await until(lambda: uplinks(cloud, CLEAR))
    await turn_off_while_away(hass, cloud, device, entry)
    cloud.faults.set(answer_code=None)
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


async def test_a_wish_that_was_fulfilled_beside_one_that_could_not_be(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Of a set that failed in part, what was done is cleared."""
    entry = await set_up([LAMP, TARGET])
    await caught_up(entry)
    await desire(cloud, device, LightSwitch=1, TargetTemperature=4000.0)
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)
    assert not cleared(device, "TargetTemperature")


async def test_a_wish_that_is_being_fulfilled_when_a_return_finds_it(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    set_properties: SetProperties,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The end of the set is waited for; it is not done a second time."""
    binding, started, go_on = slow_lamp(hass)
    entry = await set_up([binding])
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    answers = SlowAnswers(entry, monkeypatch)
    await desire(cloud, device, LightSwitch=1)
    end_outage(cloud)
    await until(lambda: answers.held)
    reply = asyncio.create_task(set_properties(LightSwitch=1))
    await until(lambda: started)
    answers.let_through()
    await asyncio.sleep(0)
    go_on.set()
    assert (await reply).code == 200
    await until(lambda: cleared(device, "LightSwitch"))
    assert started == [True]


async def test_a_question_about_fulfilled_wishes_that_is_repeated(
    cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an answer they are asked for again, or a restart would forget that they were done."""
    entry = await set_up([LAMP])
    await caught_up(entry)
    fail_to_ask(monkeypatch, "get_desired", RequestTimeout("no reply"), RequestTimeout("no reply"))
    await desire(cloud, device, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch"))
    assert device.connections == 1
