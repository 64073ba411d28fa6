"""“Create it for me”: nothing is prepared in the cloud but an AccessKey, and the cloud verifies signatures."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
import re

from playwright.async_api import Browser, Locator, expect
import pytest

from demo.words import Words
from simulator import AccessKey, CloudDevice, Simulator

from .chromium import visit
from .dialog import Dialog
from .evidence import Evidence
from .examine import examine
from .house import House, parts_of, running
from .person import Person

MOST_CLICKS = 10
KEY = AccessKey("LTAI5tHomeAssistant", "s3cret-of-the-access-key-000000")
KINDS = {"light": ("Lamp", "灯"), "switch": ("Plug", "插座"), "fan": ("Fan", "风扇"), "lock": ("Lock", "门锁")}
ON_OFF = "turn_on: []\n        turn_off: []"
ACTIONS = {"light": ON_OFF, "switch": ON_OFF, "fan": ON_OFF, "lock": "lock: []\n        unlock: []"}
OF_A_KIND = 5
TWENTY = Words("Upstairs", "楼上")
ROOM = Words("Downstairs", "楼下")


@pytest.fixture
async def cloud(evidence: Evidence) -> AsyncIterator[Simulator]:
    """Run an empty cloud."""
    async with Simulator(strict_values=True, connects_per_minute=None, access_key=KEY) as simulator:
        evidence.add_cloud(simulator)
        yield simulator


async def log_in(person: Person, cloud: Simulator) -> Dialog:
    """Go to “Create it for me”, and enter the AccessKey; what only this simulator needs is not counted."""
    page, house = person.page, person.house
    await person.open("/config/integrations/dashboard")
    await person.click(page.get_by_role("button", name=re.compile("^(Add integration|添加集成)$")))
    await page.locator("dialog-add-integration input").first.fill("aliyun")
    dialog = Dialog(person, "config")
    await dialog.open(page.locator("dialog-add-integration ha-integration-list-item"))
    person.clicks = 0
    await dialog.choose("account")
    await expect(field(dialog, "access_key_id")).to_be_visible()
    await person.look(dialog.box)
    await field(dialog, "access_key_id").fill(KEY.id)
    await field(dialog, "access_key_secret").fill(KEY.secret)
    await person.picture("account-key", dialog.surface)
    clicks = person.clicks
    advanced = dialog.root.locator("ha-expansion-panel")
    await person.click(advanced)
    texts = advanced.locator("ha-selector-text input")
    await texts.nth(0).fill(f"http://127.0.0.1:{cloud.api_port}")
    await texts.nth(1).fill(f"127.0.0.1:{cloud.port}")
    await person.click(advanced.get_by_text(house.t("selector.transport.options.tcp")))
    person.clicks = clicks
    await dialog.submit()
    assert dialog.step["step_id"] == "account_product", dialog.step
    assert KEY.secret not in str(dialog.step)
    await person.look(dialog.box)
    assert house.t("config.step.account_product.title") in await dialog.box.inner_text()
    return dialog


async def pick_label(dialog: Dialog, name: str) -> None:
    """Choose a label as the target."""
    await dialog.pick(dialog.root.locator("ha-target-picker ha-button").first, name)
    await expect(dialog.root.locator("ha-target-picker").first).to_contain_text(name)


def field(dialog: Dialog, name: str) -> Locator:
    """Return the input of a text field."""
    return dialog.field(name).locator("input").first


def the_device(cloud: Simulator) -> CloudDevice:
    """Return the device that was made."""
    [device] = (one for one in cloud._platform.registry.devices.values() if one.device_name == "home-assistant")  # noqa: SLF001
    return device


async def finish(person: Person, dialog: Dialog) -> None:
    """From the plan to the entry."""
    assert dialog.step["step_id"] == "account_plan", dialog.step
    await person.look(dialog.box)
    await dialog.submit()
    assert dialog.step["step_id"] == "account_made", dialog.step
    await person.look(dialog.box)
    await person.picture("account-made", dialog.surface)
    dialog.texts = "options"
    await dialog.choose("account_finish")


async def test_first_value(person: Person, cloud: Simulator) -> None:
    """A product, its thing model and a device are made in ten clicks, and the cloud has the first values."""
    home, label = person.house.home, ROOM.text(person.house.language)
    created = await home.command("config/label_registry/create", name=label)
    for entity_id in ("sensor.living_room_temperature", "light.desk_lamp"):
        await home.command(
            "config/entity_registry/update",
            entity_id=entity_id,
            labels=[created["label_id"]],  # type: ignore[call-overload, index]
        )
    dialog = await log_in(person, cloud)
    await dialog.submit()
    await pick_label(dialog, label)
    await dialog.submit()
    assert dialog.step["step_id"] == "suggestions", dialog.step
    await dialog.submit()
    await person.picture("account", dialog.surface)
    await finish(person, dialog)
    assert person.clicks <= MOST_CLICKS
    device = the_device(cloud)
    await person.wait(lambda: device.properties)


@pytest.fixture(name="twenty")
async def _twenty(house: House, browser: Browser, cloud: Simulator, tmp_path: Path) -> AsyncIterator[House]:
    """Run another house, with twenty devices of four kinds and one label."""
    language = house.language
    lines = ["\ntemplate twenty:"]
    for domain, names in KINDS.items():
        lines.append(f"  - {domain}:")
        for number in range(1, OF_A_KIND + 1):
            lines += [
                f"      - name: {names[house.is_chinese]} {number}",
                f"        unique_id: {domain}_{number}",
                f"        default_entity_id: {domain}.of_twenty_{number}",
                "        optimistic: true",
                f'        state: "{"locked" if domain == "lock" else "on"}"',
                f"        {ACTIONS[domain]}",
            ]
    async with running(tmp_path, language, house.evidence, more="\n".join(lines)) as here:
        label = await here.home.command("config/label_registry/create", name=TWENTY.text(language))
        for domain in KINDS:
            for number in range(1, OF_A_KIND + 1):
                await here.home.command(
                    "config/entity_registry/update",
                    entity_id=f"{domain}.of_twenty_{number}",
                    labels=[label["label_id"]],  # type: ignore[call-overload, index]
                )
        yield replace(house, **parts_of(here))
        await examine(browser, here)


async def test_gateway(request: pytest.FixtureRequest, browser: Browser, twenty: House, cloud: Simulator) -> None:
    """A gateway with twenty sub-devices of four products takes as many clicks."""
    async with visit(browser, twenty) as context:
        person = Person(await context.new_page(), twenty, pictures=request.config.getoption("--pictures"))
        await create_gateway(person, cloud)
    assert not person.complaints, "\n".join(person.complaints)


async def create_gateway(person: Person, cloud: Simulator) -> None:
    """From the AccessKey to the first values of all sub-devices."""
    twenty = person.house
    dialog = await log_in(person, cloud)
    await person.click(
        dialog.field("node_type").get_by_text(twenty.t("selector.node_type.options.gateway"), exact=True)
    )
    await dialog.submit()
    await pick_label(dialog, TWENTY.text(twenty.language))
    await dialog.submit()
    assert dialog.step["step_id"] == "account_sub_devices", dialog.step
    await person.look(dialog.box)
    await dialog.submit()
    await person.picture("account-gateway", dialog.surface)
    await finish(person, dialog)
    assert person.clicks <= MOST_CLICKS
    gateway = the_device(cloud)
    await person.wait(lambda: len(gateway.sub_devices) == OF_A_KIND * len(KINDS))
    await person.wait(lambda: all(one.online and one.properties for one in gateway.sub_devices.values()))
    products = {one.product.key for one in gateway.sub_devices.values()}
    assert len(products) == len(KINDS)
