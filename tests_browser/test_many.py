"""What takes a few clicks among the few bindings of a home takes no more among hundreds: the numbers of docs/panel.md."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path

from playwright.async_api import Browser, Locator, expect
import pytest

from demo.flows import Flow, import_thing_model
from demo.home_client import Json
from demo.words import Language
from simulator import ThingModel

from .evidence import Evidence
from .examine import examine
from .house import METERS, House, house
from .meters import QUANTITIES, Sensor
from .person import Person
from .test_panel import row

SENSORS = 500


def thing_model(count: int, **limits: float) -> dict[str, Json]:
    """Return the thing model of a product for these sensors; `limits` are upper limits by identifier."""
    properties: list[Json] = [
        {
            "identifier": sensor.unique_id,
            "name": f"{sensor.meter} {sensor.quantity}",
            "accessMode": "r",
            "required": False,
            "dataType": {
                "type": "double",
                "specs": {
                    "min": "-1000000",
                    "max": str(limits.get(sensor.unique_id, 1000000)),
                    "step": "0.01",
                    "unit": QUANTITIES[sensor.quantity],
                },
            },
        }
        for sensor in map(Sensor, range(count))
    ]
    return {"properties": properties, "events": [], "services": []}


async def bind(house: House, count: int) -> None:
    """Let exactly this many sensors be bound, by importing a mapping."""
    mapping: dict[str, Json] = {
        "format": "aliyun_iot_mapping",
        "version": 1,
        "bindings": {
            sensor.entity_id: [{"identifier": sensor.unique_id, "aspect": "value"}]
            for sensor in map(Sensor, range(count))
        },
    }
    await house.home.run_action(
        "aliyun_iot.import_mapping", {"config_entry_id": house.entry_id, "mapping": mapping, "mode": "replace"}
    )


@asynccontextmanager
async def crowd(folder: Path, language: Language, evidence: Evidence, sensors: int) -> AsyncIterator[House]:
    """Run a house with many meters, and a product that defines a property for each sensor."""
    async with house(folder, language, evidence, METERS) as running:
        await (await Flow.start(running.home, "add", "meters")).fill("user", {"sensors": sensors})
        model = thing_model(sensors)
        running.cloud.device.thing_model = ThingModel.parse(model)
        await import_thing_model(running.home, running.entry_id, json.dumps(model))
        yield running


@pytest.fixture(scope="module", params=list(Language), name="house")
async def _house(
    request: pytest.FixtureRequest, browser: Browser, evidence: Evidence, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Run a house with a hundred meters in place of the house of the other tests."""
    async with crowd(tmp_path_factory.mktemp("many"), request.param, evidence, SENSORS) as running:
        yield running
        await examine(browser, running)


async def open_full(person: Person, count: int) -> Locator:
    """Bind as many sensors, and open the page from the sidebar once the cloud has all values."""
    await bind(person.house, count)
    await person.wait(lambda: person.house.cloud.value(Sensor(count - 1).unique_id) is not None)
    panel = await open_from_sidebar(person)
    await shown(person, panel, count, count)
    await expect(panel.locator(".status")).to_contain_text(person.house.t("common.panel_no_problems"))
    return panel


async def open_from_sidebar(person: Person) -> Locator:
    """Go to the page with one click, from anywhere in Home Assistant; clicks count from here."""
    await person.open("/config/dashboard")
    person.clicks = 0
    await person.click(person.page.locator("ha-sidebar").locator("[href='/aliyun-iot']"))
    panel = person.page.locator("aliyun-iot-panel")
    await expect(panel.locator("aliyun-bindings-tab")).to_be_visible()
    return panel


def all_rows(panel: Locator) -> Locator:
    """Return the rows that are rendered."""
    return panel.get_by_role("rowgroup").get_by_role("row")


