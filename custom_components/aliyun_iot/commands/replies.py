"""Commands that wait for an automation to answer them by the action `aliyun_iot.reply`."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from homeassistant.core import callback

from ..alink.command import Answer
from ..alink.model.thing_model import Service


@dataclass(frozen=True, slots=True)
class OpenCommand:
    """A command that can still be answered.

    `service` is its definition in the thing model, if there is one. A command that `is_data`, a raw frame or a message, is
    answered with bytes.
    """

    service: Service | None
    is_data: bool
    reply: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Replies:
    """The open commands of one device, by the id that triggers have as `trigger.command_id`."""

    def __init__(self) -> None:
        """Start without open commands."""
        self._open: dict[str, OpenCommand] = {}

    @contextmanager
    def expected(self, command_id: str, service: Service | None, *, is_data: bool) -> Iterator[asyncio.Future[Answer]]:
        """Open a command, yield the future of its answer, and close it again. Automations are notified in between."""
        command = self._open[command_id] = OpenCommand(service, is_data)
        try:
            yield command.reply
        finally:
            del self._open[command_id]

    @callback
    def find(self, command_id: str) -> OpenCommand | None:
        """Return a command that has not been answered yet."""
        command = self._open.get(command_id)
        return None if command is None or command.reply.done() else command

    @callback
    def give(self, command_id: str, answer: Answer) -> None:
        """Answer a command that `find` has just returned."""
        self._open[command_id].reply.set_result(answer)
