"""Aspects: the named, typed values of an entity that a property can stand for, and the actions that set them.

A domain declares its aspects and one function that plans actions. What is the same for all domains (unknown states,
ranges, options, wrong types) is handled here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import isfinite
from reprlib import Repr
from typing import Final, NamedTuple

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import State

from ..alink.i18n import Words, phrase
from ..alink.model.datatypes import DataType
from ..alink.privacy import BY_NAME_ALONE

_SHORT: Final = Repr(maxstring=80, maxother=80)

type Color = tuple[float, float, float]
"""Red, green and blue, each 0 to 255; integers where Home Assistant has integers."""


class Location(NamedTuple):
    """A place on Earth in WGS 84: degrees, and metres above the sea where they are known."""

    latitude: float
    longitude: float
    altitude: float | None = None


type Raw = bool | float | str | list[Raw] | dict[str, Raw] | None
"""Any value of Home Assistant that JSON can hold."""

type Value = bool | float | str | datetime | Color | Location | list[Raw] | dict[str, Raw]
"""A value of an aspect: `bool`, number, option or text, aware time, colour, location or anything, by its `Kind`."""


class Kind(StrEnum):
    """The shape of an aspect's value."""

    BOOL = "bool"
    COLOR = "color"
    DATE = "date"
    ENUM = "enum"
    LOCATION = "location"
    NUMBER = "number"
    RAW = "raw"
    TEXT = "text"

    def fits(self, value: Value) -> bool:
        """Return whether a value is of this kind; a bool is not a number, and a time has a time zone."""
        match self:
            case Kind.BOOL:
                return isinstance(value, bool)
            case Kind.NUMBER:
                return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
            case Kind.ENUM | Kind.TEXT:
                return isinstance(value, str)
            case Kind.DATE:
                return isinstance(value, datetime) and value.tzinfo is not None
            case Kind.COLOR:
                return (
                    isinstance(value, tuple)
                    and not isinstance(value, Location)
                    and len(value) == 3
                    and all(0 <= part <= 255 for part in value)
                )
            case Kind.LOCATION:
                return isinstance(value, Location)
            case Kind.RAW:
                return not isinstance(value, float) or isfinite(value)


_KINDS: Final[Mapping[Kind, Words]] = {Kind.NUMBER: ("number", "数字"), Kind.DATE: ("time", "时间")}


class Reason(StrEnum):
    """Why a value can't be used."""

    CONFLICT = "conflict"
    NOT_AN_OPTION = "not_an_option"
    NOT_SUPPORTED = "not_supported"
    OUT_OF_RANGE = "out_of_range"
    WRONG_TYPE = "wrong_type"


class Refused(ValueError):  # noqa: N818 - named after what happened
    """A value can't be used: it has no counterpart on the other side, or the entity can't take it. Nothing has been done."""

    def __init__(self, reason: Reason, text: str | Words, **details: object) -> None:
        """Keep the reason beside the text, so that a reply can carry the right code.

        A text in two languages has braces for the `details`, as for `phrase`.
        """
        self.reason = reason
        self._text = text
        self._details = details
        super().__init__(self.describe())

    def describe(self, language: str = "en") -> str:
        """Return the text in simplified Chinese for `zh…`, if there is one, otherwise in English."""
        return self._text if isinstance(self._text, str) else phrase(self._text, language, **self._details)


def quoted(value: object) -> str:
    """Return a value as it stands in a text about it, cut if it is long, and without members whose names are private."""
    return _SHORT.repr(BY_NAME_ALONE.masked("", value))


@dataclass(frozen=True, slots=True)
class Range:
    """The limits of a number, in the aspect's unit; None where the entity has none."""

    min: float | None
    max: float | None
    step: float | None = None

    def holds(self, value: float) -> bool:
        """Return whether the value is within the limits."""
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def clamp(self, value: float) -> float:
        """Return the value, or the limit it exceeds."""
        if self.min is not None:
            value = max(value, self.min)
        return value if self.max is None else min(value, self.max)


@dataclass(frozen=True, slots=True)
class ActionCall:
    """One Home Assistant action, without its target: the caller adds the entity."""

    domain: str
    action: str
    data: dict[str, object] = field(default_factory=dict)


def setting(domain: str, values: Mapping[str, Value], key: str, action: str, field: str) -> list[ActionCall]:
    """Return the action that sets a field to the value of one aspect, no action if the values don't have that aspect."""
    return [ActionCall(domain, action, {str(field): values[key]})] if key in values else []


def _always(_: State) -> bool:
    return True


def _never(_: State) -> bool:
    return False


def _no_range(_: State) -> Range | None:
    return None


def _no_options(_: State) -> tuple[str, ...]:
    return ()


def _no_unit(_: State) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class FromAttributes[T]:
    """A reader that needs only attributes, so it is also asked while the state is unknown.

    Home Assistant writes attributes whether or not it knows the state: a weather entity without a condition has a temperature.
    """

    read: Callable[[State], T]

    def __call__(self, state: State) -> T:
        """Read the value."""
        return self.read(state)


