"""Bindings changed on the page of both sides: checked as in the forms, many at once, and undone."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.aliyun_iot.exposures import resolve_entity
from custom_components.aliyun_iot.panel.rows import digest_of
from custom_components.aliyun_iot.rules import rules_of

from .conftest import SetUp
from .panel_page import LAMP, LOCK, TARGET, Open, new_rule, stored


@pytest.fixture
async def entry(hass: HomeAssistant, house: None, set_up: SetUp) -> MockConfigEntry:
    """Return an entry with two bindings."""
    assert await async_setup_component(hass, "websocket_api", {})
    return await set_up([TARGET, LAMP])


async def test_edit_undo(hass: HomeAssistant, entry: MockConfigEntry, open_page: Open) -> None:
    """A binding is changed with the form's own checks, and the change can be undone."""
    page = await open_page(entry)
    form = (await page.call("binding/form", row="TargetTemperature"))["result"]
    assert {field["name"] for field in form["fields"]} >= {"identifier", "access", "scale", "digits", "min_interval"}
    values = {**form["values"], "reporting": {"min_interval": 30}}
    saved = await page.call("binding/save", row="TargetTemperature", digest=form["digest"], values=values)
    assert saved["result"] == {"saved": "TargetTemperature", "can_undo": 1}
    assert stored(entry)["TargetTemperature"].min_interval == 30
    assert (await page.call("bindings/undo"))["result"] == {"undone": 1}
    assert stored(entry)["TargetTemperature"].min_interval == 0


@pytest.mark.parametrize(
    ("section", "field", "value", "error"),
    [
        ("conversion", "scale", 0, "Enter a number other than 0."),
        ("conversion", "digits", 12, "Enter an integer from 0 to 9."),
        ("conversion", "digits", 1.5, "Enter an integer from 0 to 9."),
        ("conversion", "options", ["on"], "on does not have the form value=value, or repeats a value of the entity."),
        ("reporting", "min_interval", -1, "Enter a number from 0 to 86,400."),
        ("reporting", "dead_band", -1, "Enter a number that is 0 or greater."),
    ],
)
async def test_wrong_value_is_explained_at_its_field(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    open_page: Open,
    section: str,
    field: str,
    value: Any,
    error: str,
) -> None:
    """The error says what the field expects, also when many are changed at once."""
    page, before = await open_page(entry), stored(entry)
    form = (await page.call("binding/form", row="TargetTemperature"))["result"]
    values = {**form["values"], section: {field: value}}
    refused = await page.call("binding/save", row="TargetTemperature", digest=form["digest"], values=values)
    assert refused["result"]["errors"] == {field: error}
    if section == "reporting":
        digests = {"TargetTemperature": form["digest"]}
        changed = await page.call("bindings/change", digests=digests, changes={field: value})
        assert changed["result"] == {"errors": {field: error}}
    assert stored(entry) == before


async def test_another_property_is_one_change(hass: HomeAssistant, entry: MockConfigEntry, open_page: Open) -> None:
    """A binding that was given another property counts once."""
    page, before = await open_page(entry), stored(entry)
    form = (await page.call("binding/form", row="TargetTemperature"))["result"]
    values = {**form["values"], "identifier": "CurrentTemperature", "access": "report"}
    saved = await page.call("binding/save", row="TargetTemperature", digest=form["digest"], values=values)
    assert saved["result"] == {"saved": "CurrentTemperature", "can_undo": 1}
    assert (await page.call("bindings/undo"))["result"] == {"undone": 1}
    assert stored(entry) == before


async def test_somebody_else_changed_it(hass: HomeAssistant, entry: MockConfigEntry, open_page: Open) -> None:
    """What the page does not show is not overwritten."""
    page, other = await open_page(entry), await open_page(entry)
    form = (await page.call("binding/form", row="LightSwitch"))["result"]
    await other.call("bindings/change", digests={"LightSwitch": form["digest"]}, changes={"min_interval": 5})
    late = await page.call("binding/save", row="LightSwitch", digest=form["digest"], values=form["values"])
    assert late["error"]["code"] == "changed_meanwhile"
    assert stored(entry)["LightSwitch"].min_interval == 5
    for command, more in (
        ("bindings/remove", {"digests": {"LightSwitch": form["digest"]}}),
        ("bindings/change", {"digests": {"LightSwitch": form["digest"]}, "changes": {"dead_band": 1}}),
    ):
        assert (await page.call(command, **more))["error"]["code"] == "changed_meanwhile"


