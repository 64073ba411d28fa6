"""The examples in `docs/automations.md` are valid, and the page mentions everything that is available."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import load_yaml_dict
import pytest
import yaml

from custom_components.aliyun_iot.addressed import DEVICE
from custom_components.aliyun_iot.const import DOMAIN

from .automations import ENTRY_ID
from .conftest import SetUp
from .test_blueprints import FOLDER, REPOSITORY, ROOT
from .test_translations import INTEGRATION

PAGES = [ROOT / "docs" / name for name in ("automations.md", "automations.zh-CN.md")]


def blocks(page: Path) -> list[str]:
    """Return the YAML blocks of a page."""
    return re.findall(r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def parts(tree: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Yield every trigger, condition or action of this integration in an automation, at any depth."""
    for node in tree if isinstance(tree, list) else tree.values() if isinstance(tree, dict) else ():
        yield from parts(node, kind)
    if isinstance(tree, dict) and str(tree.get(kind, "")).startswith(f"{DOMAIN}."):
        yield tree


MANAGEMENT = [ROOT / "docs" / name for name in ("device-management.md", "device-management.zh-CN.md")]

EXAMPLES = [one for one in (*blocks(PAGES[0]), *blocks(MANAGEMENT[0])) if "triggers:" in one]
SCRIPTS = [one for one in blocks(MANAGEMENT[0]) if "triggers:" not in one]


def test_pages_have_the_same_examples() -> None:
    """Only the examples of one language are tested."""
    for english, chinese in (PAGES, MANAGEMENT):
        assert blocks(chinese) == blocks(english)


@pytest.mark.parametrize("example", SCRIPTS, ids=lambda example: example.splitlines()[0])
async def test_script_is_valid(hass: HomeAssistant, example: str) -> None:
    """Home Assistant sets up the script."""
    assert await async_setup_component(hass, "script", {"script": {"story": yaml.safe_load(example)}})
    assert hass.states.get("script.story")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.splitlines()[0])
async def test_example_is_valid(hass: HomeAssistant, set_up: SetUp, example: str) -> None:
    """Home Assistant sets up the automation, and the actions accept their data."""
    config = yaml.safe_load(example)
    await set_up(entry_id=ENTRY_ID)
    assert await async_setup_component(hass, "automation", {"automation": [{"id": "story", **config}]})
    [automation] = hass.states.async_all("automation")
    assert automation.state == STATE_ON
    for kind in ("triggers", "conditions"):
        for part in parts(config, kind.removesuffix("s")):
            assert part["options"]["config_entry_id"] == ENTRY_ID
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)
    fields = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    for part in parts(config, "action"):
        action = part["action"].removeprefix(f"{DOMAIN}.")
        assert part["data"]["config_entry_id"] == ENTRY_ID
        assert part["data"].keys() <= fields[action]["fields"].keys()
        assert part["data"].keys() >= {name for name, one in fields[action]["fields"].items() if one.get("required")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize("kind", ["triggers", "conditions", "services"])
def test_every_trigger_condition_and_action_is_mentioned(page: Path, kind: str) -> None:
    """Each has a row with all of its fields, except for the actions that export and import the mapping."""
    text = page.read_text(encoding="utf-8")
    described = load_yaml_dict(str(INTEGRATION / f"{kind}.yaml"))
    for name, one in described.items():
        if name.startswith(".") or name.endswith("_mapping"):
            continue
        [row] = [line for line in text.splitlines() if line.removeprefix("| ").startswith(f"`{DOMAIN}.{name}`")]
        assert not [field for field in one["fields"] if field not in DEVICE and f"`{field}`" not in row]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blueprints_are_linked(page: Path) -> None:
    """The links are the paths of the files."""
    linked = re.findall(rf"\({re.escape(REPOSITORY)}(.*?)\)", page.read_text(encoding="utf-8"))
    assert sorted(linked) == [str(path.relative_to(ROOT)) for path in sorted(FOLDER.glob("*.yaml"))]
