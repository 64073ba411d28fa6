"""Create a device with nothing but an AccessKey, against a cloud that verifies signatures."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
import json
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
import pytest

from custom_components.aliyun_iot import web
from custom_components.aliyun_iot.account import client
from custom_components.aliyun_iot.alink.errors import ConnectionLost, ConnectTimeout
from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.exposures import change_bindings
from custom_components.aliyun_iot.flows import account_run_pages
from custom_components.aliyun_iot.mapping.binding import Access, Binding
from custom_components.aliyun_iot.provisioning import async_runs
from custom_components.aliyun_iot.stored_device import thing_model_of
from custom_components.aliyun_iot.sub_device_row import add_sub_devices, identities_of
from simulator import AccessKey, Simulator

from .application import wait_for_value
from .house import LAMP, furnish, selected
from .sub_house import add_device, new_lamp
from .waiting import until
from .walk import Walk

KEY_ID, KEY_SECRET = "LTAI5tHomeAssistant", "s3cret-of-the-access-key-000000"
PROBE = "custom_components.aliyun_iot.config_flow.probe"


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncGenerator[Simulator]:
    """Run the cloud; it accepts what the console accepts, and only signed requests."""
    async with Simulator(
        strict_values=True, connects_per_minute=None, access_key=AccessKey(KEY_ID, KEY_SECRET)
    ) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask at once again whether many devices are registered."""
    monkeypatch.setattr(client, "APPLICATION_POLL", 0.0)


def key_of(cloud: Simulator, **changes: Any) -> dict[str, Any]:
    """Return what the user enters on the first page."""
    return {
        "access_key_id": KEY_ID,
        "access_key_secret": KEY_SECRET,
        "region": "cn-shanghai",
        "advanced": {
            "api_host": f"http://127.0.0.1:{cloud.api_port}",
            "endpoint": f"127.0.0.1:{cloud.port}",
            "transport": "tcp",
        },
    } | changes


def product(**changes: Any) -> dict[str, Any]:
    """Return what the user enters on the second page."""
    return {"product": "new", "product_name": "Home", "node_type": "device", "new_device": "home-1"} | changes


async def plan(hass: HomeAssistant, cloud: Simulator, *entities: str, **changes: Any) -> Walk:
    """Go to the page with the plan."""
    walk = await Walk.add_device(hass, "account")
    await walk.submit(**key_of(cloud))
    await walk.submit(**product(**changes))
    await walk.submit(**selected(*(entities or (LAMP, "sensor.cellar"))))
    assert walk.step == "suggestions"
    return await walk.submit(bindings=walk.values["bindings"])


def there(cloud: Simulator) -> dict[str, list[str]]:
    """Return the products and their devices by name."""
    registry = cloud._platform.registry
    return {
        one.name: sorted(device.device_name for device in registry.of_product(one.key))
        for one in registry.products.values()
    }


async def added(hass: HomeAssistant, cloud: Simulator, walk: Walk) -> Any:
    """Check that the device was added and reports, and return its entry."""
    assert walk.created, walk.result
    await hass.async_block_till_done()
    entry = walk.result["result"]
    assert entry.state is ConfigEntryState.LOADED
    device = cloud.device(entry.data["product_key"], entry.data["device_name"])
    assert entry.data["device_secret"] == device.device_secret
    await wait_for_value(device, "LightSwitch", 1)
    return entry


async def test_first_value_with_nothing_but_an_access_key(hass: HomeAssistant, cloud: Simulator) -> None:
    """A product, its thing model and a device are made, the entry is added and bound, and the cloud has the values."""
    furnish(hass)
    walk = await plan(hass, cloud)
    assert there(cloud) == {}
    shown = walk.result["description_placeholders"]["plan"]
    assert "1. Create the product Home (Device, ICA format)" in shown
    assert "4. Register devices in the product Home (1): home-1" in shown
    assert "LightSwitch" in shown

    await walk.submit()
    assert walk.step == "account_made"
    assert there(cloud) == {"Home": ["home-1"]}
    assert "Devices in the product Home: home-1" in walk.result["description_placeholders"]["made"]
    await walk.choose("account_finish")
    entry = await added(hass, cloud, walk)

    device = cloud.device(entry.data["product_key"], "home-1")
    assert device.properties["Brightness"][0] == 50
    assert set(device.thing_model.properties) >= {"LightSwitch", "Brightness"}
    assert walk.result["next_flow"]
    assert (await async_runs(hass)).find(f"127.0.0.1:{cloud.api_port} ") is None
    await hass.config_entries.async_unload(entry.entry_id)


