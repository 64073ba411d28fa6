"""Sixty devices of the house become sixty sub-devices of five products, in one pass of the pages."""

from collections.abc import AsyncIterator
import re
import secrets

from playwright.async_api import Browser, Locator, expect
import pytest

from demo.flows import Flow
from demo.words import Language

from .chromium import visit
from .evidence import Evidence
from .examine import examine
from .house import SHOWROOM, House, house
from .person import Person

STEP = "config_subentries.sub_device.step"

PRODUCTS = {
    "Acme B1": "a1Showblind",
    "Acme C1": "a1Showclima",
    "Acme L1": "a1ShowLamps",
    "Acme M1": "a1ShowMotio",
    "Acme P1": "a1ShowPlugs",
}


@pytest.fixture(scope="module", params=list(Language))
async def showroom(
    request: pytest.FixtureRequest, browser: Browser, evidence: Evidence, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    """Run a house with sixty devices, and a cloud with a product for each kind."""
    async with house(tmp_path_factory.mktemp("showroom"), request.param, evidence, SHOWROOM) as running:
        await Flow.start(running.home, "add", "showroom")
        for product_key in PRODUCTS.values():
            running.cloud.simulator.add_product(product_key, dynamic_registration=True)
        yield running
        await examine(browser, running)


async def test_sixty_devices(browser: Browser, showroom: House, request: pytest.FixtureRequest) -> None:
    """From the integration's page to sixty devices online, with every page complete and in one language."""
    async with visit(browser, showroom) as context:
        person = Person(await context.new_page(), showroom, pictures=request.config.getoption("--pictures"))
        await add_sixty_devices(person)
    assert not person.complaints, "\n".join(person.complaints)


async def add_sixty_devices(person: Person) -> None:
    """From “Add sub-devices” to the page of the integration with all of them."""
    page, showroom = person.page, person.house
    t = showroom.t
    await person.open("/config/integrations/integration/aliyun_iot")
    await person.click(page.get_by_role("button", name=t("config_subentries.sub_device.initiate_flow.user")))
    dialog = page.locator("dialog-data-entry-flow")

    # All devices of an integration.
    await person.click(dialog.get_by_role("button", name=t(f"{STEP}.select.data.integrations"), exact=True).first)
    found = page.locator("ha-picker-combo-box")
    await found.locator("input").fill("Showroom")
    await person.click(found.locator("ha-combo-box-item").filter(has_text="Showroom").first)
    await seen(person, dialog)
    await person.click(forward(dialog))
    await expect(dialog.get_by_role("checkbox")).to_have_count(60)
    await seen(person, dialog)
    await person.click(forward(dialog))

    # A product for each kind, and the thing model that is made for it.
    for number, (kind, product_key) in enumerate(PRODUCTS.items(), 1):
        title = t(f"{STEP}.product.title", kind=kind, number=number, of=len(PRODUCTS))
        await expect(dialog.get_by_text(title)).to_be_visible()
        await dialog.locator("ha-selector-text input").first.fill(product_key)
        await seen(person, dialog)
        await person.click(forward(dialog))
    for product_key in sorted(PRODUCTS.values()):
        await expect(dialog.get_by_text(t(f"{STEP}.model.title", product=product_key))).to_be_visible()
        await expect(dialog.locator("textarea").first).to_have_value(re.compile(product_key))
        await seen(person, dialog)
        await person.click(forward(dialog))

    # The gateway registers them: they are created in the cloud with the names that are shown.
    await expect(dialog.get_by_text(t(f"{STEP}.source.title"))).to_be_visible()
    await seen(person, dialog)
    await person.click(dialog.get_by_text(t(f"{STEP}.source.menu_options.register")))
    names = dialog.locator("textarea").first
    await expect(names).to_have_value(re.compile("ke-ting-deng-1 = 客厅灯 1"))
    lines = (await names.input_value()).splitlines()
    assert len(lines) == 60
    kinds = {
        "窗帘": "a1Showblind",
        "温湿度计": "a1Showclima",
        "灯": "a1ShowLamps",
        "人体": "a1ShowMotio",
        "插座": "a1ShowPlugs",
    }
    devices = []
    for line in lines:
        name, title = line.split(" = ")
        product_key = next(key for word, key in kinds.items() if word in title)
        devices.append(showroom.cloud.simulator.add_device(product_key, name, secrets.token_hex(16)))
    await seen(person, dialog)
    await person.picture("gateway.names", dialog.locator("ha-dialog dialog").first)
    await person.click(forward(dialog))

    # All of them come online, and the last page says so.
    await person.wait(lambda: all(device.online for device in devices))
    await expect(
        dialog.get_by_text(t(f"{STEP}.added.description", count=60, online=60, failed="").strip())
    ).to_be_visible()
    await seen(person, dialog)
    await person.wait(lambda: all(device.properties for device in devices))
    await person.click(forward(dialog))
    await person.click(dialog.get_by_role("button").last)
    await expect(page.get_by_text("客厅灯 1", exact=True).first).to_be_visible()
    await person.picture("gateway.integration")


def forward(dialog: Locator) -> Locator:
    """Return the button that submits a page."""
    return dialog.locator("ha-dialog-footer ha-button, ha-button[slot=primaryAction]").last


async def seen(person: Person, dialog: Locator) -> None:
    """Look at a page once it is complete."""
    await person.page.wait_for_timeout(300)
    await person.look(dialog.locator("step-flow-form, step-flow-menu, step-flow-abort").first)
