"""Stop several parts, where one that fails does not keep the others running."""

from collections.abc import Awaitable, Callable

from .alink.foreign import logger_of

_LOGGER = logger_of(__name__)


async def stop_all(*parts: Callable[[], Awaitable[None] | None]) -> None:
    """Call each of these in order, and wait for those that are coroutine functions; an exception of one is logged."""
    for stop in parts:
        try:
            if (stopping := stop()) is not None:
                await stopping
        except Exception:
            _LOGGER.exception("%s failed", getattr(stop, "__qualname__", stop))