async def test_existing_product_keeps_its_thing_model(
    hass: HomeAssistant, cloud: Simulator, thing_model_document: dict[str, Any]
) -> None:
    """Only a device is registered, and bound to the properties of the model."""
    furnish(hass)
    existing = cloud.add_product("a1Existing1", thing_model_document, name="Existing")
    walk = await plan(hass, cloud, product=existing.key)
    shown = walk.result["description_placeholders"]["plan"]
    assert shown.startswith("1. Register devices in the product Existing (1): home-1")
    await walk.submit()
    await walk.choose("account_finish")
    entry = await added(hass, cloud, walk)
    assert entry.data["product_key"] == existing.key
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("locked", [False, True])
async def test_existing_product_without_properties_gets_a_thing_model(
    hass: HomeAssistant, cloud: Simulator, locked: bool
) -> None:
    """Unless it is published as a whole."""
    furnish(hass)
    key = (await cloud.call("CreateProduct", ProductName="Empty", NodeType=0, DataFormat=1, AliyunCommodityCode="iothub_senior"))["ProductKey"]  # fmt: skip
    if locked:
        await cloud.call("ReleaseProduct", ProductKey=key)
        walk = await Walk.add_device(hass, "account")
        await walk.submit(**key_of(cloud))
        await walk.submit(**product(product=key))
        assert walk.errors == {"product": "product_locked"}
        return
    walk = await plan(hass, cloud, product=key)
    await walk.submit()
    await walk.choose("account_finish")
    entry = await added(hass, cloud, walk)
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"access_key_id": ""}, {"access_key_id": "access_key_missing"}),
        ({"access_key_secret": ""}, {"access_key_secret": "access_key_missing"}),
        ({"access_key_secret": "0ther"}, {"base": "access_key_refused"}),
        ({"region": "no region"}, {"region": "invalid_endpoint"}),
    ],
)
async def test_access_key_that_is_wrong(
    hass: HomeAssistant, cloud: Simulator, changes: dict[str, str], errors: dict[str, str]
) -> None:
    """Correcting the field is enough; the secret need not be entered again."""
    walk = await Walk.add_device(hass, "account")
    given = key_of(cloud, **changes)
    if "region" in changes:
        del given["advanced"]["api_host"]
    await walk.submit(**given)
    assert walk.errors == errors
    assert KEY_SECRET not in str(walk.result)
    await walk.submit(**key_of(cloud))
    assert walk.step == "account_product"


async def test_host_that_is_another_one(hass: HomeAssistant, cloud: Simulator) -> None:
    """A host that can't be reached, one that is not the OpenAPI, and one without encryption elsewhere."""
    for host, errors in (
        ("http://127.0.0.1:1", {"base": "refused"}),
        (f"http://127.0.0.1:{cloud.web_port}", {"base": "answer_unreadable"}),
        ("http://api.example", {"advanced": "invalid_endpoint"}),
    ):
        walk = await Walk.add_device(hass, "account")
        given = key_of(cloud)
        given["advanced"]["api_host"] = host
        await walk.submit(**given)
        assert walk.errors == errors


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"product_name": "a-b-c"}, {"product_name": "invalid_product_name"}),
        ({"product_name": ""}, {"product_name": "invalid_product_name"}),
        ({"product_name": "Existing"}, {"product_name": "product_name_taken"}),
        ({"new_device": "x"}, {"new_device": "invalid_device_name"}),
    ],
)
async def test_names_that_can_not_be(
    hass: HomeAssistant, cloud: Simulator, changes: dict[str, str], errors: dict[str, str]
) -> None:
    """They are told before anything is made."""
    await cloud.call("CreateProduct", ProductName="Existing", NodeType=0, DataFormat=1, AliyunCommodityCode="iothub_senior")  # fmt: skip
    await cloud.call("CreateProduct", ProductName="HomeAssistant", NodeType=0, DataFormat=1, AliyunCommodityCode="iothub_senior")  # fmt: skip
    walk = await Walk.add_device(hass, "account")
    await walk.submit(**key_of(cloud))
    assert walk.values["product_name"] == "HomeAssistant_2"
    await walk.submit(**product(**changes))
    assert walk.errors == errors


