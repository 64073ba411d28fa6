"""The actions that export and import the mapping; for administrators only, like the options flow."""

from functools import partial
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_CONFIG_ENTRY_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_admin_service
import voluptuous as vol

from .actions.call import misuse
from .addressed import ENTRY
from .const import DOMAIN
from .mapping.document.difference import AnyItemChange, Difference, Mode
from .mapping.document.document import Document
from .mapping.document.fault import DocumentError
from .mapping.document.text import read_text
from .stored_device import thing_model_of
from .transfer import async_carry_out, mapping_document, plan_import
from .words.labels import Labels
from .words.markdown import joined
from .words.transfer_texts import faults_text, risks, warnings

ATTR_MAPPING = "mapping"
ATTR_MODE = "mode"
ATTR_ALLOW_RISKY = "allow_risky"
ATTR_DRY_RUN = "dry_run"

EXPORT_SCHEMA = vol.Schema(ENTRY)
IMPORT_SCHEMA = vol.Schema(
    {
        **ENTRY,
        vol.Required(ATTR_MAPPING): vol.Any(dict, str),
        vol.Optional(ATTR_MODE, default=Mode.MERGE): vol.Coerce(Mode),
        vol.Optional(ATTR_ALLOW_RISKY, default=False): cv.boolean,
        vol.Optional(ATTR_DRY_RUN, default=False): cv.boolean,
    }
)


@callback
def async_register_transfer_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    async_register_admin_service(hass, DOMAIN, "export_mapping", _export_mapping, EXPORT_SCHEMA, SupportsResponse.ONLY)
    async_register_admin_service(
        hass, DOMAIN, "import_mapping", _import_mapping, IMPORT_SCHEMA, SupportsResponse.OPTIONAL
    )


async def _export_mapping(call: ServiceCall) -> ServiceResponse:
    """Return the mapping as a document for `import_mapping`."""
    return mapping_document(call.hass, _entry(call)).as_dict()


async def _import_mapping(call: ServiceCall) -> ServiceResponse:
    """Import a complete mapping or nothing, and return the changes, or with `dry_run` what they would be."""
    entry = _entry(call)
    labels = await Labels.load(call.hass)
    data = call.data[ATTR_MAPPING]
    try:
        if isinstance(data, str):
            data = await call.hass.async_add_executor_job(read_text, data)
        document = await call.hass.async_add_executor_job(Document.parse, data)
    except DocumentError as err:
        raise misuse("invalid_mapping", faults=faults_text(labels, err)) from err
    models = partial(thing_model_of, entry)
    plan = plan_import(call.hass, entry, document, call.data[ATTR_MODE])
    risky = risks(labels, plan.difference, models)
    response = {**_answer(plan.difference), "warnings": warnings(labels, plan, models), "risky": risky}
    if call.data[ATTR_DRY_RUN]:
        return response
    if risky and not call.data[ATTR_ALLOW_RISKY]:
        raise misuse("import_risky", list=joined(risky, "; "))
    await async_carry_out(call.hass, entry, plan.difference)
    return response


def _answer(planned: Difference) -> dict[str, Any]:
    """Return what is added, changed and removed, also of and within each sub-device that is concerned."""
    changes = {change.name: change for change in planned.sub_devices}
    within = {sub_device.name: part for sub_device, part in planned.within}
    nothing = Difference((), (), (), (), 0)
    return {
        **_names(planned),
        "unchanged": planned.unchanged,
        "sub_devices": {
            name: {"change": _kind(changes.get(name)), **_names(within.get(name, nothing))}
            for name in sorted(changes.keys() | within.keys())
        },
    }


def _kind(change: AnyItemChange | None) -> str:
    if change is None:
        return "unchanged"
    if change.before is None:
        return "added"
    return "changed" if change.after else "removed"


def _names(planned: Difference) -> dict[str, Any]:
    """Return the names of the items of one device that are added, changed and removed."""
    parts = {
        "bindings": planned.bindings,
        "services": planned.services,
        "events": planned.events,
        "rules": planned.rules,
    }
    return {
        "added": {part: [item.name for item in items if item.before is None] for part, items in parts.items()},
        "changed": {part: [item.name for item in items if item.before and item.after] for part, items in parts.items()},
        "removed": {part: [item.name for item in items if item.after is None] for part, items in parts.items()},
    }


def _entry(call: ServiceCall) -> ConfigEntry:
    """Return the entry of a call; it need not be set up."""
    entry_id: str = call.data[ATTR_CONFIG_ENTRY_ID]
    entry = call.hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN:
        raise misuse("no_such_device", entry_id=entry_id)
    return entry
