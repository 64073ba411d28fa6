"""A mapping that the cloud offers: it waits in Repairs for the user, and is never applied by itself."""

import json
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.exposures import exposed_bindings
from custom_components.aliyun_iot.health.issues import Issue
from custom_components.aliyun_iot.mapping.document.document import FORMAT
from custom_components.aliyun_iot.sub_device_row import identities_of
from simulator import CloudDevice, Simulator

from .application import LAMP
from .conftest import PRODUCT_KEY, SetUp
from .house import bound
from .test_issues import shown_issues, wait_for_issue
from .test_management import options
from .test_remote_config import push
from .test_repair_flows import Fix
from .waiting import until

TAKES = {"config_mapping": True}
TARGET = {"entity": "input_number.target", "aspect": "value", "identifier": "TargetTemperature"}


def mapping(*bindings: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping as it is exported."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for binding in bindings:
        rows.setdefault(binding["entity"], []).append({key: one for key, one in binding.items() if key != "entity"})
    return {"format": FORMAT, "version": 1, "bindings": rows}


REPORTED = mapping({**TARGET, "access": "report"})
CONTROLLED = mapping({**TARGET, "access": "both"})


@pytest.fixture(autouse=True)
async def api(hass: HomeAssistant, house: None) -> None:
    """Set the API of Repairs up."""
    assert await async_setup_component(hass, "repairs", {})


async def wait_until_asked(device: CloudDevice, entry: MockConfigEntry) -> None:
    """Wait until the device takes pushes."""
    topic = entry.runtime_data.link.device.topics.config_push
    await until(lambda: topic in device.connection.subscriptions)


async def test_offered_mapping_waits_for_consent(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """The user chooses how to import it, sees what changes, and consents; then it is stored and the repair is gone."""
    entry = await set_up([LAMP], options=TAKES)
    await wait_until_asked(device, entry)
    await push(cloud, CONTROLLED)
    facts = await wait_for_issue(hass, Issue.MAPPING_OFFERED)
    assert facts["count"] == "1"
    assert bound(entry).keys() == {"LightSwitch"}

    fix = await Fix.open(hass, hass_client, Issue.MAPPING_OFFERED)
    await fix.submit(mode="merge")
    assert "Target" in fix.facts["changes"]
    assert (fix.facts["added"], fix.facts["removed"], fix.facts["unchanged"]) == ("1", "0", "1")
    await fix.submit()
    assert fix.solved
    await hass.async_block_till_done()
    assert bound(entry).keys() == {"LightSwitch", "TargetTemperature"}
    assert Issue.MAPPING_OFFERED not in shown_issues(hass)


async def test_offered_sub_devices_are_added(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """A mapping may bring sub-devices, as on the page for imports."""
    entry = await set_up([LAMP], options=TAKES)
    await wait_until_asked(device, entry)
    rows = {"input_number.target": [{"identifier": "Target", "aspect": "value", "access": "report"}]}
    row = {"product_key": "a1Others", "device_name": "target-1", "title": "Target", "bindings": rows}
    await push(cloud, {**mapping(), "sub_devices": [row]})
    assert (await wait_for_issue(hass, Issue.MAPPING_OFFERED))["count"] == "2"
    fix = await Fix.open(hass, hass_client, Issue.MAPPING_OFFERED)
    await fix.submit(mode="merge")
    assert "Sub-device Target" in fix.facts["changes"]
    await fix.submit()
    assert fix.solved
    await hass.async_block_till_done()
    [(identity, owner)] = identities_of(entry).items()
    assert identity == ("a1Others", "target-1")
    assert [binding.identifier for binding in exposed_bindings(entry, owner)] == ["Target"]
    assert bound(entry).keys() == {"LightSwitch"}
    assert Issue.MAPPING_OFFERED not in shown_issues(hass)


async def test_risky_mapping_needs_consent(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """What would let the cloud control a door has to be confirmed, as on the page for imports."""
    hass.states.async_set("lock.door", "locked")
    entry = await set_up(options=TAKES | {"thing_models": {}})
    await wait_until_asked(device, entry)
    lock = {"entity": "lock.door", "aspect": "locked", "identifier": "Locked", "access": "both", "confirmed": True}
    await push(cloud, mapping(lock))
    await wait_for_issue(hass, Issue.MAPPING_OFFERED)
    fix = await Fix.open(hass, hass_client, Issue.MAPPING_OFFERED)
    await fix.submit(mode="replace")
    await fix.submit(confirmed=False)
    assert not fix.solved
    assert not bound(entry)
    await fix.submit(confirmed=True)
    assert fix.solved
    assert bound(entry).keys() == {"Locked"}


async def test_mapping_that_changed_meanwhile(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """Nothing is stored that was not shown; a newer version replaces the older one."""
    entry = await set_up(options=TAKES)
    await wait_until_asked(device, entry)
    await push(cloud, REPORTED)
    await wait_for_issue(hass, Issue.MAPPING_OFFERED)
    fix = await Fix.open(hass, hass_client, Issue.MAPPING_OFFERED)
    await fix.submit(mode="merge")
    first = entry.runtime_data.device.management.offered.document
    await push(cloud, CONTROLLED)
    await until(lambda: entry.runtime_data.device.management.offered.document is not first)
    await fix.submit()
    assert fix.solved
    assert not bound(entry)
    [issue] = [one for one in ir.async_get(hass).issues if one[0] == DOMAIN and Issue.MAPPING_OFFERED in one[1]]
    assert issue[1].endswith(device.product.config.file.sha256[:8])

    fix = await Fix.open(hass, hass_client, Issue.MAPPING_OFFERED)
    await fix.submit(mode="merge")
    await options(hass, entry, config_mapping=False)
    assert Issue.MAPPING_OFFERED not in shown_issues(hass)
    await fix.submit()
    assert fix.solved
    assert not bound(entry)


async def test_mapping_is_asked_for(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """What was pushed while the device was offline is found; a mapping that changes nothing is not offered."""
    await cloud.call("SetThingConfig", ProductKey=PRODUCT_KEY, ConfigContent=json.dumps(REPORTED))
    entry = await set_up(options=TAKES)
    await wait_for_issue(hass, Issue.MAPPING_OFFERED)
    await options(hass, entry, config_mapping=False)
    assert Issue.MAPPING_OFFERED not in shown_issues(hass)
    await options(hass, entry, config_mapping=True)
    await wait_for_issue(hass, Issue.MAPPING_OFFERED)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not shown_issues(hass)


async def test_what_is_not_offered(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, caplog: pytest.LogCaptureFixture
) -> None:
    """Another configuration, a faulty mapping, one that is stored already, and every one while it is not wanted."""
    target = {**TARGET, "access": "both"}
    entry = await set_up([target], options=TAKES)
    await wait_until_asked(device, entry)
    offered = entry.runtime_data.device.management.offered
    seen: list[Any] = []
    offer = offered.offer

    async def record(content: Any, digest: str) -> None:
        await offer(content, digest)
        seen.append(content)

    offered.offer = record
    for content in ({"interval": 60}, mapping({**TARGET, "access": "nonsense"}), CONTROLLED):
        await push(cloud, content)
        await until(lambda content=content: seen and seen[-1] == content)
    assert "offers to gw-1 has faults: bindings" in caplog.text
    assert offered.document is None
    assert Issue.MAPPING_OFFERED not in shown_issues(hass)
