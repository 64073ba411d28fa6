"""Poisonous text, and where it must not be."""

from collections.abc import Mapping
import logging
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry

import custom_components.aliyun_iot as package

ROOT = Path(package.__file__).parent

FORGED = "2026-01-01 00:00:00.000 ERROR (MainThread) [homeassistant.core] forged"
POISON = (
    f"\n{FORGED}\x1b[31m ![x](http://evil/a.png) [click](javascript:1) \u202e\u200b`_*<img src=x>\r\n# {'A' * 101_000}"
)

SHORT = POISON[:600]

LONGEST = 20_000
"""Characters that all texts of one place together may have; each foreign one has at most 200."""


def faults_of(text: str, *, markdown: bool = False) -> list[str]:
    """Return what a text has that must not be in it."""
    faults = [character for character in ("\x1b", "\u202e", "\u200b", "\r") if character in text]
    faults += ["a line of the log"] if f"\n{FORGED[:10]}" in text else []
    faults += ["a long text"] if re.search(r"A{201}", text) or len(text) > LONGEST else []
    if markdown and "<details" in text:  # nothing in such a block is Markdown
        faults += re.findall(r"<img|\]\(", text)
    elif markdown:
        faults += re.findall(r"(?<!\\)(?:!\[|\]\(|<img|`_|\*<)|http://evil", text)
    return faults


async def search(
    hass: HomeAssistant, hass_client: Any, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> dict[str, list[str]]:
    """Return where something of the poison is: in the log, issues, states or diagnostics."""
    formatter = logging.Formatter("%(name)s %(message)s")
    own = [
        record for record in caplog.records if not record.name.startswith(("homeassistant.core", "tests", "asyncio"))
    ]
    found = {f"log of {record.name}": faults_of(formatter.format(record)) for record in own}
    for issue in ir.async_get(hass).issues.values():
        for name, text in (issue.translation_placeholders or {}).items():
            found[f"issue {issue.issue_id}, {name}"] = faults_of(text, markdown=True)
    for state in hass.states.async_all():
        found[f"state of {state.entity_id}"] = faults_of(f"{state.state} {texts_of(state.attributes)}")
    assert await async_setup_component(hass, "diagnostics", {})
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    found["diagnostics"] = [fault for text in texts_of(diagnostics).split("\n ") for fault in faults_of(text)]
    return {place: faults for place, faults in found.items() if faults}


def texts_of(value: Any) -> str:
    """Return all texts of a value, one per line, each after a blank."""
    match value:
        case str():
            return f"\n {value}"
        case Mapping():
            return "".join(texts_of(key) + texts_of(inner) for key, inner in value.items())
        case list() | tuple():
            return "".join(map(texts_of, value))
    return ""
