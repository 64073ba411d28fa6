"""Older mapping documents, brought to the form of today one version after the other.

Version 1 is how the diagnostics of the first release print a mapping: rows of bindings in the order in which they were
made. A diagnostics file is taken as it was downloaded; what is around the mapping is passed over.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .fault import DocumentError, Expected, Fault, FaultKind, wrong_value

FORMAT: Final = "aliyun_iot_mapping"
VERSION: Final = 2
NO_ENTITY: Final = "no_entity"
"""Heads the bindings that no entity stands behind; an entity id has a dot."""

type Data = dict[str, Any]


def migrated(data: Mapping[str, Any]) -> Data:
    """Return a document in the form of the current version; raises DocumentError for what is no document of ours."""
    document = _from_diagnostics(data) or dict(data)
    if document.get("format") != FORMAT:
        raise DocumentError([Fault(FaultKind.NOT_A_MAPPING, placeholders={"format": FORMAT})])
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DocumentError([wrong_value(("version",), Expected.VERSION, version)])
    if version > VERSION:
        raise DocumentError([Fault(FaultKind.NEWER, placeholders={"found": str(version), "newest": str(VERSION)})])
    for older in range(version, VERSION):
        document = _MIGRATIONS[older](document)
    return document


def _from_diagnostics(data: Mapping[str, Any]) -> Data | None:
    """Return what a diagnostics file says of the mapping as a document of version 1; None if it isn't one."""
    match data:
        case {"data": {"entry": {"exposures": list(exposures)} as entry}}:
            pass
        case {"entry": {"exposures": list(exposures)} as entry}:
            pass
        case _:
            return None
    rows: list[object] = []
    for exposure in exposures:
        match exposure:
            case {"bindings": list(found)}:
                rows += found
    return {"format": FORMAT, "version": 1, "bindings": rows, "services": entry.get("services")}


def _group_by_entity(document: Data) -> Data:
    """Version 1 → 2: bindings stand below their entity; of services only scripts are told, of actions their number."""
    rows, services = document.get("bindings") or [], document.get("services") or {}
    if not isinstance(rows, list):
        raise DocumentError([wrong_value(("bindings",), Expected.LIST, rows)])
    if not isinstance(services, dict):
        raise DocumentError([wrong_value(("services",), Expected.BLOCK, services)])
    grouped: dict[str, list[Data]] = {}
    for position, row in enumerate(rows):
        match row:
            case {"entity": str(entity)}:
                rest = {key: value for key, value in row.items() if key != "entity"}
                grouped.setdefault(entity or NO_ENTITY, []).append(rest)
            case _:
                raise DocumentError([wrong_value(("bindings", position), Expected.BLOCK, row)])
    scripts = {identifier: {"script": run} for identifier, run in services.items() if isinstance(run, str)}
    return {**document, "version": 2, "bindings": grouped, "services": scripts}


_MIGRATIONS: Final[Mapping[int, Callable[[Data], Data]]] = {1: _group_by_entity}
