"""Load many stored bindings, in a new process.

    python -m bench.mapping_load COUNT time|memory

starts an empty Home Assistant with COUNT registered entities and an entry that stores a binding of each, then does the same
as a set-up: stored rows → validated bindings → bound properties. It prints `{"milliseconds": …, "resident_mb": …}` of
processor time and resident memory, or `{"traced_mb": …}` of the memory allocated by Python, since tracing it takes time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import gc
import json
import sys
import time
import tracemalloc
from types import MappingProxyType
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from custom_components.aliyun_iot.bound import BoundProperties, bind
from custom_components.aliyun_iot.const import CONF_BINDINGS, DOMAIN, SUBENTRY_EXPOSURE
from custom_components.aliyun_iot.exposures import exposed_bindings
from custom_components.aliyun_iot.mapping.binding import Binding

from .children import child
from .home import home
from .mapped_house import SORTS
from .process import MEGABYTE, resident_mb

PER_EXPOSURE = 5
"""Bindings of a device on average: 10,000 bindings are 2,000 devices."""


async def load(count: int) -> dict[str, float]:
    """Return the cost of loading `count` bindings: `milliseconds`, `resident_mb` and `traced_mb`."""
    figures: dict[str, float] = {}
    for measure in ("time", "memory"):
        async with child(sys.executable, "-m", "bench.mapping_load", str(count), measure) as process:
            figures |= await process.read()
    return figures


def stored_entry(hass: HomeAssistant, count: int) -> ConfigEntry:
    """Return an entry as read from disk by Home Assistant."""
    rows = [_row(hass, number) for number in range(count)]
    # Data from disk share no objects with the rows above.
    stored = json.loads(json.dumps([rows[start : start + PER_EXPOSURE] for start in range(0, count, PER_EXPOSURE)]))
    return ConfigEntry(
        version=1,
        minor_version=1,
        domain=DOMAIN,
        title="many",
        source=SOURCE_USER,
        unique_id="many",
        data={},
        options={},
        discovery_keys=MappingProxyType({}),
        subentries_data=[
            ConfigSubentryData(
                data={CONF_BINDINGS: part}, subentry_type=SUBENTRY_EXPOSURE, title=str(number), unique_id=str(number)
            )
            for number, part in enumerate(stored)
        ],
    )


def _row(hass: HomeAssistant, number: int) -> dict[str, Any]:
    """Return a stored binding of a registered entity; every second binding has a conversion."""
    sort = SORTS[number % len(SORTS)]
    registered = er.async_get(hass).async_get_or_create(
        sort.domain, "bench", str(number), suggested_object_id=f"{sort.name}_{number}"
    )
    binding = replace(sort.bindings(number)[0], entity=registered.id)
    row = binding.as_dict()
    return row if binding.conversion.template or number % 2 else {**row, "access": "both", "conversion": {"digits": 1}}


def _load(hass: HomeAssistant, entry: ConfigEntry) -> tuple[list[Binding], BoundProperties]:
    bindings = exposed_bindings(entry)
    return bindings, bind(hass, bindings, None)


async def _measured(count: int, measure: Callable[[HomeAssistant, ConfigEntry], dict[str, float]]) -> dict[str, float]:
    async with home([]) as hass:
        entry = stored_entry(hass, count)
        gc.collect()
        return measure(hass, entry)


def _time(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, float]:
    resident = resident_mb()
    began = time.thread_time()
    kept = _load(hass, entry)
    milliseconds = (time.thread_time() - began) * 1000
    figures = {"milliseconds": milliseconds, "resident_mb": resident_mb() - resident}
    _expect_all(entry, kept)
    return figures


def _memory(hass: HomeAssistant, entry: ConfigEntry) -> dict[str, float]:
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    kept = _load(hass, entry)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    _expect_all(entry, kept)
    return {"traced_mb": (after - before) / MEGABYTE}


def _expect_all(entry: ConfigEntry, kept: tuple[list[Binding], BoundProperties]) -> None:
    """Keep the loaded bindings until here, and check that all were loaded; raises RuntimeError."""
    stored = sum(len(subentry.data[CONF_BINDINGS]) for subentry in entry.subentries.values())
    if len(kept[1].by_identifier) != stored:
        raise RuntimeError(f"{len(kept[1].by_identifier)} of {stored} bindings were loaded: {kept[1].problems}")


if __name__ == "__main__":
    _, wanted, measured = sys.argv
    found = asyncio.run(_measured(int(wanted), {"time": _time, "memory": _memory}[measured]))
    sys.stdout.write(json.dumps(found) + "\n")
