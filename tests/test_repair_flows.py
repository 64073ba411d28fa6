"""What can be solved is solved in the repair itself: each flow is driven by the API that the frontend uses."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Self

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.aliyun_iot import repairs
from custom_components.aliyun_iot.const import CONF_THING_MODEL, DOMAIN, SUBENTRY_EVENT
from custom_components.aliyun_iot.exposures import exposed_bindings
from custom_components.aliyun_iot.health.issues import _BEHAVIORS, Issue
from custom_components.aliyun_iot.repairs import async_create_fix_flow
from simulator import CloudDevice, Simulator

from .conftest import SetUp
from .outages import POWER, WATT, lose_connection
from .test_guard_conditions import guarded, lost_entity, state_is
from .test_issues import renamed, shown_issues, wait_for_issue
from .test_refusals import NO_MODEL, STRANGER
from .test_reporter import CELSIUS, SWITCH, TEMPERATURE
from .waiting import until
from .walk import placeholders, translations

FLOW = "/api/repairs/issues/fix"
GONE = "0123456789"


@pytest.fixture(autouse=True)
async def api(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the API up; a flow does not wait long for an effect that does not come."""
    assert await async_setup_component(hass, "repairs", {})
    monkeypatch.setattr(repairs, "PATIENCE", 0.05)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the flow wait for the effect, however slow this machine is."""
    monkeypatch.setattr(repairs, "PATIENCE", 60.0)


class Fix:
    """A fix flow as the frontend shows it; everything on its pages has a text in both languages."""

    def __init__(self, client: Any, issue: Issue, page: dict[str, Any]) -> None:
        """Check the first page."""
        self._client = client
        self._issue = issue
        self.page = page
        self._check()

    @classmethod
    async def open(cls, hass: HomeAssistant, hass_client: ClientSessionGenerator, issue: Issue) -> Self:
        """Open the flow of an issue."""
        client = await hass_client()
        [issue_id] = [key for domain, key in ir.async_get(hass).issues if domain == DOMAIN and key.startswith(issue)]
        return cls(client, issue, await cls._posted(client, FLOW, {"handler": DOMAIN, "issue_id": issue_id}))

    async def choose(self, option: str) -> None:
        """Choose from the menu."""
        assert option in self.page["menu_options"]
        await self._send({"next_step_id": option})

    async def submit(self, **values: Any) -> None:
        """Submit the form."""
        assert self.page["type"] == "form"
        await self._send(values)

    @property
    def solved(self) -> bool:
        """Whether the flow has ended."""
        return bool(self.page["type"] == "create_entry")

    @property
    def facts(self) -> dict[str, str]:
        """The placeholders of the page."""
        given: dict[str, str] = self.page["description_placeholders"]
        return given

    @property
    def offered(self) -> dict[str, str]:
        """What can be removed: the values of the list with their labels."""
        [field] = self.page["data_schema"]
        return {one["value"]: one["label"] for one in field["selector"]["select"]["options"]}

    async def _send(self, values: Mapping[str, Any]) -> None:
        self.page = await self._posted(self._client, f"{FLOW}/{self.page['flow_id']}", values)
        self._check()

    @staticmethod
    async def _posted(client: Any, url: str, values: Mapping[str, Any]) -> dict[str, Any]:
        response = await client.post(url, json=values)
        assert response.status == HTTPStatus.OK, await response.text()
        page: dict[str, Any] = await response.json()
        return page

    def _check(self) -> None:
        if self.solved:
            return
        for language in ("en", "zh-Hans"):
            flow = translations(language)["issues"][self._issue]["fix_flow"]
            step = flow["step"][self.page["step_id"]]
            if self.page["type"] == "menu":
                labels = [step["menu_options"][option] for option in self.page["menu_options"]]
            else:
                labels = [step["data"][field["name"]] for field in self.page["data_schema"]]
                labels += [flow["error"][error] for error in (self.page["errors"] or {}).values()]
            used = placeholders(" ".join([step["title"], step["description"], *labels]))
            assert used <= self.page["description_placeholders"].keys()


def identifiers(entry: MockConfigEntry) -> set[str]:
    """Return the bound properties."""
    return {binding.identifier for binding in exposed_bindings(entry)}


async def test_remove_what_is_bound_to_removed_entities(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator, patient: None
) -> None:
    """First some of it, then the rest: properties, services and events; what works stays."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    rows = [{**SWITCH, "entity": GONE, "identifier": f"Lamp{number}"} for number in range(3)]
    entry = await set_up([*rows, TEMPERATURE], [{"identifier": "RunScene", "script": GONE}], options=NO_MODEL)
    event = MappingProxyType({"identifier": "SceneActivated", "entity": GONE})
    hass.config_entries.async_add_subentry(
        entry, ConfigSubentry(data=event, subentry_type=SUBENTRY_EVENT, title="Scene · Bell", unique_id=None)
    )
    await until(lambda: shown_issues(hass).get(Issue.ENTITY_GONE, {}).get("count") == "5")

    fix = await Fix.open(hass, hass_client, Issue.ENTITY_GONE)
    assert fix.page["menu_options"] == ["remove_all", "remove_some"]
    assert fix.facts["panel"] == f"/aliyun-iot/{entry.entry_id}/bindings?state=entity_gone"
    assert "online since" in fix.facts["state"]
    await fix.choose("remove_some")
    assert len(fix.offered) == 5
    assert "Scene · Bell" in fix.offered.values()
    await fix.submit(bindings=[])
    assert fix.page["errors"] == {"bindings": "nothing_selected"}
    scene = next(key for key, label in fix.offered.items() if label == "RunScene")
    await fix.submit(bindings=["Lamp0", scene])
    assert fix.page["step_id"] == "init"
    assert (fix.facts["count"], fix.facts["removable"]) == ("3", "3")
    assert fix.facts["state"].startswith("Removed: 2.")

    await fix.choose("remove_all")
    assert fix.facts["list"].count("\n") == 2
    assert identifiers(entry) == {"Lamp1", "Lamp2", "CurrentTemperature"}
    await fix.submit()
    assert fix.solved
    assert shown_issues(hass) == {}
    assert identifiers(entry) == {"CurrentTemperature"}
    assert [one.subentry_type for one in entry.subentries.values()] == ["exposure"]