class Line:
    """The line to the OpenAPI, which can break after a number of requests."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It works at first."""
        self.left = 10_000
        self.requests = 0
        original = web.request

        async def request(*args: Any, **options: Any) -> bytes:
            answer = await original(*args, **options)
            self.requests += 1
            self.left -= 1
            if self.left < 0:
                raise ConnectionLost("broken by the test")
            return answer

        monkeypatch.setattr(account_run_pages, "request", request)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    """Return the line."""
    return Line(monkeypatch)


@pytest.mark.parametrize("then", ["account_progress", "account_undo"])
async def test_each_failing_request_can_be_resumed_or_undone(
    hass: HomeAssistant, cloud: Simulator, line: Line, then: str
) -> None:
    """The cloud has carried each of them out, but the answer is lost: nothing is made twice, and nothing is left."""
    furnish(hass)
    for number in range(20):
        walk = await plan(hass, cloud)
        line.left = number
        await walk.submit()
        line.left = 10_000
        if walk.step == "account_made":
            break
        assert "closed the connection" in walk.result["description_placeholders"]["reason"]
        await walk.choose(then)
        if then == "account_progress":
            assert there(cloud) == {"Home": ["home-1"]}
            await walk.choose("account_undo")
        assert walk.aborted == "account_undone"
        assert there(cloud) == {}
    assert 4 <= number < 20
    await walk.choose("account_finish")
    entry = await added(hass, cloud, walk)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_failed_run_is_undone(hass: HomeAssistant, cloud: Simulator, line: Line) -> None:
    """On request; the page names what was made until then."""
    furnish(hass)
    walk = await plan(hass, cloud)
    line.left = 2
    await walk.submit()
    assert walk.step == "account_failed"
    assert "The product Home (" in walk.result["description_placeholders"]["made"]
    assert set(there(cloud)) == {"Home"}
    line.left = 10_000
    await walk.choose("account_undo")
    assert walk.aborted == "account_undone"
    assert there(cloud) == {}
    walk = await Walk.add_device(hass, "account")
    await walk.submit(**key_of(cloud))
    assert walk.step == "account_product"


@pytest.mark.parametrize("then", ["account_progress", "account_undo", "account_leave"])
async def test_run_that_was_interrupted_is_found_again(
    hass: HomeAssistant, cloud: Simulator, line: Line, hass_storage: dict[str, Any], then: str
) -> None:
    """After a restart, by entering the AccessKey again."""
    furnish(hass)
    walk = await plan(hass, cloud)
    line.left = 0
    await walk.submit()
    line.left = 10_000
    hass.config_entries.flow.async_abort(walk.result["flow_id"])
    hass.data.pop(f"{DOMAIN}_runs")
    stored = json.dumps(hass_storage[f"{DOMAIN}.account"])
    assert KEY_SECRET not in stored
    assert KEY_ID not in stored

    walk = await Walk.add_device(hass, "account")
    await walk.submit(**key_of(cloud))
    assert walk.step == "account_unfinished"
    assert "Perhaps the product Home" in walk.result["description_placeholders"]["made"]
    await walk.choose(then)
    match then:
        case "account_progress":
            await walk.choose("account_finish")
            entry = await added(hass, cloud, walk)
            await hass.config_entries.async_unload(entry.entry_id)
        case "account_undo":
            assert walk.aborted == "account_undone"
            assert there(cloud) == {}
        case _:
            assert walk.aborted == "account_left"
            assert "Home" in walk.result["description_placeholders"]["made"]
            assert set(there(cloud)) == {"Home"}
            walk = await Walk.add_device(hass, "account")
            await walk.submit(**key_of(cloud))
            assert walk.step == "account_product"


async def test_device_that_can_not_connect(hass: HomeAssistant, cloud: Simulator) -> None:
    """Everything is made; the page says why the connection fails, and it can be tried again or undone."""
    furnish(hass)
    walk = await plan(hass, cloud)
    await walk.submit()
    with patch(PROBE, side_effect=ConnectTimeout("silent")):
        await walk.choose("account_finish")
    assert walk.step == "account_made"
    assert "The host does not respond" in walk.result["description_placeholders"]["problem"]
    await walk.choose("account_undo")
    assert walk.aborted == "account_undone"
    assert there(cloud) == {}


async def test_two_dialogs_do_not_work_with_one_account(hass: HomeAssistant, cloud: Simulator) -> None:
    """The second one can begin when the first is closed."""
    first = await Walk.add_device(hass, "account")
    await first.submit(**key_of(cloud))
    second = await Walk.add_device(hass, "account")
    await second.submit(**key_of(cloud))
    assert second.errors == {"base": "account_busy"}
    hass.config_entries.flow.async_abort(first.result["flow_id"])
    await second.submit(**key_of(cloud))
    assert second.step == "account_product"


