"""`python -m demo`: start both sides, set the integration up, play the conversation, and stay for the browser."""

import argparse
import asyncio
from contextlib import suppress
import fcntl
import signal
import socket
import sys
import time

import aiohttp

from .acts import STEPS
from .browser import guide
from .cloud import Cloud
from .flows import (
    SERVICES,
    SINGLE_BINDINGS,
    FlowFailed,
    add_integration,
    bind_one,
    bind_service,
    bind_suggested,
    import_thing_model,
)
from .home_assistant import HomeAssistantFailed, HomeAssistantProcess, home_assistant
from .home_client import HomeClient, RequestFailed
from .house import PROJECT, build, names
from .lines import wire_line
from .stage import Stage, perform
from .transcript import Transcript
from .words import Language, Words

FOLDER = PROJECT / ".demo"
INTERRUPTED = 130
"""The exit status of what Ctrl-C ended before it was done."""


class Unable(Exception):  # noqa: N818 - named after what happened
    """The demo can't start; the text says why."""


def main() -> int:
    """Run the demo and return its exit status: 0 when everything was as expected."""
    options = _parser().parse_args()
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _complain(f"another demo is running in {FOLDER}")
        try:
            return asyncio.run(_run(options))
        except KeyboardInterrupt, asyncio.CancelledError:
            return INTERRUPTED
        except (Unable, HomeAssistantFailed) as err:
            return _complain(str(err))
        except (FlowFailed, RequestFailed, TimeoutError) as err:
            return _complain(
                f"the house could not be set up: {type(err).__name__}: {err}\nIts log: {FOLDER / 'hass.log'}"
            )


async def _run(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - asyncio.run makes one
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)

    started = time.monotonic()
    language = Language(options.language)
    transcript = Transcript(language)
    port = _free(options.port, "--port")
    cloud = Cloud(
        _free(options.mqtt_port, "--mqtt-port"),
        _free(options.api_port, "--api-port"),
        lambda message: transcript.add(wire_line(message, language)),
    )
    configuration = FOLDER / "config"
    build(configuration, port)
    transcript.say(Words("Starting Home Assistant and the cloud …", "正在启动 Home Assistant 和云端……"))
    async with (
        cloud.simulator,
        home_assistant(configuration, FOLDER / "hass.log", port, language) as process,
        # Closed first: Home Assistant would wait for its visitors to leave.
        aiohttp.ClientSession() as session,
    ):
        await process.wait_until_up(session)
        home = HomeClient(session, process.url)
        await process.while_it_lives(home.onboard(language))
        listening = asyncio.create_task(home.listen_forever())
        try:
            failures = await process.while_it_lives(_play(home, cloud, session, transcript, process, language))
            if not options.exit:
                _summarize(transcript, time.monotonic() - started)
                for words in guide(process.url, cloud):
                    transcript.say(words)
                with suppress(asyncio.CancelledError):
                    await process.while_it_lives(asyncio.Event().wait())
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    if options.exit:
        _summarize(transcript, time.monotonic() - started)
    return 1 if failures else 0


async def _play(
    home: HomeClient,
    cloud: Cloud,
    session: aiohttp.ClientSession,
    transcript: Transcript,
    process: HomeAssistantProcess,
    language: Language,
) -> int:
    """Set everything up, play the conversation, and return the number of failed expectations."""
    await home.wait_until_started()
    await _furnish(home, language)
    entry_id = await _set_up(home, cloud, transcript)
    stage = Stage(session, cloud, home, transcript, process.log, entry_id, [])
    await stage.watch_home()
    await perform(stage, STEPS)
    return len(transcript.failures)


async def _furnish(home: HomeClient, language: Language) -> None:
    """Choose the language of the browser, give things their names, and take away notices about missing voice parts."""
    await home.command(
        "frontend/set_user_data", key="language", value={"language": language, "number_format": "language"}
    )
    for entity_id, name in names(language).items():
        await home.command("config/entity_registry/update", entity_id=entity_id, name=name)
    await home.run_action("persistent_notification.dismiss_all", {})


async def _set_up(home: HomeClient, cloud: Cloud, transcript: Transcript) -> str:
    """Add the integration and bind the house, all through its flows; return the id of the config entry."""
    transcript.say(Words("\nAdding the integration through its config flow:", "\n通过配置流程添加集成："))
    entry_id = await add_integration(home, cloud)
    transcript.say(Words("\nOptions: the thing model, then bindings:", "\n选项：物模型，然后是绑定："))
    await import_thing_model(home, entry_id, cloud.thing_model)
    suggested = ", ".join(map(str, await bind_suggested(home, entry_id)))
    transcript.say(Words(f"\nBound as suggested: {suggested}", f"\n按建议绑定：{suggested}"))
    for entity_id, binding in SINGLE_BINDINGS.items():
        await bind_one(home, entry_id, entity_id, binding)
        said = f"{entity_id} → {binding['identifier']}"
        transcript.say(Words(f"Bound one by one: {said}", f"逐个绑定：{said}"))
    for identifier, runs in SERVICES.items():
        await bind_service(home, entry_id, identifier, runs)
        said = f"{identifier} → {', '.join(runs)}"
        transcript.say(Words(f"Service bound: {said}", f"已绑定服务：{said}"))
    return entry_id


def _summarize(transcript: Transcript, seconds: float) -> None:
    """Print how it went."""
    failed, all_of_them = len(transcript.failures), transcript.expectations
    for failure in transcript.failures:
        transcript.say(Words(f"✘ {failure}", f"✘ {failure}"))
    transcript.say(
        Words(
            f"\n{all_of_them - failed} of {all_of_them} expectations fulfilled, {seconds:.0f} s.",
            f"\n{all_of_them} 项预期中有 {all_of_them - failed} 项符合，用时 {seconds:.0f} 秒。",
        )
    )


def _free(port: int, option: str) -> int:
    """Return the port, or a free one for 0; raises Unable when somebody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as err:
            raise Unable(f"port {port} cannot be used ({err.strerror}); choose another with {option}") from err
        number: int = probe.getsockname()[1]
        return number


def _complain(text: str) -> int:
    print(f"demo: {text}", file=sys.stderr)  # noqa: T201 - there is no transcript yet
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="A real Home Assistant talks to a simulated Alibaba Cloud IoT Platform, all on 127.0.0.1.",
    )
    parser.add_argument("--exit", action="store_true", help="end after the conversation; status 1 if it went wrong")
    parser.add_argument("--language", choices=list(Language), default=Language.ENGLISH, help="of the house and of this")
    parser.add_argument("--port", type=int, default=8123, help="of Home Assistant's web interface (8123)")
    parser.add_argument("--api-port", type=int, default=8180, help="of the cloud's control API (8180)")
    parser.add_argument(
        "--mqtt-port", type=int, default=0, help="of the cloud for devices; 0, the default, takes a free one"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