async def test_enable_disabled_entities(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator, patient: None
) -> None:
    """All of them at once, not those that nothing is bound to; a single binding is not chosen from a list."""
    registry = er.async_get(hass)
    lamp, other = (
        registry.async_get_or_create("switch", "test", name, disabled_by=er.RegistryEntryDisabler.USER)
        for name in ("lamp", "other")
    )
    await set_up([{**SWITCH, "entity": lamp.id}])
    await wait_for_issue(hass, Issue.ENTITY_DISABLED)
    fix = await Fix.open(hass, hass_client, Issue.ENTITY_DISABLED)
    assert fix.page["menu_options"] == ["enable", "remove_all"]
    await fix.choose("enable")
    assert fix.solved
    assert registry.async_get(lamp.entity_id).disabled_by is None
    assert registry.async_get(other.entity_id).disabled_by
    assert Issue.ENTITY_DISABLED not in shown_issues(hass)


async def test_entity_of_a_disabled_device_is_not_enabled(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """It follows its device; the menu comes back and says that nothing was enabled."""
    registry = er.async_get(hass)
    lamp = registry.async_get_or_create("switch", "test", "lamp", disabled_by=er.RegistryEntryDisabler.DEVICE)
    await set_up([{**SWITCH, "entity": lamp.id}])
    fix = await Fix.open(hass, hass_client, Issue.ENTITY_DISABLED)
    await fix.choose("enable")
    assert fix.page["step_id"] == "init"
    assert fix.facts["state"].startswith("Enabled: 0.")
    assert registry.async_get(lamp.entity_id).disabled_by is er.RegistryEntryDisabler.DEVICE


async def test_post_again_after_the_product_was_corrected(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the cloud still refuses the value, the menu comes back."""
    hass.states.async_set("sensor.stranger", "1", WATT)
    entry = await set_up([STRANGER], options=NO_MODEL)
    await wait_for_issue(hass, Issue.PROPERTY_REJECTED)
    fix = await Fix.open(hass, hass_client, Issue.PROPERTY_REJECTED)
    assert fix.page["menu_options"] == ["post", "fetch", "remove_all"]
    await fix.choose("post")
    assert fix.page["step_id"] == "init"
    assert fix.facts["state"].startswith("Posted again")

    device.thing_model = None  # the property was added in the console
    monkeypatch.setattr(repairs, "PATIENCE", 60.0)
    await fix.choose("post")
    assert fix.solved
    assert device.properties["Stranger"][0] == 1
    assert shown_issues(hass) == {}
    assert identifiers(entry) == {"Stranger"}


async def test_remove_many_refused_bindings(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator, patient: None
) -> None:
    """Those that the cloud takes stay."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    rows = [{**STRANGER, "identifier": f"Stranger{n}", "entity": f"sensor.s{n}"} for n in range(30)]
    for row in rows:
        hass.states.async_set(row["entity"], "1", WATT)
    entry = await set_up([*rows, TEMPERATURE], options=NO_MODEL)
    await until(lambda: shown_issues(hass).get(Issue.PROPERTY_REJECTED, {}).get("count") == "30")
    fix = await Fix.open(hass, hass_client, Issue.PROPERTY_REJECTED)
    await fix.choose("remove_all")
    assert fix.facts["list"].splitlines()[10:] == ["- and 20 more"]
    await fix.submit()
    assert fix.solved
    assert identifiers(entry) == {"CurrentTemperature"}


async def test_fetch_the_thing_model(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
    thing_model_document: dict[str, Any],
    patient: None,
) -> None:
    """The stored one is older than the product; a failure is shown with its reason and can be tried again."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    old = renamed(thing_model_document, "CurrentTemperature", "RoomTemperature")
    entry = await set_up([TEMPERATURE], options={CONF_THING_MODEL: old})
    await wait_for_issue(hass, Issue.THING_MODEL_MISMATCH)
    fix = await Fix.open(hass, hass_client, Issue.THING_MODEL_MISMATCH)
    cloud.faults.set(answer_code={"code": 500})
    await fix.choose("fetch")
    assert fix.page["menu_options"] == ["fetch", "init"]
    assert "500" in fix.facts["reason"]
    cloud.faults.set(answer_code=None)
    await fix.choose("fetch")
    assert fix.page["step_id"] == "use_model"
    assert "CurrentTemperature" in fix.facts["consequences"]
    await fix.submit()
    assert fix.solved
    assert entry.runtime_data.device.model.properties.keys() >= {"CurrentTemperature"}
    assert shown_issues(hass) == {}


async def test_remove_bindings_that_do_not_fit(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
    thing_model_document: dict[str, Any],
    patient: None,
) -> None:
    """A property and a service that the thing model does not have."""
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    hass.states.async_set("switch.lamp", "on")
    service = {"identifier": "RunScene", "actions": [{"stop": "done"}]}
    other = renamed(thing_model_document, "CurrentTemperature", "RoomTemperature") | {"services": []}
    entry = await set_up([TEMPERATURE, SWITCH], [service], options={CONF_THING_MODEL: other})
    await wait_for_issue(hass, Issue.THING_MODEL_MISMATCH)
    fix = await Fix.open(hass, hass_client, Issue.THING_MODEL_MISMATCH)
    assert fix.facts["removable"] == "2"
    await fix.choose("remove_all")
    await fix.submit()
    assert fix.solved
    assert identifiers(entry) == {"LightSwitch"}
    assert len(entry.subentries) == 1


async def test_remove_values_that_cannot_be_reported(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator, patient: None
) -> None:
    """The binding whose value is out of range is removed."""
    hass.states.async_set("sensor.living_room", "9000", CELSIUS)
    hass.states.async_set("switch.lamp", "on")
    entry = await set_up([TEMPERATURE, SWITCH])
    await wait_for_issue(hass, Issue.PROPERTY_UNREPORTABLE)
    fix = await Fix.open(hass, hass_client, Issue.PROPERTY_UNREPORTABLE)
    assert fix.page["menu_options"] == ["fetch", "remove_all"]
    await fix.choose("remove_all")
    await fix.submit()
    assert fix.solved
    assert identifiers(entry) == {"LightSwitch"}


async def test_remove_rows_that_cannot_be_read(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator, patient: None
) -> None:
    """Rows of a later version, or damaged ones."""
    hass.states.async_set("switch.lamp", "on")
    entry = await set_up([SWITCH, {**TEMPERATURE, "min_interval": "soon"}], [{"identifier": "RunScene", "actions": 5}])
    await wait_for_issue(hass, Issue.ROWS_UNREADABLE)
    fix = await Fix.open(hass, hass_client, Issue.ROWS_UNREADABLE)
    assert fix.page["menu_options"] == ["remove_all", "remove_some"]
    await fix.choose("remove_all")
    await fix.submit()
    assert fix.solved
    assert identifiers(entry) == {"LightSwitch"}
    assert len(entry.subentries) == 1


async def test_raise_the_quota(
    hass: HomeAssistant,
    device: CloudDevice,
    set_up: SetUp,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The setting is changed in the repair; an impossible number is refused in the user's language."""
    entry = await set_up(options={"monthly_quota": 1})
    await until(lambda: entry.runtime_data.traffic_log.month().messages > 1)
    entry.runtime_data.health._quota.examine()
    assert Issue.QUOTA in shown_issues(hass)
    fix = await Fix.open(hass, hass_client, Issue.QUOTA)
    assert fix.facts["panel"] == f"/aliyun-iot/{entry.entry_id}/traffic"
    await fix.submit(monthly_quota=-1)
    assert fix.page["errors"] == {"monthly_quota": "monthly_quota_range"}
    await fix.submit(monthly_quota=900_000_000)
    assert fix.solved
    assert entry.options["monthly_quota"] == 900_000_000
    await hass.async_block_till_done()
    assert shown_issues(hass) == {}


async def test_check_conditions_again(
    hass: HomeAssistant, house: None, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """The repair says so if the problem is still there."""
    reference = lost_entity(hass)
    await set_up([guarded(state_is(reference, "on"))])
    await wait_for_issue(hass, Issue.CONDITION_UNUSABLE)
    fix = await Fix.open(hass, hass_client, Issue.CONDITION_UNUSABLE)
    await fix.submit()
    assert fix.page["errors"] == {"base": "still_there"}
    er.async_get(hass).async_get_or_create("binary_sensor", "test", "door")
    await until(lambda: Issue.CONDITION_UNUSABLE not in shown_issues(hass))
    await fix.submit()
    assert fix.solved


async def test_compare_the_clocks_now(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator
) -> None:
    """Without waiting for the next comparison."""
    cloud.faults.set(clock_ahead=3600)
    await set_up()
    await wait_for_issue(hass, Issue.CLOCK_SKEW)
    fix = await Fix.open(hass, hass_client, Issue.CLOCK_SKEW)
    await fix.submit()
    assert fix.page["errors"] == {"base": "still_there"}
    cloud.faults.set(clock_ahead=0)
    await fix.submit()
    assert fix.solved
    assert shown_issues(hass) == {}


@pytest.mark.parametrize("unloaded", [True, False], ids=["unloaded", "solved elsewhere"])
async def test_flow_that_is_still_open(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, hass_client: ClientSessionGenerator, unloaded: bool
) -> None:
    """Nothing breaks, and nothing is removed, when the problem is gone or the device does not run any more."""
    hass.states.async_set("sensor.power", "1", WATT)
    entry = await set_up([{**SWITCH, "entity": "switch.late"}, POWER])
    await wait_for_issue(hass, Issue.ENTITY_GONE)
    fix = await Fix.open(hass, hass_client, Issue.ENTITY_GONE)
    await fix.choose("remove_all")
    if unloaded:
        await hass.config_entries.async_unload(entry.entry_id)
    else:
        hass.states.async_set("switch.late", "on")
        await until(lambda: Issue.ENTITY_GONE not in shown_issues(hass))
    await fix.submit()
    assert fix.solved
    assert identifiers(entry) == {"LightSwitch", "Power"}


async def test_every_issue_that_can_be_solved_has_a_fix_flow(hass: HomeAssistant) -> None:
    """A deleted device is solved by the form for another secret, which Home Assistant shows by itself."""
    without = {issue for issue, behavior in _BEHAVIORS.items() if not (behavior.fix or behavior.confirmed)}
    assert without == {Issue.DEVICE_DELETED}
    for issue, behavior in _BEHAVIORS.items():
        if behavior.fix:
            flow = await async_create_fix_flow(hass, "", {"entry_id": "1", "issue": issue.value, "identifier": "A"})
            first = next(iter(translations()["issues"][issue]["fix_flow"]["step"]))
            assert hasattr(flow, f"async_step_{first}")


@pytest.mark.parametrize(
    ("language", "connected", "reason"),
    [
        ("en", "online since ", "Not connected: "),
        ("zh-Hans", "自 ", "未连接："),
    ],
)
async def test_options_say_how_the_device_is_doing(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    language: str,
    connected: str,
    reason: str,
) -> None:
    """The first page says whether the device is connected, and why not."""
    hass.config.language = language
    hass.states.async_set("sensor.living_room", "20", CELSIUS)
    entry = await set_up([TEMPERATURE])
    status = (await hass.config_entries.options.async_init(entry.entry_id))["description_placeholders"]["status"]
    assert status.startswith(connected)
    await lose_connection(cloud, device, entry)
    error = entry.runtime_data.link.last_error
    page = await hass.config_entries.options.async_init(entry.entry_id)
    status = page["description_placeholders"]["status"]
    assert error
    message = translations(language)["exceptions"][error.key]["message"]
    assert status.startswith(f"{reason}{message} · ")
