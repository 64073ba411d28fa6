"""From the first connection to the first values that the cloud has taken."""

from datetime import timedelta
import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.flows.thing_model_pages import GUIDED
from custom_components.aliyun_iot.mapping.binding import Binding
from custom_components.aliyun_iot.sensor import UPDATE_INTERVAL
from custom_components.aliyun_iot.stored_device import model_document
from simulator import CloudDevice, CodeFault, Simulator, ThingModel

from .conftest import SetUp
from .house import LAMP, bound, entry_with, furnish, selected
from .walk import Walk, translations

NO_MODEL: dict[str, Any] = {"thing_model": None}


@pytest.fixture(autouse=True)
def home(hass: HomeAssistant) -> None:
    """Furnish the house."""
    furnish(hass)


async def guided(hass: HomeAssistant, entry: MockConfigEntry) -> Walk:
    """Open the options as the config flow does when the entry is created."""
    manager = hass.config_entries.options
    walk = Walk(manager, translations()["options"], await manager.async_init(entry.entry_id, data=GUIDED))
    return await walk.settle()


async def test_from_the_first_connection_to_the_first_values(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any]
) -> None:
    """The thing model is fetched, offered and used; then entities are bound, and the cloud takes their values."""
    entry = await set_up(options=NO_MODEL)
    walk = await guided(hass, entry)
    assert walk.step == "thing_model_offer"
    assert walk.result["menu_options"] == [
        "thing_model_use", "thing_model_upload", "thing_model_paste", "overview"
    ]  # fmt: skip
    count = len(thing_model_document["properties"])
    assert "online since" in walk.description()
    assert f"The product defines {count} properties: Light switch, Brightness" in walk.description()
    assert walk.description().endswith(f"and {count - 10} more. Use them?")

    await walk.choose("thing_model_use")
    assert model_document(entry)
    assert walk.step == "select"
    await walk.submit(**selected(LAMP, "sensor.cellar"))
    await walk.submit(**walk.values)
    await walk.submit()
    assert walk.step == "init"
    assert walk.description().startswith(
        "**Bound: 4. Accepted by the cloud: 3.**\n\nNothing to report at the moment: 1."  # its color temperature
    )
    assert "4 bound · no problems" in walk.description()
    assert device.properties.keys() >= {"LightSwitch", "Brightness", "CurrentTemperature"}
    assert walk.result["menu_options"][0] == "select"


async def test_refused_values_are_shown_with_their_reasons(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any]
) -> None:
    """In the language of the installation; what has no value is only counted."""
    hass.config.language = "zh-Hans"
    entry = await set_up()
    rows = thing_model_document["properties"]
    device.thing_model = ThingModel.parse(
        {**thing_model_document, "properties": [row for row in rows if row["identifier"] != "Brightness"]}
    )
    hass.states.async_set("sensor.cellar", "unknown", hass.states.get("sensor.cellar").attributes)
    walk = await Walk.options(hass, entry, "select")
    await walk.submit(**selected(LAMP, "sensor.cellar"))
    await walk.submit(**walk.values)
    await walk.submit()
    said = walk.result["description_placeholders"]["done"]
    assert said.startswith("**已绑定 4 项，云端已接受 1 项。**")
    assert "**未被接受**\n- Brightness：产品没有该属性，请核对此处与控制台的物模型（" in said
    assert said.endswith("目前没有可上报的值：2 项。")
    async_fire_time_changed(hass, dt_util.utcnow() + UPDATE_INTERVAL + timedelta(seconds=1))
    await hass.async_block_till_done()
    problems = hass.states.get("sensor.gw_1_problems").attributes["problems"]
    assert problems["Brightness"].startswith("产品没有该属性")
    assert "1 个问题" in walk.result["description_placeholders"]["status"]


