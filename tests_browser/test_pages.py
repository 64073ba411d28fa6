"""Every page: no text is missing, none is English in a Chinese house, and nothing is wrong in the console."""

import re
from typing import cast

from playwright.async_api import Locator, expect
import pytest

from demo.home_client import Json

from .dialog import Dialog, visit_all
from .person import Person


async def open_integration(person: Person) -> Locator:
    """Open the page of the integration and return the row of the entry."""
    await person.open("/config/integrations/integration/aliyun_iot")
    entry = person.page.locator("ha-config-entry-row").filter(has_text="demo-house").first
    await expect(entry).to_be_visible()
    return entry


def gear(row: Locator) -> Locator:
    """Return the button that changes an entry or a subentry."""
    return row.locator("ha-icon-button[slot=end]").first


async def test_integration(person: Person) -> None:
    """The page of the integration, with everything that is bound."""
    await open_integration(person)
    await expect(person.page.locator("ha-config-sub-entry-row").first).to_be_visible()
    await person.look(person.page.locator("ha-config-integration-page"))
    await person.picture("integration")


async def test_search_for_an_identifier(person: Person) -> None:
    """A property is found on the page of the integration by its identifier."""
    await open_integration(person)
    rows = person.page.locator("ha-config-sub-entry-row")
    await expect(rows.filter(has_text="CurtainPosition")).to_be_visible()
    await (
        person.page.locator("ha-config-integration-page")
        .get_by_role("searchbox")
        .or_(person.page.locator("ha-config-integration-page ha-input-search input"))
        .first.fill("CurtainPosition")
    )
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("CurtainPosition")


async def test_device(person: Person) -> None:
    """The page of the device, with its diagnostic entities."""
    devices = cast("list[dict[str, Json]]", await person.house.home.command("config/device_registry/list"))
    [device] = [each for each in devices if person.house.entry_id in cast("list[str]", each["config_entries"])]
    await person.open(f"/config/devices/device/{device['id']}")
    page = person.page.locator("ha-config-device-page")
    await expect(page.locator("ha-device-entities-card").first).to_be_visible()
    # The text of a row begins with its state, and may have the name of the device before that of the entity.
    counted = re.compile(r"[1-9]\d*\s*(\S+ )?(Bound properties|已绑定的属性)")
    await expect(page.locator("ha-device-entities-card").filter(has_text=counted)).to_be_visible()
    await person.look(page)
    await person.picture("device")


async def test_options(person: Person) -> None:
    """Every page that a menu of the options leads to."""
    entry = await open_integration(person)
    dialog = Dialog(person, "options")
    seen = await visit_all(dialog, lambda: dialog.open(gear(entry)))
    assert {"init", "settings", "thing_model", "transfer"} <= set(seen), seen


@pytest.mark.parametrize("kind", ["exposure", "rule", "service", "event"])
async def test_subentry(person: Person, kind: str) -> None:
    """The first page of everything that can be added."""
    dialog = Dialog(person, f"config_subentries.{kind}")
    name = person.house.t(f"config_subentries.{kind}.initiate_flow.user")

    async def begin() -> None:
        await open_integration(person)
        await dialog.open(person.page.get_by_role("button", name=name, exact=True))

    assert await visit_all(dialog, begin)


async def test_reconfigure_bound_device(person: Person) -> None:
    """The pages that change what is bound of a device."""
    dialog = Dialog(person, "config_subentries.exposure")
    lamp = person.page.locator("ha-config-sub-entry-row").filter(has_text=re.compile("^\\s*(Desk lamp|台灯)"))

    async def begin() -> None:
        await open_integration(person)
        await dialog.open(gear(lamp))

    assert await visit_all(dialog, begin)


async def test_reconfigure_connection(person: Person) -> None:
    """The form with the connection."""
    entry = await open_integration(person)
    dialog = Dialog(person, "config")
    await person.click(entry.locator("ha-icon-button[slot=trigger]").first)
    await dialog.open(entry.locator("ha-dropdown-item").filter(has_text=re.compile("Reconfigure|重新配置")))
    await person.look(dialog.box)
    await dialog.close()
