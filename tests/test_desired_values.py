"""What an application wants while the device is away is done once, by the rules for every command, and then cleared."""

import asyncio
from collections.abc import Iterable
import json
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.alink.desired import Desired
from simulator import CloudDevice, Simulator

from .application import LAMP, TARGET, SetProperties
from .conftest import SetUp
from .outages import DESIRED, caught_up, end_outage, lose_connection, quick_to_return, uplinks
from .waiting import until

CLEAR = "/thing/property/desired/delete"


@pytest.fixture(autouse=True)
async def home(house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Furnish the house, and let connections come back soon."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.SETTLE_DELAY", 0.05)


async def desire(cloud: Simulator, device: CloudDevice, **values: Any) -> None:
    """Set desired values as an application does."""
    await cloud.call(
        "SetDeviceDesiredProperty",
        ProductKey=device.product_key,
        DeviceName=device.device_name,
        Items=json.dumps(values),
    )


def journal(entry: MockConfigEntry) -> list[tuple[str, int, str]]:
    """Return the steps that are in the journal: what it was, its code and its text."""
    return [(row["kind"], row["code"], row["message"]) for row in entry.runtime_data.commander.journal.rows()]


def is_on(hass: HomeAssistant) -> bool:
    """Tell whether the lamp is on."""
    return hass.states.get("input_boolean.lamp").state == "on"


def cleared(device: CloudDevice, *identifiers: str) -> bool:
    """Tell whether nothing is desired of these properties any more."""
    return all(device.desired[identifier].cleared for identifier in identifiers)


async def away(cloud: Simulator, device: CloudDevice, entry: MockConfigEntry, **values: Any) -> None:
    """Lose the connection, let somebody desire something, and return."""
    await caught_up(entry)
    await lose_connection(cloud, device, entry)
    await desire(cloud, device, **values)
    end_outage(cloud)


async def turn_off_while_away(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, entry: MockConfigEntry
) -> None:
    """Lose the connection, let somebody in the house turn the lamp off, and return."""
    await lose_connection(cloud, device, entry)
    await hass.services.async_call("input_boolean", "turn_off", {"entity_id": "input_boolean.lamp"}, blocking=True)
    end_outage(cloud)


class SlowAnswers:
    """The answers of the cloud to what is desired, each of which arrives only when it is let through."""

    def __init__(self, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch) -> None:
        """Hold them back from now on."""
        self.held = 0
        self._go_on = asyncio.Event()
        self._get = entry.runtime_data.link.get_desired
        monkeypatch.setattr(entry.runtime_data.link, "get_desired", self._hold)

    def let_through(self) -> None:
        """Hold nothing back any more."""
        self._go_on.set()

    async def _hold(self, identifiers: Iterable[str]) -> dict[str, Desired]:
        found = await self._get(identifiers)
        self.held += 1
        await self._go_on.wait()
        return found