async def test_many_at_once(hass: HomeAssistant, entry: MockConfigEntry, open_page: Open) -> None:
    """Many are changed or removed together, and come back together."""
    page = await open_page(entry)
    await page.call("bindings/subscribe")
    await page.until(lambda: len(page.rows) == 2)
    before = stored(entry)
    digests = {key: row["digest"] for key, row in page.rows.items()}
    assert (await page.call("bindings/change", digests=digests, changes={"access": "report"}))["result"][
        "refused"
    ] == {}
    assert {binding.access for binding in stored(entry).values()} == {"report"}
    await page.until(lambda: {(row["access"], row["state"]) for row in page.rows.values()} == {("report", "in_step")})
    await page.call("bindings/undo")
    assert stored(entry) == before
    await page.call("bindings/remove", digests=digests)
    assert stored(entry) == {}
    await page.until(lambda: page.rows == {})
    await page.call("bindings/undo")
    assert stored(entry) == before
    assert (await page.call("bindings/undo"))["error"]["code"] == "changed_meanwhile"


@pytest.mark.parametrize("changes", [{"min_interval": -1}, {"access": "both!"}, {"dead_band": "x"}])
async def test_bad_values_for_many(entry: MockConfigEntry, open_page: Open, changes: dict[str, Any]) -> None:
    """Nothing is stored, and the field is named."""
    page = await open_page(entry)
    form = (await page.call("binding/form", row="LightSwitch"))["result"]
    answer = await page.call("bindings/change", digests={"LightSwitch": form["digest"]}, changes=changes)
    assert answer["result"]["errors"].keys() == changes.keys()
    assert stored(entry)["LightSwitch"].min_interval == 0


async def test_control_needs_the_tick(hass: HomeAssistant, set_up: SetUp, open_page: Open) -> None:
    """Many bindings cannot be opened for control at once where a risky entity is among them."""
    assert await async_setup_component(hass, "websocket_api", {})
    hass.states.async_set("lock.door", "locked")
    entry = await set_up([{**LOCK, "access": "report"}])
    page = await open_page(entry)
    form = (await page.call("binding/form", row="LightSwitch"))["result"]
    answer = await page.call("bindings/change", digests={"LightSwitch": form["digest"]}, changes={"access": "both"})
    assert "operate door" in answer["result"]["refused"]["LightSwitch"]
    assert stored(entry)["LightSwitch"].access == "report"


async def test_rules(hass: HomeAssistant, entry: MockConfigEntry, open_page: Open) -> None:
    """Bindings are added to a rule, which selects their entities then and owns nothing else of them, and taken from it."""
    rule_id = new_rule(hass, entry, include={"entity_id": ["switch.other"]})
    await hass.async_block_till_done()
    page = await open_page(entry)
    await page.call("bindings/subscribe")
    await page.until(lambda: len(page.rows) == 2 and rule_id in page.entry.get("rules", {}))
    before = stored(entry)
    digests = {key: row["digest"] for key, row in page.rows.items()}
    added = await page.call("bindings/rule", digests=digests, rule=rule_id)
    assert added["result"] == {"refused": {}, "can_undo": 2}
    await hass.async_block_till_done()
    assert {binding.rule for binding in stored(entry).values()} == {rule_id}
    rule = rules_of(entry)[rule_id]
    selected = {resolve_entity(hass, reference) for reference in rule.selection.include.entity_id}
    assert selected == {"switch.other", TARGET["entity"], LAMP["entity"]}
    await page.call("bindings/undo")
    await hass.async_block_till_done()
    assert stored(entry) == before
    assert rules_of(entry)[rule_id].selection.include.entity_id == ("switch.other",)
    await page.call("bindings/rule", digests=digests, rule=rule_id)
    await hass.async_block_till_done()
    digests = {key: digest_of(binding) for key, binding in stored(entry).items()}
    assert (await page.call("bindings/rule", digests=digests, rule=""))["result"] == {"refused": {}, "can_undo": 2}
    await hass.async_block_till_done()
    assert stored(entry) == before
    gone = await page.call("bindings/rule", digests={}, rule="0")
    assert gone["error"]["code"] == "changed_meanwhile"


async def test_what_a_rule_cannot_own(hass: HomeAssistant, house: None, set_up: SetUp, open_page: Open) -> None:
    """A binding without an entity, or of an entity that the rule excludes, is left alone, and the reason is said."""
    assert await async_setup_component(hass, "websocket_api", {})
    constant = {"identifier": "EnergyTotal", "entity": "", "aspect": "template", "source": "{{ 1 }}"}
    entry = await set_up([constant, LAMP])
    rule_id = new_rule(hass, entry, include={}, exclude={"domain": ["input_boolean"]})
    page = await open_page(entry)
    await page.call("bindings/subscribe")
    await page.until(lambda: len(page.rows) == 2)
    digests = {key: row["digest"] for key, row in page.rows.items()}
    answer = await page.call("bindings/rule", digests=digests, rule=rule_id)
    assert answer["result"]["refused"].keys() == {"EnergyTotal", "LightSwitch"}
    assert not any(binding.rule for binding in stored(entry).values())
