"""The templates of a binding: its value, and the two ways between Home Assistant's value and the property's.

They are Jinja as everywhere in Home Assistant, in the same sandbox, and their result is a number, a bool, a list or text as
it would be there. What is rendered as nothing, or as unknown or unavailable, says nothing.
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

NOTHING: Final = ("", STATE_UNAVAILABLE, STATE_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Templates:
    """The compiled templates of one binding, None where it has none.

    `source` is what a template aspect reads, `there` makes the property's value of Home Assistant's, `back` the other
    way round.
    """

    source: Template | None = None
    there: Template | None = None
    back: Template | None = None

    @classmethod
    def of(cls, hass: HomeAssistant, binding: Binding) -> Self:
        """Compile the templates of a binding; raises `Refused` with what is wrong in them."""
        return cls(
            _compiled(hass, binding.source if binding.aspect == TEMPLATE else ""),
            _compiled(hass, binding.conversion.template),
            _compiled(hass, binding.conversion.template_back),
        )


def templated(binding: Binding) -> bool:
    """Tell whether a binding has any template."""
    conversion = binding.conversion
    return binding.aspect == TEMPLATE or bool(conversion.template or conversion.template_back)


def render(template: Template, variables: Mapping[str, object]) -> Raw:
    """Return what a template says, None if that is nothing; raises `Refused` with its message."""
    try:
        result = template.async_render(variables)
    except TemplateError as err:
        result = err
    return said(result)


def said(result: object) -> Raw:
    """Return what the result of a template says, None if that is nothing; raises `Refused` for a failure."""
    if isinstance(result, TemplateError):
        raise _failure(result) from result
    value = as_raw(result)
    return None if isinstance(value, str) and value.strip().casefold() in NOTHING else value


def _failure(err: TemplateError | RecursionError) -> Refused:
    return Refused(Reason.NOT_SUPPORTED, f"the template fails: {err}")


def _compiled(hass: HomeAssistant, text: str) -> Template | None:
    if not text:
        return None
    template = Template(text, hass)
    try:
        template.ensure_valid()
    except (TemplateError, RecursionError) as err:
        raise _failure(err) from err
    return template
