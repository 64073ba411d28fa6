"""Logs and diagnostics of devices (docs/protocol.md §12.5, §12.8)."""

import re

from ..core.jsontext import JsonValue
from .uplink import Uplink, read_array, read_object, read_text, rejected

ENTRIES = 40
LEVELS = {"FATAL", "ERROR", "WARN", "INFO", "DEBUG"}
UTC_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}")


def post_logs(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Record logs, all or none. They are only kept while the platform wants them."""
    entries = [read_object(entry) for entry in read_array(params, may_be_empty=False, limit=(ENTRIES, 460))]
    for entry in entries:
        if not UTC_TIME.fullmatch(read_text(entry, "utcTime")) or read_text(entry, "logLevel") not in LEVELS:
            raise rejected(460)
        for name in ("module", "code", "logContent"):
            read_text(entry, name)
    if uplink.device.logs_enabled:
        uplink.device.logs += entries
    return {}


def post_diagnostics(uplink: Uplink, params: JsonValue) -> JsonValue:
    """Record the status of the network."""
    uplink.device.diagnostics.append(read_object(params))
    return {}
