"""The thing model that a device asks for (docs/protocol.md §8.4)."""

from collections.abc import Iterable, Mapping

from ..core.jsontext import JsonValue
from .uplink import Uplink, read_object, rejected

GENERATED = {"events": {"post"}, "services": {"set", "get"}}
NODES = ("type", "identifier")


def get_thing_model(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return the TSL document."""
    del params
    if uplink.device.thing_model is None:
        raise rejected(6321)
    return uplink.device.thing_model.document


def get_dynamic_model(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Return the thing model with only some fields of its members, `nodes`; the form of the answer is not documented.

    `type` is that of the data type, or of an event. The generated members are left out, unless `addDefault` is true.
    """
    options = read_object(params, may_be_empty=True)
    nodes, add_default = options.get("nodes", list[JsonValue](NODES)), options.get("addDefault", False)
    names = [node for node in nodes if isinstance(node, str)] if isinstance(nodes, list) else []
    if not names or not isinstance(nodes, list) or len(names) != len(nodes) or not isinstance(add_default, bool):
        raise rejected(460)
    document = get_thing_model(uplink, params)
    modules = document if isinstance(document, list) else [document]
    reduced: list[JsonValue] = [
        _reduce(module, names, add_default=add_default) for module in modules if isinstance(module, dict)
    ]
    return reduced if isinstance(document, list) else reduced[0]


def _reduce(module: Mapping[str, JsonValue], nodes: Iterable[str], *, add_default: bool) -> JsonValue:
    reduced: dict[str, JsonValue] = {
        key: module[key] for key in ("functionBlockId", "functionBlockName") if key in module
    }
    for kind in ("properties", "events", "services"):
        listed = module.get(kind)
        members = [member for member in listed if isinstance(member, dict)] if isinstance(listed, list) else []
        reduced[kind] = [
            {node: value for node in nodes if (value := _node(member, node)) is not None}
            for member in members
            if add_default or member.get("identifier") not in GENERATED.get(kind, ())
        ]
    return reduced


def _node(member: Mapping[str, JsonValue], node: str) -> JsonValue:
    data_type = member.get("dataType")
    if node == "type" and isinstance(data_type, dict):
        return data_type.get("type")
    return member.get(node)