async def test_two_dialogs_at_the_same_moment(hass: HomeAssistant, cloud: Simulator) -> None:
    """Only one of them gets the account: the run of the other would replace its journal."""
    walks = [await Walk.add_device(hass, "account") for _ in range(2)]
    await asyncio.gather(*(walk.submit(**key_of(cloud)) for walk in walks))
    assert sorted(str(walk.step) + str(walk.errors or "") for walk in walks) == [
        "account_product", "account{'base': 'account_busy'}"
    ]  # fmt: skip


async def test_device_that_is_set_up_is_not_made(
    hass: HomeAssistant, cloud: Simulator, thing_model_document: dict[str, Any]
) -> None:
    """Its entry would be disconnected."""
    furnish(hass)
    existing = cloud.add_product("a1Existing1", thing_model_document, name="Existing")
    walk = await plan(hass, cloud, product=existing.key)
    await walk.submit()
    await walk.choose("account_finish")
    entry = await added(hass, cloud, walk)
    walk = await Walk.add_device(hass, "account")
    await walk.submit(**key_of(cloud))
    await walk.submit(**product(product=existing.key))
    assert walk.aborted == "already_configured"
    await hass.config_entries.async_unload(entry.entry_id)


def twenty_devices(hass: HomeAssistant) -> list[str]:
    """Create twenty devices of four kinds, and return their entities."""
    kinds = {"Lamp 1": "light", "Plug 2": "switch", "Fan 3": "fan", "Siren 4": "siren"}
    return [
        add_device(hass, f"{model} {number}", model=model, domain=domain)[1]
        for model, domain in kinds.items()
        for number in range(5)
    ]


async def test_gateway_with_twenty_sub_devices_of_four_products(hass: HomeAssistant, cloud: Simulator) -> None:
    """One product for each kind of device, with its thing model; all of them are logged in and report."""
    entities = twenty_devices(hass)
    walk = await Walk.add_device(hass, "account")
    await walk.submit(**key_of(cloud))
    await walk.submit(**product(product_name="Gateway", node_type="gateway", new_device="gateway-1"))
    await walk.submit(**selected(*entities))
    assert walk.step == "account_sub_devices"
    assert walk.result["description_placeholders"] == {"count": "20", "kinds": "4"}
    await walk.submit(sub_devices=walk.values["sub_devices"])
    shown = walk.result["description_placeholders"]["plan"]
    assert "Create the product HA_Acme_Lamp_1 (Device, ICA format)" in shown
    assert "Register devices in the product HA_Acme_Lamp_1 (5): lamp-1-0, lamp-1-1" in shown
    assert "Add sub-devices to the topology of gateway-1 (10): " in shown
    lines = [line.partition(". ")[2] for line in shown.splitlines()]
    assert len(lines) == len(set(lines)), "two steps look the same"
    await walk.submit()
    assert walk.step == "account_made"
    assert {name: len(devices) for name, devices in there(cloud).items()} == {
        "Gateway": 1, "HA_Acme_Lamp_1": 5, "HA_Acme_Plug_2": 5, "HA_Acme_Fan_3": 5, "HA_Acme_Siren_4": 5
    }  # fmt: skip
    await walk.choose("account_finish")
    assert walk.created, walk.result
    entry = walk.result["result"]
    await hass.async_block_till_done()
    gateway = cloud.device(entry.data["product_key"], "gateway-1")
    assert len(gateway.sub_devices) == 20
    for device in gateway.sub_devices.values():
        await device.wait_for(lambda one: one.online and one.properties)
    assert len(entry.subentries) == 20
    await hass.config_entries.async_unload(entry.entry_id)


async def created(hass: HomeAssistant, walk: Walk) -> Any:
    """Finish the flow and return the entry that it has created."""
    await walk.submit()
    await walk.choose("account_finish")
    assert walk.created, walk.result
    await hass.async_block_till_done()
    return walk.result["result"]


def key_in_options(cloud: Simulator) -> dict[str, Any]:
    """Return what the user enters in the options."""
    return key_of(cloud) | {"advanced": {"api_host": f"http://127.0.0.1:{cloud.api_port}"}}


