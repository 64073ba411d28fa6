"""The base of every flow: what its pages show is Markdown of our own, or escaped."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, override

from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult

from ..words.markdown import placeholders

SHORTEST_PROGRESS = 1.0
"""Seconds for which a page shows progress at least."""


class SafePages[Context: FlowContext, Result: FlowResult[Any, Any], Handler](FlowHandler[Context, Result, Handler]):
    """A flow whose placeholders can't add markup to its pages, whatever is in them."""

    @override
    @callback
    def async_show_form(self, *, description_placeholders: Mapping[str, str] | None = None, **options: Any) -> Result:
        """Show a form."""
        return super().async_show_form(description_placeholders=placeholders(description_placeholders), **options)

    @override
    @callback
    def async_show_menu(self, *, description_placeholders: Mapping[str, str] | None = None, **options: Any) -> Result:
        """Show a menu."""
        return super().async_show_menu(description_placeholders=placeholders(description_placeholders), **options)

    @override
    @callback
    def async_abort(self, *, description_placeholders: Mapping[str, str] | None = None, **options: Any) -> Result:
        """Abort, with a text."""
        return super().async_abort(description_placeholders=placeholders(description_placeholders), **options)

    @override
    @callback
    def async_show_progress(
        self, *, description_placeholders: Mapping[str, str] | None = None, **options: Any
    ) -> Result:
        """Show what is being done."""
        return super().async_show_progress(description_placeholders=placeholders(description_placeholders), **options)

    def work_on[T](self, work: Callable[[], Coroutine[Any, Any, T]], name: str) -> asyncio.Task[T]:
        """Return a task for a page that shows progress, which the flow cancels when its dialog is closed.

        The frontend subscribes to the event that ends the page only once it shows the page, so a shorter task would be missed.
        """

        async def work_long_enough() -> T:
            outcome: T | BaseException
            outcome, _ = await asyncio.gather(work(), asyncio.sleep(SHORTEST_PROGRESS), return_exceptions=True)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        return self.hass.async_create_task(work_long_enough(), name, eager_start=False)
