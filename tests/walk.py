"""Drive a flow as a browser does, and check that everything on its pages has a translation."""

import asyncio
from collections.abc import Mapping
import json
from pathlib import Path
from string import Formatter
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager, FlowResultType, section
from homeassistant.helpers.selector import TextSelector
import voluptuous as vol

from custom_components.aliyun_iot import const

ENDS = ("reconfigure_successful", "removed")
"""Why a flow aborts that has stored what was entered."""

TRANSLATIONS = Path(const.__file__).parent / "translations"


def translations(language: str = "en") -> dict[str, Any]:
    """Return all texts of a language."""
    return json.loads((TRANSLATIONS / f"{language}.json").read_text(encoding="utf-8"))


def placeholders(text: str) -> set[str]:
    """Return the names of the placeholders in a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def exposure_of(entry: ConfigEntry, identifier: str) -> str:
    """Return the id of the subentry that has the binding of a property."""
    return next(
        subentry.subentry_id
        for subentry in entry.subentries.values()
        if any(
            row["identifier"] == identifier for row in subentry.data.get(const.CONF_BINDINGS, []) if "identifier" in row
        )
    )


class Walk:
    """A flow in progress; `result` is the present page or the result of the flow."""

    def __init__(self, manager: FlowManager[Any, Any, Any], texts: Mapping[str, Any], result: Any) -> None:
        """Check the first page."""
        self._manager = manager
        self._texts = texts
        self.result: Any = result
        self._check()

    @classmethod
    async def add_device(cls, hass: HomeAssistant, road: str = "triple") -> Self:
        """Start to add a device, and choose where its triple comes from."""
        manager = hass.config_entries.flow
        walk = cls(
            manager, translations()["config"], await manager.async_init(const.DOMAIN, context={"source": "user"})
        )
        return await walk.choose(road)

    @classmethod
    def config(cls, hass: HomeAssistant, result: Any) -> Self:
        """Continue a config flow that was started elsewhere."""
        return cls(hass.config_entries.flow, translations()["config"], result)

    @classmethod
    async def options(cls, hass: HomeAssistant, entry: ConfigEntry, *menu: str) -> Self:
        """Open the options and choose from the menus."""
        manager = hass.config_entries.options
        walk = cls(manager, translations()["options"], await manager.async_init(entry.entry_id))
        return await walk.choose(*menu)

    @classmethod
    async def add_subentry(cls, hass: HomeAssistant, entry: ConfigEntry, kind: str) -> Self:
        """Start to add a subentry."""
        manager = hass.config_entries.subentries
        result = await manager.async_init((entry.entry_id, kind), context={"source": "user"})
        return cls(manager, translations()["config_subentries"][kind], result)

    @classmethod
    async def reconfigure_subentry(cls, hass: HomeAssistant, entry: ConfigEntry, subentry_id: str, *menu: str) -> Self:
        """Start to reconfigure a subentry and choose from the menus."""
        manager = hass.config_entries.subentries
        kind = entry.subentries[subentry_id].subentry_type
        result = await manager.async_init(
            (entry.entry_id, kind), context={"source": "reconfigure", "subentry_id": subentry_id}
        )
        return await cls(manager, translations()["config_subentries"][kind], result).choose(*menu)

    @classmethod
    async def bind(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Start to bind one entity."""
        return await (await cls.add_subentry(hass, entry, const.SUBENTRY_EXPOSURE)).choose("add_one")

    @classmethod
    async def custom(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Start to bind a template or actions."""
        return await (await cls.add_subentry(hass, entry, const.SUBENTRY_EXPOSURE)).choose("custom")

    @classmethod
    async def edit(cls, hass: HomeAssistant, entry: ConfigEntry, identifier: str) -> Self:
        """Open the form of a binding."""
        walk = await cls.reconfigure_subentry(hass, entry, exposure_of(entry, identifier), "edit")
        return await walk.submit(binding=identifier) if walk.step == "edit" else walk

    @classmethod
    async def remove(cls, hass: HomeAssistant, entry: ConfigEntry, *identifiers: str) -> Self:
        """Remove bindings of one exposure."""
        walk = await cls.reconfigure_subentry(hass, entry, exposure_of(entry, identifiers[0]), "remove")
        return await walk.submit(bindings=list(identifiers))

    async def choose(self, *menu: str) -> Self:
        """Choose from a menu, and from those that follow."""
        for step_id in menu:
            assert self.result["type"] is FlowResultType.MENU
            await self._send({"next_step_id": step_id})
        return self

    async def submit(self, **user_input: Any) -> Self:
        """Submit a form."""
        assert self.result["type"] is FlowResultType.FORM
        return await self._send(user_input)

    @property
    def step(self) -> str:
        """The step of the present page."""
        assert self.result["type"] in (FlowResultType.FORM, FlowResultType.MENU), self.result
        return self.result["step_id"]

    @property
    def errors(self) -> dict[str, str]:
        """The errors on the page, by field."""
        assert self.result["type"] is FlowResultType.FORM, self.result
        return self.result["errors"] or {}

    @property
    def created(self) -> bool:
        """Whether the flow has created an entry or stored options."""
        return self.result["type"] is FlowResultType.CREATE_ENTRY

    @property
    def saved(self) -> bool:
        """Whether the flow has stored what was entered: it is back at its menu, or has ended, and says so."""
        if self.result["type"] is FlowResultType.MENU:
            return bool(self.result["description_placeholders"]["done"])
        return self.created or (self.result["type"] is FlowResultType.ABORT and self.aborted in ENDS)

    @property
    def aborted(self) -> str:
        """The reason why the flow was aborted."""
        assert self.result["type"] is FlowResultType.ABORT, self.result
        return self.result["reason"]

    @property
    def values(self) -> dict[str, Any]:
        """The initial values of the fields, including those in sections."""
        return _values(self.result["data_schema"].schema)

    @property
    def required(self) -> set[str]:
        """The required fields."""
        return {str(key) for key in self.result["data_schema"].schema if isinstance(key, vol.Required)}

    @property
    def open_sections(self) -> set[str]:
        """The sections that are not collapsed."""
        fields = self.result["data_schema"].schema
        return {
            str(key) for key, field in fields.items() if isinstance(field, section) and not field.options["collapsed"]
        }

    def choices(self, field: str) -> dict[str, str]:
        """Return the options of a select field: values and labels."""
        selector = next(value for key, value in self.result["data_schema"].schema.items() if key == field)
        return {option["value"]: option["label"] for option in selector.config["options"]}

    def description(self) -> str:
        """Return the description of the page with its placeholders filled in."""
        text = self._texts["step"][self.step]["description"]
        return text.format(**(self.result["description_placeholders"] or {}))

    async def settle(self) -> Self:
        """Wait while the flow is busy."""
        while self.result["type"] is FlowResultType.SHOW_PROGRESS:
            flow = self._manager._progress[self.result["flow_id"]]
            await asyncio.wait([flow.async_get_progress_task()])
            self.result = await self._manager.async_configure(self.result["flow_id"])
            self._check()
        return self

    async def _send(self, user_input: dict[str, Any]) -> Self:
        self.result = await self._manager.async_configure(self.result["flow_id"], user_input)
        self._check()
        return await self.settle()

    def _check(self) -> None:
        """Check that everything on the page has a translation and gets its placeholders."""
        given = set(self.result.get("description_placeholders") or ())
        match self.result["type"]:
            case FlowResultType.ABORT:
                assert placeholders(self._texts["abort"][self.result["reason"]]) <= given
            case FlowResultType.SHOW_PROGRESS:
                assert self._texts["step"][self.result["step_id"]]["title"]
                assert placeholders(self._texts["progress"][self.result["progress_action"]]) <= given
            case FlowResultType.MENU:
                page = self._texts["step"][self.result["step_id"]]
                # The frontend fills placeholders in the titles of menus of subentry flows only.
                assert placeholders(page["title"]) <= (given if "entry_type" in self._texts else set())
                assert placeholders(page.get("description", "")) <= given
                assert set(self.result["menu_options"]) <= page["menu_options"].keys()
            case FlowResultType.FORM:
                page = self._texts["step"][self.result["step_id"]]
                assert placeholders(page["title"] + page.get("description", "")) <= given
                _check_fields(self.result["data_schema"].schema, page)
                for error in (self.result["errors"] or {}).values():
                    assert placeholders(self._texts["error"][error]) <= given


def _check_fields(fields: Mapping[Any, Any], page: Mapping[str, Any]) -> None:
    for key, field in fields.items():
        if isinstance(field, section):
            assert page["sections"][key]["name"]
            # The frontend prefers the default of a section to the suggested values of the fields in it.
            assert isinstance(key.default, vol.Undefined)
            _check_fields(field.schema.schema, page["sections"][key])
        else:
            if isinstance(field, TextSelector) and field.config.get("type") == "password":
                # Nothing is sent to the browser, which is not to remember what is entered either.
                assert field.config.get("autocomplete") == "new-password"
                assert "suggested_value" not in (key.description or {})
                assert isinstance(key.default, vol.Undefined)
            assert page["data"][key]
            assert page["data_description"][key]


def _values(fields: Mapping[Any, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if isinstance(field, section):
            values[str(key)] = _values(field.schema.schema)
        elif key.description and "suggested_value" in key.description:
            values[str(key)] = key.description["suggested_value"]
        elif callable(key.default):
            values[str(key)] = key.default()
    return values
