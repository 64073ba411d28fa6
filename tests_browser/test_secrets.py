"""Secrets that are entered in the browser, and the proof that the search at the end of the run finds what comes out.

The search itself is in `conftest.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
import re
from typing import Any

from playwright.async_api import Browser, expect

from simulator import Simulator
from tests.certificates import self_signed
from tests.interview import EXPORT, interview
from tests.secret_search import SecretSearch

from .chromium import visit
from .dialog import Dialog
from .evidence import Asked, Evidence
from .person import Person

PRODUCT_KEY, DEVICE_NAME = "a1Registers", "never-online"
OF_PRODUCT, OF_DEVICE, WRONG = 'p"r\\d+c/t<&>%=s', 'd"v\\c+e/s<&>%=c', 'w"r\\n+g/s<&>%=e'
"""Secrets that look different in every notation."""

PLANT = 'a"b\\c+d/e<&>%=f'
FOUND = {
    "addresses",
    "answers",
    "browser storage",
    "configuration",
    "console",
    "devices",
    "diagnostics",
    "entities",
    "frames",
    "frames sent",
    "log",
    "notifications",
    "pages",
    "panel",
    "recorder",
    "states",
    "storage",
    "system log",
    "traces",
}
"""Every place of the search where a text of somebody's can be planted."""

WRITTEN = 30
"""Seconds in which Home Assistant writes everything that has changed to the disk."""

_PLANT_IN_PAGE = """(text) => {
  localStorage.plant = text;
  sessionStorage.plant = text;
  console.log(text);
  document.querySelector("home-assistant").shadowRoot.append(text);
  return fetch(`/api/?text=${encodeURIComponent(text)}`).then(() => null);
}"""


async def test_register_with_the_secret_of_the_product(person: Person, tmp_path: Path) -> None:
    """A wrong one first; then the device gets its own secret."""
    house, page = person.house, person.page
    context, authority = self_signed(tmp_path)
    async with Simulator(tls=context, connects_per_minute=None) as cloud:
        house.evidence.add_cloud(cloud)
        house.evidence.add_entered(WRONG)
        cloud.add_product(PRODUCT_KEY, secret=OF_PRODUCT, dynamic_registration=True)
        device = cloud.add_device(PRODUCT_KEY, DEVICE_NAME, OF_DEVICE)
        await person.open("/config/integrations/dashboard")
        await person.click(page.get_by_role("button", name=re.compile("^(Add integration|添加集成)$")))
        await page.locator("dialog-add-integration input").first.fill("aliyun")
        dialog = Dialog(person, "config")
        await dialog.open(page.locator("dialog-add-integration ha-integration-list-item"))
        await dialog.choose("register")
        await person.look(dialog.box)
        fields = dialog.root.locator("ha-selector-text input")
        for position, value in enumerate((PRODUCT_KEY, DEVICE_NAME, WRONG)):
            await fields.nth(position).fill(value)
        await dialog.pick(dialog.root.locator("ha-selector-select").first, f"127.0.0.1:{cloud.port}")
        advanced = dialog.root.locator("ha-expansion-panel")
        await person.click(advanced)
        await advanced.locator("textarea").fill(authority)
        await dialog.submit()
        assert dialog.step.get("errors") == {"base": "registration_refused"}, dialog.step
        await person.look(dialog.box)
        await expect(fields.nth(2)).to_have_value("")
        await fields.nth(2).fill(OF_PRODUCT)
        dialog.texts = "options"
        await dialog.submit()
        await person.look(dialog.box)
        await person.wait(lambda: device.online)
        await dialog.close()
        for kind, told in (await interview(Asked(page))).items():
            house.evidence.note(kind, told)


async def test_planted_secret_is_found(browser: Browser, person: Person, tmp_path: Path) -> None:
    """In every place; otherwise it would say nothing that no secret is found."""
    house = replace(person.house, evidence=Evidence(tmp_path))
    house.evidence.add_house(house.folder)
    async with visit(browser, house) as context:
        page = await context.new_page()
        await page.goto(f"{house.url}/config/labels")
        await expect(page.locator("ha-config-labels")).to_be_visible()
        asked = Asked(page)
        undo = await plant(person, asked)
        await page.evaluate(_PLANT_IN_PAGE, PLANT)
        for kind, told in (await interview(asked)).items():
            house.evidence.note(kind, told)
    search = SecretSearch({PLANT: "planted"})
    missing = FOUND
    for _ in range(WRITTEN):
        missing = FOUND - {place for place, _, _ in house.evidence.leaks(search)}
        if not missing:
            break
        await asyncio.sleep(1)
    assert missing == set()
    await undo()


async def plant(person: Person, asked: Asked) -> Callable[[], Awaitable[None]]:
    """Plant a text wherever somebody can, and return what removes it where others would stumble over it."""
    house = person.house

    async def act(action: str, **data: Any) -> None:
        domain, _, service = action.partition(".")
        await asked.ask("call_service", domain=domain, service=service, service_data=data)

    await house.request("POST", "states/sensor.plant", {"state": "on", "attributes": {"text": PLANT}})
    await house.request("POST", "config/automation/config/plant", {**EXPORT, "id": "plant", "alias": PLANT})
    await act("system_log.write", message=PLANT, level="warning")
    await act("persistent_notification.create", message=PLANT, notification_id="plant")
    label = await asked.ask("config/label_registry/create", name=PLANT)
    await asked.ask("fire_event", event_type="export", event_data={"entry_id": PLANT})
    [device, *_] = await asked.ask("config/device_registry/list")
    await asked.ask("config/device_registry/update", device_id=device["id"], name_by_user=PLANT)
    entity = {"entity_id": "light.desk_lamp"}
    name = (await asked.ask("config/entity_registry/get", **entity))["name"]
    await asked.ask("config/entity_registry/update", **entity, name=PLANT)
    await asked.get("states/sensor.plant")
    await house.cloud.call(house.session, "SetDeviceProperty", Items={"HouseMode": PLANT})

    async def undo() -> None:
        await house.home.command("config/label_registry/delete", label_id=label["label_id"])
        await house.home.command(
            "config/device_registry/update", device_id=device["id"], name_by_user=device["name_by_user"]
        )
        await house.home.command("config/entity_registry/update", **entity, name=name)
        await house.home.run_action("persistent_notification.dismiss", {"notification_id": "plant"})
        await house.request("DELETE", "config/automation/config/plant")
        await house.request("DELETE", "states/sensor.plant")

    return undo
