"""The form for a selection: what it includes, what it excludes, and whether hidden and diagnostic entities count."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import section
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TargetSelector,
    TargetSelectorConfig,
)
import voluptuous as vol

from ..const import CONF_PRODUCT_KEY, DOMAIN
from ..exposures import entity_reference, resolve_entity
from ..ha_internals import entity_integrations
from ..mapping.domains import DOMAINS
from ..mapping.selection import Selection, Target
from ..words.integration_names import integration_names

CONF_DIAGNOSTIC_TOO: Final = "diagnostic_too"
CONF_DOMAINS: Final = "domains"
CONF_FOLLOW: Final = "follow"
CONF_HIDDEN_TOO: Final = "hidden_too"
CONF_INTEGRATIONS: Final = "integrations"
CONF_TARGET: Final = "target"

SECTION_ALSO: Final = "also"
SECTION_LEAVE_OUT: Final = "leave_out"

_TARGET = TargetSelector(TargetSelectorConfig(entity={"domain": list(DOMAINS)}))
_ALSO_FIELDS = vol.Schema(
    {
        vol.Required(CONF_HIDDEN_TOO, default=False): BooleanSelector(),
        vol.Required(CONF_DIAGNOSTIC_TOO, default=False): BooleanSelector(),
    }
)


async def selection_schema(
    hass: HomeAssistant, current: Selection, *, follow: bool, products: Collection[str] | None = None
) -> vol.Schema:
    """Return the fields of the form, with a switch to follow the selection if `follow`; used sections are open.

    With `products`, the form asks for the product of sub-devices; these ProductKeys are offered.
    """
    platforms, language = _platforms(hass), hass.config.language
    named = {*current.include.integration, *current.exclude.integration}
    integrations = _choice(await integration_names(hass, named.union(platforms.values()), language))
    domains = {entity_id.partition(".")[0] for entity_id in platforms}.union(current.exclude.domain)
    fields: dict[vol.Marker, Any] = {
        vol.Optional(CONF_TARGET): _TARGET,
        vol.Required(CONF_INTEGRATIONS, default=list): integrations,
        vol.Required(SECTION_LEAVE_OUT): section(
            vol.Schema(
                {
                    vol.Optional(CONF_TARGET): _TARGET,
                    vol.Required(CONF_INTEGRATIONS, default=list): integrations,
                    vol.Required(CONF_DOMAINS, default=list): _choice(await integration_names(hass, domains, language)),
                }
            ),
            {"collapsed": not current.exclude},
        ),
        vol.Required(SECTION_ALSO): section(
            _ALSO_FIELDS, {"collapsed": not (current.hidden_too or current.diagnostic_too)}
        ),
    }
    if products is not None:
        offered = SelectSelectorConfig(
            options=[SelectOptionDict(value=key, label=key) for key in sorted(products)],
            custom_value=True,
            mode=SelectSelectorMode.DROPDOWN,
        )
        fields[vol.Optional(CONF_PRODUCT_KEY)] = SelectSelector(offered)
    if follow:
        fields[vol.Required(CONF_FOLLOW, default=False)] = BooleanSelector()
    return vol.Schema(fields)


@callback
def read_selection(hass: HomeAssistant, user_input: Mapping[str, Any]) -> Selection:
    """Return the entered selection with references to entities that survive renames; raises vol.Invalid."""
    leave_out, also = user_input[SECTION_LEAVE_OUT], user_input[SECTION_ALSO]
    return Selection.from_dict(
        {
            "include": _read_target(hass, user_input),
            "exclude": {**_read_target(hass, leave_out), "domain": leave_out[CONF_DOMAINS]},
            **also,
        }
    )


@callback
def selection_values(hass: HomeAssistant, selection: Selection) -> dict[str, Any]:
    """Return the values of the form for a selection."""
    return {
        **_shown_target(hass, selection.include),
        SECTION_LEAVE_OUT: {
            **_shown_target(hass, selection.exclude),
            CONF_DOMAINS: list(selection.exclude.domain),
        },
        SECTION_ALSO: {CONF_HIDDEN_TOO: selection.hidden_too, CONF_DIAGNOSTIC_TOO: selection.diagnostic_too},
    }


def _read_target(hass: HomeAssistant, user_input: Mapping[str, Any]) -> dict[str, Any]:
    target = dict(user_input.get(CONF_TARGET) or {})
    if isinstance(entities := target.get("entity_id"), list):
        target["entity_id"] = [entity_reference(hass, entity) for entity in entities]
    return {**target, "integration": user_input[CONF_INTEGRATIONS]}


def _shown_target(hass: HomeAssistant, target: Target) -> dict[str, Any]:
    shown: dict[str, Any] = {
        kind: list(ids)
        for kind, ids in (
            ("entity_id", [resolve_entity(hass, reference) or reference for reference in target.entity_id]),
            ("device_id", target.device_id),
            ("area_id", target.area_id),
            ("floor_id", target.floor_id),
            ("label_id", target.label_id),
        )
        if ids
    }
    return {**({CONF_TARGET: shown} if shown else {}), CONF_INTEGRATIONS: list(target.integration)}


def _platforms(hass: HomeAssistant) -> dict[str, str]:
    """Return the integration of every entity in a supported domain, without the entities of this integration."""
    platforms = entity_integrations(hass)
    platforms |= {entity_id: registered.platform for entity_id, registered in er.async_get(hass).entities.items()}
    return {
        entity_id: platform
        for entity_id, platform in platforms.items()
        if entity_id.partition(".")[0] in DOMAINS and platform != DOMAIN
    }


def _choice(names: Mapping[str, str]) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=[
                SelectOptionDict(value=value, label=label)
                for value, label in sorted(names.items(), key=lambda item: (item[1].casefold(), item[0]))
            ],
            multiple=True,
            mode=SelectSelectorMode.DROPDOWN,
        )
    )
