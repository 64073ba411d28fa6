"""Sub-devices on the page of both sides: whether they are online, and their bindings beside those of the gateway."""

import re

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.const import OWN
from custom_components.aliyun_iot.exposures import exposed_bindings
from custom_components.aliyun_iot.panel.path import affected_path
from custom_components.aliyun_iot.sub_device_row import add_sub_devices
from simulator import Simulator

from .conftest import SetUp
from .panel_page import Open, new_rule
from .sub_house import LAMPS, SECRET, add_lamps_in_the_cloud, new_lamp
from .test_sub_devices import set_in_cloud


@pytest.fixture(autouse=True)
def no_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin at once after a connect."""
    monkeypatch.setattr("custom_components.aliyun_iot.alink.gateway.RECONNECT_SPREAD", 0.0)


@pytest.fixture
async def owners(hass: HomeAssistant, entry: MockConfigEntry, cloud: Simulator) -> list[str]:
    """Return two lamps that are online, and one that the cloud does not know."""
    add_lamps_in_the_cloud(cloud, ("lamp-1", "lamp-2"))
    lamps = [new_lamp(hass, f"Lamp {number}", f"lamp-{number}") for number in (1, 2, 3)]
    owners = add_sub_devices(hass, entry, lamps)
    await hass.async_block_till_done()
    for name in ("lamp-1", "lamp-2"):
        await cloud.device(LAMPS, name).wait_for(lambda device: device.online)
    return owners


@pytest.fixture
async def entry(set_up: SetUp) -> MockConfigEntry:
    """Return the entry of a gateway without bindings of its own."""
    return await set_up(options={"thing_model": None})


async def test_online_since_when_and_why_not(
    hass: HomeAssistant, entry: MockConfigEntry, owners: list[str], open_page: Open
) -> None:
    """Each sub-device says whether it is online, and otherwise why not, in the language of the page."""
    page = await open_page(entry)
    await page.call("devices/subscribe", language="zh-Hans")
    await page.until(lambda: page.events and page.events[-1]["devices"][owners[2]]["why"] == "控制台中不存在")
    devices = page.events[-1]["devices"]
    assert [devices[owner]["online"] for owner in owners] == [True, True, False]
    assert all(devices[owner]["since"] > 1_000_000_000 for owner in owners)
    assert (devices[owners[1]]["device_name"], devices[owners[1]]["bound"]) == ("lamp-2", 1)
    assert devices[""]["online"]


async def test_edit_the_right_one(
    hass: HomeAssistant, entry: MockConfigEntry, owners: list[str], open_page: Open, cloud: Simulator
) -> None:
    """The same identifier of two sub-devices is two rows; a change of one leaves the other alone, and is undone."""
    page = await open_page(entry)
    await page.call("bindings/subscribe")
    first, second = (f"{owner}/Power" for owner in owners[:2])
    await page.until(lambda: page.rows.get(first, {}).get("state") == "in_step" == page.rows[second]["state"])
    form = (await page.call("binding/form", row=first))["result"]
    values = {**form["values"], "reporting": {"min_interval": 30}}
    await page.call("binding/save", row=first, digest=form["digest"], values=values)
    [changed], [other] = (exposed_bindings(entry, owner) for owner in owners[:2])
    assert (changed.min_interval, other.min_interval) == (30, 0)
    assert (await page.call("bindings/undo"))["result"] == {"undone": 1}
    [restored] = exposed_bindings(entry, owners[0])
    assert restored.min_interval == 0
    digests = {row: page.rows[row]["digest"] for row in (first, second)}
    removed = await page.call("bindings/remove", digests=digests)
    assert removed["result"] == {"can_undo": 2}
    assert [exposed_bindings(entry, owner) for owner in owners[:2]] == [[], []]
    await page.call("bindings/undo")
    assert all(exposed_bindings(entry, owner) for owner in owners[:2])


async def test_rules_are_for_the_gateway(
    hass: HomeAssistant, entry: MockConfigEntry, owners: list[str], open_page: Open
) -> None:
    """A binding of a sub-device cannot be added to a rule of the gateway."""
    rule = new_rule(hass, entry)
    page = await open_page(entry)
    form = (await page.call("binding/form", row=f"{owners[0]}/Power"))["result"]
    answer = await page.call("bindings/rule", digests={f"{owners[0]}/Power": form["digest"]}, rule=rule)
    assert answer["result"]["refused"].keys() == {f"{owners[0]}/Power"}


async def test_repairs_lead_to_the_rows_of_their_device(
    hass: HomeAssistant, entry: MockConfigEntry, owners: list[str]
) -> None:
    """Also where the same state is that of a binding of another device."""
    page = f"/aliyun-iot/{entry.entry_id}/bindings?state=rejected"
    assert affected_path(entry, OWN, "rejected") == f"{page}&device=own"
    assert affected_path(entry, owners[0], "rejected") == f"{page}&device={owners[0]}"


async def test_commands_messages_and_models(
    hass: HomeAssistant, entry: MockConfigEntry, owners: list[str], open_page: Open, cloud: Simulator
) -> None:
    """The journal and the messages say which sub-device they are about, and each product has its thing model."""
    hass.services.async_register("light", "turn_off", lambda _call: None)
    page = await open_page(entry)
    await page.call("wire/subscribe")
    await page.call("commands/subscribe")
    await set_in_cloud(cloud, "lamp-2", Power=0)
    title = entry.subentries[owners[1]].title
    await page.until(lambda: any(row["device"] == title for event in page.events for row in event.get("rows", ())))
    await page.until(
        lambda: any(message["device"] == title for event in page.events for message in event.get("messages", ()))
    )
    model = (await page.call("model", owner=owners[1]))["result"]
    assert model["product_key"] == LAMPS
    assert (await page.call("model", owner="nobody"))["error"]["code"] == "not_loaded"


async def test_no_message_shows_a_secret(
    hass: HomeAssistant, entry: MockConfigEntry, open_page: Open, cloud: Simulator
) -> None:
    """Neither the secrets of sub-devices nor what is signed with them."""
    page = await open_page(entry)
    await page.call("wire/subscribe")
    add_lamps_in_the_cloud(cloud, ("lamp-1",))
    add_sub_devices(hass, entry, [new_lamp(hass, "Lamp 1", "lamp-1")])
    texts: list[str] = []

    def logged_in() -> bool:
        texts[:] = [message["text"] or "" for event in page.events for message in event.get("messages", ())]
        return any('"sign"' in text for text in texts)

    await page.until(logged_in)
    assert not any(SECRET in text for text in texts)
    signatures = [sign for text in texts for sign in re.findall(r'"sign": "([^"]*)"', text)]
    assert signatures
    assert set(signatures) == {"**"}
    assert '"code": 200' in next(text for text in texts if '"data"' in text), "the result of a reply is no secret"
