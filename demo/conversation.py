"""The conversation: both sides, the transcript, and what the steps need."""

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

TIMEOUT = 10.0
"""Seconds within which an expectation has to be fulfilled."""

SETTLE_DELAY = 0.5
"""Seconds until the changes made by a command have been posted: a little longer than the reporter's window."""

FOLLOWED_EVENTS = ("call_service", "aliyun_iot_raw")


@dataclass(slots=True)
class Conversation:
    """Both sides of the conversation."""

    session: aiohttp.ClientSession
    cloud: Cloud
    home: HomeClient
    transcript: Transcript
    log: Path
    """The log file of Home Assistant."""
    entry_id: str
    actions: list[HomeEvent]
    """The actions that Home Assistant has run in this step, oldest first."""

    async def follow_home(self) -> None:
        """Add events of Home Assistant to the transcript from now on."""
        for event_type in FOLLOWED_EVENTS:
            await self.home.follow(event_type, self._record)

    async def call(self, action: str, **fields: Json) -> dict[str, Json]:
        """Run an action of the control API and add it to the transcript; raises ActionRefused."""
        self.transcript.add(Line(time.time(), CLOUD, f"{action} {compact(fields)}"))
        return await self.cloud.call(self.session, action, **fields)

    async def set(self, items: Mapping[str, Json]) -> DeviceReply:
        """Set properties from the cloud and return the reply."""
        answer = await self.call("SetDeviceProperty", Items=dict(items))
        return await self.cloud.reply(message_id(answer))

    async def run_action(self, action: str, **data: Json) -> None:
        """Run an action in Home Assistant, as a person or an automation would; raises RequestFailed."""
        await self.home.run_action(action, data)

    async def show_state(self, entity_id: str) -> None:
        """Add the present state of an entity to the transcript."""
        state = await self.home.state(entity_id)
        self.transcript.add(Line(time.time(), HOME, state_text(state)))

    async def settle(self) -> None:
        """Wait for the effects of a command, so that they are in the same step."""
        await asyncio.sleep(SETTLE_DELAY)
        await self.home.catch_up()

    async def wait_for(self, condition: Callable[[], bool]) -> bool:
        """Wait for a condition of the cloud's device; return whether it became true in time."""
        try:
            await self.cloud.device.wait_for(lambda _: condition(), TIMEOUT)
        except TimeoutError:
            return False
        return True

    def expect(self, fulfilled: bool, en: str, zh: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Add an expectation and its outcome to the transcript."""
        self.transcript.expect(fulfilled, Words(en, zh))

    def expect_code(self, reply: DeviceReply, code: int) -> None:
        """Check the code of a reply."""
        self.expect(
            reply.code == code,
            f"the answer has code {code} and arrived after {reply.round_trip * 1000:.0f} ms",
            f"应答码为 {code}，耗时 {reply.round_trip * 1000:.0f} 毫秒",
        )

    def calls_of(self, action: str) -> list[Mapping[str, Json]]:
        """Return the data of each call of an action in this step."""
        return [
            data
            for event in self.actions
            if f"{event.data['domain']}.{event.data['service']}" == action
            and isinstance(data := event.data["service_data"], dict)
        ]

    def _record(self, event: HomeEvent) -> None:
        if event.type == "call_service":
            self.actions.append(event)
        self.transcript.add_by_time(event_line(event))


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the conversation; `run` checks the effects with `Conversation.expect`."""

    title: Words
    run: Callable[[Conversation], Awaitable[None]]


async def run_steps(conversation: Conversation, steps: tuple[Step, ...]) -> None:
    """Run the steps; a step that raises is a failed expectation and does not stop the others."""
    for step in steps:
        conversation.actions.clear()
        conversation.transcript.step(step.title)
        try:
            await step.run(conversation)
        except (ActionRefused, RequestFailed, TimeoutError) as err:
            problem = f"{type(err).__name__} {err}"
            conversation.expect(False, f"the step completed: {problem}", f"过程顺利：{problem}")  # noqa: FBT003
        await conversation.home.catch_up()
        conversation.transcript.flush()
    conversation.transcript.go_live()


def message_id(answer: Mapping[str, Json]) -> str:
    """Return the MessageId in the answer to a command."""
    data = answer["Data"]
    assert isinstance(data, dict)  # noqa: S101 - the simulator's own answer
    return str(data["MessageId"])
