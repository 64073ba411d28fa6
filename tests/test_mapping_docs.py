"""`docs/mapping.md` matches the code: its tables are up to date, and its examples are run."""

from pathlib import Path
import re
from typing import Any

from homeassistant.const import MAJOR_VERSION, MINOR_VERSION
from homeassistant.core import HomeAssistant
import pytest
import yaml

from custom_components.aliyun_iot.alink.model.thing_model import ThingModel
from custom_components.aliyun_iot.const import CONF_THING_MODEL
from custom_components.aliyun_iot.mapping.document.document import Document
from custom_components.aliyun_iot.mapping.document.text import read_text
from custom_components.aliyun_iot.mapping.domains import DOMAINS
from mapping_table.__main__ import DOCS, PAGES, updated
from mapping_table.examples import EXAMPLES
from mapping_table.facts import example_of
from mapping_table.words import Words
from simulator import CloudDevice, ThingModel as CloudThingModel

from .application import SetProperties
from .conftest import SetUp


def blocks(page: Path) -> list[str]:
    """Return the YAML blocks of a page."""
    return re.findall(r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


YAML = blocks(DOCS / "mapping.md")
DOCUMENTS = [block for block in YAML if block.startswith("format:")]
STORIES = [block for block in YAML if block not in DOCUMENTS]


@pytest.mark.skipif((MAJOR_VERSION, MINOR_VERSION) < (2026, 10), reason="older versions have fewer options")
@pytest.mark.parametrize(("page", "words"), PAGES.items())
async def test_tables_are_up_to_date(hass: HomeAssistant, page: str, words: Words) -> None:
    """Run scripts/mapping-table after a change of a domain."""
    text = (DOCS / page).read_text(encoding="utf-8")
    assert text.count("<!-- generated: ") == 5
    assert updated(text, words) == text


def test_pages_have_the_same_examples() -> None:
    """The tests only run those of one language."""
    assert blocks(DOCS / "mapping.zh-CN.md") == YAML


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=lambda domain: domain.name)
def test_every_aspect_has_an_example_with_a_value(domain: Any) -> None:
    """Otherwise its row in the table would be empty."""
    for aspect in domain.aspects:
        example_of(domain, aspect)
        values = [aspect.read(state) for state in EXAMPLES[domain.name] if aspect.supported(state)]
        assert aspect.momentary or any(value is not None for value in values), aspect.key


def test_every_domain_has_examples() -> None:
    """And there are no examples of other domains."""
    assert EXAMPLES.keys() == DOMAINS.keys()


@pytest.mark.parametrize("block", STORIES, ids=lambda block: block.splitlines()[0])
async def test_examples(
    hass: HomeAssistant, device: CloudDevice, set_up: SetUp, set_properties: SetProperties, block: str
) -> None:
    """The cloud gets the posted values, and its sets run the actions of the example."""
    story = yaml.safe_load(block)
    entity_id = story["entity"]
    hass.states.async_set(entity_id, str(story["state"]), story.get("attributes", {}))
    model = thing_model(story["thing_model"]) if "thing_model" in story else None
    device.thing_model = CloudThingModel.parse(model, strict_values=True) if model else None
    bindings = [
        {"entity": entity_id, "access": "both", **row, "identifier": identifier}
        for identifier, row in story["bindings"].items()
    ]
    entry = await set_up(bindings, options={CONF_THING_MODEL: model})
    assert not entry.runtime_data.device.bound.problems
    posts = story.get("posts", {})
    await device.wait_for(lambda _: device.properties.keys() >= posts.keys())
    assert {key: value for key, (value, _) in device.properties.items()} == posts
    for turn in story.get("sets", []):
        await run_set(hass, set_properties, entity_id, turn)


async def run_set(hass: HomeAssistant, set_properties: SetProperties, entity_id: str, turn: dict[str, Any]) -> None:
    """Set properties; the expected actions run, or the set is refused with the expected code."""
    wanted = [(name, data) for action in turn.get("runs", []) for name, data in action.items()]
    calls: list[Any] = []
    for name in {name for name, _ in wanted}:
        hass.services.async_register(*name.split("."), calls.append)
    reply = await set_properties(**turn["set"])
    assert reply.code == turn.get("answers", 200), reply.message
    run = [(f"{call.domain}.{call.service}", {"entity_id": entity_id, **call.data}) for call in calls]
    assert run == [(name, {"entity_id": entity_id, **data}) for name, data in wanted]


def thing_model(types: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a thing model with writable properties of these types."""
    properties = [
        {"identifier": identifier, "name": identifier, "accessMode": "rw", "dataType": data_type}
        for identifier, data_type in types.items()
    ]
    return ThingModel.parse({"properties": properties}).to_tsl()


@pytest.mark.parametrize("block", DOCUMENTS)
def test_documents(block: str) -> None:
    """A document of the page can be imported, and is the same as an export."""
    data = read_text(block)
    assert Document.parse(data).as_dict() == data
