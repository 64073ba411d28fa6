"""Pages that make many devices of Home Assistant sub-devices: devices, products, thing models, secrets, names, progress.

Nothing is stored before the page with the names is submitted. After that the running entry brings the sub-devices online,
whether somebody looks at the progress or not.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
import re
import time
from typing import Any, Final

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowContext,
    SubentryFlowResult,
)
from homeassistant.helpers.selector import (
    FileSelector,
    FileSelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)
import voluptuous as vol

from ..alink.auth import DeviceTriple, Identity
from ..alink.errors import TripleInvalid
from ..alink.sub_device import MAX_SUB_DEVICES, SubDevice, SubDeviceState
from ..const import CONF_PRODUCT_KEY, CONF_PRODUCT_SECRET, CONF_THING_MODEL, SUBENTRY_SUB_DEVICE
from ..device_list import MAX_FILE, ListedDevice, ListError, read_device_list
from ..device_names import propose_names
from ..generated_model import GeneratedModel
from ..ha_internals import HomeAssistantChanged
from ..mapping.model.modules import document_text
from ..mapping.selection import Selection
from ..runtime import AliyunConfigEntry
from ..stored_device import options_with_model, sub_devices_of, thing_model_of
from ..sub_device_plan import Candidate, candidates, generated_for, suggested_bindings, with_numbers
from ..sub_device_row import NewSubDevice, SubDeviceRow, async_add_sub_devices, identities_of, sub_device_row
from ..words.labels import Labels
from ..words.markdown import Markdown, code, joined, paragraphs
from ..words.model_texts import bullets
from .binding_fields import InputRefused
from .safe_pages import SafePages
from .secret_field import SECRET_SELECTOR
from .selection_form import CONF_TARGET, read_selection, selection_schema, selection_values
from .thing_model_pages import acceptable
from .uploads import take_upload

CONF_DEVICES: Final = "devices"
CONF_FILE: Final = "file"
CONF_LIST: Final = "list"
CONF_NAMES: Final = "names"

PATIENCE: Final = 120.0
"""Seconds that the page with the progress waits at most; it goes on without the page."""

LOOK_INTERVAL: Final = 0.5

_COMING: Final = frozenset(
    {
        ConfigEntryState.LOADED,
        ConfigEntryState.UNLOAD_IN_PROGRESS,
        ConfigEntryState.NOT_LOADED,
        ConfigEntryState.SETUP_IN_PROGRESS,
    }
)
"""The states of an entry that runs, or is being reloaded."""

_TEXT = TextSelector(TextSelectorConfig(multiline=True))

LIST_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_LIST): _TEXT,
        vol.Optional(CONF_FILE): FileSelector(FileSelectorConfig(accept=".csv,.txt,.json,.xlsx")),
    }
)
SECRET_SCHEMA = vol.Schema({vol.Required(CONF_PRODUCT_SECRET): SECRET_SELECTOR})
NAMES_SCHEMA = vol.Schema({vol.Required(CONF_NAMES): _TEXT})

_NAME_LINE: Final = re.compile(r"\s*(?P<name>[^=]*?)\s*=\s*(?P<title>.*?)\s*")


@dataclass(slots=True)
class _Draft:
    """What was chosen so far. The products are by kind, models and secrets by ProductKey, listed devices by their names."""

    selection: Selection = field(default_factory=Selection)
    chosen: list[Candidate] = field(default_factory=list)
    products: dict[str, str] = field(default_factory=dict)
    pasted: dict[str, dict[str, Any]] = field(default_factory=dict)
    generated: dict[str, GeneratedModel] = field(default_factory=dict)
    product_secrets: dict[str, str] = field(default_factory=dict, repr=False)
    listed: dict[Identity, ListedDevice] = field(default_factory=dict, repr=False)

    @property
    def kinds(self) -> list[str]:
        """The kinds of the chosen devices, in a fixed order."""
        return sorted({candidate.kind for candidate in self.chosen})

    def of_kind(self, kind: str) -> list[Candidate]:
        """Return the chosen devices of a kind."""
        return [candidate for candidate in self.chosen if candidate.kind == kind]

    def of_product(self, product_key: str) -> list[Candidate]:
        """Return the chosen devices of a product."""
        return [candidate for candidate in self.chosen if self.products.get(candidate.kind) == product_key]


class SubDevicePages(SafePages[SubentryFlowContext, SubentryFlowResult, tuple[str, str]], ConfigSubentryFlow):
    """Make devices of Home Assistant sub-devices, many at once."""

    def __init__(self) -> None:
        """Start with nothing chosen."""
        super().__init__()
        self._draft = _Draft()
        self._offered: list[Candidate] = []
        self._documents: list[tuple[str, str, str]] = []
        """The documents that are still to be shown: ProductKey, module and text."""
        self._added: list[str] = []
        self._until = 0.0
        self._looking: asyncio.Task[None] | None = None

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Start with the selection."""
        return await self.async_step_select()

    async def async_step_select(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for what the devices belong to."""
        draft, errors = self._draft, dict[str, str]()
        if user_input is not None:
            try:
                draft.selection = read_selection(self.hass, user_input)
                self._offered = candidates(self.hass, self.entry, draft.selection)
            except vol.Invalid:
                errors = {CONF_TARGET: "invalid_selection"}
            except HomeAssistantChanged:
                errors = {"base": "selection_failed"}
            else:
                if not draft.selection.include:
                    errors = {CONF_TARGET: "nothing_selected"}
                elif self._offered:
                    return await self.async_step_devices()
                else:
                    errors = {"base": "no_device"}
        return self.async_show_form(
            step_id="select",
            data_schema=self.add_suggested_values_to_schema(
                await selection_schema(self.hass, draft.selection, follow=False),
                user_input or selection_values(self.hass, draft.selection),
            ),
            errors=errors,
            last_step=False,
        )

    async def async_step_devices(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which of the devices become sub-devices."""
        errors, placeholders = dict[str, str](), {"count": str(len(self._offered)), "limit": str(MAX_SUB_DEVICES)}
        if user_input is not None:
            keys = set(user_input[CONF_DEVICES])
            self._draft.chosen = [candidate for candidate in self._offered if candidate.key in keys]
            self._draft.products.clear()
            if not self._draft.chosen:
                errors = {CONF_DEVICES: "nothing_selected"}
            elif len(self._draft.chosen) + len(sub_devices_of(self.entry)) > MAX_SUB_DEVICES:
                errors = {CONF_DEVICES: "too_many_sub_devices"}
            else:
                return await self.async_step_product()
        options = [
            SelectOptionDict(value=candidate.key, label=f"{candidate.title} · {candidate.kind}")
            for candidate in self._offered
        ]
        selector = SelectSelector(SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST))
        ticked = {CONF_DEVICES: [candidate.key for candidate in self._draft.chosen or self._offered]}
        return self.async_show_form(
            step_id="devices",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Required(CONF_DEVICES): selector}), user_input or ticked
            ),
            errors=errors,
            description_placeholders=placeholders,
            last_step=False,
        )

    async def async_step_product(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the product of one kind of devices after the other."""
        draft = self._draft
        kind = next(one for one in draft.kinds if one not in draft.products)
        refused: InputRefused | None = None
        if user_input is not None:
            try:
                await self._read_product(kind, user_input)
            except InputRefused as err:
                refused = err
            else:
                if len(draft.products) < len(draft.kinds):
                    return await self.async_step_product()
                return await self._after_products()
        devices = draft.of_kind(kind)
        known = sorted({*self._known_products(), *draft.products.values()})
        schema = vol.Schema(
            {
                vol.Required(CONF_PRODUCT_KEY): TextSelector(),
                vol.Optional(CONF_THING_MODEL): _TEXT,
            }
        )
        labels = await Labels.load(self.hass)
        bindings = suggested_bindings(self.hass, devices[0], None)
        return self.async_show_form(
            step_id="product",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=refused.errors if refused else {},
            description_placeholders={
                "kind": kind,
                "devices": joined([candidate.title for candidate in devices[:10]], labels.comma),
                "count": str(len(devices)),
                "number": str(len(draft.products) + 1),
                "of": str(len(draft.kinds)),
                "known": joined([code(key) for key in known], labels.comma) or "–",
                "properties": joined([code(binding.identifier) for binding in bindings], labels.comma) or "–",
                **(refused.placeholders if refused else {}),
            },
            last_step=False,
        )

    async def async_step_model(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show the thing models that were made, one document after the other, to be imported in the console."""
        if user_input is not None:
            self._documents = self._documents[1:]
            if not self._documents:
                return await self.async_step_source()
        product_key, module, text = self._documents[0]
        labels = await Labels.load(self.hass)
        generated = self._draft.generated[product_key]
        return self.async_show_form(
            step_id="model",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema({vol.Optional(CONF_THING_MODEL): _TEXT}), {CONF_THING_MODEL: text}
            ),
            description_placeholders={
                "product": product_key,
                "properties": str(len(generated.model.properties)),
                "module": labels.markdown("common.model_module", module=module)
                if module
                else labels.text("common.model_default_module"),
                "left": str(len(self._documents) - 1),
            },
            last_step=False,
        )

    async def async_step_source(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask where the secrets come from."""
        self._draft.listed.clear()
        self._draft.product_secrets.clear()
        return self.async_show_menu(step_id="source", menu_options=["register", "list", "secret"])

    async def async_step_register(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Have the gateway register the devices by their names."""
        return await self.async_step_names()

    async def async_step_list(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for a list with the secrets."""
        errors, placeholders = dict[str, str](), dict[str, str]()
        if user_input is not None:
            try:
                content: bytes | str = user_input.get(CONF_LIST) or ""
                if file := user_input.get(CONF_FILE):
                    content = await self.hass.async_add_executor_job(take_upload, self.hass, file, MAX_FILE)
                products = set(self._draft.products.values())
                listed = await self.hass.async_add_executor_job(read_device_list, content, products)
            except FileNotFoundError:
                errors = {CONF_FILE: "file_gone"}
            except ListError as err:
                labels = await Labels.load(self.hass)
                errors = {"base": err.fault.value}
                placeholders = {"rows": bullets(labels, [code(row) for row in err.rows])}
            else:
                self._draft.listed = {device.identity: device for device in listed}
                return await self.async_step_names()
        return self.async_show_form(
            step_id="list",
            # A list is not shown again, as it has secrets.
            data_schema=LIST_SCHEMA,
            errors=errors,
            description_placeholders={
                "products": joined([code(key) for key in sorted(set(self._draft.products.values()))], ", "),
                "count": str(len(self._draft.chosen)),
                "limit": str(MAX_SUB_DEVICES),
                "rows": "",
                **placeholders,
            },
            last_step=False,
        )

    async def async_step_secret(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the secret of one product after the other."""
        secrets = self._draft.product_secrets
        products = sorted(set(self._draft.products.values()))
        errors: dict[str, str] = {}
        product_key = next(key for key in products if key not in secrets)
        if user_input is not None:
            try:
                triple = DeviceTriple.parse(product_key, "name", user_input[CONF_PRODUCT_SECRET])
            except TripleInvalid:
                errors = {CONF_PRODUCT_SECRET: "invalid_product_secret"}
            else:
                secrets[product_key] = triple.device_secret
                if len(secrets) == len(products):
                    return await self.async_step_names()
                return await self.async_step_secret()
        return self.async_show_form(
            step_id="secret",
            data_schema=SECRET_SCHEMA,
            errors=errors,
            description_placeholders={
                "product": product_key,
                "number": str(len(secrets) + 1),
                "of": str(len(products)),
            },
            last_step=False,
        )

    async def async_step_names(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show the DeviceName of each device, to be confirmed or changed, and add the sub-devices."""
        draft = self._draft
        names = self._proposed()
        errors, placeholders = dict[str, str](), dict[str, str]()
        labels = await Labels.load(self.hass)
        if user_input is not None:
            try:
                names = self._read_names(user_input[CONF_NAMES])
                return await self._add(names)
            except InputRefused as err:
                errors = err.errors
                placeholders = {"rows": bullets(labels, [code(row) for row in err.placeholders["rows"].split("\n")])}
        text = "\n".join(f"{names[candidate.key]} = {_one_line(candidate.title)}" for candidate in draft.chosen)
        return self.async_show_form(
            step_id="names",
            data_schema=self.add_suggested_values_to_schema(NAMES_SCHEMA, user_input or {CONF_NAMES: text}),
            errors=errors,
            description_placeholders={
                "count": str(len(draft.chosen)),
                "how": labels.text(f"common.sub_devices_{self._source}", listed=str(len(draft.listed))),
                "summary": self._summary(labels),
                "rows": "",
                **placeholders,
            },
        )

    async def async_step_adding(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show how many are online; leaving the page changes nothing."""
        states = self._states()
        settled = [state for state in states if _is_settled(state)]
        if self.entry.state not in _COMING or len(settled) == len(states) or time.monotonic() > self._until:
            return self.async_show_progress_done(next_step_id="added")
        if self._looking is None or self._looking.done():
            self._looking = self.hass.async_create_task(asyncio.sleep(LOOK_INTERVAL), "Aliyun progress")
        self.async_update_progress(len(settled) / max(1, len(states)))
        return self.async_show_progress(
            step_id="adding",
            progress_action="adding",
            description_placeholders={"done": str(len(settled)), "of": str(len(states))},
            progress_task=self._looking,
        )

    async def async_step_added(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say what has become of them.

        A flow that ended with the progress would be gone before the browser asks for the page.
        """
        if user_input is not None:
            return self.async_abort(
                reason="sub_devices_added", description_placeholders={"count": str(len(self._added))}
            )
        states = self._states()
        labels = await Labels.load(self.hass)
        failed: dict[str, list[str]] = {}
        for owner, state in zip(self._added, states, strict=True):
            if state and state.error:
                failed.setdefault(state.error.key, []).append(self.entry.subentries[owner].title)
        lines = [
            labels.text(
                "common.misfit",
                identifier=labels.text(f"common.sub_device_{key}"),
                reason=joined(titles[:5], labels.comma) + (f" (+{len(titles) - 5})" if len(titles) > 5 else ""),
            )
            for key, titles in failed.items()
        ]
        return self.async_show_form(
            step_id="added",
            data_schema=vol.Schema({}),
            description_placeholders={
                "count": str(len(self._added)),
                "online": str(sum(state is not None and state.state is SubDeviceState.ONLINE for state in states)),
                "failed": bullets(labels, lines) if lines else "",
            },
        )

    @property
    def entry(self) -> AliyunConfigEntry:
        """The gateway."""
        return self._get_entry()

    @property
    def _source(self) -> str:
        draft = self._draft
        return "list" if draft.listed else "secret" if draft.product_secrets else "register"

    def _known_products(self) -> set[str]:
        rows = (sub_device_row(self.entry.subentries[device.owner]) for device in sub_devices_of(self.entry))
        return {row.product_key for row in rows if isinstance(row, SubDeviceRow)}

    async def _read_product(self, kind: str, user_input: Mapping[str, Any]) -> None:
        """Take the product of a kind, and its thing model if one was pasted; raises InputRefused."""
        try:
            product_key = DeviceTriple.parse(user_input[CONF_PRODUCT_KEY], "name", "-").product_key
        except TripleInvalid as err:
            raise InputRefused({CONF_PRODUCT_KEY: "invalid_product_key"}) from err
        if product_key == self.entry.data[CONF_PRODUCT_KEY]:
            raise InputRefused({CONF_PRODUCT_KEY: "product_of_gateway"})
        if document := user_input.get(CONF_THING_MODEL):
            model = await acceptable(self.hass, product_key, document)
            self._draft.pasted[product_key] = model.to_tsl()
        self._draft.products[kind] = product_key

    async def _after_products(self) -> SubentryFlowResult:
        """Make the thing models that are missing."""
        draft = self._draft
        draft.generated = {
            product_key: generated_for(
                self.hass,
                product_key,
                [(one, suggested_bindings(self.hass, one, None)) for one in draft.of_product(product_key)],
            )
            for product_key in sorted(set(draft.products.values()))
            if product_key not in draft.pasted and thing_model_of(self.entry, product_key) is None
        }
        self._documents = [
            (product_key, module, document_text(document))
            for product_key, generated in draft.generated.items()
            for module, document in generated.documents().items()
        ]
        return await (self.async_step_model() if self._documents else self.async_step_source())

    def _proposed(self) -> dict[str, str]:
        """Return a DeviceName for each chosen device: one of the list that has its name, or else one made from its name."""
        draft = self._draft
        titles = {candidate.key: candidate.title for candidate in draft.chosen}
        present = identities_of(self.entry)
        proposed = propose_names(titles, {identity.device_name for identity in present})
        if not draft.listed:
            return proposed
        # The console exports a batch as a whole, with what was added before.
        free = {identity: device for identity, device in draft.listed.items() if identity not in present}
        names: dict[str, str] = {}
        for candidate in draft.chosen:
            product_key = draft.products[candidate.kind]
            wanted = {_plain(candidate.title), _plain(proposed[candidate.key])}
            found = next(
                (
                    identity
                    for identity, device in free.items()
                    if identity.product_key == product_key
                    and not wanted.isdisjoint((_plain(identity.device_name), _plain(device.nickname)))
                ),
                None,
            )
            if found:
                names[candidate.key] = found.device_name
                del free[found]
        for candidate in draft.chosen:  # the rest in the order of the list, so that the user only has to look
            if candidate.key not in names:
                product_key = draft.products[candidate.kind]
                rest = next((identity for identity in free if identity.product_key == product_key), None)
                names[candidate.key] = rest.device_name if rest else proposed[candidate.key]
                if rest:
                    del free[rest]
        return names

    def _read_names(self, text: str) -> dict[str, str]:
        """Return the names by key; raises InputRefused."""
        draft = self._draft
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) != len(draft.chosen):
            raise InputRefused({CONF_NAMES: "names_lines"}, {"rows": f"{len(lines)} / {len(draft.chosen)}"})
        names: dict[str, str] = {}
        titles = {_one_line(candidate.title) for candidate in draft.chosen}
        invalid, moved, doubled, taken, unlisted = [], [], [], [], []
        known = identities_of(self.entry)
        used: set[Identity] = {Identity(self.entry.data[CONF_PRODUCT_KEY], self.entry.data["device_name"])}
        for line, candidate in zip(lines, draft.chosen, strict=True):
            match = _NAME_LINE.fullmatch(line)
            name = match["name"] if match else line.strip()
            identity = Identity(draft.products[candidate.kind], name)
            try:
                DeviceTriple.parse(*identity, "-")
            except TripleInvalid:
                invalid.append(line.strip())
            if match and match["title"] != _one_line(candidate.title) and match["title"] in titles:
                moved.append(line.strip())
            if identity in used:
                doubled.append(name)
            elif identity in known:
                taken.append(name)
            elif draft.listed and identity not in draft.listed:
                unlisted.append(name)
            used.add(identity)
            names[candidate.key] = name
        for error, rows in (
            ("names_lines", moved),
            ("names_invalid", invalid),
            ("names_doubled", doubled),
            ("names_taken", taken),
            ("names_unlisted", unlisted),
        ):
            if rows:
                raise InputRefused({CONF_NAMES: error}, {"rows": "\n".join(rows)})
        return names

    async def _add(self, names: Mapping[str, str]) -> SubentryFlowResult:
        """Store the thing models and the sub-devices."""
        draft, entry = self._draft, self.entry
        for product_key, document in draft.pasted.items():
            self._store_model(product_key, document)
        for product_key, generated in draft.generated.items():
            self._store_model(product_key, generated.model.to_tsl())
        devices = []
        for candidate in draft.chosen:
            product_key = draft.products[candidate.kind]
            generated_model = draft.generated.get(product_key)
            model = None if generated_model else thing_model_of(entry, product_key)
            bindings = suggested_bindings(self.hass, candidate, model)
            if generated_model:
                bindings = with_numbers(bindings, generated_model)
            identity = Identity(product_key, names[candidate.key])
            listed = draft.listed.get(identity)
            row = SubDeviceRow(
                *identity,
                listed.secret if listed else None,
                None if listed else draft.product_secrets.get(product_key),
                candidate.key,
            )
            devices.append(NewSubDevice(row, candidate.title, bindings))
        self._added = await async_add_sub_devices(self.hass, entry, devices)
        self._until = time.monotonic() + PATIENCE
        self._draft = replace(_Draft())
        return await self.async_step_adding()

    def _store_model(self, product_key: str, document: dict[str, Any]) -> None:
        entry = self.entry
        self.hass.config_entries.async_update_entry(entry, options=options_with_model(entry, document, product_key))

    def _states(self) -> list[SubDevice | None]:
        entry = self.entry
        self._added = [
            owner
            for owner in self._added
            if (subentry := entry.subentries.get(owner)) and subentry.subentry_type == SUBENTRY_SUB_DEVICE
        ]
        if entry.state is not ConfigEntryState.LOADED:
            return [None] * len(self._added)
        return [entry.runtime_data.sub_devices.state(owner) for owner in self._added]

    def _summary(self, labels: Labels) -> Markdown:
        """Return a line for each product with the number of its devices."""
        draft = self._draft
        lines = [
            labels.text(
                "common.sub_devices_of_product", product=product_key, count=str(len(draft.of_product(product_key)))
            )
            for product_key in sorted(set(draft.products.values()))
        ]
        return paragraphs([bullets(labels, lines)])


def _is_settled(state: SubDevice | None) -> bool:
    if state is None:
        return False
    return state.state in (SubDeviceState.ONLINE, SubDeviceState.OFFLINE) or state.error is not None


def _one_line(title: str) -> str:
    """Return a title as it stands in a line."""
    return " ".join(title.split())


def _plain(text: str) -> str:
    """Return text without what people write differently."""
    return re.sub(r"[\s_.:@-]+", "", text).casefold()
