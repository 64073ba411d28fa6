"""The pages in both languages list all fields, entities and event data."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from custom_components.aliyun_iot.const import EVENT_COMMAND, EVENT_COMMAND_FAILED
from simulator import CloudDevice

from .application import TARGET, SetProperties
from .conftest import SetUp
from .walk import translations

ROOT = Path(__file__).parent.parent
LANGUAGES = ("en", "zh-Hans")
CHAPTERS = {
    "en": {
        "binding": ("bindings.md", "Fields"),
        "entities": ("bindings.md", "What can be bound"),
        "events": ("actions.md", "Events on Home Assistant's bus"),
    },
    "zh-Hans": {
        "binding": ("bindings.zh-CN.md", "字段"),
        "entities": ("bindings.zh-CN.md", "可以绑定什么"),
        "events": ("actions.zh-CN.md", "Home Assistant 总线上的事件"),
    },
}


def chapter(language: str, name: str) -> str:
    """Return the text from one heading of a page to the next."""
    file, heading = CHAPTERS[language][name]
    _, found, rest = (ROOT / "docs" / file).read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    assert found
    return rest.partition("\n##")[0]


def rows(text: str) -> Iterator[str]:
    """Yield the first cell of every row of the tables in a text."""
    yield from re.findall(r"^\| (.+?) \|", text, re.MULTILINE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_of_a_binding_is_explained(language: str) -> None:
    """The row has the name in the form, possibly with details; related fields share a row."""
    page = translations(language)["config_subentries"]["exposure"]["step"]["binding"]
    labels = [*page["data"].values()]
    for section in page["sections"].values():
        labels += section["data"].values()
    explained = {name for row in rows(chapter(language, "binding")) for name in re.split("[,、] ?", row)}
    assert {re.split("[:：，]", label)[0] for label in labels} <= explained


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entity_of_the_integration_is_listed(language: str) -> None:
    """Entities that are disabled by default are listed as well."""
    kinds: dict[str, dict[str, Any]] = translations(language)["entity"]
    names = [entity["name"].split("{")[0].strip() for kind in kinds.values() for entity in kind.values()]
    assert len(names) == 20
    assert [name for name in names if name not in chapter(language, "entities")] == []


async def test_all_event_data_is_explained(
    hass: HomeAssistant, device: CloudDevice, house: None, set_up: SetUp, set_properties: SetProperties
) -> None:
    """The pages list exactly the keys of the data of a refused command, and of one that fails."""
    broken = {"identifier": "LightSwitch", "entity": "", "aspect": "actions", "access": "control"}
    await set_up([TARGET, broken | {"actions": [{"stop": "no power", "error": True}]}])
    commands = async_capture_events(hass, EVENT_COMMAND)
    failures = async_capture_events(hass, EVENT_COMMAND_FAILED)
    await set_properties(TargetTemperature=31)
    await set_properties(LightSwitch=1)
    await hass.async_block_till_done()
    (command, _), (failure,) = commands, failures
    for language in LANGUAGES:
        text = chapter(language, "events")
        assert {row.strip("`") for row in rows(text) if row.startswith("`")} == command.data.keys()
        [sentence] = [line for line in text.split("\n\n") if f"`{EVENT_COMMAND_FAILED}`" in line]
        assert failure.data.keys() <= set(re.findall("`(.+?)`", sentence))
        [changes] = [line for line in text.splitlines() if line.startswith("| `changes`")]
        assert command.data["changes"][0].keys() <= set(re.findall("`(.+?)`", changes))
