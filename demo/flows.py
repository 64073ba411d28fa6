"""Setting up the integration as a user does, by the forms of its flows over HTTP."""

import asyncio
from collections.abc import Callable, Mapping

from .cloud import DEVICE_NAME, PRODUCT_KEY, Cloud
from .home_client import FlowKind, FlowStep, HomeClient, Json

DOMAIN = "aliyun_iot"

PROGRESS_INTERVAL = 0.2
"""Seconds after which a page that shows progress is asked for again."""

BULK_ENTITIES: list[Json] = [
    "binary_sensor.hallway_motion",
    "climate.living_room",
    "cover.curtain",
    "light.desk_lamp",
    "lock.front_door",
    "number.watering_time",
    "select.house_mode",
    "sensor.energy_meter",
    "sensor.living_room_humidity",
    "sensor.living_room_temperature",
    "switch.coffee_machine",
    "switch.garden_pump",
]
"""Bound at once, as suggested by the options flow."""

SINGLE_BINDINGS: Mapping[str, dict[str, Json]] = {
    "input_boolean.holiday": {"aspect": "power", "identifier": "HolidaySwitch", "access": "both"},
    # The cloud may open a garage door only after the user has confirmed that.
    "cover.garage_door": {"aspect": "open", "identifier": "GarageDoorOpen", "access": "both", "confirmed": True},
}
"""Bindings that are added one by one, by entity."""

SERVICES: Mapping[str, dict[str, Json]] = {
    "ReadMeter": {"script": "script.read_meter"},
    "RunScene": {
        "actions": [
            {"action": "script.run_scene", "data": {"SceneName": "{{ SceneName }}"}, "response_variable": "outcome"},
            {"stop": "Done", "response_variable": "outcome"},
        ]
    },
}
"""The services of the thing model; one runs a script, the other actions."""


class FlowFailed(Exception):  # noqa: N818 - named after what happened
    """A flow has shown an unexpected page; the text has its answer."""


class Flow:
    """A flow in progress."""

    def __init__(self, home: HomeClient, kind: FlowKind, step: FlowStep) -> None:
        """`step` is the page that is shown."""
        self.step = step
        self._home = home
        self._kind: FlowKind = kind

    @classmethod
    async def start(cls, home: HomeClient, kind: FlowKind, handler: Json) -> Flow:
        """Start a flow and return it."""
        return cls(home, kind, await home.start_flow(kind, handler))

    async def choose(self, *options: str, menu: str = "init") -> None:
        """Choose an option from the menu, and from each following menu."""
        for option in options:
            self._expect("menu", menu)
            await self._send({"next_step_id": option})
            menu = option

    async def fill(self, page: str, values: Mapping[str, Json]) -> None:
        """Submit a form; raises FlowFailed if another page is shown or the values are not accepted."""
        self._expect("form", page)
        await self._send(values)
        if errors := self.step.get("errors"):
            raise FlowFailed(f"{page}: {errors}")

    def finished(self) -> dict[str, Json]:
        """Return what was created; raises FlowFailed if the flow has not finished."""
        if self.step["type"] != "create_entry":
            raise FlowFailed(f"the flow did not finish: {self._shown()}")
        return self.step.get("result") or {}

    def aborted(self, reason: str) -> None:
        """Expect the flow to have ended for this reason; raises FlowFailed for another one."""
        if (self.step["type"], self.step.get("reason")) != ("abort", reason):
            raise FlowFailed(f"{reason} was expected, but: {self._shown()}")

    def said(self) -> str:
        """Return what the menu of the options says has been done; raises FlowFailed if another page is shown."""
        self._expect("menu", "init")
        return str(self.step.get("description_placeholders", {}).get("done", ""))

    async def _send(self, values: Mapping[str, Json]) -> None:
        self.step = await self._home.continue_flow(self._kind, self.step["flow_id"], values)
        while self.step["type"] == "progress":
            await asyncio.sleep(PROGRESS_INTERVAL)
            self.step = await self._home.shown_page(self._kind, self.step["flow_id"])

    def _expect(self, kind: str, page: str) -> None:
        if (self.step["type"], self.step.get("step_id")) != (kind, page):
            raise FlowFailed(f"{page} was expected, but: {self._shown()}")

    def _shown(self) -> str:
        shown = {key: value for key, value in self.step.items() if key in ("type", "step_id", "errors", "reason")}
        return str(shown)


async def add_integration(home: HomeClient, cloud: Cloud) -> str:
    """Add the device by the config flow, which connects to the cloud; return the id of the entry."""
    flow = await Flow.start(home, "add", DOMAIN)
    await flow.choose("triple", menu="user")
    await flow.fill(
        "triple",
        {
            "product_key": PRODUCT_KEY,
            "device_name": DEVICE_NAME,
            "device_secret": cloud.secret,
            "endpoint": f"127.0.0.1:{cloud.simulator.port}",
            "advanced": {"transport": "tcp"},
        },
    )
    created = flow.finished()
    # The house is bound by the pages below, not by the guide that opens now.
    await home.close_flow("options", flow.step["next_flow"][1])
    return str(created["entry_id"])


