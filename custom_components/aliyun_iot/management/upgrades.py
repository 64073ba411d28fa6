"""Upgrades (OTA): versions are reported, an offer is shown, and installing it runs the script that the user has bound to it.

Home Assistant cannot be upgraded by a file that somebody sends, so nothing is installed by this integration itself. The
script gets the path of the downloaded and checked file, which is removed when the script has ended. Whether the upgrade
succeeded is decided by the version that is reported afterwards, usually after a restart.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
import os
from pathlib import Path
import shutil
import tempfile
import time
from typing import BinaryIO, Final, cast

from homeassistant.components.script import DOMAIN as SCRIPT_DOMAIN
from homeassistant.const import __version__
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.loader import async_get_loaded_integration

from ..alink.device import Device
from ..alink.errors import AlinkError
from ..alink.foreign import logger_of
from ..alink.ota import Upgrade, UpgradeFailure, get_upgrade, report_progress, report_version
from ..commands.running import run_script
from ..const import DOMAIN
from ..ha_internals import script_action
from .fetching import FetchFailed, WrongContent, fetch

_LOGGER = logger_of(__name__)

HOME_ASSISTANT: Final = "homeassistant"
INTEGRATION: Final = DOMAIN
MODULES: Final = (HOME_ASSISTANT, INTEGRATION)
"""The modules whose versions are reported."""

DOWNLOAD_TIME: Final = 3600.0
"""Seconds."""

PROGRESS_PACE = 3.0
"""Seconds between two reports of the progress."""

DOWNLOADED: Final = 90
"""Percent of the progress that the download makes up; the script is the rest."""

MAX_SIZE: Final = 1024**3
"""Bytes; the platform takes files of 1000 MB."""

RESERVE: Final = 256 * 1024**2
"""Bytes that a download leaves free on the disk."""


class NotInstalled(HomeAssistantError):  # noqa: N818 - named after what happened
    """An upgrade was not installed; `failure` is what the cloud is told."""

    def __init__(self, failure: UpgradeFailure, reason: str) -> None:
        """`reason` is for people here and in the cloud."""
        super().__init__(reason)
        self.failure = failure
        self.reason = reason


class Upgrades:
    """The modules of one device."""

    def __init__(self, hass: HomeAssistant, device: Device, on_change: CALLBACK_TYPE) -> None:
        """Report nothing before it is enabled; `on_change` is called when there is something else to show."""
        self.offers: dict[str, Upgrade] = {}
        """What the cloud offers, by module."""
        self.progress: dict[str, int] = {}
        """Percent of what is being installed, by module."""
        self._hass = hass
        self._device = device
        self._on_change = on_change
        self._enabled = False
        self._script: str | None = None
        self._connected = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_script: asyncio.Task[None] | None = None

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions that run, by module."""
        integration = async_get_loaded_integration(self._hass, DOMAIN)
        return {HOME_ASSISTANT: __version__, INTEGRATION: str(integration.version or "")}

    @property
    def action(self) -> str | None:
        """The action that runs the bound script, None if it can't be run."""
        return script_action(self._hass, self._script) if self._script else None

    @callback
    def follow(self, *, enabled: bool, script: str | None) -> None:
        """Report versions and take offers from now on, or not any more; called after the topics are subscribed to."""
        self._script = script
        if enabled is not self._enabled:
            self._enabled = enabled
            if enabled and self._connected:
                self._start(self._introduce())
            elif not enabled:
                self._give_up()
                self._on_change()
        if enabled:
            self._on_change()

    @callback
    def connected(self) -> None:
        """Report the versions, and ask for what is offered."""
        self._connected = True
        if self._enabled:
            self._start(self._introduce())

    @callback
    def disconnected(self) -> None:
        """Report nothing until the next connection; a download goes on."""
        self._connected = False

    @callback
    def offered(self, upgrade: Upgrade) -> None:
        """Show what the cloud offers."""
        if not self._enabled:
            return
        version = self.versions.get(upgrade.module)
        if version is None:
            reason = f"this device has no module {upgrade.module}"
            self._start(self._report(upgrade.module, UpgradeFailure.FAILED, reason))
        elif version == upgrade.version:
            self._start(self._report_version(upgrade.module))
        else:
            self.offers[upgrade.module] = upgrade
            self._on_change()

    async def stop(self) -> None:
        """Give up what is under way, and remove what was downloaded.

        A script that runs goes on, and then its file is removed: it may be the one that stops or reloads the device.
        """
        await asyncio.gather(*self._give_up(), return_exceptions=True)

    async def install(self, module: str) -> None:
        """Download what is offered for a module and run the script with it; raises NotInstalled."""
        upgrade = self.offers.get(module)
        if upgrade is None or self.action is None or self.progress:
            raise NotInstalled(
                UpgradeFailure.FAILED, "nothing is offered, no script is bound, or an upgrade is under way"
            )
        self._show(module, 0)
        installing = self._start(self._install(upgrade))
        try:
            await installing
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            raise NotInstalled(UpgradeFailure.FAILED, "the device was stopped meanwhile") from None
        finally:
            self.progress.pop(module, None)
            self._on_change()

    @callback
    def _give_up(self) -> set[asyncio.Task[None]]:
        """Cancel everything but a script, and return what was cancelled."""
        given_up = self._tasks - {self._in_script}
        for task in given_up:
            task.cancel()
        self.offers.clear()
        return given_up

    async def _install(self, upgrade: Upgrade) -> None:
        try:
            path = await self._hass.async_add_executor_job(_make_room, self._folder(), upgrade.file.size)
            try:
                await self._download(upgrade, path)
                await self._run_script(upgrade, path)
            finally:
                await self._hass.async_add_executor_job(_remove, path)
        except NotInstalled as err:
            await self._report(upgrade.module, err.failure, err.reason)
            raise
        await self._report(upgrade.module, 100)

    async def _download(self, upgrade: Upgrade, path: Path) -> None:
        """Download the file, and report the progress; raises NotInstalled."""
        received, reported = 0, time.monotonic()
        try:
            file = cast("BinaryIO", await self._hass.async_add_executor_job(path.open, "wb"))
            try:

                async def take(part: bytes) -> None:
                    nonlocal received, reported
                    await self._hass.async_add_executor_job(file.write, part)
                    received += len(part)
                    percent = max(1, DOWNLOADED * received // max(1, upgrade.file.size))
                    self._show(upgrade.module, percent)
                    if time.monotonic() - reported >= PROGRESS_PACE:
                        reported = time.monotonic()
                        self._start(self._report(upgrade.module, percent))

                await fetch(self._hass, upgrade.file, self._device.endpoint, take, DOWNLOAD_TIME)
            finally:
                await self._hass.async_add_executor_job(file.close)
        except WrongContent as err:
            raise NotInstalled(UpgradeFailure.VERIFICATION, str(err)) from err
        except FetchFailed as err:
            raise NotInstalled(UpgradeFailure.DOWNLOAD, str(err)) from err
        except OSError as err:
            raise NotInstalled(UpgradeFailure.WRITING, f"the file cannot be written ({err.strerror})") from err

    async def _run_script(self, upgrade: Upgrade, path: Path) -> None:
        """Run the bound script until it ends; raises NotInstalled."""
        if (action := self.action) is None:
            raise NotInstalled(UpgradeFailure.FAILED, "the script is not there any more")
        self._show(upgrade.module, DOWNLOADED)
        await self._report(upgrade.module, DOWNLOADED)
        variables = {
            "path": str(path),
            "module": upgrade.module,
            "version": upgrade.version,
            "is_diff": upgrade.is_diff,
        }
        context = Context()
        self._in_script = asyncio.current_task()
        try:
            await run_script(
                self._hass,
                self._hass.services.async_call(
                    SCRIPT_DOMAIN, action, variables, blocking=True, context=context, return_response=True
                ),
                context,
            )
        except Exception as err:
            _LOGGER.warning("The script for upgrades failed: %s", err)
            raise NotInstalled(UpgradeFailure.FAILED, "the script failed") from err
        finally:
            self._in_script = None

    def _folder(self) -> Path:
        return Path(self._hass.config.cache_path(DOMAIN))

    @callback
    def _show(self, module: str, percent: int) -> None:
        if self.progress.get(module) != percent:
            self.progress[module] = percent
            self._on_change()

    async def _introduce(self) -> None:
        """Report all versions, and take what is offered."""
        for module in MODULES:
            await self._report_version(module)
        for module in MODULES:
            with suppress(AlinkError):  # some hosts know only pushes
                before = self.offers.get(module)
                upgrade = await get_upgrade(self._device, module)
                if upgrade:
                    self.offered(upgrade)
                elif before and self.offers.get(module) is before and module not in self.progress:
                    del self.offers[module]
                    self._on_change()

    async def _report_version(self, module: str) -> None:
        try:
            await report_version(self._device, module, self.versions[module])
        except AlinkError as err:  # the next connection reports it
            _LOGGER.debug("The version of %s is not reported: %s", module, err)

    async def _report(self, module: str, step: int, description: str = "") -> None:
        try:
            await report_progress(self._device, module, step, description)
        except AlinkError as err:
            _LOGGER.debug("The progress of %s is not reported: %s", module, err)

    @callback
    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = self._hass.async_create_background_task(work, f"Aliyun upgrade {self._device.topics.device_name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _make_room(folder: Path, size: int) -> Path:
    """Return the path of a new empty file with room for so many bytes; blocking. Raises NotInstalled."""
    if size > MAX_SIZE:
        raise NotInstalled(UpgradeFailure.DOWNLOAD, f"the file has {size} bytes, more than the {MAX_SIZE} allowed")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < size + RESERVE:
            raise NotInstalled(UpgradeFailure.WRITING, "there is not enough room on the disk")
        handle, name = tempfile.mkstemp(prefix="upgrade-", dir=folder)
    except OSError as err:
        raise NotInstalled(UpgradeFailure.WRITING, f"the file cannot be written ({err.strerror})") from err
    os.close(handle)
    return Path(name)


def _remove(path: Path) -> None:
    """Remove a file, and its folder if nothing else is in it; blocking."""
    path.unlink(missing_ok=True)
    with suppress(OSError):
        path.parent.rmdir()
