"""The form for one binding: which property stands for which aspect of an entity, and how values are converted.

Options and subentry flows show the same form; `BindingForm` builds it and turns its input into a `Binding`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
import re
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, State
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from .alink.thing_model import Property, ThingModel
from .exposures import entity_reference, exposed_bindings, resolve_entity
from .labels import Labels
from .mapping.aspect import Aspect, Domain
from .mapping.binding import Access, Binding, Conversion
from .mapping.check import Problem, check
from .mapping.convert import carries
from .mapping.domains import domain_of
from .mapping.suggest import allowed_access, suggest
from .runtime import thing_model_of

CONF_ACCESS: Final = "access"
CONF_ASPECT: Final = "aspect"
CONF_CLAMP: Final = "clamp"
CONF_CONFIRMED: Final = "confirmed"
CONF_DEAD_BAND: Final = "dead_band"
CONF_DIGITS: Final = "digits"
CONF_ENTITY: Final = "entity"
CONF_IDENTIFIER: Final = "identifier"
CONF_INVERT: Final = "invert"
CONF_MIN_INTERVAL: Final = "min_interval"
CONF_OFFSET: Final = "offset"
CONF_OPTIONS: Final = "options"
CONF_SCALE: Final = "scale"

SECTION_CONVERSION: Final = "conversion"
SECTION_REPORTING: Final = "reporting"

# A form can't show an error at a field inside a section, only at the section.
FIELD_OF_PROBLEM: Final = {
    "aspect_not_supported": CONF_ASPECT,
    "entity_not_controllable": CONF_ACCESS,
    "labels_unclear": CONF_IDENTIFIER,
    "not_invertible": SECTION_CONVERSION,
    "options_unmatched": SECTION_CONVERSION,
    "read_only_property": CONF_ACCESS,
    "risky_not_confirmed": CONF_CONFIRMED,
    "type_mismatch": CONF_IDENTIFIER,
    "unit_mismatch": SECTION_CONVERSION,
    "write_only_property": CONF_ACCESS,
}


_INTEGER = re.compile(r"0|-?[1-9][0-9]*")


CONVERSION_FIELDS = vol.Schema(
    {
        vol.Required(CONF_SCALE, default=1): NumberSelector(
            NumberSelectorConfig(step="any", mode=NumberSelectorMode.BOX)
        ),
        vol.Required(CONF_OFFSET, default=0): NumberSelector(
            NumberSelectorConfig(step="any", mode=NumberSelectorMode.BOX)
        ),
        vol.Required(CONF_INVERT, default=False): BooleanSelector(),
        vol.Optional(CONF_DIGITS): NumberSelector(NumberSelectorConfig(min=0, max=9, mode=NumberSelectorMode.BOX)),
        vol.Required(CONF_CLAMP, default=False): BooleanSelector(),
        vol.Required(CONF_OPTIONS, default=list): TextSelector(TextSelectorConfig(multiple=True)),
    }
)
REPORTING_FIELDS = vol.Schema(
    {
        vol.Required(CONF_MIN_INTERVAL, default=0): NumberSelector(
            NumberSelectorConfig(min=0, max=86400, step="any", unit_of_measurement="s", mode=NumberSelectorMode.BOX)
        ),
        vol.Required(CONF_DEAD_BAND, default=0): NumberSelector(
            NumberSelectorConfig(min=0, step="any", mode=NumberSelectorMode.BOX)
        ),
    }
)


class EntityUnsuitable(Exception):  # noqa: N818 - named after what happened
    """An entity can't be bound; `key` is the translation key of the error."""

    def __init__(self, key: str) -> None:
        """Keep the reason."""
        super().__init__(key)
        self.key = key


class InputRefused(Exception):  # noqa: N818 - named after what happened
    """What was entered can't be taken: translation keys by field, and the placeholders of all of them."""

    def __init__(self, errors: Mapping[str, str], placeholders: Mapping[str, str] | None = None) -> None:
        """Keep what the form shows."""
        super().__init__(", ".join(errors.values()))
        self.errors = dict(errors)
        self.placeholders = dict(placeholders or {})