async def import_thing_model(home: HomeClient, entry_id: str, document: str) -> None:
    """Paste the thing model into the options flow."""
    flow = await Flow.start(home, "options", entry_id)
    await flow.choose("thing_model", "thing_model_paste")
    await flow.fill("thing_model_paste", {"thing_model": document})
    await flow.fill("thing_model_confirm", {})
    flow.said()


async def bind_suggested(home: HomeClient, entry_id: str) -> list[Json]:
    """Bind many entities at once with all suggestions; return the identifiers."""
    flow = await Flow.start(home, "options", entry_id)
    await flow.choose("select")
    await flow.fill("select", {"target": {"entity_id": BULK_ENTITIES}, "integrations": [], "leave_out": {}, "also": {}})
    suggested = _ticked(flow.step, "bindings")
    await flow.fill("suggestions", {"bindings": suggested})
    await flow.fill("preview", {})
    flow.said()
    return suggested


async def bind_one(home: HomeClient, entry_id: str, entity_id: str, binding: Mapping[str, Json]) -> None:
    """Bind one entity with these fields."""
    flow = await Flow.start(home, "subentry", [entry_id, "exposure"])
    await flow.choose("add_one", menu="user")
    await flow.fill("add_one", {"entity": entity_id})
    await flow.fill("binding", {**binding, "conversion": {}, "reporting": {}})
    flow.finished()


async def bind_service(home: HomeClient, entry_id: str, identifier: str, runs: Mapping[str, Json]) -> None:
    """Bind a service of the thing model to a script or to actions."""
    flow = await Flow.start(home, "subentry", [entry_id, "service"])
    await flow.fill("user", {"identifier": identifier})
    await flow.fill("run", runs)
    flow.finished()


async def add_sub_devices(
    home: HomeClient,
    entry_id: str,
    products: Mapping[str, str],
    documents: Callable[[str], None],
    secrets: Callable[[str], str | None],
) -> None:
    """Make entities sub-devices: `products` are their ProductKeys by entity id.

    `documents` takes the thing models that are made, as the console would import them. `secrets` gets the names, and returns
    a list with the secrets, or None to have the gateway register the devices.
    """
    flow = await Flow.start(home, "subentry", [entry_id, "sub_device"])
    target: dict[str, Json] = {"entity_id": list(products)}
    await flow.fill("select", {"target": target, "integrations": [], "leave_out": {}, "also": {}})
    await flow.fill("devices", {"devices": _ticked(flow.step, "devices")})
    while flow.step.get("step_id") == "product":
        kind = str(flow.step.get("description_placeholders", {}).get("kind", ""))
        product_key = next(key for entity_id, key in products.items() if kind.startswith(entity_id.partition(".")[0]))
        await flow.fill("product", {"product_key": product_key})
    while flow.step.get("step_id") == "model":
        documents(str(_suggested(flow.step, "thing_model")))
        await flow.fill("model", {})
    listed = secrets("")
    await flow.choose("register" if listed is None else "list", menu="source")
    if listed is not None:
        await flow.fill("list", {"list": listed})
    names = str(_suggested(flow.step, "names"))
    secrets(names)
    await flow.fill("names", {"names": names})
    await flow.fill("added", {})
    flow.aborted("sub_devices_added")


async def change_settings(home: HomeClient, entry_id: str, **changes: Json) -> None:
    """Change some of the settings."""
    flow = await Flow.start(home, "options", entry_id)
    await flow.choose("settings")
    shown = {str(row["name"]): _hint(row) for row in flow.step["data_schema"] if row.get("type") != "expandable"}
    sections: dict[str, Json] = {
        str(row["name"]): {} for row in flow.step["data_schema"] if row.get("type") == "expandable"
    }
    await flow.fill("settings", {**shown, **sections, **changes})
    flow.said()


def _suggested(step: FlowStep, field: str) -> Json:
    """Return the value of a field when a form is shown."""
    return next((_hint(row) for row in step["data_schema"] if row["name"] == field), None)


def _hint(row: Mapping[str, Json]) -> Json:
    hints = row.get("description")
    suggested = hints.get("suggested_value") if isinstance(hints, dict) else None
    return row.get("default") if suggested is None else suggested


def _ticked(step: FlowStep, field: str) -> list[Json]:
    """Return the values that are ticked when a form is shown."""
    for row in step["data_schema"]:
        hints = row.get("description")
        ticked = hints.get("suggested_value") if isinstance(hints, dict) else None
        if row["name"] == field and isinstance(ticked, list):
            return ticked
    raise FlowFailed(f"{field} is not on the page {step.get('step_id')}")
