"""`python -m demo`: start both sides, set up the integration, run the conversation, and stay for the browser."""

import argparse
import asyncio
from contextlib import suppress
import fcntl
import signal
import socket
import sys
import time

import aiohttp

from .browser import guide
from .cloud import Cloud
from .conversation import Conversation, run_steps
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
from .house import PROJECT, build, furnish
from .lines import wire_line
from .steps import STEPS
from .transcript import Transcript
from .words import Language, Words

FOLDER = PROJECT / ".demo"
INTERRUPTED = 130
"""The exit status after Ctrl-C."""


class StartFailed(Exception):  # noqa: N818 - named after what happened
    """The demo can't start; the text says why."""


def main() -> int:
    """Run the demo and return its exit status: 0 if everything was as expected."""
    options = _parser().parse_args()
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _print_error(f"another demo is running in {FOLDER}")
        try:
            return asyncio.run(_run(options))
        except KeyboardInterrupt, asyncio.CancelledError:
            return INTERRUPTED
        except (StartFailed, HomeAssistantFailed) as err:
            return _print_error(str(err))
        except (FlowFailed, RequestFailed, TimeoutError) as err:
            return _print_error(
                f"the house could not be set up: {type(err).__name__}: {err}\nIts log: {FOLDER / 'hass.log'}"
            )


async def _run(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - for the type checker
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
        language,
    )
    configuration = FOLDER / "config"
    build(configuration, port)
    transcript.say(Words("Starting Home Assistant and the cloud …", "正在启动 Home Assistant 和云端……"))
    async with (
        cloud.simulator,
        home_assistant(configuration, FOLDER / "hass.log", port, language) as process,
        # Closed first: Home Assistant would wait for open connections.
        aiohttp.ClientSession() as session,
    ):
        await process.wait_until_up(session)
        home = HomeClient(session, process.url)
        await process.run_while_alive(home.onboard(language))
        listening = asyncio.create_task(home.listen_forever())
        try:
            failures = await process.run_while_alive(
                _run_conversation(home, cloud, session, transcript, process, language)
            )
            if not options.exit:
                _summarize(transcript, time.monotonic() - started)
                for words in guide(process.url, cloud):
                    transcript.say(words)
                with suppress(asyncio.CancelledError):
                    await process.run_while_alive(asyncio.Event().wait())
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    if options.exit:
        _summarize(transcript, time.monotonic() - started)
    return 1 if failures else 0


async def _run_conversation(
    home: HomeClient,
    cloud: Cloud,
    session: aiohttp.ClientSession,
    transcript: Transcript,
    process: HomeAssistantProcess,
    language: Language,
) -> int:
    """Set everything up, run the conversation, and return the number of failed expectations."""
    await home.wait_until_started()
    await furnish(home, language)
    entry_id = await _set_up(home, cloud, transcript)
    conversation = Conversation(session, cloud, home, transcript, process.log, entry_id, [])
    await conversation.follow_home()
    await run_steps(conversation, STEPS)
    return len(transcript.failures)


async def _set_up(home: HomeClient, cloud: Cloud, transcript: Transcript) -> str:
    """Add the integration and bind the house, all by its flows; return the id of the config entry."""
    transcript.say(Words("\nAdding the integration through its config flow:", "\n通过配置流程添加集成："))
    entry_id = await add_integration(home, cloud)
    transcript.say(Words("\nOptions: the thing model, then bindings:", "\n选项：物模型，然后是绑定："))
    await import_thing_model(home, entry_id, cloud.thing_model)
    suggested = ", ".join(map(str, await bind_suggested(home, entry_id)))
    transcript.say(Words(f"\nBound as suggested: {suggested}", f"\n按建议绑定：{suggested}"))
    for entity_id, binding in SINGLE_BINDINGS.items():
        await bind_one(home, entry_id, entity_id, binding)
        bound = f"{entity_id} → {binding['identifier']}"
        transcript.say(Words(f"Bound one by one: {bound}", f"逐个绑定：{bound}"))
    for identifier, runs in SERVICES.items():
        await bind_service(home, entry_id, identifier, runs)
        bound = f"{identifier} → {', '.join(runs)}"
        transcript.say(Words(f"Service bound: {bound}", f"已绑定服务：{bound}"))
    return entry_id


def _summarize(transcript: Transcript, seconds: float) -> None:
    """Print the failed expectations and the total."""
    failed, total = len(transcript.failures), transcript.expectations
    for failure in transcript.failures:
        transcript.say(Words(f"✘ {failure}", f"✘ {failure}"))
    transcript.say(
        Words(
            f"\n{total - failed} of {total} expectations fulfilled, {seconds:.0f} s.",
            f"\n{total} 项预期中有 {total - failed} 项符合，用时 {seconds:.0f} 秒。",
        )
    )


def _free(port: int, option: str) -> int:
    """Return the port, or a free one for 0; raises StartFailed if it is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as err:
            raise StartFailed(f"port {port} cannot be used ({err.strerror}); choose another with {option}") from err
        number: int = probe.getsockname()[1]
        return number


def _print_error(text: str) -> int:
    print(f"demo: {text}", file=sys.stderr)  # noqa: T201 - there is no transcript yet
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Run a conversation between a real Home Assistant and a simulated Alibaba Cloud IoT Platform on 127.0.0.1.",
    )
    parser.add_argument(
        "--exit", action="store_true", help="end after the conversation, with status 1 if an expectation failed"
    )
    parser.add_argument(
        "--language",
        choices=list(Language),
        default=Language.ENGLISH,
        help="language of Home Assistant and of the output",
    )
    parser.add_argument(
        "--port", type=int, default=8123, help="port of Home Assistant's web interface (default %(default)s)"
    )
    parser.add_argument(
        "--api-port", type=int, default=8180, help="port of the cloud's control API (default %(default)s)"
    )
    parser.add_argument("--mqtt-port", type=int, default=0, help="port of the cloud for devices (default: a free one)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
