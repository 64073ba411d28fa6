"""Values of several sub-devices in one message: a gateway may send few messages a second, however many it has.

What sub-devices post while another message is under way goes together into the next one (docs/protocol.md §4.4). A message
for one sub-device alone is an ordinary post, and so is everything after a pack was refused: a pack fails as a whole, and only
an ordinary post says which value is at fault.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ..alink.device import Device
from ..alink.errors import MessageError, RequestTimeout
from ..alink.foreign import logger_of
from ..alink.gateway import Gateway
from ..alink.gateway_requests import PACK_PROPERTIES, PACK_SUB_DEVICES
from ..alink.messages import Reply
from ..alink.samples import Sample

_LOGGER = logger_of(__name__)

UNDER_WAY: Final = 2
"""Messages that wait for their replies at once, so that one that is late does not stop all sub-devices."""

GATHERING: Final = 0.02
"""Seconds for others to join: after a login, many sub-devices are about to post."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """The values that one sub-device is about to post."""

    device: Device
    samples: Mapping[str, Sample]
    timeout: float
    reply: asyncio.Future[Reply] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Packs:
    """The posts of the sub-devices of one gateway."""

    def __init__(self, gateway: Callable[[], Gateway]) -> None:
        """Nothing waits at first."""
        self.enabled = True
        """False after a pack without a reply: not every host knows them."""
        self._gateway = gateway
        self._waiting: deque[_Waiting] = deque()
        self._under_way: set[asyncio.Task[None]] = set()

    async def post(self, device: Device, samples: Mapping[str, Sample], timeout: float) -> Reply:
        """Post values of a sub-device, with those of others if there are any; raises what `Device.post_properties` raises."""
        if not self.enabled or len(samples) > PACK_PROPERTIES:
            return await device.post_properties(samples, timeout)
        waiting = _Waiting(device, samples, timeout)
        self._waiting.append(waiting)
        if len(self._under_way) < UNDER_WAY:
            task = asyncio.get_running_loop().create_task(self._send(), name="Aliyun pack")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        try:
            return await waiting.reply
        finally:
            waiting.reply.cancel()

    async def stop(self) -> None:
        """End what is under way; those who wait are cancelled."""
        self._waiting.clear()
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _send(self) -> None:
        """Send what waits until nothing does."""
        while self._waiting:
            await asyncio.sleep(GATHERING)
            batch = self._take()
            try:
                if len(batch) == 1 or not self.enabled:
                    await asyncio.gather(*(_post_alone(one) for one in batch))
                else:
                    await self._post_together(batch)
            except BaseException as err:
                for one in batch:
                    _fail(one, err)
                raise

    def _take(self) -> list[_Waiting]:
        """Return what goes into the next message, without what nobody waits for any more."""
        batch: list[_Waiting] = []
        values = 0
        while self._waiting and len(batch) < PACK_SUB_DEVICES:
            one = self._waiting[0]
            if not one.reply.done():
                values += len(one.samples)
                if values > PACK_PROPERTIES:
                    break
                batch.append(one)
            self._waiting.popleft()
        return batch

    async def _post_together(self, batch: list[_Waiting]) -> None:
        together = {one.device.identity: one.samples for one in batch if one.device.is_online}
        try:
            reply = await self._gateway().requests.post_pack(together, timeout=batch[0].timeout)
        except MessageError:
            reply = None
        except RequestTimeout as err:
            _LOGGER.debug("No reply to values of several sub-devices, they are posted one by one: %s", err)
            self.enabled = False
            for one in batch:
                _fail(one, err)
            return
        except Exception as err:  # noqa: BLE001 - each of those who wait handles it
            for one in batch:
                _fail(one, err)
            return
        if reply is None or not reply.ok:
            await asyncio.gather(*(_post_alone(one) for one in batch))
            return
        for one in batch:
            if one.device.identity in together and not one.reply.done():
                one.reply.set_result(reply)
            else:
                await _post_alone(one)  # it has gone offline, and learns so


async def _post_alone(one: _Waiting) -> None:
    if one.reply.done():
        return
    try:
        reply = await one.device.post_properties(one.samples, one.timeout)
    except Exception as err:  # noqa: BLE001 - the one who waits handles it
        _fail(one, err)
    else:
        if not one.reply.done():
            one.reply.set_result(reply)


def _fail(one: _Waiting, err: BaseException) -> None:
    if not one.reply.done():
        if isinstance(err, Exception):
            one.reply.set_exception(err)
        else:
            one.reply.cancel()
