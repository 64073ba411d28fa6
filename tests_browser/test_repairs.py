"""A problem with many bindings is told and solved under Repairs."""

import json
from typing import cast

from playwright.async_api import Locator, expect
import pytest

from demo.flows import import_thing_model
from demo.home_client import Json

from .dialog import Dialog
from .house import House
from .person import Person
from .test_panel import open_panel, row

LEFT_OUT = ("EnergyTotal", "HouseMode")
ISSUE = "issues.thing_model_mismatch.fix_flow"


async def use_model_without(house: House, *identifiers: str) -> None:
    """Let the integration have a thing model without some properties."""
    model = json.loads(house.cloud.thing_model)
    model["properties"] = [each for each in model["properties"] if each["identifier"] not in identifiers]
    await import_thing_model(house.home, house.entry_id, json.dumps(model))


@pytest.fixture(autouse=True)
async def model_as_before(house: House) -> None:
    """Let the house have its own thing model again afterwards."""
    yield
    await use_model_without(house)


async def problem(person: Person) -> Locator:
    """Open the list of repairs and return the row of the problem."""
    await person.open("/config/repairs")
    repairs = person.page.locator("ha-config-repairs")
    row = repairs.locator("ha-list-item, ha-list-item-button, ha-md-list-item").filter(has_text="demo-house")
    await expect(row).to_have_count(1)
    await person.look(repairs)
    return row


async def test_fetching_the_thing_model_solves_it(person: Person) -> None:
    """The flow lists what is broken, fetches the thing model, and the issue is gone."""
    await use_model_without(person.house, *LEFT_OUT)
    row = await problem(person)
    dialog = Dialog(person, ISSUE)
    await dialog.open(row)
    for identifier in LEFT_OUT:
        await expect(dialog.box).to_contain_text(identifier)
    await person.look(dialog.box)
    await person.picture("repair", dialog.surface)
    await dialog.choose("fetch")
    await person.look(dialog.box)
    await dialog.submit()
    assert dialog.step["type"] == "create_entry", dialog.step
    listed = cast("dict[str, list[dict[str, Json]]]", await person.house.home.command("repairs/list_issues"))
    assert [issue for issue in listed["issues"] if issue["domain"] == "aliyun_iot"] == []


async def test_reason_is_found_without_a_click(person: Person) -> None:
    """On the page with both sides, a search shows the property with the reason."""
    await use_model_without(person.house, *LEFT_OUT)
    panel = await open_panel(person)
    person.clicks = 0
    await panel.get_by_role("searchbox").fill("EnergyTotal")
    await expect(row(panel, "EnergyTotal")).to_contain_text(person.house.t("common.panel_state_not_in_model"))
    assert person.clicks == 0


async def test_every_page_of_the_repair(person: Person) -> None:
    """The lists of what would be removed are complete, too."""
    await use_model_without(person.house, *LEFT_OUT)
    for option in ("remove_all", "remove_some"):
        dialog = Dialog(person, ISSUE)
        await dialog.open(await problem(person))
        await dialog.choose(option)
        await person.look(dialog.box)
        await dialog.close()
