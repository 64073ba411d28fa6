"""Asks a running Home Assistant everything that it tells an administrator, or the browser of one, about the integration."""

import json
from typing import Any, Protocol

DOMAIN = "aliyun_iot"

ASKED = {
    "config entries": ("config_entries/get", {"domain": DOMAIN}),
    "flows": ("config_entries/flow/progress", {}),
    "repairs": ("repairs/list_issues", {}),
    "notifications": ("persistent_notification/get", {}),
    "system log": ("system_log/list", {}),
    "devices": ("config/device_registry/list", {}),
    "entities": ("config/entity_registry/list", {}),
    "states": ("get_states", {}),
}
TRACED = ("automation", "script")
KINDS = frozenset({*ASKED, "diagnostics", "mapping", "panel", "subentries", "system health", "traces"})
"""The kinds of questions, of which there are answers if there is an entry with something that is traced."""

EXPORT = {
    "id": "export",
    "alias": "Export",
    "triggers": [{"trigger": "event", "event_type": "export"}],
    "actions": [
        {
            "action": f"{DOMAIN}.export_mapping",
            "data": {"config_entry_id": "{{ trigger.event.data.entry_id }}"},
            "response_variable": "mapping",
        },
        {"stop": "done", "response_variable": "mapping"},
    ],
}
"""An automation whose trace has the mapping."""

PANEL = ("bindings/subscribe", "devices/subscribe", "commands/subscribe", "wire/subscribe")


class Home(Protocol):
    """How Home Assistant is asked."""

    async def ask(self, command: str, **fields: object) -> Any:
        """Return the result of a command of the WebSocket API."""

    async def listen(self, command: str, **fields: object) -> list[Any]:
        """Return what a subscription sends at first."""

    async def get(self, path: str) -> Any:
        """Return the answer to an HTTP request below `/api/`."""


async def interview(home: Home) -> dict[str, str]:
    """Return the answers, as JSON, by the kind of question; without those kinds of which there is nothing."""
    answers = {kind: [await home.ask(command, **fields)] for kind, (command, fields) in ASKED.items()}
    entry_ids = [entry["entry_id"] for entry in answers["config entries"][0]]
    for entry_id in entry_ids:
        await home.ask("fire_event", event_type="export", event_data={"entry_id": entry_id})
    answers["config entries"].append(await home.get(f"config/config_entries/entry?domain={DOMAIN}"))
    answers["system health"] = await home.listen("system_health/info")
    answers["panel"] = await home.listen(f"{DOMAIN}/entries/subscribe")
    for kind in ("diagnostics", "subentries", "mapping"):
        answers[kind] = []
    for entry_id in entry_ids:
        answers["diagnostics"].append(await home.get(f"diagnostics/config_entry/{entry_id}"))
        answers["subentries"].append(await home.ask("config_entries/subentries/list", entry_id=entry_id))
        for command in PANEL:
            answers["panel"] += await home.listen(f"{DOMAIN}/{command}", entry_id=entry_id)
        export = {"domain": DOMAIN, "service": "export_mapping", "service_data": {"config_entry_id": entry_id}}
        answers["mapping"].append(await home.ask("call_service", **export, return_response=True))
    answers["traces"] = []
    for domain in TRACED:
        for run in await home.ask("trace/list", domain=domain):
            which = {key: run[key] for key in ("domain", "item_id", "run_id")}
            answers["traces"] += [run, await home.ask("trace/get", **which)]
    return {kind: json.dumps(given, ensure_ascii=False) for kind, given in answers.items() if given}
