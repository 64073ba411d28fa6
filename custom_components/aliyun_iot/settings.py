"""The settings of a device, read from the options of its entry one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Final

import voluptuous as vol

from .alink.mqtt.connecting import KEEP_ALIVE_RANGE
from .const import (
    CONF_COMMAND_CONDITION,
    CONF_COMMANDS_PER_MINUTE,
    CONF_DESIRED_HOURS,
    CONF_DRY_RUN,
    CONF_KEEP_ALIVE,
    CONF_MONTHLY_QUOTA,
    CONF_OFFLINE_DELAY,
    CONF_UPLINK_RATE,
    CONF_WINDOW,
    DEFAULT_COMMANDS_PER_MINUTE,
    DEFAULT_DESIRED_HOURS,
    DEFAULT_KEEP_ALIVE,
    DEFAULT_OFFLINE_DELAY,
    DEFAULT_UPLINK_RATE,
    DEFAULT_WINDOW,
)
from .mapping.fields import Expected, FieldSpec, data_fields
from .mapping.stored import Unchanged, Unreadable
from .mapping.validators import finite

RANGES: Final = {
    CONF_KEEP_ALIVE: (KEEP_ALIVE_RANGE[0], KEEP_ALIVE_RANGE[-1]),
    CONF_WINDOW: (0, 10),
    # Private hosts may accept more messages than the platform.
    CONF_UPLINK_RATE: (2, 100),
    # 0 means no limit.
    CONF_COMMANDS_PER_MINUTE: (0, 6000),
    CONF_DESIRED_HOURS: (0, 24 * 30),
    CONF_MONTHLY_QUOTA: (0, 1_000_000_000),
    CONF_OFFLINE_DELAY: (0, 3600),
}
"""Minimum and maximum of each number."""

GUARDS: Final = frozenset({CONF_COMMAND_CONDITION, CONF_COMMANDS_PER_MINUTE, CONF_DRY_RUN})
"""Settings that restrict the cloud: unless all of them can be read, it can do nothing."""


def _number(name: str) -> FieldSpec:
    low, high = RANGES[name]
    return FieldSpec(vol.All(finite, vol.Range(min=low, max=high)), Expected.NUMBER)


def _whole(name: str) -> FieldSpec:
    low, high = RANGES[name]
    return FieldSpec(vol.All(finite, vol.Coerce(int), vol.Range(min=low, max=high)), Expected.NUMBER)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings; the names are those of the options.

    `window` and `keep_alive` are in seconds, `uplink_rate` is in messages per second. `commands_per_minute` 0 means no limit,
    `desired_hours` 0 that desired values are never stale. `monthly_quota` is in messages, 0 for none. `offline_delay` is in
    seconds: for so long a sub-device stays online while its device is unavailable. `upgrade_script` is the entity id of a
    script. With `dry_run` everything is checked and nothing is done.
    """

    keep_alive: Annotated[int, _whole(CONF_KEEP_ALIVE)] = DEFAULT_KEEP_ALIVE
    window: Annotated[float, _number(CONF_WINDOW)] = DEFAULT_WINDOW
    uplink_rate: Annotated[int, _whole(CONF_UPLINK_RATE)] = DEFAULT_UPLINK_RATE
    monthly_quota: Annotated[int, _whole(CONF_MONTHLY_QUOTA)] = 0
    desired_hours: Annotated[int, _whole(CONF_DESIRED_HOURS)] = DEFAULT_DESIRED_HOURS
    command_condition: Annotated[list[dict[str, Any]], FieldSpec([dict], Expected.CONDITION)] = field(
        default_factory=list
    )
    commands_per_minute: Annotated[int, _whole(CONF_COMMANDS_PER_MINUTE)] = DEFAULT_COMMANDS_PER_MINUTE
    offline_delay: Annotated[int, _whole(CONF_OFFLINE_DELAY)] = DEFAULT_OFFLINE_DELAY
    dry_run: Annotated[bool, FieldSpec(bool, Expected.FLAG)] = False
    sync_tags: Annotated[bool, FieldSpec(bool, Expected.FLAG)] = False
    config_mapping: Annotated[bool, FieldSpec(bool, Expected.FLAG)] = False
    cloud_log: Annotated[bool, FieldSpec(bool, Expected.FLAG)] = False
    upgrades: Annotated[bool, FieldSpec(bool, Expected.FLAG)] = False
    upgrade_script: Annotated[str | None, FieldSpec(vol.Any(None, str), Expected.TEXT)] = None


def read_settings(options: Mapping[str, Any]) -> tuple[Settings, Sequence[Unreadable]]:
    """Return the settings, and the options that cannot be read: their defaults are used instead."""
    return _read_settings(Unchanged(options))


@lru_cache(maxsize=16)
def _read_settings(unchanged: Unchanged) -> tuple[Settings, Sequence[Unreadable]]:
    """Read options once, because every device of an entry asks for them."""
    options = unchanged.data
    found: dict[str, Any] = {}
    unreadable: list[Unreadable] = []
    for name, row in data_fields(Settings).items():
        if name not in options:
            continue
        try:
            found[name] = vol.Schema(row.spec.validator)(options[name])
        except vol.Invalid as err:
            unreadable.append(Unreadable(options[name], name, (name,), row.spec.expected, str(err)))
    return Settings(**found), unreadable