async def test_thing_model_is_updated_in_the_cloud(hass: HomeAssistant, cloud: Simulator) -> None:
    """What was bound since is added after the difference was shown; without one there is nothing to update."""
    furnish(hass)
    entry = await created(hass, await plan(hass, cloud, LAMP))
    device = cloud.device(entry.data["product_key"], "home-1")
    walk = await Walk.options(hass, entry, "cloud", "account_models")
    await walk.submit(**key_in_options(cloud))
    assert walk.errors == {"base": "models_equal"}

    change_bindings(hass, entry, added=[Binding("CellarTemperature", "sensor.cellar", "value", Access.REPORT)])
    await hass.async_block_till_done()
    await walk.submit(**key_in_options(cloud))
    assert walk.step == "account_plan"
    shown = walk.result["description_placeholders"]["plan"]
    assert "1. Define " in shown
    assert "CellarTemperature" in shown
    assert "CellarTemperature" not in device.thing_model.properties
    await walk.submit()
    assert walk.step == "init"
    assert "Thing models published: 1." in walk.result["description_placeholders"]["done"]
    assert {"CellarTemperature", "LightSwitch"} <= set(device.thing_model.properties)
    assert "CellarTemperature" in thing_model_of(entry).properties
    await wait_for_value(device, "CellarTemperature", 12.5)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_update_that_fails_is_undone(hass: HomeAssistant, cloud: Simulator, line: Line) -> None:
    """The thing model is the one of before, and the rest of the product is left alone."""
    furnish(hass)
    entry = await created(hass, await plan(hass, cloud, LAMP))
    device = cloud.device(entry.data["product_key"], "home-1")
    before = set(device.thing_model.properties)
    change_bindings(hass, entry, added=[Binding("CellarTemperature", "sensor.cellar", "value", Access.REPORT)])
    walk = await Walk.options(hass, entry, "cloud", "account_models")
    await walk.submit(**key_in_options(cloud))
    line.left = 3
    await walk.submit()
    assert walk.step == "account_failed"
    assert "Changes in the thing model of the existing product Home" in walk.result["description_placeholders"]["made"]
    line.left = 10_000
    await walk.choose("account_undo")
    assert walk.aborted == "account_undone"
    assert set(device.thing_model.properties) == before
    assert there(cloud) == {"Home": ["home-1"]}
    await hass.config_entries.async_unload(entry.entry_id)


async def test_missing_sub_devices_are_created(hass: HomeAssistant, cloud: Simulator) -> None:
    """A kind that the gateway has keeps its product, another one gets a new one; what is there is not offered again."""
    lamps = [add_device(hass, f"Lamp {number}")[1] for number in range(3)]
    plug = add_device(hass, "Plug 1", model="Plug 2", domain="switch")[1]
    walk = await Walk.add_device(hass, "account")
    await walk.submit(**key_of(cloud))
    await walk.submit(**product(product_name="Gateway", node_type="gateway", new_device="gateway-1"))
    await walk.submit(**selected(lamps[0]))
    await walk.submit(sub_devices=walk.values["sub_devices"])
    entry = await created(hass, walk)

    walk = await Walk.options(hass, entry, "cloud", "account_more")
    await walk.submit(**key_in_options(cloud))
    await walk.submit(**selected(*lamps, plug))
    assert walk.step == "account_sub_devices"
    assert len(walk.values["sub_devices"]) == 3
    await walk.submit(sub_devices=walk.values["sub_devices"])
    assert walk.step == "account_plan"
    await walk.submit()
    assert walk.step == "init", walk.result
    assert "Sub-devices created: 3." in walk.result["description_placeholders"]["done"]
    assert {name: len(devices) for name, devices in there(cloud).items()} == {
        "Gateway": 1, "HA_Acme_Lamp_1": 3, "HA_Acme_Plug_2": 1
    }  # fmt: skip
    await hass.async_block_till_done()
    gateway = cloud.device(entry.data["product_key"], "gateway-1")
    for device in gateway.sub_devices.values():
        await device.wait_for(lambda one: one.online and one.properties)
    assert len(gateway.sub_devices) == 4
    await hass.config_entries.async_unload(entry.entry_id)


