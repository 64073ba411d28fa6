"""What an application wants while the device is away is done once, by the rules for every command, and then cleared."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from simulator import CloudDevice, Simulator

from .application import LAMP, TARGET
from .conftest import SetUp
from .outages import DESIRED, caught_up, quick_to_return, uplinks
from .waiting import until
from .wishes import CLEAR, away, cleared, desire, is_on, journal, slow_lamp


@pytest.fixture(autouse=True)
async def home(house: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Furnish the house, and let connections come back soon."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr("custom_components.aliyun_iot.reports.desired_values.SETTLE_DELAY", 0.05)


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


async def test_a_wish_whose_actions_outlast_the_connection(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """They run on, so that they are not to be started again by the next connection."""
    binding, started, go_on = slow_lamp(hass)
    entry = await set_up([binding])
    await away(cloud, device, entry, LightSwitch=1)
    await until(lambda: started)
    asked = len(uplinks(cloud, DESIRED))
    device.connection.close("again")
    await until(lambda: len(uplinks(cloud, DESIRED)) > asked)
    go_on.set()
    await until(lambda: cleared(device, "LightSwitch"))
    assert started == [True]


async def test_a_wish_from_before_the_first_connection(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """A device may be given its settings before it is there."""
    await desire(cloud, device, LightSwitch=1)
    await set_up([LAMP])
    await until(lambda: cleared(device, "LightSwitch"))
    assert is_on(hass)


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
