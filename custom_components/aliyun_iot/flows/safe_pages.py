"""The base of every flow: what its pages show is Markdown of our own, or escaped."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.core import callback
from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult

from ..words.markdown import placeholders


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
