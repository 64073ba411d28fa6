"""The page of the integration, with both sides of every binding."""

import re

from playwright.async_api import Locator, expect
import pytest

from .person import Person

TABS = ("bindings", "devices", "commands", "wire", "traffic", "model")


async def open_panel(person: Person, tab: str = "bindings", query: str = "") -> Locator:
    """Open the page at a tab and return it once its content is there."""
    await person.open(f"/aliyun-iot/{person.house.entry_id}/{tab}{query}")
    panel = person.page.locator("aliyun-iot-panel")
    await expect(panel.locator(f"aliyun-{tab}-tab")).to_be_visible()
    return panel


def row(panel: Locator, identifier: str) -> Locator:
    """Return the row of a property."""
    return panel.get_by_role("row").filter(has=panel.page.get_by_text(identifier, exact=True))


@pytest.mark.parametrize("tab", TABS)
async def test_tab(person: Person, tab: str) -> None:
    """Every tab is complete, accessible, and in one language."""
    panel = await open_panel(person, tab)
    await expect(panel.get_by_text("…", exact=True)).to_have_count(0)
    if tab == "bindings":
        await expect(row(panel, "LightSwitch")).to_be_visible()
    await person.look(panel, accessible=True)
    if tab in ("bindings", "traffic"):
        await person.picture(f"panel-{tab}")


async def test_live_value(person: Person) -> None:
    """A new state shows up on both sides by itself."""
    panel = await open_panel(person)
    temperature = row(panel, "CurrentTemperature")
    await expect(temperature).to_contain_text(person.house.t("common.panel_state_in_step"))
    for value in ("23.4", "22.8"):
        await set_temperature(person, value)
        await expect(temperature.get_by_text(value, exact=True)).to_have_count(3)  # in HA, sent, and taken


async def set_temperature(person: Person, value: str) -> None:
    """Move the helper behind the temperature."""
    await person.house.home.run_action(
        "input_number.set_value", {"entity_id": "input_number.room_temperature", "value": float(value)}
    )


async def test_edit_and_undo(person: Person) -> None:
    """One binding is found, opened, changed and changed back."""
    house = person.house
    panel = await open_panel(person)
    person.clicks = 0
    await panel.get_by_role("searchbox").fill("EnergyTotal")
    await person.click(row(panel, "EnergyTotal"))
    editor = panel.locator("aliyun-binding-editor")
    await expect(editor.locator("form")).to_be_visible()
    conversion = editor.locator("details").filter(has=editor.page.locator("[name='conversion.scale']"))
    await expect(conversion).to_have_count(1)
    await person.look(editor, accessible=True)
    await person.click(conversion.locator("summary"))
    await conversion.locator("[name='conversion.scale']").fill("2")
    await person.picture("panel-edit")
    await person.click(editor.locator("button.primary"))
    await expect(editor).to_have_count(0)
    await expect(row(panel, "EnergyTotal").get_by_text("2469.134").first).to_be_visible()
    assert person.clicks <= 3
    await person.wait(lambda: house.cloud.value("EnergyTotal") == 2469.134)

    await person.click(panel.get_by_role("button", name=house.t("common.panel_undo"), exact=True))
    await expect(row(panel, "EnergyTotal").get_by_text("1234.567").first).to_be_visible()
    await person.wait(lambda: house.cloud.value("EnergyTotal") == 1234.567)


@pytest.mark.parametrize(("name", "value"), [("conversion.scale", "0"), ("reporting.min_interval", "99999")])
async def test_bad_input(person: Person, name: str, value: str) -> None:
    """What a field expects is said below the field, in view and in the language of the page, and the field has the focus."""
    panel = await open_panel(person)
    await person.click(row(panel, "EnergyTotal"))
    editor = panel.locator("aliyun-binding-editor")
    section = editor.locator("details").filter(has=person.page.locator(f"[name='{name}']"))
    await person.click(section.locator("summary"))
    field = section.locator(f"[name='{name}']")
    await field.fill(value)
    await person.click(editor.locator("button.primary"))
    error = section.locator("label").filter(has=person.page.locator(f"[name='{name}']")).get_by_role("alert")
    await expect(error).to_be_in_viewport()
    await expect(error).to_contain_text(person.house.t("common.panel_expected").partition("{")[0])
    await expect(field).to_be_focused()
    await person.look(editor, accessible=True)


