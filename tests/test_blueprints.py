"""The blueprints of the repository, imported and used as by a user."""

from collections.abc import Mapping
import json
from pathlib import Path
import re
import shutil
from typing import Any

from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.components.blueprint import Blueprint
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import area_registry as ar, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest

from simulator import CloudDevice, Simulator

from .application import invoke
from .automations import ENTRY_ID
from .conftest import SetUp
from .test_translations import CHINESE
from .waiting import until

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "blueprints" / "automation" / "aliyun_iot"
REPOSITORY = "https://github.com/hass-aliyun-iot/aliyun_iot/blob/main/"
NAMES = sorted(path.name for path in FOLDER.glob("*.yaml"))

SWITCH_ON = {"action": "test.switch_on", "metadata": {}, "data": {"why": "{{ trigger.input }}"}}


@pytest.fixture(autouse=True)
def imported(hass: HomeAssistant, tmp_path: Path) -> None:
    """Put the blueprints into the folder of imported blueprints."""
    shutil.copytree(FOLDER, tmp_path / "blueprints" / "automation" / "aliyun_iot")
    hass.config.config_dir = str(tmp_path)


async def use(hass: HomeAssistant, name: str, inputs: Mapping[str, Any]) -> list[ServiceCall]:
    """Set up an automation from a blueprint and return the calls of SWITCH_ON."""
    calls: list[ServiceCall] = []
    hass.services.async_register("test", "switch_on", calls.append)
    blueprint = {"path": f"aliyun_iot/{name}", "input": {"device": ENTRY_ID, **inputs}}
    config = {"id": "1", "alias": "story", "use_blueprint": blueprint}
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    await hass.async_block_till_done()
    assert hass.states.get("automation.story").state == "on"
    return calls


@pytest.mark.parametrize("name", NAMES)
async def test_blueprint_is_valid(hass: HomeAssistant, name: str) -> None:
    """It has its source URL, and names and descriptions of itself and of every input in both languages."""
    assert await async_setup_component(hass, "automation", {})
    blueprint = (await async_get_blueprints(hass).async_get_blueprints())[f"aliyun_iot/{name}"]
    assert isinstance(blueprint, Blueprint), blueprint
    assert blueprint.validate() is None
    assert blueprint.metadata["source_url"] == f"{REPOSITORY}{(FOLDER / name).relative_to(ROOT)}"
    for one in (blueprint.metadata, *blueprint.inputs.values()):
        for text in (one["name"], one["description"]):
            assert CHINESE.search(text)
            assert re.match("[A-Z]", text)
    assert all(one["selector"] for one in blueprint.inputs.values())


async def test_cloud_service_with_answer(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The answer contains the results of the actions."""
    actions = [{**SWITCH_ON}, {"variables": {"meter": {"energy": "{{ 1000 + trigger.input.Channel }}"}}}]
    inputs = {"service": "ReadMeter", "actions": actions, "answer": {"Energy": "{{ meter.energy }}"}}
    calls = await use(hass, "cloud_service_with_answer.yaml", inputs)
    await set_up(entry_id=ENTRY_ID)
    result = await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    assert result["Success"]
    assert json.loads(result["Data"]["Result"]) == {"Energy": 1003.0}
    assert [call.data["why"] for call in calls] == [{"Channel": 3}]


async def test_alarm_event(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output contains the area, and an event without a connection is posted after the next connect."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.mqtt.pacing.FIRST_DELAY", 0.2)
    registry = er.async_get(hass)
    smoke = registry.async_get_or_create("binary_sensor", "test", "smoke", suggested_object_id="smoke").entity_id
    registry.async_update_entity(smoke, area_id=ar.async_get(hass).async_create("Kitchen").id)
    hass.states.async_set(smoke, "off", {"friendly_name": "Smoke"})
    output = {"Zone": "{{ area }}: {{ sensor }}", "Temperature": "{{ 61 }}"}
    await use(hass, "alarm_event.yaml", {"sensors": [smoke], "event": "HighTemperatureAlarm", "output": output})
    entry = await set_up(entry_id=ENTRY_ID)
    hass.states.async_set(smoke, "on", {"friendly_name": "Smoke"})
    await device.wait_for(lambda one: len(one.events) == 1)
    assert device.events[0].output == {"Zone": "Kitchen: Smoke", "Temperature": 61.0}

    hass.states.async_set(smoke, "off")
    device.connection.close("closed by the test")
    await until(lambda: entry.runtime_data.link.state != "online")
    hass.states.async_set(smoke, "on")
    await device.wait_for(lambda one: len(one.events) == 2)


async def test_command_when_home(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """The command is refused with a reason while nobody is home, and carried out otherwise."""
    hass.states.async_set("person.ann", "not_home")
    hass.states.async_set("person.bob", "not_home")
    people = ["person.ann", "person.bob"]
    inputs = {"service": "ReadMeter", "people": people, "actions": [SWITCH_ON], "refusal": "nobody here"}
    calls = await use(hass, "command_when_home.yaml", inputs)
    await set_up(entry_id=ENTRY_ID)
    result = await invoke(cloud, device, "ReadMeter", {"Channel": 3})
    assert (result["Code"], result["ErrorMessage"]) == ("100003", "nobody here")
    assert not calls

    hass.states.async_set("person.bob", "home")
    assert (await invoke(cloud, device, "ReadMeter", {"Channel": 3}))["Success"]
    assert len(calls) == 1


def test_every_blueprint_is_tested() -> None:
    """Each has a test above."""
    assert NAMES == ["alarm_event.yaml", "cloud_service_with_answer.yaml", "command_when_home.yaml"]
