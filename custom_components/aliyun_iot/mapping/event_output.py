"""The output data of an event: rendered templates, converted to the types of the thing model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from homeassistant.exceptions import TemplateError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.template import render_complex
import voluptuous as vol

from ..alink.errors import InvalidValue
from ..alink.messages import JsonValue
from ..alink.model.datatypes import ArrayType, DataType, Field, StructType, TextType
from ..alink.privacy import is_private_name
from .aspect import Raw, Reason, Refused
from .attributes import as_raw
from .templates import template_failure, value_of
from .unreportable import Unreportable
from .wire import to_wire, untyped_to_wire


@dataclass(frozen=True, slots=True)
class EventOutput:
    """The output of an event: by parameter a template, or a value with templates anywhere in it."""

    templates: Mapping[str, Any]

    @classmethod
    def of(cls, output: Mapping[str, Any]) -> Self:
        """Compile what the user entered; raises vol.Invalid, which names the parameter, for an invalid template."""
        templates: dict[str, Any] = {}
        for name, value in output.items():
            try:
                templates[name] = cv.template_complex(value)
            except vol.Invalid as err:
                raise vol.Invalid(f"{name}: {err}") from err
        return cls(templates)

    def render(
        self, variables: Mapping[str, Any], fields: Mapping[str, Field] | None
    ) -> tuple[dict[str, JsonValue], dict[str, Unreportable]]:
        """Return the output data, and by parameter why others are left out.

        `fields` are the parameters in the thing model, None without one. A parameter without a value, or with one that does not
        fit, is left out, as an alarm without a detail is better than none.
        """
        output: dict[str, JsonValue] = {}
        left_out: dict[str, Unreportable] = {}
        for name, template in self.templates.items():
            try:
                value = _encoded(template, variables, _field(name, fields))
            except TemplateError as err:
                left_out[name] = Unreportable.of(template_failure(err), private=_is_private(name, fields))
            except (InvalidValue, Refused) as err:
                left_out[name] = Unreportable.of(err, private=_is_private(name, fields))
            else:
                if value is not None:
                    output[name] = value
        return output, left_out


def _field(name: str, fields: Mapping[str, Field] | None) -> Field | None:
    if fields is not None and name not in fields:
        raise Refused(
            Reason.NOT_SUPPORTED, ("the event has no such output parameter", "物模型的事件中没有这个输出参数")
        )
    return fields[name] if fields else None


def _is_private(name: str, fields: Mapping[str, Field] | None) -> bool:
    named = fields.get(name) if fields else None
    return is_private_name(name) or (named is not None and is_private_name(named.name))


def _encoded(template: Any, variables: Mapping[str, Any], field: Field | None) -> JsonValue:
    value = _rendered(template, variables, field.data_type if field else None)
    if value is None:
        return None
    return to_wire(field.data_type, value, field.identifier) if field else untyped_to_wire(value)


def _rendered(template: Any, variables: Mapping[str, Any], data_type: DataType | None) -> Raw:
    """Render a template, or a value with templates anywhere in it."""
    match template, data_type:
        case dict(), StructType(members=members):
            names = {str(render_complex(key, variables)): part for key, part in template.items()}
            return {
                name: _rendered(part, variables, members[name].data_type if name in members else None)
                for name, part in names.items()
            }
        case list(), ArrayType(item=item):
            return [_rendered(part, variables, item) for part in template]
    value = value_of(render_complex(template, variables))
    if value is None or not isinstance(data_type, TextType):
        return value
    # Home Assistant turns text that looks like a number or a list into one.
    return as_raw(render_complex(template, variables, parse_result=False))