async def test_cloud_that_does_not_answer(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bindings are stored, and the menu says what is missing."""
    monkeypatch.setattr("custom_components.aliyun_iot.flows.bulk_pages.REPLY_PATIENCE", 0.05)
    entry = await set_up()
    cloud.faults.set(ignore_topics=["thing/event/property/post"])
    walk = await Walk.options(hass, entry, "select")
    await walk.submit(**selected("sensor.cellar"))
    await walk.submit(**walk.values)
    await walk.submit()
    assert walk.description().startswith("**Bound: 1. Accepted by the cloud: 0.**")
    assert "The cloud has not answered yet: CurrentTemperature." in walk.description()


async def test_several_steps_in_one_dialog(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any]
) -> None:
    """Every save returns to the menu, which says what was done, and the next page starts anew."""
    entry = await set_up()
    walk = await Walk.options(hass, entry, "settings")
    await walk.submit(keep_alive=60, window=0.01, commands={})
    assert walk.description().startswith("The settings are saved.")
    await walk.choose("select")
    await walk.submit(**selected("sensor.cellar"))
    await walk.submit(**walk.values)
    await walk.submit()
    assert walk.description().startswith("**Bound: 1. Accepted by the cloud: 1.**")
    await walk.choose("select")
    assert "target" not in walk.values
    await walk.submit(**selected(LAMP))
    await walk.submit(bindings=["LightSwitch"])
    await walk.submit()
    assert bound(entry).keys() == {"CurrentTemperature", "LightSwitch"}
    await walk.choose("transfer", "export_mapping")
    await walk.submit(mapping="whatever")
    assert (walk.step, walk.saved) == ("init", False)
    await walk.choose("thing_model", "thing_model_forget")
    await walk.submit()
    assert walk.description().startswith("The thing model is removed.")
    assert bound(entry)["LightSwitch"] == Binding("LightSwitch", LAMP, "power", "both")


async def test_instance_that_does_not_provide_the_thing_model(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any]
) -> None:
    """The other ways are offered; one leads to the same question."""
    entry = await set_up(options=NO_MODEL)
    cloud.faults.answer_code = CodeFault(6321, 1)
    walk = await guided(hass, entry)
    assert walk.result["menu_options"] == [
        "thing_model_upload", "thing_model_paste", "thing_model_fetch", "select_anyway", "overview"
    ]  # fmt: skip
    await walk.choose("thing_model_paste")
    await walk.submit(
        thing_model=json.dumps(thing_model_document | {"properties": thing_model_document["properties"][:1]})
    )
    assert walk.description().endswith("The product defines 1 property: Light switch. Use it?")
    await walk.choose("overview")
    assert not model_document(entry)


async def test_product_without_properties(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, thing_model_document: dict[str, Any]
) -> None:
    """The road ends at the menu, as nothing can be bound."""
    entry = await set_up(options=NO_MODEL)
    device.thing_model = ThingModel.parse(thing_model_document | {"properties": []})
    walk = await guided(hass, entry)
    assert "defines no properties yet" in walk.description()
    await walk.choose("thing_model_use")
    assert walk.step == "init"


async def test_thing_model_that_is_there_already(hass: HomeAssistant, thing_model_document: dict[str, Any]) -> None:
    """Nothing is fetched."""
    walk = await guided(hass, entry_with(hass, {"thing_model": thing_model_document}))
    assert walk.step == "init"


async def test_dialog_closed_while_the_cloud_is_asked(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """The request ends with the flow."""
    entry = await set_up(options=NO_MODEL)
    cloud.faults.set(ignore_topics=["thing/dsltemplate/get"])
    manager = hass.config_entries.options
    page = await manager.async_init(entry.entry_id, data=GUIDED)
    assert page["type"] is FlowResultType.SHOW_PROGRESS
    flow = manager._progress[page["flow_id"]]
    task = flow.async_get_progress_task()
    manager.async_abort(page["flow_id"])
    await hass.async_block_till_done()
    assert task.cancelled()


async def test_progress_over_http(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """The frontend asks for the page again, which is the progress or what follows."""
    entry = await set_up(options=NO_MODEL)
    assert await async_setup_component(hass, "config", {})
    client = await hass_client()
    page = await hass.config_entries.options.async_init(entry.entry_id, data=GUIDED)
    await hass.async_block_till_done()
    answer = await client.get(f"/api/config/config_entries/options/flow/{page['flow_id']}")
    assert (await answer.json())["step_id"] == "thing_model_offer"
