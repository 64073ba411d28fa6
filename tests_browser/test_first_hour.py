"""From “Add integration” to the first value that the cloud has taken, as a newcomer does it."""

import re

from playwright.async_api import expect

from demo.house import LABEL

from .dialog import Dialog
from .house import NEW_DEVICE, NEW_PRODUCT_KEY
from .person import Person

MOST_CLICKS = 12


async def test_first_value(person: Person) -> None:
    """It takes twelve clicks at most, and the last page says what the cloud has taken."""
    house = person.house
    page = person.page
    await person.open("/config/integrations/dashboard")
    await person.click(page.get_by_role("button", name=re.compile("^(Add integration|添加集成)$")))
    await page.locator("dialog-add-integration input").first.fill("aliyun")
    dialog = Dialog(person, "config")
    await dialog.open(page.locator("dialog-add-integration ha-integration-list-item"))
    await person.look(dialog.box)
    await dialog.choose("triple")
    await person.look(dialog.box)

    for position, value in enumerate((NEW_PRODUCT_KEY, NEW_DEVICE, house.new_device.device_secret)):
        await dialog.root.locator("ha-selector-text input").nth(position).fill(value)
    await dialog.pick(dialog.root.locator("ha-selector-select").first, f"127.0.0.1:{house.cloud.simulator.port}")
    await person.picture("config-flow", dialog.surface)
    # The platform speaks TLS, which is the default; this simulator does not.
    clicks = person.clicks
    advanced = dialog.root.locator("ha-expansion-panel")
    await person.click(advanced)
    await person.click(advanced.locator("ha-radio-option").last)
    person.clicks = clicks

    dialog.texts = "options"
    await dialog.submit()
    await person.look(dialog.box)
    await person.picture("guide-model", dialog.surface)
    await dialog.choose("thing_model_use")
    assert dialog.step["step_id"] == "select", dialog.step
    await person.look(dialog.box)
    label = LABEL.text(house.language)
    await dialog.pick(dialog.root.locator("ha-target-picker ha-button").first, label)
    await expect(dialog.root.locator("ha-target-picker").first).to_contain_text(label)
    await person.picture("guide-select", dialog.surface)
    await dialog.submit()
    assert dialog.step["step_id"] == "suggestions", dialog.step
    await person.look(dialog.box)
    await person.picture("guide-suggestions", dialog.surface)
    await dialog.submit()
    assert dialog.step["step_id"] == "preview", dialog.step
    await person.look(dialog.box)
    await person.picture("guide-preview", dialog.surface)
    await dialog.submit()
    assert dialog.step["step_id"] == "init", dialog.step
    await person.look(dialog.box)
    await person.picture("guide-done", dialog.surface)
    assert set(house.new_device.properties) == {"CurrentTemperature", "CurrentHumidity", "LightSwitch"}
    assert person.clicks <= MOST_CLICKS, person.clicks
    await dialog.close()
