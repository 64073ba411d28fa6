"""The stage of the conversation: both sides, the transcript, and what every act needs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
import time

import aiohttp

from simulator import DeviceReply

from .cloud import ActionRefused, Cloud
from .home_client import HomeClient, HomeEvent, Json, RequestFailed
from .lines import CLOUD, HOME, Line, compact, event_line, state_text
from .transcript import Transcript
from .words import Words

PATIENCE = 10.0
"""Seconds within which everything that is expected has to happen."""

AFTERMATH = 0.5
"""Seconds in which what a command has changed is posted: a little longer than the reporter's window."""

FOLLOWED_EVENTS = ("call_service", "aliyun_iot_raw")


@dataclass(slots=True)
class Stage:
    """Both sides of the conversation."""

    session: aiohttp.ClientSession
    cloud: Cloud
    home: HomeClient
    transcript: Transcript
    log: Path
    """Where Home Assistant writes its log."""
    entry_id: str
    actions: list[HomeEvent]
    """The actions that Home Assistant has run in the present step, oldest first."""

    async def watch_home(self) -> None:
        """Put what happens in Home Assistant into the transcript from now on."""
        for event_type in FOLLOWED_EVENTS:
            await self.home.follow(event_type, self._heard)

    async def call(self, action: str, **fields: Json) -> dict[str, Json]:
        """Let the cloud do something, and write it down; raises ActionRefused."""
        self.transcript.add(Line(time.time(), CLOUD, f"{action} {compact(fields)}"))
        return await self.cloud.call(self.session, action, **fields)

    async def set(self, items: Mapping[str, Json]) -> DeviceReply:
        """Set properties from the cloud and return what the house answered."""
        answer = await self.call("SetDeviceProperty", Items=dict(items))
        return await self.cloud.reply(message_id(answer))

    async def act(self, action: str, **data: Json) -> None:
        """Do something at home, as a person or an automation would; raises RequestFailed."""
        await self.home.run_action(action, data)

    async def show(self, entity_id: str) -> None:
        """Write down how an entity is now."""
        state = await self.home.state(entity_id)
        self.transcript.add(Line(time.time(), HOME, state_text(state)))

    async def settle(self) -> None:
        """Wait for what follows from a command, so that it stands in the same step."""
        await asyncio.sleep(AFTERMATH)
        await self.home.catch_up()

    async def happens(self, condition: Callable[[], bool]) -> bool:
        """Wait until the cloud has seen something; return whether it came in time."""
        try:
            await self.cloud.device.wait_for(lambda _: condition(), PATIENCE)
        except TimeoutError:
            return False
        return True

    def expect(self, fulfilled: bool, en: str, zh: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Check something and write down the outcome."""
        self.transcript.expect(fulfilled, Words(en, zh))

    def expect_code(self, reply: DeviceReply, code: int) -> None:
        """Check the code of a reply."""
        self.expect(
            reply.code == code,
            f"the answer has code {code} and came after {reply.round_trip * 1000:.0f} ms",
            f"应答码为 {code}，耗时 {reply.round_trip * 1000:.0f} 毫秒",
        )

    def ran(self, action: str) -> list[Mapping[str, Json]]:
        """Return the data of each time that an action ran in this step."""
        return [
            data
            for event in self.actions
            if f"{event.data['domain']}.{event.data['service']}" == action
            and isinstance(data := event.data["service_data"], dict)
        ]

    def _heard(self, event: HomeEvent) -> None:
        if event.type == "call_service":
            self.actions.append(event)
        self.transcript.add_from_afar(event_line(event))


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the conversation; `play` checks what happens by `Stage.expect`."""

    title: Words
    play: Callable[[Stage], Awaitable[None]]


async def perform(stage: Stage, steps: tuple[Step, ...]) -> None:
    """Play the steps; one that breaks off is a failed expectation and does not stop the others."""
    for step in steps:
        stage.actions.clear()
        stage.transcript.step(step.title)
        try:
            await step.play(stage)
        except (ActionRefused, RequestFailed, TimeoutError) as err:
            stage.expect(False, f"it went through: {type(err).__name__} {err}", f"过程顺利：{type(err).__name__} {err}")  # noqa: FBT003
        await stage.home.catch_up()
        stage.transcript.flush()
    stage.transcript.go_live()


def message_id(answer: Mapping[str, Json]) -> str:
    """Return the MessageId that the control API gave a command."""
    data = answer["Data"]
    assert isinstance(data, dict)  # noqa: S101 - the simulator's own answer
    return str(data["MessageId"])
