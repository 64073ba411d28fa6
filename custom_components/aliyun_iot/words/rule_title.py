"""The title of a rule, made from its selection."""

from collections.abc import Iterator

from homeassistant.helpers import area_registry as ar, device_registry as dr, floor_registry as fr, label_registry as lr

from ..log_text import first_of
from ..mapping.selection import Target
from .integration_names import integration_names
from .labels import Labels

MAX_LISTED = 3
"""Parts of a selection that a title lists."""


async def rule_title(labels: Labels, include: Target) -> str:
    """Return the title of a rule, such as `Follow: Living room, label Cloud`."""
    found = await integration_names(labels.hass, include.integration, labels.language)
    integrations = [labels.text("common.named_integration", name=name) for name in found.values()]
    names = [*_names(labels, include), *integrations]
    shown = first_of(names, MAX_LISTED, labels.language)
    return str(labels.text("common.rule_title", what=labels.listed(shown)))  # it is stored


def _names(labels: Labels, include: Target) -> Iterator[str]:
    """Yield the names of the included parts, from floors down to entities; a missing part is named by its id."""
    hass = labels.hass
    for floor_id in include.floor_id:
        floor = fr.async_get(hass).async_get_floor(floor_id)
        yield labels.text("common.named_floor", name=floor.name if floor else floor_id)
    for area_id in include.area_id:
        area = ar.async_get(hass).async_get_area(area_id)
        yield area.name if area else area_id
    for label_id in include.label_id:
        label = lr.async_get(hass).async_get_label(label_id)
        yield labels.text("common.named_label", name=label.name if label else label_id)
    for device_id in include.device_id:
        device = dr.async_get(hass).async_get(device_id)
        yield (device.name_by_user or device.name if device else None) or device_id
    for reference in include.entity_id:
        yield labels.entity(reference)
