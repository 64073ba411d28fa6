"""Turns what a user has chosen into a plan for the cloud, and a finished plan into a config entry.

Until there is an entry, a draft of one holds the choice, so that the same code suggests bindings and generates thing models.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final
import uuid

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigSubentryData
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .account.plan import CreateProduct, ImportModel, Plan, PublishModel, RegisterDevices, Step
from .account.run import Run
from .alink.messages import JsonValue
from .alink.model.thing_model import ThingModel
from .const import (
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_PRODUCT_KEY,
    CONF_THING_MODELS,
    DOMAIN,
    ENTRY_MINOR_VERSION,
    ENTRY_VERSION,
    SUBENTRY_EXPOSURE,
)
from .exposures import ExposureKey, exposure_data, exposure_key, exposure_title
from .generated_model import GeneratedModel, generate
from .ha_internals import CheckedStore
from .mapping.binding import Binding

VERSION: Final = 1

FORGET_DELAY: Final = 30
"""Seconds after which a finished run is removed from the disk, when the entry is certainly there."""

_RUNS: HassKey[Runs] = HassKey(f"{DOMAIN}_runs")

_DRAFT_KEY: Final = "draft"
"""The ProductKey of a draft whose product does not exist yet."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The product and the device that the user has chosen; `key` is empty for a new product, `model` None without a model."""

    product: str
    device: str
    gateway: bool
    key: str = ""
    model: ThingModel | None = field(default=None, repr=False)


@callback
def draft_entry(hass: HomeAssistant, choice: Choice, bindings: Iterable[Binding] = ()) -> ConfigEntry:
    """Return an entry that Home Assistant does not know, with what is chosen and bound."""
    key = choice.key or _DRAFT_KEY
    return ConfigEntry(
        version=ENTRY_VERSION,
        minor_version=ENTRY_MINOR_VERSION,
        domain=DOMAIN,
        title=choice.device,
        source=SOURCE_USER,
        unique_id=None,
        data={CONF_PRODUCT_KEY: key, CONF_DEVICE_NAME: choice.device},
        options={CONF_THING_MODELS: {key: choice.model.to_tsl()} if choice.model else {}},
        discovery_keys=MappingProxyType({}),
        subentries_data=exposures(hass, bindings),
    )


@callback
def exposures(hass: HomeAssistant, bindings: Iterable[Binding]) -> list[ConfigSubentryData]:
    """Return a new subentry for each device of Home Assistant that is bound."""
    grouped: dict[ExposureKey, list[Binding]] = defaultdict(list)
    for binding in bindings:
        grouped[exposure_key(hass, binding.entity)].append(binding)
    return [
        ConfigSubentryData(
            data=exposure_data(rows),
            subentry_type=SUBENTRY_EXPOSURE,
            title=exposure_title(key.title, rows),
            unique_id=key.unique_id,
        )
        for key, rows in grouped.items()
    ]


@callback
def plan_device(
    hass: HomeAssistant, choice: Choice, bindings: list[Binding], connection: Mapping[str, Any]
) -> tuple[Plan, GeneratedModel | None]:
    """Return the plan for one device, and the thing model that is generated for it, None if the product has one."""
    generated = None if choice.model else generate(hass, draft_entry(hass, choice, bindings))
    model = generated.model if generated else choice.model
    fitted = generated.fitted(bindings) if generated else bindings
    steps: list[Step] = [] if choice.key else [CreateProduct(choice.product, choice.gateway)]
    if generated and fitted:
        steps += model_steps(choice.product, generated)
    steps.append(RegisterDevices(choice.product, (choice.device,)))
    purpose = {
        "product": choice.product,
        "device": choice.device,
        "connection": dict(connection),
        "models": {choice.product: model.to_tsl() if model else None},
        "subentries": exposures(hass, fitted),
    }
    products = {choice.product: choice.key} if choice.key else {}
    return Plan(uuid.uuid4().hex[:12], tuple(steps), products, purpose), generated


def model_steps(product: str, generated: GeneratedModel) -> list[Step]:
    """Return the steps that give a product a thing model."""
    return [
        *(
            ImportModel(product, module, document, _count(document))
            for module, document in generated.documents().items()
        ),
        PublishModel(product),
    ]


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What a finished run gives to a new entry."""

    data: dict[str, Any] = field(repr=False)
    options: dict[str, Any]
    subentries: list[ConfigSubentryData] = field(repr=False)


def new_entry(run: Run, secret: str) -> NewEntry:
    """Return the entry for a run that is finished."""
    purpose = run.plan.purpose
    models = {
        run.key(product): replace(ThingModel.parse(document), product_key=run.key(product)).to_tsl()
        for product, document in purpose["models"].items()
        if document
    }
    return NewEntry(
        {
            CONF_PRODUCT_KEY: run.key(purpose["product"]),
            CONF_DEVICE_NAME: purpose["device"],
            CONF_DEVICE_SECRET: secret,
            **purpose["connection"],
        },
        {CONF_THING_MODELS: models} if models else {},
        [
            ConfigSubentryData(
                data=subentry["data"],
                subentry_type=subentry["subentry_type"],
                title=subentry["title"],
                unique_id=subentry["unique_id"],
            )
            for subentry in purpose["subentries"]
        ],
    )


class Runs:
    """The runs that are not finished, by the address of the account, in memory and on disk."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Nothing is read before `load`."""
        self.active: set[str] = set()
        """Addresses at which a flow is working."""
        self._store = CheckedStore(hass, VERSION, f"{DOMAIN}.account", private=True, atomic_writes=True)
        self._runs: dict[str, Any] = {}

    async def load(self) -> None:
        """Read what earlier runs have left."""
        self._runs = (await self._store.async_load() or {}) | self._runs

    def find(self, address: str) -> Mapping[str, Any] | None:
        """Return the run at an address as it was stored, None without one."""
        run: Mapping[str, Any] | None = self._runs.get(address)
        return run

    async def keep(self, address: str, run: Run) -> None:
        """Store a run at once; one without a journal has nothing to resume or undo."""
        if run.journal:
            self._runs[address] = run.as_dict()
        else:
            self._runs.pop(address, None)
        await self._store.async_save(self._runs)

    @callback
    def forget(self, address: str) -> None:
        """Remove a run that is finished, or that the user leaves as it is."""
        if self._runs.pop(address, None):
            self._store.async_delay_save(lambda: self._runs, FORGET_DELAY)


async def async_runs(hass: HomeAssistant) -> Runs:
    """Return the runs that are not finished."""
    if (runs := hass.data.get(_RUNS)) is None:
        runs = Runs(hass)
        await runs.load()
        runs = hass.data.setdefault(_RUNS, runs)
    return runs


def _count(document: Mapping[str, JsonValue]) -> int:
    properties = document.get("properties")
    return len(properties) if isinstance(properties, list) else 0
