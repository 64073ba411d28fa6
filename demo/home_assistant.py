"""The `hass` process of the demo."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from importlib.util import find_spec
import os
from pathlib import Path
import sys

import aiohttp

from .words import Language

START_TIMEOUT = 90.0
"""Seconds; it usually takes five."""

STOP_TIMEOUT = 30.0
TAIL_LINES = 40


class HomeAssistantFailed(Exception):  # noqa: N818 - named after what happened
    """Home Assistant has ended or did not start in time; the text ends with the tail of its log."""


class HomeAssistantProcess:
    """A running Home Assistant."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, port: int) -> None:
        """Use a process that writes its output to `log`, and whose web server listens on `port`."""
        self.log = log
        self.url = f"http://127.0.0.1:{port}"
        self._process = process

    async def wait_until_up(self, session: aiohttp.ClientSession) -> None:
        """Wait until the web server answers; raises HomeAssistantFailed."""
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while not await self._answers(session):
                    if self._process.returncode is not None:
                        raise self.failed(f"Home Assistant ended with code {self._process.returncode}")
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise self.failed(f"Home Assistant did not start within {START_TIMEOUT:g} s") from None

    async def run_while_alive[T](self, job: Coroutine[None, None, T]) -> T:
        """Run a job that uses Home Assistant and return its result; raises HomeAssistantFailed if Home Assistant ends."""
        working, ended = asyncio.create_task(job), asyncio.create_task(self._process.wait())
        try:
            await asyncio.wait({working, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise self.failed(f"Home Assistant ended with code {ended.result()}")
            return working.result()
        except aiohttp.ClientError as err:
            raise self.failed(f"Home Assistant can't be reached any more ({err})") from err
        finally:
            for task in (working, ended):
                task.cancel()
            await asyncio.gather(working, ended, return_exceptions=True)

    def failed(self, reason: str) -> HomeAssistantFailed:
        """Return an error with the tail of the log."""
        lines = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return HomeAssistantFailed("\n".join([f"{reason}. The end of {self.log}:", *lines]))

    async def stop(self) -> None:
        """Terminate the process and wait for its end; it is killed after a time-out or on cancellation."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT):
                await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/api/onboarding") as response:
                return response.ok
        except aiohttp.ClientError:
            return False


@asynccontextmanager
async def home_assistant(
    configuration: Path, log: Path, port: int, language: Language
) -> AsyncIterator[HomeAssistantProcess]:
    """Run Home Assistant with a configuration folder for the duration of the context, with its output in `log`."""
    with log.open("wb") as output:
        # In a session of its own, so that Ctrl-C only reaches the demo, which then stops Home Assistant.
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("hass"),
            "--config",
            configuration,
            "--log-no-color",
            # Everything needed is installed; otherwise it would try at each start to build packages that may not build.
            "--skip-pip",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "DEMO_LANGUAGE": language, **_stand_ins()},
        )
    running = HomeAssistantProcess(process, log, port)
    try:
        yield running
    finally:
        await running.stop()


def _stand_ins() -> dict[str, str]:
    """Return environment variables that add modules which can't be installed everywhere."""
    missing = [name for name in ("pymicro_vad", "pyspeex_noise") if find_spec(name) is None]
    return {"PYTHONPATH": str(Path(__file__).with_name("stand_ins"))} if missing else {}