async def test_change_the_scale_of_one_of_300(person: Person) -> None:
    """It is found by typing, and takes four clicks: the page, the row, the conversion, and to save."""
    sensor = Sensor(217)
    panel = await open_full(person, 300)
    await panel.get_by_role("searchbox").fill(f"{sensor.meter} {sensor.quantity}")
    await expect(all_rows(panel)).to_have_count(1)
    await person.click(row(panel, sensor.unique_id))
    editor = panel.locator("aliyun-binding-editor")
    conversion = editor.locator("details").filter(has=editor.page.locator("[name='conversion.scale']"))
    await person.click(conversion.locator("summary"))
    await conversion.locator("[name='conversion.scale']").fill("2")
    await person.click(editor.locator("button.primary"))
    await expect(editor).to_have_count(0)
    assert person.clicks == 4
    await person.wait(lambda: person.house.cloud.value(sensor.unique_id) == 2 * sensor.value)


async def test_remove_50_of_500(person: Person) -> None:
    """Those that have something in common take three clicks, and undoing it one."""
    t = person.house.t
    panel = await open_full(person, 500)
    await panel.get_by_role("searchbox").fill("3F-")
    await shown(person, panel, 50, 500)
    await person.click(panel.get_by_role("checkbox", name=t("common.panel_select_all")))
    await person.click(panel.get_by_role("button", name=t("common.panel_remove"), exact=True))
    await shown(person, panel, 0, 450)
    assert person.clicks == 3
    await person.click(panel.get_by_role("button", name=t("common.panel_undo"), exact=True))
    await shown(person, panel, 50, 500)
    assert person.clicks == 4


async def test_remove_50_of_500_in_a_row(person: Person) -> None:
    """Any others take four clicks: the page, the first, the last with Shift, and to remove them."""
    t = person.house.t
    panel = await open_full(person, 500)
    await person.click(all_rows(panel).nth(3).get_by_role("checkbox"))
    await panel.locator(".viewport").evaluate("(viewport) => viewport.scrollTo(0, 45 * 56)")
    await person.click(panel.locator("[aria-rowindex='54']").get_by_role("checkbox"), shift=True)
    await expect(panel.get_by_text(t("common.panel_selected", count=50), exact=True)).to_be_visible()
    await person.click(panel.get_by_role("button", name=t("common.panel_remove"), exact=True))
    await shown(person, panel, 450, 450)
    assert person.clicks == 4


async def test_why_one_of_500_is_missing(person: Person) -> None:
    """It takes two clicks to see the only property that the cloud has not taken, with the reason: the page, and the problem."""
    house, missing = person.house, Sensor(321)
    t = house.t
    panel = await open_full(person, 500)
    house.cloud.device.thing_model = ThingModel.parse(thing_model(SENSORS, **{missing.unique_id: 1.0}))
    await panel.get_by_role("button", name=t("common.panel_post_everything")).click()
    problems = panel.get_by_role("button", name=t("common.panel_problems", count=1))
    await expect(problems).to_be_visible()
    await person.click(problems)
    await expect(all_rows(panel)).to_have_count(1)
    await expect(row(panel, missing.unique_id)).to_contain_text(t("common.panel_state_rejected"))
    assert person.clicks == 2
    await person.look(panel, accessible=True)

    house.cloud.device.thing_model = ThingModel.parse(thing_model(SENSORS))
    await panel.get_by_role("button", name=t("common.panel_post_everything")).click()
    await shown(person, panel, 0, 500)


async def test_why_it_is_disconnected(person: Person) -> None:
    """The page in the sidebar says it: one click."""
    house = person.house
    device = house.cloud.device
    device.disabled = True
    device.connection.close("disabled by the test")
    panel = await open_from_sidebar(person)
    status = panel.locator(".status")
    await expect(status).to_contain_text(house.t("common.panel_offline"))
    await expect(status).to_contain_text(house.t("exceptions.invalid_auth.message"))
    assert person.clicks == 1
    await person.look(panel, accessible=True)
    device.disabled = False
    await house.request("POST", f"config/config_entries/entry/{house.entry_id}/reload")
    await expect(status).not_to_contain_text(house.t("common.panel_offline"))


async def shown(person: Person, panel: Locator, count: int, of: int) -> None:
    """Wait until so many rows are shown."""
    text = person.house.t("common.panel_shown", shown=count, all=of)
    await expect(panel.get_by_text(text, exact=True)).to_be_visible()