async def test_a_wish_of_an_outage(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """It is fetched, done, cleared and journalled, and the cloud sees the new state."""
    entry = await set_up([LAMP, TARGET])
    await away(cloud, device, entry, LightSwitch=1, TargetTemperature=23.5)
    await until(lambda: device.desired and cleared(device, "LightSwitch", "TargetTemperature"))
    assert is_on(hass)
    assert float(hass.states.get("input_number.target").state) == 23.5
    await device.wait_for(lambda one: one.properties["LightSwitch"][0] == 1)
    await until(lambda: len(journal(entry)) == 3)
    assert journal(entry) == [
        ("desired", 200, "found (LightSwitch version 1, TargetTemperature version 1)"),
        ("property_set", 200, "success"),
        ("desired", 200, "cleared: done (LightSwitch version 1, TargetTemperature version 1)"),
    ]


async def test_a_wish_from_before_the_first_connection(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A device may be given its settings before it is there."""
    await desire(cloud, device, LightSwitch=1)
    await set_up([LAMP])
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)


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
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """They are remembered until the next connect, and not done again."""
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
    started: list[object] = []
    go_on = asyncio.Event()

    async def slow(call: ServiceCall) -> None:
        started.append(call.data["value"])
        await go_on.wait()

    hass.services.async_register("test", "slow", slow)
    actions = [{"action": "test.slow", "data": {"value": "{{ value }}"}}]
    entry = await set_up([{**LAMP, "aspect": "actions", "entity": "", "access": "control", "actions": actions}])
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


async def test_a_reply_lost_while_clearing(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
) -> None:
    """The version is remembered over a restart, so that the same wish is not done twice, and the next one is."""
    entry = await set_up([LAMP])
    await away(cloud, device, entry, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch"))
    key = f"aliyun_iot.{entry.entry_id}.unsent"
    assert await hass.config_entries.async_unload(entry.entry_id)
    await desire(cloud, device, LightSwitch=0)
    hass_storage[key]["data"]["desired"] = {"LightSwitch": {"version": 2, "since": 1, "done": True}}
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)
    await until(lambda: journal(entry)[-1][2] == "cleared: done before (LightSwitch version 2)")

    await away(cloud, device, entry, LightSwitch=0)
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)


async def test_a_wish_after_a_long_absence(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
) -> None:
    """Nobody knows how old it is, so it is cleared and not done; 0 hours means that it is done all the same."""
    day = 25 * 3_600_000
    data = {"offline_since": int(dt_util.utcnow().timestamp() * 1000) - day}
    hass_storage["aliyun_iot.here.unsent"] = {"version": 1, "data": data}
    await desire(cloud, device, LightSwitch=1)
    entry = await set_up([LAMP], entry_id="here")
    await until(lambda: cleared(device, "LightSwitch"))
    assert not is_on(hass)
    await until(lambda: journal(entry)[-1][2] == "cleared: not done, because it may be too old (LightSwitch version 1)")

    assert await hass.config_entries.async_unload("here")
    hass_storage["aliyun_iot.here.unsent"]["data"] |= data
    hass.config_entries.async_update_entry(entry, options={**entry.options, "desired_hours": 0})
    await desire(cloud, device, LightSwitch=1)
    assert await hass.config_entries.async_setup("here")
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)


async def test_a_wish_that_is_not_allowed_now_waits(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same conditions guard it as any command; it is tried again until they hold."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.RETRY_INTERVAL", 0.05)
    hass.states.async_set("person.ada", "not_home")
    condition = [{"condition": "state", "entity_id": "person.ada", "state": "home"}]
    entry = await set_up([{**LAMP, "condition": condition}])
    await away(cloud, device, entry, LightSwitch=1)
    await until(lambda: any(code == 100003 for _, code, _ in journal(entry)))
    assert not cleared(device, "LightSwitch")
    assert not is_on(hass)
    hass.states.async_set("person.ada", "home")
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)


async def test_a_wish_that_waits_too_long_is_given_up(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be done for a day is not wanted any more."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.RETRY_INTERVAL", 0.05)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.HOUR_MS", 10)
    hass.states.async_remove("input_boolean.lamp")
    entry = await set_up([LAMP])
    await away(cloud, device, entry, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch"))
    assert any(code == 100004 for _, code, _ in journal(entry))
    await until(lambda: "may be too old" in journal(entry)[-1][2])


async def test_a_wish_that_can_never_be_done(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cleared at once; what is fine beside it is done."""
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.RETRY_INTERVAL", 0.05)
    entry = await set_up([LAMP, TARGET])
    await away(cloud, device, entry, TargetTemperature=4000.0, LightSwitch=1)
    await until(lambda: cleared(device, "LightSwitch", "TargetTemperature"))
    assert is_on(hass)
    assert float(hass.states.get("input_number.target").state) == 20
    await until(lambda: any("can't be" in message for _, _, message in journal(entry)))


async def test_a_newer_wish_is_not_cleared(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Only the version that was done is cleared; what came meanwhile is a wish of its own."""
    entry = await set_up([LAMP])
    await away(cloud, device, entry, LightSwitch=1)
    await until(lambda: uplinks(cloud, CLEAR))
    assert uplinks(cloud, CLEAR)[0][1] == {"LightSwitch": {"version": 1}}
    await desire(cloud, device, LightSwitch=0)
    await until(lambda: not is_on(hass))
    await until(lambda: cleared(device, "LightSwitch"))
    assert device.desired["LightSwitch"].version == 2


async def test_what_the_cloud_may_not_set_is_not_asked_for(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A binding that only reports has nothing to do with desires, and a house without control asks for none."""
    entry = await set_up([{**LAMP, "access": "report"}])
    await away(cloud, device, entry, LightSwitch=1)
    await device.wait_for(lambda one: one.online)
    await caught_up(entry)
    await hass.async_block_till_done()
    assert not uplinks(cloud, "/thing/property/desired/get")


async def test_a_cloud_without_desired_values(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Where nobody answers the question it is asked once a connection, and everything else goes on."""
    cloud.faults.set(answer_code={"code": 6813})
    entry = await set_up([LAMP])
    await until(lambda: uplinks(cloud, "/thing/property/desired/get"))
    cloud.faults.set(answer_code=None)
    await caught_up(entry)
    await cloud.call(
        "SetDeviceProperty",
        ProductKey=device.product_key,
        DeviceName=device.device_name,
        Items=json.dumps({"LightSwitch": 1}),
    )
    await device.wait_for(lambda one: one.properties.get("LightSwitch", (None,))[0] == 1)
    assert len(uplinks(cloud, "/thing/property/desired/get")) == 1
