"""The templates of a binding: one that is its source, and one for each direction of its conversion.

They are Home Assistant's Jinja templates, in the same sandbox, with results of native types: numbers, bools, lists, text.
A result that is empty, unknown or unavailable means that there is no value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import TemplateError
from homeassistant.helpers.template import Template

from .aspect import Raw, Reason, Refused
from .attributes import as_raw
from .binding import TEMPLATE, Binding

NO_VALUE: Final = ("", STATE_UNAVAILABLE, STATE_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Templates:
    """The compiled templates of one binding, None where it has none.

    `source` gives the value of a template aspect, `to_cloud` converts Home Assistant's value to the property's, `to_ha`
    does the reverse.
    """

    source: Template | None = None
    to_cloud: Template | None = None
    to_ha: Template | None = None

    @classmethod
    def of(cls, hass: HomeAssistant, binding: Binding) -> Self:
        """Compile the templates of a binding; raises `Refused` with Home Assistant's message if one is invalid."""
        return cls(
            _compiled(hass, binding.source if binding.aspect == TEMPLATE else ""),
            _compiled(hass, binding.conversion.template),
            _compiled(hass, binding.conversion.template_back),
        )


def templated(binding: Binding) -> bool:
    """Return whether a binding has any template."""
    conversion = binding.conversion
    return binding.aspect == TEMPLATE or bool(conversion.template or conversion.template_back)


def render(template: Template, variables: Mapping[str, object]) -> Raw:
    """Return the result of a template, None if it is no value; raises `Refused` with Home Assistant's message."""
    try:
        result = template.async_render(variables)
    except TemplateError as err:
        result = err
    return value_of(result)


def value_of(result: object) -> Raw:
    """Return the value of a template's result, None if it is no value; raises `Refused` for an error."""
    if isinstance(result, TemplateError):
        raise template_failure(result) from result
    value = as_raw(result)
    return None if isinstance(value, str) and value.strip().casefold() in NO_VALUE else value


def template_failure(err: TemplateError | RecursionError) -> Refused:
    """Return the exception for a template that Home Assistant cannot render."""
    return Refused(Reason.NOT_SUPPORTED, ("the template fails: {error}", "模板出错：{error}"), error=str(err))


def _compiled(hass: HomeAssistant, text: str) -> Template | None:
    if not text:
        return None
    template = Template(text, hass)
    try:
        template.ensure_valid()
    except (TemplateError, RecursionError) as err:
        raise template_failure(err) from err
    return template
