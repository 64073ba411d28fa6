"""The codes and figures in `docs/commands.md` are those of the code, and its example is real."""

import json
from pathlib import Path
import re

from homeassistant.core import HomeAssistant
import pytest

from custom_components.aliyun_iot.alink.answers import ANSWERS_PER_SECOND, MAX_BYTES, MAX_QUEUED, MAX_URGENT
from custom_components.aliyun_iot.alink.codes import Code, describe
from custom_components.aliyun_iot.alink.downlink import MAX_RUNNING
from custom_components.aliyun_iot.alink.recent_commands import REMEMBERED_FOR
from custom_components.aliyun_iot.commands import loops
from custom_components.aliyun_iot.commands.commander import DEADLINE, SYNC_DEADLINE
from custom_components.aliyun_iot.commands.work import GRACE, MAX_OF_ONE, MAX_WORK
from custom_components.aliyun_iot.const import DEFAULT_COMMANDS_PER_MINUTE
from simulator import CloudDevice, Simulator

from .application import TARGET, publish, reply_on
from .conftest import SetUp

ROOT = Path(__file__).parent.parent
PAGES = {"commands.md": "en", "commands.zh-CN.md": "zh"}


def page(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "language"), PAGES.items())
def test_every_code_is_documented(name: str, language: str) -> None:
    """With its meaning, in the order of the codes, and no others."""
    rows = re.findall(r"^\| (\d+) \| (.+?) \| (.+) \|$", page(name), re.MULTILINE)
    assert [(int(code), meaning) for code, meaning, _ in rows] == [(code, describe(code, language)) for code in Code]


@pytest.mark.parametrize("name", PAGES)
def test_figures_are_those_of_the_code(name: str) -> None:
    """Deadlines and limits."""
    figures = (SYNC_DEADLINE, DEADLINE, MAX_RUNNING, loops.TURNS, loops.PERIOD, loops.ENDLESS_TURNS)
    figures += (MAX_QUEUED, MAX_URGENT, ANSWERS_PER_SECOND, MAX_OF_ONE, GRACE, DEFAULT_COMMANDS_PER_MINUTE)
    assert (REMEMBERED_FOR, MAX_BYTES, MAX_WORK) == (300, 4 * 1024 * 1024, MAX_RUNNING)
    assert [figure for figure in figures if f"{figure:g}" not in page(name)] == []
    assert loops.PAUSE == loops.ENDLESS_PERIOD == 600


async def test_example(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, house: None, set_up: SetUp) -> None:
    """The command in the example gets the answer in the example."""
    examples = {re.search(r"```json\n(.*?)```", page(name), re.DOTALL)[1] for name in PAGES}
    assert len(examples) == 1
    await set_up([TARGET])
    await publish(cloud, device, "thing/service/property/set", {"id": "42", "params": {"TargetTemperature": 31.0}})
    answer = await reply_on(cloud, "property/set_reply")
    shown = json.loads(examples.pop())
    assert {key: answer[key] for key in shown} == shown


@pytest.mark.parametrize(("readme", "name"), [("README.md", "commands.md"), ("README.zh-CN.md", "commands.zh-CN.md")])
def test_readme_links_to_the_page(readme: str, name: str) -> None:
    """In both languages."""
    assert f"(docs/{name})" in (ROOT / readme).read_text(encoding="utf-8")