async def test_bad_input_for_many(person: Person) -> None:
    """It is said in the language of the page, and nothing is changed."""
    house = person.house
    panel = await open_panel(person)
    await person.click(row(panel, "EnergyTotal").get_by_role("checkbox"))
    bulk = panel.locator(".bulk")
    await bulk.locator("[name=dead_band]").fill("-1")
    await person.click(bulk.get_by_role("button", name=house.t("common.panel_apply"), exact=True))
    expected = house.t("common.panel_expected", expected=house.t("common.expected_amount"))
    await expect(bulk.get_by_role("alert")).to_have_text(expected)
    await expect(panel.get_by_role("button", name=house.t("common.panel_undo_last"))).to_have_count(0)
    await person.look(panel, accessible=True)


async def test_bulk_remove_and_undo(person: Person) -> None:
    """Several bindings are removed at once, and come back."""
    house = person.house
    panel = await open_panel(person)
    rows = panel.get_by_role("rowgroup").get_by_role("row")
    await expect(row(panel, "LightSwitch")).to_be_visible()
    person.clicks = 0
    await panel.get_by_role("searchbox").fill("light.desk_lamp")
    await expect(rows).to_have_count(4)
    await person.click(panel.get_by_role("checkbox", name=house.t("common.panel_select_all")))
    await person.click(panel.get_by_role("button", name=house.t("common.panel_remove"), exact=True))
    await expect(rows).to_have_count(0)
    assert person.clicks == 2
    await person.click(panel.get_by_role("button", name=house.t("common.panel_undo"), exact=True))
    await expect(rows).to_have_count(4)


async def test_wire(person: Person) -> None:
    """Messages are shown as they pass, and a request has its reply."""
    panel = await open_panel(person, "wire")
    await expect(panel.get_by_text(person.house.t("common.panel_no_messages"))).to_be_visible()
    await set_temperature(person, "24.1")
    posted = panel.locator(".message").filter(has=person.page.get_by_text(re.compile("/thing/event/property/post$")))
    await expect(posted).to_have_count(1)
    replied = panel.locator(".message").filter(has_text="thing/event/property/post_reply")
    await expect(replied).to_have_count(1)
    await person.click(posted.locator("button"))
    await expect(posted.locator("pre")).to_contain_text("24.1")
    await expect(replied).to_have_class(re.compile("matched"))
    await person.look(panel, accessible=True)
    await person.picture("panel-wire")


async def test_commands(person: Person) -> None:
    """A command of the cloud is shown as it is carried out."""
    panel = await open_panel(person, "commands")
    await person.house.cloud.call(person.house.session, "SetDeviceProperty", Items={"CoffeeMachineSwitch": 1})
    await expect(panel.get_by_text("CoffeeMachineSwitch").first).to_be_visible()
    await expect(panel.get_by_text("200").first).to_be_visible()
    await person.look(panel, accessible=True)
    await person.picture("panel-commands")


@pytest.mark.phone
@pytest.mark.parametrize("tab", TABS)
async def test_phone(person: Person, tab: str) -> None:
    """On a phone, nothing is wider than the screen."""
    panel = await open_panel(person, tab)
    if tab == "bindings":
        await expect(row(panel, "CoffeeMachineSwitch")).to_be_visible()
    await person.look(panel, accessible=True)
    assert await person.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    inner = await panel.locator("main").evaluate("(main) => main.scrollWidth <= main.clientWidth")
    assert inner, "the tab scrolls sideways"
    if tab == "bindings":
        await person.picture("panel-phone")