@dataclass(frozen=True, slots=True)
class BindingForm:
    """The form for a binding of one entity; `current` is the binding that is being changed, if any."""

    entry: ConfigEntry
    labels: Labels
    state: State
    domain: Domain
    model: ThingModel | None
    current: Binding | None

    @classmethod
    async def load(cls, hass: HomeAssistant, entry: ConfigEntry, entity: str, current: Binding | None) -> Self:
        """Return the form for an entity, given by its entity id or registry id.

        Raises EntityUnsuitable.
        """
        entity_id = resolve_entity(hass, entity)
        state = hass.states.get(entity_id) if entity_id else None
        if state is None:
            raise EntityUnsuitable("entity_not_found")
        domain = domain_of(state.entity_id)
        if domain is None or not any(aspect.supported(state) for aspect in domain.aspects):
            raise EntityUnsuitable("entity_not_supported")
        form = cls(entry, await Labels.load(hass), state, domain, thing_model_of(entry), current)
        if form.model and not form.free_properties():
            raise EntityUnsuitable("no_free_property")
        return form

    @property
    def aspects(self) -> list[Aspect]:
        """The aspects that the entity has."""
        return [aspect for aspect in self.domain.aspects if aspect.supported(self.state)]

    def taken(self) -> set[str]:
        """Return the identifiers that other bindings use."""
        taken = {binding.identifier for binding in exposed_bindings(self.entry)}
        return taken - {self.current.identifier} if self.current else taken

    def free_properties(self) -> list[Property]:
        """Return the properties of the thing model that can be bound, those that can carry an aspect as it is first."""
        taken = self.taken()
        free = [one for one in self.model.properties.values() if one.identifier not in taken] if self.model else []
        return sorted(
            free, key=lambda one: not any(carries(aspect, one.data_type, Conversion()) for aspect in self.aspects)
        )

    def schema(self) -> vol.Schema:
        """Return the fields of the form; a section that says something is open."""
        known = self.current or Binding("", "", "")
        fields: dict[vol.Marker, Any] = {
            vol.Required(CONF_ASPECT): _choice((aspect.key, self.labels.aspect(aspect)) for aspect in self.aspects),
            vol.Required(CONF_IDENTIFIER): self._identifier_choice(),
            vol.Required(CONF_ACCESS): SelectSelector(
                SelectSelectorConfig(options=[access.value for access in Access], translation_key=CONF_ACCESS)
            ),
        }
        if self.domain.risky(self.state):
            fields[vol.Required(CONF_CONFIRMED, default=False)] = BooleanSelector()
        fields[vol.Required(SECTION_CONVERSION)] = section(
            CONVERSION_FIELDS, {"collapsed": known.conversion == Conversion()}
        )
        fields[vol.Required(SECTION_REPORTING)] = section(
            REPORTING_FIELDS, {"collapsed": not (known.min_interval or known.dead_band)}
        )
        return vol.Schema(fields)

    def values(self) -> dict[str, Any]:
        """Return what the form starts with: the current binding, or the best guess for a new one."""
        if self.current is None:
            return self._guess()
        return {
            CONF_ASPECT: self.current.aspect,
            CONF_IDENTIFIER: self.current.identifier,
            CONF_ACCESS: self.current.access.value,
            CONF_CONFIRMED: self.current.confirmed,
            SECTION_CONVERSION: {
                **self.current.as_dict().get(SECTION_CONVERSION, {}),
                CONF_OPTIONS: [f"{name}={value}" for name, value in self.current.conversion.options.items()],
            },
            SECTION_REPORTING: {
                CONF_MIN_INTERVAL: self.current.min_interval,
                CONF_DEAD_BAND: self.current.dead_band,
            },
        }

    def read(self, user_input: Mapping[str, Any]) -> tuple[Binding, InputRefused | None]:
        """Return the binding that was entered, and what is worth a second look, if anything.

        Raises InputRefused when the binding can't work.
        """
        if self.labels.hass.states.get(self.state.entity_id) is None:
            raise InputRefused({"base": "entity_not_found"})
        conversion = user_input[SECTION_CONVERSION]
        data = {
            CONF_ENTITY: entity_reference(self.labels.hass, self.state.entity_id),
            CONF_IDENTIFIER: user_input[CONF_IDENTIFIER].strip(),
            CONF_ASPECT: user_input[CONF_ASPECT],
            CONF_ACCESS: user_input[CONF_ACCESS],
            CONF_CONFIRMED: user_input.get(CONF_CONFIRMED, False),
            SECTION_CONVERSION: {**conversion, CONF_OPTIONS: _read_options(conversion[CONF_OPTIONS])},
            **user_input[SECTION_REPORTING],
        }
        try:
            binding = Binding.from_dict(data)
        except vol.Invalid as err:
            raise _schema_refusal(err) from err
        if binding.identifier in self.taken():
            raise InputRefused({CONF_IDENTIFIER: "identifier_taken"}, {CONF_IDENTIFIER: binding.identifier})
        problems = self._problems(binding)
        if blocking := [problem for problem in problems if problem.blocking]:
            raise self._refusal(binding, blocking)
        if not problems:
            return binding, None
        doubt = self._refusal(binding, problems)
        return binding, InputRefused({**doubt.errors, "base": "submit_again"}, doubt.placeholders)

    def _guess(self) -> dict[str, Any]:
        if suggestions := suggest(self.state, self.model, self.taken()):
            best = suggestions[0]
            return {CONF_ASPECT: best.aspect, CONF_IDENTIFIER: best.identifier, CONF_ACCESS: best.access.value}
        first = self.aspects[0]
        access = allowed_access(self.state, self.domain, first, None)
        return {CONF_ASPECT: first.key, CONF_ACCESS: access.value}

    def _identifier_choice(self) -> SelectSelector:
        if self.model is None:
            invented = suggest(self.state, None, self.taken())
            return _choice(((one.identifier, one.identifier) for one in invented), custom_value=True)
        return _choice(
            (one.identifier, f"{self.labels.property(one.identifier, one)}: {self.labels.values(one.data_type)}")
            for one in self.free_properties()
        )

    def _problems(self, binding: Binding) -> list[Problem]:
        return check(binding, self._aspect(binding), self._definition(binding), self.state)

    def _refusal(self, binding: Binding, problems: Iterable[Problem]) -> InputRefused:
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        for problem in problems:
            errors.setdefault(FIELD_OF_PROBLEM[problem.key], problem.key)
            placeholders |= self.labels.problem(problem, self._aspect(binding), self._definition(binding))
        return InputRefused(errors, placeholders)

    def _aspect(self, binding: Binding) -> Aspect:
        return next(aspect for aspect in self.aspects if aspect.key == binding.aspect)

    def _definition(self, binding: Binding) -> Property | None:
        return self.model.properties[binding.identifier] if self.model else None


def _choice(options: Iterable[tuple[str, str]], *, custom_value: bool = False) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=[SelectOptionDict(value=value, label=label) for value, label in options],
            custom_value=custom_value,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )


def _read_options(rows: Iterable[str]) -> dict[str, int | str]:
    """Return what rows like `cool=1` say; empty ones say nothing. Raises InputRefused."""
    options: dict[str, int | str] = {}
    for row in rows:
        name, equals, value = (part.strip() for part in row.partition("="))
        if not name and not equals:
            continue
        if not name or not value or name in options:
            raise InputRefused({SECTION_CONVERSION: "invalid_option"}, {"option": row})
        # "07" is text: written as a number it would no longer be what was entered.
        options[name] = int(value) if _INTEGER.fullmatch(value) else value
    return options


def _schema_refusal(err: vol.Invalid) -> InputRefused:
    field = str(err.path[0])
    if field == CONF_IDENTIFIER:
        return InputRefused({CONF_IDENTIFIER: "invalid_identifier"})
    return InputRefused({SECTION_CONVERSION if field == SECTION_CONVERSION else SECTION_REPORTING: "invalid_number"})