@dataclass(frozen=True, slots=True)
class WholeState[T]:
    """A reader of the whole state: nothing is missing when it finds no value in a known state, the state is a wrong one."""

    read: Callable[[State], T]

    def __call__(self, state: State) -> T:
        """Read the value."""
        return self.read(state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """One aspect of a domain.

    `source` reads the value from a state that is neither unknown nor unavailable; it must not fail on any attribute. One that
    is `FromAttributes` reads unknown states as well, one that is `WholeState` should find a value in any other. `supported`
    returns whether an entity has the aspect, `accepts` whether it can be set; both look at capabilities, which an unavailable
    entity keeps in its state. `words` are the names of no and yes. `identifiers` are the standard identifiers of thing
    models, the most common one first, `class_identifiers` those for a device class; only the main aspect of a domain may have
    none. `momentary` marks a command, which leaves nothing to report, `private` a value that must not be published by
    accident: it is bound only when the user picks it. `alternative` marks an aspect that repeats another one in a different
    form, or that is rarely needed: it is suggested for a property of the thing model, but no new property is made for it.
    `data_type` is the type of a property that is made for it, where the kind leaves a choice. `risky` marks an aspect whose
    control needs the user's confirmation, although that of the others does not.

    `says` returns whether a label of a property means yes or no of this aspect, where the `words` and their synonyms are not
    enough; None for any other label. `dispensable` are the options that a suggested property may lack: states that pass by
    themselves, that another aspect tells, or that the entity can't show.
    """

    key: str
    kind: Kind
    name_en: str
    name_zh: str
    source: Callable[[State], Value | None]
    writable: bool = False
    supported: Callable[[State], bool] = _always
    accepts: Callable[[State], bool] = _always
    range: Callable[[State], Range | None] = _no_range
    options: Callable[[State], tuple[str, ...]] = _no_options
    unit: Callable[[State], str | None] = _no_unit
    words: tuple[str, str] = ("off", "on")
    says: Callable[[str], bool | None] | None = None
    dispensable: Callable[[State], tuple[str, ...]] = _no_options
    momentary: bool = False
    private: bool = False
    alternative: bool = False
    risky: bool = False
    data_type: DataType | None = None
    identifiers: tuple[str, ...] = ()
    class_identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, state: State) -> Value | None:
        """Return the value, or None if there is none: unknown and unavailable are never read as off or 0."""
        if state.state == STATE_UNAVAILABLE:
            return None
        if state.state == STATE_UNKNOWN and not isinstance(self.source, FromAttributes):
            return None
        return self.source(state)

    def require_readable(self, state: State) -> None:
        """Raise `Refused` if the state of an entity is none that it should have: text where a number belongs."""
        if not isinstance(self.source, WholeState) or state.state in ("", STATE_UNAVAILABLE, STATE_UNKNOWN):
            return
        if self.source(state) is None:
            kind = _KINDS.get(self.kind, _KINDS[Kind.DATE])
            raise Refused(
                Reason.WRONG_TYPE,
                ("{state} of {entity} is not a {kind}", "{entity} 的状态 {state} 不是{kind}"),
                state=quoted(state.state),
                entity=state.entity_id,
                kind=kind,
            )

    def controllable(self, state: State) -> bool:
        """Return whether the aspect of this entity can be set."""
        return self.writable and self.supported(state) and self.accepts(state)

    def identifiers_for(self, state: State) -> tuple[str, ...]:
        """Return the standard identifiers, those of the entity's device class first."""
        return self.class_identifiers.get(str(state.attributes.get("device_class")), ()) + self.identifiers

    def require(self, state: State, value: Value) -> None:
        """Raise `Refused` unless the entity can take the value."""
        if not self.controllable(state):
            raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} does not let {self.key} be set")
        if not self.kind.fits(value):
            raise Refused(Reason.WRONG_TYPE, f"{self.key} of {state.entity_id} is a {self.kind}, not {value!r}")
        if isinstance(value, int | float) and (limits := self.range(state)) and not limits.holds(value):
            raise Refused(
                Reason.OUT_OF_RANGE,
                f"{self.key} of {state.entity_id} goes from {limits.min} to {limits.max}, not to {value}",
            )
        if self.kind is Kind.ENUM and value not in (options := self.options(state)):
            raise Refused(
                Reason.NOT_AN_OPTION,
                f"{self.key} of {state.entity_id} is one of {', '.join(options) or 'nothing'}, not {value!r}",
            )


type Plan = Callable[[State, Mapping[str, Value]], list[ActionCall]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The aspects of one Home Assistant domain and how to set them.

    `plan` is called with values that passed `Aspect.require` and returns the fewest actions in the right order; it
    raises `Refused` if values contradict each other. A domain that only reports has no plan. `risky` returns whether
    control of an entity from the cloud needs the user's confirmation because of what it is; what it passes a command on to
    is not considered (`risk.py`).
    """

    name: str
    aspects: tuple[Aspect, ...]
    plan: Plan | None = None
    risky: Callable[[State], bool] = _never

    def aspect(self, key: str) -> Aspect | None:
        """Return the aspect with this key, None if there is none."""
        return next((aspect for aspect in self.aspects if aspect.key == key), None)

    def actions_for(self, state: State, values: Mapping[str, Value]) -> list[ActionCall]:
        """Return the actions that set the aspects to these values; raises `Refused` if one of them can't be set."""
        for key, value in values.items():
            aspect = self.aspect(key)
            if aspect is None:
                raise Refused(Reason.NOT_SUPPORTED, f"{state.entity_id} has no {key}")
            aspect.require(state, value)
        return self.plan(state, values) if self.plan and values else []