async def test_two_kinds_of_one_product(hass: HomeAssistant, cloud: Simulator) -> None:
    """More devices of both kinds get different names, and the thing model has what both have."""
    walk = await Walk.add_device(hass, "account")
    await walk.submit(**key_of(cloud))
    await walk.submit(**product(product_name="Gateway", node_type="gateway", new_device="gateway-1"))
    await walk.submit(**selected(add_device(hass, "Old 1")[1]))
    await walk.submit(sub_devices=walk.values["sub_devices"])
    entry = await created(hass, walk)
    ((key, _),) = identities_of(entry)
    other = new_lamp(hass, "Old 2", "old-2", model="Lamp 2")
    add_sub_devices(hass, entry, [replace(other, row=replace(other.row, product_key=key))])
    new = [
        add_device(hass, "new 1", model="Lamp 1", supported_color_modes=["brightness"], brightness=100),
        add_device(hass, "new 2", model="Lamp 2", domain="switch"),
    ]
    for device_id, _ in new:
        dr.async_get(hass).async_update_device(device_id, name_by_user="Lamp")

    walk = await Walk.options(hass, entry, "cloud", "account_more")
    await walk.submit(**key_in_options(cloud))
    await walk.submit(**selected(*(entity_id for _, entity_id in new)))
    await walk.submit(sub_devices=walk.values["sub_devices"])
    await walk.submit()
    assert "Sub-devices created: 2" in walk.result["description_placeholders"]["done"]
    added = [one for one in entry.subentries.values() if one.title == "Lamp"]
    assert len({one.unique_id for one in added}) == 2
    model = cloud._platform.registry.products[key].thing_model
    assert model
    bound = {row["identifier"] for one in added for row in one.data["bindings"]}
    assert {"LightSwitch", "Brightness"} < bound <= set(model.properties)
    await hass.async_block_till_done()
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("more", [False, True])
async def test_more_sub_devices_than_a_gateway_can_have(
    hass: HomeAssistant, cloud: Simulator, monkeypatch: pytest.MonkeyPatch, more: bool
) -> None:
    """They are refused before anything is made."""
    lamps = [add_device(hass, f"Lamp {number}")[1] for number in range(3)]
    walk = await Walk.add_device(hass, "account")
    await walk.submit(**key_of(cloud))
    await walk.submit(**product(product_name="Gateway", node_type="gateway", new_device="gateway-1"))
    if more:
        await walk.submit(**selected(lamps.pop()))
        await walk.submit(sub_devices=walk.values["sub_devices"])
        entry = await created(hass, walk)
        walk = await Walk.options(hass, entry, "cloud", "account_more")
        await walk.submit(**key_in_options(cloud))
    monkeypatch.setattr(account_run_pages, "MAX_SUB_DEVICES", 2)
    await walk.submit(**selected(*lamps))
    await walk.submit(sub_devices=walk.values["sub_devices"])
    assert walk.errors == {"sub_devices": "too_many_sub_devices"}
    assert walk.result["description_placeholders"]["limit"] == "2"
    await walk.submit(sub_devices=walk.values["sub_devices"][:1])
    assert walk.step == "account_plan"
    if more:
        await hass.config_entries.async_unload(entry.entry_id)


async def test_account_of_somebody_else(hass: HomeAssistant, cloud: Simulator) -> None:
    """It has no product of the device; and a device that is no gateway gets no sub-devices."""
    furnish(hass)
    entry = await created(hass, await plan(hass, cloud, LAMP))
    walk = await Walk.options(hass, entry, "cloud", "account_more")
    await walk.submit(**key_in_options(cloud))
    assert walk.errors == {"base": "not_a_gateway"}
    await hass.config_entries.async_unload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, data={**entry.data, "product_key": "a1Other0001"})
    walk = await Walk.options(hass, entry, "cloud", "account_models")
    await walk.submit(**key_in_options(cloud))
    assert walk.errors == {"base": "other_account"}


async def test_browser_asks_again_when_the_last_step_is_done(
    hass: HomeAssistant, cloud: Simulator, thing_model_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page still shows the step, because it has not been shown for long enough."""
    monkeypatch.setattr("custom_components.aliyun_iot.flows.safe_pages.SHORTEST_PROGRESS", 3600)
    furnish(hass)
    existing = cloud.add_product("a1Existing1", thing_model_document, name="Existing")
    walk = await plan(hass, cloud, product=existing.key)
    manager, flow_id = hass.config_entries.flow, walk.result["flow_id"]
    first = await manager.async_configure(flow_id, {})
    await until(lambda: there(cloud) == {"Existing": ["home-1"]})
    await until(lambda: not manager._progress[flow_id].run.next)
    again = await manager.async_configure(flow_id)
    assert again["type"] is first["type"] is FlowResultType.SHOW_PROGRESS
    assert again["description_placeholders"] == first["description_placeholders"]
    manager.async_abort(flow_id)
