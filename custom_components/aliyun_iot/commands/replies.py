"""Commands that wait for an automation to answer them, by the action `aliyun_iot.reply`."""

import asyncio
from dataclasses import dataclass

from homeassistant.core import callback

from ..alink.command import Answer
from ..alink.model.thing_model import Service


@dataclass(frozen=True, slots=True)
class OpenCommand:
    """A command that can still be answered.

    `service` is what the thing model says of it, if anything. `is_data` tells that it is any bytes, and is answered so.
    """

    service: Service | None
    is_data: bool
    reply: asyncio.Future[Answer]


class Replies:
    """The open commands of one device, by the id that their triggers told (`trigger.command_id`)."""

    def __init__(self) -> None:
        """Nothing is open yet."""
        self._open: dict[str, OpenCommand] = {}

    @callback
    def expect(self, command_id: str, service: Service | None = None, *, is_data: bool = False) -> None:
        """Open a command for an answer, before anybody is told of it."""
        self._open[command_id] = OpenCommand(service, is_data, asyncio.get_running_loop().create_future())

    @callback
    def find(self, command_id: str) -> OpenCommand | None:
        """Return a command that still waits for its answer."""
        command = self._open.get(command_id)
        return None if command is None or command.reply.done() else command

    @callback
    def give(self, command_id: str, answer: Answer) -> None:
        """Answer a command that `find` returned just now; that may be before anybody waits for it."""
        self._open[command_id].reply.set_result(answer)

    async def wait(self, command_id: str, deadline: float) -> Answer | None:
        """Return the answer, or None when there was none within `deadline` seconds; the command is closed then."""
        command = self._open[command_id]
        try:
            async with asyncio.timeout(deadline):
                return await command.reply
        except TimeoutError:
            return None
        finally:
            self.close(command_id)

    @callback
    def close(self, command_id: str) -> None:
        """No longer wait for an answer."""
        self._open.pop(command_id, None)
