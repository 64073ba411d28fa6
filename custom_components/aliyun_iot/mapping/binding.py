"""Bindings as data: one property stands for one aspect of one entity, one service for a sequence of actions.

The user interface, the stored entry and files share the schemas below. They fill defaults in; `as_dict` leaves them out
again, so that stored bindings say only what somebody decided.
"""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from enum import StrEnum
from math import isfinite
import re
from typing import Any, Final, Self

import voluptuous as vol

RESERVED_IDENTIFIERS = frozenset({"get", "post", "set", "time", "value"})
"""Words that the platform keeps for itself (`docs/protocol.md` §8.3)."""

RAW_STATE: Final = "raw_state"
ATTRIBUTE: Final = "attribute"
TEMPLATE: Final = "template"
ACTIONS: Final = "actions"
"""The keys of the generic aspects (`generic.py`); the last two can do without an entity."""

_IDENTIFIER = re.compile(r"(?:[A-Za-z0-9_]{1,50}:)?(?P<name>[A-Za-z0-9_]{1,50})")


class Access(StrEnum):
    """Which way a binding carries values."""

    REPORT = "report"
    CONTROL = "control"
    BOTH = "both"

    @property
    def reports(self) -> bool:
        """Tell whether states go to the cloud."""
        return self is not Access.CONTROL

    @property
    def controls(self) -> bool:
        """Tell whether the cloud may set the entity."""
        return self is not Access.REPORT


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a value of Home Assistant becomes a property value: `value * scale + offset`, and back by the reverse.

    A scale or an offset replaces the conversion between units. `invert` swaps on and off, or mirrors a number in the
    entity's range. `digits` rounds what is reported; without it the step of the thing model does. `clamp` brings a
    number that is outside the other side's range to its limit instead of refusing it. `options` names the property
    value for each value of Home Assistant (the aspect's two words for a bool, as on and off) and, where it isn't empty,
    is complete: what it doesn't name is refused. The first of several names for one property value is the one that is
    set. `unit` is the unit of the property where the thing model names none.

    `template` stands on Home Assistant's side of all this: it makes another value of Home Assistant's `value` (and of
    `entity_id` and `state`), in no unit and of no range, and only that is converted as above. `template_back` does the
    reverse with the `value` that all this made of the property's. Without it, what has a `template` can't be set.
    """

    scale: float = 1
    offset: float = 0
    invert: bool = False
    digits: int | None = None
    clamp: bool = False
    options: Mapping[str, int | str] = field(default_factory=dict)
    unit: str = ""
    template: str = ""
    template_back: str = ""


NO_CONVERSION: Final = Conversion()
"""What most bindings have; they share it."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One property of the thing model that stands for one aspect of one entity.

    `entity` is the id of the entity in the entity registry, or the entity id of one that isn't registered; empty for
    what is no entity's (`mapping/generic.py`). `source` is the attribute or the template of a generic aspect. `actions`
    are run, with the variables `value` and `identifier`, instead of what the aspect itself would do. `min_interval` is
    in seconds, `dead_band` in the property's unit. `confirmed` says that the user allowed a risky entity to be
    controlled. `rule` is the id of the rule that made this binding and releases it again. `condition` is what has to
    hold, as Home Assistant's conditions are written, for the cloud to control it. `every_sample` says that each value
    counts and not only the newest: the minimum interval holds none back, and what an outage keeps back is sent later.
    """

    identifier: str
    entity: str
    aspect: str
    access: Access = Access.REPORT
    conversion: Conversion = NO_CONVERSION
    min_interval: float = 0
    dead_band: float = 0
    confirmed: bool = False
    source: str = ""
    actions: list[dict[str, Any]] = field(default_factory=list)
    rule: str = ""
    condition: list[dict[str, Any]] = field(default_factory=list)
    every_sample: bool = False

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the binding that the data describe; raises `vol.Invalid` with the path of the fault."""
        valid = BINDING_SCHEMA(dict(data))
        conversion = Conversion(**valid["conversion"]) if data.get("conversion") else NO_CONVERSION
        return cls(**{**valid, "conversion": conversion})

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold and `from_dict` takes, without defaults."""
        data = _without_defaults(self, Binding(self.identifier, self.entity, self.aspect))
        if "conversion" in data:
            data["conversion"] = _without_defaults(self.conversion, Conversion())
        return data


@dataclass(frozen=True, slots=True)
class ServiceBinding:
    """One service of the thing model and what it runs: a sequence of Home Assistant actions, or a script.

    `script` is written as the entity of a `Binding` is. Exactly one of the two is there.
    """

    identifier: str
    actions: list[dict[str, Any]] = field(default_factory=list)
    script: str | None = None
    condition: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the binding that the data describe; raises `vol.Invalid`. The actions are only seen to be dicts."""
        return cls(**SERVICE_SCHEMA(dict(data)))

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold and `from_dict` takes, without defaults."""
        return _without_defaults(self, ServiceBinding(self.identifier))


def identifier(value: object) -> str:
    """Validate an identifier, with or without the prefix of its module (`docs/protocol.md` §4.2 and §8.3)."""
    match = _IDENTIFIER.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise vol.Invalid(
            "an identifier has 1 to 50 letters, digits and underscores, after a module and a colon if it is in one"
        )
    if match["name"] in RESERVED_IDENTIFIERS:
        raise vol.Invalid(f"{match['name']} is reserved by the platform")
    return match.string


def _finite(value: object) -> float:
    number = vol.Coerce(float)(value)
    if isinstance(value, bool) or not isfinite(number):
        raise vol.Invalid("expected a finite number")
    return float(number)


def _not_zero(value: float) -> float:
    if value == 0:
        raise vol.Invalid("a scale of 0 would make every value the same")
    return value


def _home_value(value: object) -> str:
    """Validate the left side of an option; YAML reads an unquoted on or off as a bool."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float | str):
        return str(value)
    raise vol.Invalid("expected a value of the entity")


def _property_value(value: object) -> int | str:
    if isinstance(value, int | str):
        return int(value) if isinstance(value, bool) else value
    raise vol.Invalid("expected an integer or text")


def _without_defaults[Data: Binding | Conversion | ServiceBinding](data: Data, default: Data) -> dict[str, Any]:
    """Return the fields that differ from the default, and those that have none."""
    usual = asdict(default)
    required = {entry.name for entry in fields(data) if entry.default is MISSING and entry.default_factory is MISSING}
    return {name: value for name, value in asdict(data).items() if name in required or value != usual[name]}


_AMOUNT = vol.All(_finite, vol.Range(min=0))

CONVERSION_SCHEMA = vol.Schema(
    {
        vol.Optional("scale", default=1.0): vol.All(_finite, _not_zero),
        vol.Optional("offset", default=0.0): _finite,
        vol.Optional("invert", default=False): bool,
        vol.Optional("digits", default=None): vol.Any(None, vol.All(vol.Coerce(int), vol.Range(min=0, max=9))),
        vol.Optional("clamp", default=False): bool,
        vol.Optional("options", default=dict): {_home_value: _property_value},
        vol.Optional("unit", default=""): str,
        vol.Optional("template", default=""): str,
        vol.Optional("template_back", default=""): str,
    }
)


def _consistent(binding: dict[str, Any]) -> dict[str, Any]:
    """Validate what the aspect asks of the other fields (`generic.py`)."""
    aspect = binding["aspect"]
    if not binding["entity"] and aspect not in (TEMPLATE, ACTIONS):
        raise vol.Invalid("only a template and actions can do without an entity", ["entity"])
    if not binding["source"].strip() and aspect in (ATTRIBUTE, TEMPLATE):
        raise vol.Invalid(f"the aspect {aspect} needs one", ["source"])
    if aspect == ACTIONS and binding["access"] is not Access.CONTROL:
        raise vol.Invalid("actions can only be for control", ["access"])
    if not binding["actions"] and aspect == ACTIONS:
        raise vol.Invalid("the aspect actions needs some", ["actions"])
    return binding


_BINDING_FIELDS = vol.Schema(
    {
        vol.Required("identifier"): identifier,
        vol.Required("entity"): str,
        vol.Required("aspect"): vol.All(str, vol.Length(min=1)),
        vol.Optional("access", default=Access.REPORT): vol.Coerce(Access),
        vol.Optional("conversion", default=dict): CONVERSION_SCHEMA,
        vol.Optional("min_interval", default=0.0): _AMOUNT,
        vol.Optional("dead_band", default=0.0): _AMOUNT,
        vol.Optional("confirmed", default=False): bool,
        vol.Optional("source", default=""): str,
        vol.Optional("actions", default=list): [dict],
        vol.Optional("rule", default=""): str,
        vol.Optional("condition", default=list): [dict],
        vol.Optional("every_sample", default=False): bool,
    }
)

BINDING_SCHEMA = vol.Schema(vol.All(_BINDING_FIELDS, _consistent))

SERVICE_SCHEMA = vol.Schema(
    vol.All(
        {
            vol.Required("identifier"): identifier,
            vol.Exclusive("actions", "what to run"): vol.All([dict], vol.Length(min=1)),
            vol.Exclusive("script", "what to run"): vol.All(str, vol.Length(min=1)),
            vol.Optional("condition", default=list): [dict],
        },
        vol.Any(
            {vol.Required("actions"): object, vol.Extra: object}, {vol.Required("script"): object, vol.Extra: object}
        ),
    )
)
