"""The files of unsent values. Nothing here raises because of the disk.

A file that can't be read is set aside, one that can't be written is reported to the caller, and one that can't be removed stays.
"""

import logging
from pathlib import Path
from typing import Any, override

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

_LOGGER = logging.getLogger(__name__)

VERSION = 1


class _File(Store[dict[str, Any]]):
    """A store that remembers whether writing failed; Home Assistant's own only logs it."""

    failed = False

    @override
    async def _async_write_data(self, data: dict[str, Any]) -> None:
        self.failed = True
        await super()._async_write_data(data)
        self.failed = False


async def async_read(hass: HomeAssistant, key: str) -> dict[str, Any] | None:
    """Return what is stored, None if nothing is; a damaged or foreign file, or one of a later version, is set aside."""
    store = _file(hass, key)
    try:
        data: object = await store.async_load()
    except Exception as err:  # noqa: BLE001 - a foreign file may fail in any way, and must not keep the device from working
        await _set_aside(hass, Path(store.path), f"{type(err).__name__}: {err}")
        return None
    if data is None or isinstance(data, dict):
        return data
    await _set_aside(hass, Path(store.path), "it does not hold what this integration writes")
    return None


async def async_write(hass: HomeAssistant, key: str, data: dict[str, Any]) -> bool:
    """Store data, at once or when Home Assistant stops; return whether no error occurred, such as a full disk."""
    store = _file(hass, key)
    try:
        await store.async_save(data)
    except OSError as err:
        _LOGGER.warning("Cannot write %s: %s", store.path, err)
    return not store.failed


async def async_remove(hass: HomeAssistant, key: str) -> None:
    """Remove a file."""
    store = _file(hass, key)
    try:
        await store.async_remove()
    except OSError as err:
        _LOGGER.warning("Cannot remove %s: %s", store.path, err)


async def async_remove_all(hass: HomeAssistant, key: str) -> None:
    """Remove every file whose name begins with a key, those that were set aside included."""
    await hass.async_add_executor_job(_remove_all, Path(_file(hass, key).path))


async def async_numbers(hass: HomeAssistant, key: str) -> list[int]:
    """Return the numbers that follow a key in the names of files, as in `key.7`."""
    return await hass.async_add_executor_job(_numbers, Path(_file(hass, key).path))


def _file(hass: HomeAssistant, key: str) -> _File:
    return _File(hass, VERSION, key, private=True, atomic_writes=True)


async def _set_aside(hass: HomeAssistant, path: Path, reason: str) -> None:
    aside = path.with_name(f"{path.name}.unreadable.{dt_util.utcnow():%Y%m%dT%H%M%S%f}")
    _LOGGER.warning(
        "Values that were kept for the cloud can't be read from %s (%s). The file is set aside as %s; the values in it are not"
        " sent, everything else works",
        path,
        reason,
        aside.name,
    )
    try:
        await hass.async_add_executor_job(path.rename, aside)
    except OSError as err:
        _LOGGER.debug("Cannot set %s aside: %s", path, err)


def _remove_all(path: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        try:
            one.unlink(missing_ok=True)
        except OSError as err:
            _LOGGER.warning("Cannot remove %s: %s", one, err)


def _numbers(path: Path) -> list[int]:
    suffixes = (one.name.removeprefix(f"{path.name}.") for one in path.parent.glob(f"{path.name}.*"))
    return sorted(int(suffix) for suffix in suffixes if suffix.isdecimal())
