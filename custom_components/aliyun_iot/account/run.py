"""Carries a plan out, one step after the other, so that it can be resumed and undone whenever it was interrupted.

Before a step changes anything, the journal says that it has begun, and what it found. A step that has begun may have been
carried out, in part or completely: resuming it and undoing it look at what is there first. So nothing that was made is ever
unknown.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from ..alink.auth import DeviceTriple
from ..alink.messages import JsonValue
from .client import Account
from .errors import NotThere
from .plan import AddTopology, CreateProduct, ImportModel, Plan, PublishModel, RegisterDevices, Step

type Facts = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Record:
    """How far a step is. `facts` are what it found before, and what it has made."""

    done: bool
    facts: Facts = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the record that was stored."""
        return cls(data["done"], data["facts"])

    def as_dict(self) -> dict[str, Any]:
        """Return data that JSON can hold."""
        return {"done": self.done, "facts": dict(self.facts)}


@dataclass(frozen=True, slots=True)
class Made:
    """Something in the cloud that a run has made, or may have made; `device` is empty for a product."""

    product: str
    device: str = ""
    certain: bool = True


class Run:
    """One plan and its journal. What fails raises an ApiError or a ConnectError, and can be called again."""

    def __init__(
        self,
        account: Account,
        plan: Plan,
        save: Callable[[Run], Awaitable[None]],
        journal: list[Record] | None = None,
    ) -> None:
        """`save` stores `as_dict`; `journal` has a record of each step that has begun."""
        self.plan = plan
        self.journal = journal or []
        self._account = account
        self._save = save

    def as_dict(self) -> dict[str, Any]:
        """Return plan and journal as data that JSON can hold; there is no secret in it."""
        return {"plan": self.plan.as_dict(), "journal": [record.as_dict() for record in self.journal]}

    @classmethod
    def from_dict(cls, account: Account, data: Mapping[str, Any], save: Callable[[Run], Awaitable[None]]) -> Self:
        """Return the run that was stored."""
        journal = [Record.from_dict(record) for record in data["journal"]]
        return cls(account, Plan.from_dict(data["plan"]), save, journal)

    @property
    def next(self) -> Step | None:
        """The step that is carried out next, None if all are done."""
        number = self._number
        return self.plan.steps[number] if number < len(self.plan.steps) else None

    @property
    def done(self) -> int:
        """How many steps are done."""
        return sum(record.done for record in self.journal)

    @property
    def last(self) -> Step | None:
        """The step that is undone next, None if none has begun."""
        return self.plan.steps[len(self.journal) - 1] if self.journal else None

    def key(self, product: str) -> str:
        """Return the ProductKey of a product of the plan; raises KeyError before it is made."""
        return self.keys()[product]

    def made(self) -> list[Made]:
        """Return what the run has made, or may have made, and not undone."""
        made: list[Made] = []
        for step, record in zip(self.plan.steps, self.journal, strict=False):
            match step:
                case CreateProduct(product):
                    made.append(Made(product, certain=record.done))
                case RegisterDevices(product):
                    made += [Made(product, name, record.done) for name in _absent(record)]
        return made

    def changed(self) -> list[str]:
        """Return the existing products whose thing models the run has changed, or may have changed."""
        return list(
            dict.fromkeys(
                step.product
                for step, _ in zip(self.plan.steps, self.journal, strict=False)
                if isinstance(step, ImportModel) and step.product in self.plan.products
            )
        )

    async def go_on(self) -> None:
        """Carry out the next step."""
        step, number = self.next, self._number
        assert step is not None  # noqa: S101 - the caller has looked
        again = number < len(self.journal)
        if not again:
            self.journal.append(Record(done=False, facts=await self._look(step)))
            await self._save(self)
        facts = self.journal[number].facts
        self.journal[number] = Record(done=True, facts=await self._carry_out(step, facts, again=again))
        await self._save(self)

    async def undo(self) -> None:
        """Undo the last step that has begun."""
        step, record = self.last, self.journal[-1]
        assert step is not None  # noqa: S101 - as above
        await self._undo(step, record)
        self.journal.pop()
        await self._save(self)

    async def secrets(self) -> dict[tuple[str, str], str]:
        """Return the secrets of all devices of the plan, by ProductKey and DeviceName."""
        registered = [
            (step.product, name) for step in self.plan.steps if isinstance(step, RegisterDevices) for name in step.names
        ]
        return {
            (device.product_key, device.device_name): device.device_secret for device in await self._all(registered)
        }

    @property
    def _number(self) -> int:
        return next((number for number, record in enumerate(self.journal) if not record.done), len(self.journal))

    def keys(self) -> dict[str, str]:
        """Return the ProductKeys of the products that are there, by name."""
        made = {
            step.product: str(record.facts["key"])
            for step, record in zip(self.plan.steps, self.journal, strict=False)
            if isinstance(step, CreateProduct) and record.done
        }
        return {**self.plan.products, **made}

    async def _look(self, step: Step) -> Facts:
        """Return what is there before a step."""
        match step:
            case RegisterDevices(product, names):
                there = {device.device_name for device in await self._account.devices(self.key(product), names)}
                return {"absent": [name for name in names if name not in there]}
            case ImportModel(product, module) if product in self.plan.products:
                return {"before": await self._draft(self.key(product), module)}
            case _:
                return {}

    async def _carry_out(self, step: Step, facts: Facts, *, again: bool) -> Facts:
        """Carry a step out, and return its facts; `again` if it may have been carried out before."""
        match step:
            case CreateProduct(product, gateway):
                key = await self._find(product) if again else None
                return {"key": key or await self._account.create_product(product, self._mark, gateway=gateway)}
            case ImportModel(product, _, document):
                await self._account.import_model(self.key(product), document)
            case PublishModel(product):
                await self._account.publish_model(self.key(product))
            case RegisterDevices(product, names):
                await self._register(self.key(product), names)
            case AddTopology(product, name, sub_devices):
                (above,) = await self._all([(product, name)])
                await self._account.add_topology(above, await self._all(sub_devices))
        return facts

    async def _undo(self, step: Step, record: Record) -> None:
        match step:
            case CreateProduct(product):
                if key := str(record.facts["key"]) if record.done else await self._find(product):
                    await self._account.delete_product(key)
            case PublishModel(product):
                # Its modules are restored next, and must then be published again.
                for number, one in enumerate(self.plan.steps[: len(self.journal)]):
                    if isinstance(one, ImportModel) and one.product == product:
                        facts = self.journal[number].facts
                        self.journal[number] = Record(done=True, facts={**facts, "published": True})
            case ImportModel(product, module) if product in self.plan.products:
                await self._restore(self.key(product), module, record)
            case RegisterDevices(product):
                for name in _absent(record):
                    await self._account.delete_device(self.key(product), name)
            case _:  # ends with what it belongs to
                pass

    async def _restore(self, key: str, module: str, record: Record) -> None:
        """Make a module what it was before, and publish that if the change may have been published."""
        before = record.facts["before"]
        with suppress(NotThere):  # there is nothing to restore
            if isinstance(before, dict):
                await self._account.import_model(key, before)
            elif module and await self._draft(key, module) is not None:
                await self._account.delete_module(key, module)
            if record.facts.get("published"):
                await self._account.publish_model(key)

    async def _draft(self, key: str, module: str) -> dict[str, JsonValue] | None:
        """Return the document of a module as it is being edited, None if there is none."""
        documents = await self._account.thing_model(key, published=False) or []
        return next((dict(one) for one in documents if (one.get("functionBlockId") or "") == module), None)

    async def _register(self, key: str, names: tuple[str, ...]) -> None:
        """Register the devices that do not exist."""
        there = {device.device_name for device in await self._account.devices(key, names)}
        if missing := [name for name in names if name not in there]:
            await self._account.register_devices(key, missing)

    async def _all(self, devices: Sequence[tuple[str, str]]) -> list[DeviceTriple]:
        """Return the triples of devices, asked for once per product; raises NotThere if one is missing."""
        found: list[DeviceTriple] = []
        for product in dict.fromkeys(product for product, _ in devices):
            names = [name for of, name in devices if of == product]
            there = await self._account.devices(self.key(product), names)
            if missing := set(names) - {device.device_name for device in there}:
                raise NotThere("BatchQueryDeviceDetail", "", f"{product}: {', '.join(sorted(missing))}")
            found += there
        return found

    @property
    def _mark(self) -> str:
        """The description of products that this run makes, by which it finds them again."""
        return f"Home Assistant {self.plan.id}"

    async def _find(self, product: str) -> str | None:
        """Return the key of a product that this run has made without learning its key."""
        for one in await self._account.products():
            if one.name == product and one.description == self._mark:
                return one.key
        return None


def _absent(record: Record) -> list[str]:
    absent = record.facts["absent"]
    return [str(name) for name in absent] if isinstance(absent, list) else []
