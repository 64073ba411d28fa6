"""The thing model as the page shows it: what the product defines, and what of it is bound."""

from typing import Any

from homeassistant.config_entries import ConfigEntry

from ..alink.foreign import safe
from ..exposures import exposed_bindings
from ..mapping.binding import Binding
from ..runtime import Runtime
from ..words.labels import Labels


def model_view(entry: ConfigEntry, runtime: Runtime, labels: Labels) -> dict[str, Any]:
    """Return the features of the thing model, with what is bound to each."""
    defined = runtime.device.model
    if defined is None:
        return {"defined": False, "properties": [], "services": [], "events": []}
    bound = {binding.identifier: binding for binding in exposed_bindings(entry)}
    return {
        "defined": True,
        "product_key": defined.product_key,
        "properties": [
            {
                "id": prop.identifier,
                "name": safe(prop.name),
                "type": labels.values(prop.data_type),
                "access": labels.text(
                    f"common.model_access_{'r' if prop.readable else ''}{'w' if prop.writable else ''}"
                ),
                "bound": _bound_to(labels, bound.get(prop.identifier)),
            }
            for prop in defined.properties.values()
        ],
        "services": [
            {
                "id": each.identifier,
                "name": safe(each.name),
                "type": labels.text("common.model_sync" if each.sync else "common.model_async"),
                "input": labels.parameters(each.input),
                "output": labels.parameters(each.output),
                "bound": each.identifier in runtime.device.bound_services,
            }
            for each in defined.services.values()
        ],
        "events": [
            {"id": each.identifier, "name": safe(each.name), "output": labels.parameters(each.output)}
            for each in defined.events.values()
        ],
    }


def _bound_to(labels: Labels, binding: Binding | None) -> str:
    return (labels.entity(binding.entity) if binding.entity else "—") if binding else ""
