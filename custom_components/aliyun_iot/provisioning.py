"""Turns what a user has chosen into a plan for the cloud, and a finished plan into a config entry.

Until there is an entry, a draft of one holds the choice, so that the same code suggests bindings and generates thing models.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import batched
import re
from types import MappingProxyType
from typing import Any, Final
import uuid

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigSubentryData
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .account.client import TOPOLOGY_PER_CALL
from .account.plan import AddTopology, CreateProduct, ImportModel, Plan, PublishModel, RegisterDevices, Step
from .account.run import Run
from .alink.messages import JsonValue
from .alink.model.thing_model import ThingModel
from .const import (
    CONF_BINDINGS,
    CONF_DEVICE_NAME,
    CONF_DEVICE_SECRET,
    CONF_PRODUCT_KEY,
    CONF_THING_MODELS,
    DOMAIN,
    ENTRY_MINOR_VERSION,
    ENTRY_VERSION,
    SUBENTRY_EXPOSURE,
    SUBENTRY_SUB_DEVICE,
)
from .device_names import propose_names
from .exposures import ExposureKey, exposure_data, exposure_key, exposure_title
from .generated_model import GeneratedModel, generate
from .ha_internals import CheckedStore
from .mapping.binding import Binding
from .sub_device_plan import Candidate, generated_for, with_numbers
from .sub_device_row import SubDeviceRow

VERSION: Final = 1

FORGET_DELAY: Final = 30
"""Seconds after which a finished run is removed from the disk, when the entry is certainly there."""

_RUNS: HassKey[Runs] = HassKey(f"{DOMAIN}_runs")

PRODUCT_NAME_WIDTH: Final = 30
"""What the name of a product may be wide; a Chinese or Japanese character counts as two."""

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
    fitted = with_numbers(bindings, generated) if generated else bindings
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
        "sub_devices": [],
    }
    products = {choice.product: choice.key} if choice.key else {}
    return new_plan(steps, products, purpose), generated


@dataclass(frozen=True, slots=True)
class SubProduct:
    """A product for sub-devices of one kind; `key` is empty for a new one, which gets the thing model `generated`."""

    name: str
    devices: list[tuple[Candidate, tuple[Binding, ...]]]
    generated: GeneratedModel = field(repr=False)
    key: str = ""
    changed: bool = True
    """Whether `generated` differs from the thing model that the product has."""

    def names(self, taken: Collection[str] = ()) -> dict[str, str]:
        """Return the DeviceNames of the devices, by the keys of the candidates."""
        return propose_names({candidate.key: candidate.title for candidate, _ in self.devices}, taken)


@callback
def sub_products(
    hass: HomeAssistant, devices: Iterable[tuple[Candidate, tuple[Binding, ...]]], taken: Iterable[str]
) -> list[SubProduct]:
    """Return a new product for each kind of devices, with a name that is not `taken`."""
    kinds: dict[str, list[tuple[Candidate, tuple[Binding, ...]]]] = defaultdict(list)
    for candidate, bindings in devices:
        kinds[candidate.kind].append((candidate, bindings))
    names = set(taken)
    products: list[SubProduct] = []
    for kind, members in kinds.items():
        name = free_name(_product_name(kind), names)
        names.add(name)
        products.append(SubProduct(name, members, generated_for(hass, "", members)))
    return products


@callback
def plan_gateway(choice: Choice, products: Iterable[SubProduct], connection: Mapping[str, Any]) -> Plan:
    """Return the plan for a gateway and its sub-devices."""
    steps: list[Step] = [] if choice.key else [CreateProduct(choice.product, choice.gateway)]
    steps.append(RegisterDevices(choice.product, (choice.device,)))
    purpose: dict[str, Any] = {
        "product": choice.product,
        "device": choice.device,
        "connection": dict(connection),
        "models": {choice.product: choice.model.to_tsl() if choice.model else None},
        "subentries": [],
        "sub_devices": [],
    }
    known = {choice.product: choice.key} if choice.key else {}
    plan_sub_devices(steps, purpose, known, products)
    plan_topology(steps, purpose, choice.product, choice.device)
    return new_plan(steps, known, purpose)


@callback
def plan_more(
    gateway: tuple[str, str, str], products: Iterable[SubProduct], taken: Mapping[str, Collection[str]]
) -> Plan:
    """Return the plan for more sub-devices of a gateway: its product, ProductKey and DeviceName."""
    name, key, device = gateway
    steps: list[Step] = []
    purpose: dict[str, Any] = {"models": {}, "subentries": [], "sub_devices": []}
    known = {name: key}
    plan_sub_devices(steps, purpose, known, products, taken)
    plan_topology(steps, purpose, name, device)
    return new_plan(steps, known, purpose)


def plan_sub_devices(
    steps: list[Step],
    purpose: dict[str, Any],
    known: dict[str, str],
    products: Iterable[SubProduct],
    taken: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> None:
    """Add to a plan what makes these products and their devices; `taken` are the names of devices by ProductKey."""
    for product in products:
        names = product.names(taken.get(product.key, ()))
        if product.key:
            known[product.name] = product.key
        else:
            steps.append(CreateProduct(product.name, gateway=False))
        if product.changed:
            steps += model_steps(product.name, product.generated)
        steps.append(RegisterDevices(product.name, tuple(names.values())))
        purpose["models"][product.name] = product.generated.model.to_tsl()
        purpose["sub_devices"] += [
            {
                "product": product.name,
                "device": names[candidate.key],
                "title": candidate.title,
                "stands_for": candidate.key,
                **exposure_data(with_numbers(bindings, product.generated)),
            }
            for candidate, bindings in product.devices
        ]


def plan_topology(steps: list[Step], purpose: Mapping[str, Any], product: str, device: str) -> None:
    """Add to a plan what puts its sub-devices into the topology of a gateway."""
    steps += [
        AddTopology(product, device, tuple((each["product"], each["device"]) for each in some))
        for some in batched(purpose["sub_devices"], TOPOLOGY_PER_CALL, strict=False)
    ]


def new_plan(steps: Iterable[Step], products: Mapping[str, str], purpose: Mapping[str, Any]) -> Plan:
    """Return a plan with an id of its own."""
    return Plan(uuid.uuid4().hex[:12], tuple(steps), products, purpose)


def free_name(name: str, taken: Collection[str]) -> str:
    """Return a name that is not taken, if need be with a number."""
    return next(
        free
        for number in range(1, len(taken) + 2)
        if (free := name if number == 1 else f"{_cut(name, PRODUCT_NAME_WIDTH - 1 - len(str(number)))}_{number}")
        not in taken
    )


def _product_name(kind: str) -> str:
    """Return the name of a product for devices of a kind."""
    words = "_".join(re.findall(r"[A-Za-z0-9\u3040-\u30ff\u4e00-\u9fff]+", kind))
    return f"HA_{_cut(words, PRODUCT_NAME_WIDTH - len('HA_')) or 'device'}"


def _cut(name: str, width: int) -> str:
    while sum(1 if character.isascii() else 2 for character in name) > width:
        name = name[:-1]
    return name.rstrip("_")


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


type Secrets = Mapping[tuple[str, str], str]
"""The DeviceSecrets by ProductKey and DeviceName."""


def new_entry(run: Run, secrets: Secrets) -> NewEntry:
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
            CONF_DEVICE_SECRET: secrets[run.key(purpose["product"]), purpose["device"]],
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
            for subentry in (*purpose["subentries"], *sub_device_subentries(run, secrets))
        ],
    )


def sub_device_subentries(run: Run, secrets: Secrets) -> list[ConfigSubentryData]:
    """Return the subentries of the sub-devices that a run has made."""
    subentries: list[ConfigSubentryData] = []
    for device in run.plan.purpose["sub_devices"]:
        key, name = run.key(device["product"]), device["device"]
        row = SubDeviceRow(key, name, secrets[key, name], None, device["stands_for"])
        subentries.append(
            ConfigSubentryData(
                data={**row.as_dict(), CONF_BINDINGS: device[CONF_BINDINGS]},
                subentry_type=SUBENTRY_SUB_DEVICE,
                title=device["title"],
                unique_id=row.unique_id,
            )
        )
    return subentries


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
