"""Makes given calls with the official SDK alibabacloud-iot20180120: `python -m sdk_check.children.replay CONFIG.json`.

Whether a call is refused does not matter here: the parent compares what the simulator has answered.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
import sys
from typing import Any

CONFIG: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
NUMBERS = {"ApplyId", "CurrentPage", "DataFormat", "NodeType", "PageSize"}
"""The fields that the models of the SDK declare as numbers."""


def nested(fields: dict[str, str]) -> dict[str, Any]:
    """Return fields with lists in place of `Name.1` and `Name.1.Field`."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        head, _, rest = name.partition(".")
        if not rest:
            found[head] = int(value) if head in NUMBERS else value
            continue
        number, _, field = rest.partition(".")
        rows = found.setdefault(head, {})
        if field:
            rows.setdefault(int(number), {})[field] = value
        else:
            rows[int(number)] = value
    return {
        name: [value[number] for number in sorted(value)] if isinstance(value, dict) else value
        for name, value in found.items()
    }


def main() -> None:
    """Make the calls one after the other."""
    client = importlib.import_module("alibabacloud_iot20180120.client")
    core = importlib.import_module("alibabacloud_tea_openapi.models")
    models = importlib.import_module("alibabacloud_iot20180120.models")
    key = CONFIG["access_key"]
    config = core.Config(
        access_key_id=key["id"], access_key_secret=key["secret"], endpoint=CONFIG["host"], protocol="http"
    )
    sdk = client.Client(config)
    methods = {name.replace("_", ""): getattr(sdk, name) for name in dir(sdk) if not name.startswith("_")}
    for action, fields in CONFIG["calls"]:
        request = getattr(models, f"{action}Request")().from_map(nested(fields))
        try:
            methods[action.lower()](request)
        except Exception as error:
            if getattr(error, "code", None) is None:
                raise


if __name__ == "__main__":
    main()
