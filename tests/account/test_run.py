"""A run that is interrupted after every single call, in turn, is resumed or undone: nothing is left behind, or made twice."""

from collections import Counter
from collections.abc import Awaitable, Callable
import json
from typing import Any

import pytest

from custom_components.aliyun_iot.account import client
from custom_components.aliyun_iot.account.errors import NameTaken, NotThere
from custom_components.aliyun_iot.account.plan import (
    AddTopology,
    CreateProduct,
    ImportModel,
    Plan,
    PublishModel,
    RegisterDevices,
    Step,
)
from custom_components.aliyun_iot.account.run import Made, Run
from simulator import Simulator

from .conftest import Connect
from .test_client import MODEL

OTHER = {"properties": [MODEL["properties"][0] | {"identifier": "Other", "name": "Other"}]}
MODULE = {**MODEL, "functionBlockId": "module_2", "functionBlockName": "module_2"}

GATEWAY: tuple[Step, ...] = (
    CreateProduct("Gateways", gateway=True),
    ImportModel("Gateways", "", MODEL, 1),
    PublishModel("Gateways"),
    RegisterDevices("Gateways", ("gw-1",)),
    CreateProduct("Lamps", gateway=False),
    ImportModel("Lamps", "", MODEL, 1),
    ImportModel("Lamps", "module_2", MODULE, 1),
    PublishModel("Lamps"),
    RegisterDevices("Lamps", ("lamp-1", "lamp-2", "lamp-3")),
    AddTopology("Gateways", "gw-1", (("Lamps", "lamp-1"), ("Lamps", "lamp-2"), ("Lamps", "lamp-3"))),
)
EXISTING: tuple[Step, ...] = (
    ImportModel("Existing", "", MODEL, 1),
    ImportModel("Existing", "module_2", MODULE, 1),
    PublishModel("Existing"),
    RegisterDevices("Existing", ("old-1", "new-1")),
)
STEPS = {"gateway": GATEWAY, "existing": EXISTING}


class Killed(Exception):  # noqa: N818 - named after what happened
    """Home Assistant was killed."""


class Disk:
    """What survives: the run as it was written last."""

    def __init__(self) -> None:
        """Nothing is written yet."""
        self.written: dict[str, Any] = {}

    async def save(self, run: Run) -> None:
        """Write as JSON does."""
        self.written = json.loads(json.dumps(run.as_dict()))


class World:
    """An account, the disk, and something that kills after a number of calls."""

    def __init__(self, cloud: Simulator, connect: Connect) -> None:
        """Nobody is killed at first."""
        self.cloud = cloud
        self.disk = Disk()
        self.calls: list[str] = []
        self._connect = connect
        self._kill_after = 0

    def kill_after(self, calls: int) -> None:
        """Kill after this many more calls."""
        self._kill_after = len(self.calls) + calls

    async def after(self, action: str) -> None:
        """Count a call that the cloud has answered."""
        self.calls.append(action)
        if len(self.calls) == self._kill_after:
            raise Killed

    def begin(self, steps: tuple[Step, ...]) -> Run:
        """Return a new run."""
        plan = Plan("0a1b2c3d", steps, self.existing(), {})
        return Run(self._connect(self.after), plan, self.disk.save)

    def again(self) -> Run:
        """Return the run from the disk, as after a start."""
        return Run.from_dict(self._connect(self.after), self.disk.written, self.disk.save)

    def existing(self) -> dict[str, str]:
        """Return the products that are there, by name."""
        return {one.name: one.key for one in self.cloud._platform.registry.products.values() if one.name == "Existing"}

    def state(self) -> dict[str, Any]:
        """Return everything in the cloud that a run can change, without keys, secrets and times."""
        registry = self.cloud._platform.registry
        return {
            product.name: (
                sorted(device.device_name for device in registry.of_product(product.key)),
                sorted(_features(product.draft.modules if product.draft else {})),
                product.thing_model and sorted(product.thing_model.properties),
                sorted(
                    sub.device_name
                    for device in registry.of_product(product.key)
                    for sub in device.sub_devices.values()
                ),
            )
            for product in registry.products.values()
        }


def _features(modules: dict[str, Any]) -> list[str]:
    return [f"{module}:{one['identifier']}" for module, document in modules.items() for one in document["properties"]]


async def finish(run: Run) -> None:
    """Carry everything out."""
    while run.next:
        await run.go_on()


async def undo(run: Run) -> None:
    """Undo everything."""
    while run.last:
        await run.undo()


@pytest.fixture
async def world(cloud: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world with a product and a device that are not the run's."""
    monkeypatch.setattr(client, "APPLICATION_POLL", 0.0)
    world = World(cloud, connect)
    made = await cloud.call(
        "CreateProduct", ProductName="Existing", NodeType=0, DataFormat=1, AliyunCommodityCode="iothub_senior"
    )
    key = made["ProductKey"]
    await cloud.call("ImportThingModelTsl", ProductKey=key, TslStr=json.dumps(OTHER))
    await cloud.call("PublishThingModel", ProductKey=key)
    await cloud.call("RegisterDevice", ProductKey=key, DeviceName="old-1")
    return world


async def number_of_calls(world: World, work: Callable[[], Awaitable[None]]) -> int:
    """Return how many calls something makes."""
    before = len(world.calls)
    await work()
    return len(world.calls) - before


@pytest.mark.parametrize("kind", STEPS)
async def test_run_is_resumed_wherever_it_was_killed(world: World, kind: str) -> None:
    """The cloud then has what it has after a run without interruption, and each thing once."""
    before = world.state()
    run = world.begin(STEPS[kind])
    calls = await number_of_calls(world, lambda: finish(run))
    after = world.state()
    assert after != before
    made = run.made()
    await undo(run)
    assert world.state() == before

    for number in range(1, calls + 1):
        world.kill_after(number)
        with pytest.raises(Killed):
            await finish(world.begin(STEPS[kind]))
        resumed = world.again() if world.disk.written["journal"] else world.begin(STEPS[kind])
        await finish(resumed)
        assert world.state() == after, number
        assert resumed.made() == made
        assert {name for _, name in await resumed.secrets()} >= {one.device for one in made if one.device}
        await undo(resumed)
        assert world.state() == before, number


@pytest.mark.parametrize(("product", "name"), [("Gateways", "gw-1"), ("Lamps", "lamp-2")])
async def test_device_that_is_deleted_meanwhile_is_named(world: World, product: str, name: str) -> None:
    """Once it is created again in the console the run goes on, also after its last step."""
    run = world.begin(GATEWAY)
    while not isinstance(run.next, AddTopology):
        await run.go_on()
    key = run.key(product)
    await world.cloud.call("DeleteDevice", ProductKey=key, DeviceName=name)
    with pytest.raises(NotThere, match=f"{product}: {name}"):
        await run.go_on()
    await world.cloud.call("RegisterDevice", ProductKey=key, DeviceName=name)
    await finish(run)
    assert len(await run.secrets()) == 4
    await world.cloud.call("DeleteDevice", ProductKey=key, DeviceName=name)
    with pytest.raises(NotThere, match=f"{product}: {name}"):
        await run.secrets()
    await undo(run)
    assert set(world.state()) == {"Existing"}


@pytest.mark.parametrize("kind", STEPS)
async def test_run_is_undone_wherever_it_was_killed(world: World, kind: str) -> None:
    """Also when the undoing is killed after each of its calls."""
    before = world.state()
    run = world.begin(STEPS[kind])
    calls = await number_of_calls(world, lambda: finish(run))
    undoing = await number_of_calls(world, lambda: undo(run))
    assert world.state() == before

    for number in range(1, calls + 1):
        world.kill_after(number)
        with pytest.raises(Killed):
            await finish(world.begin(STEPS[kind]))
        if world.disk.written["journal"]:
            await undo(world.again())
        assert world.state() == before, number
    for number in range(1, undoing + 1):
        await finish(world.begin(STEPS[kind]))
        world.kill_after(number)
        with pytest.raises(Killed):
            await undo(world.again())
        await undo(world.again())
        assert world.state() == before, number


@pytest.mark.parametrize("kind", STEPS)
async def test_everything_that_was_made_is_named(world: World, kind: str) -> None:
    """At every point at which it could be killed, what is in the cloud is named, or was there before."""
    before = world.state()
    run = world.begin(STEPS[kind])
    calls = await number_of_calls(world, lambda: finish(run))
    await undo(run)
    for number in range(1, calls + 1):
        world.kill_after(number)
        with pytest.raises(Killed):
            await finish(world.begin(STEPS[kind]))
        named = world.again() if world.disk.written["journal"] else world.begin(STEPS[kind])
        made = {(one.product, one.device) for one in named.made()}
        for product, (devices, *model, _) in world.state().items():
            assert product in before or (product, "") in made
            old_devices, *old_model, _ = before.get(product, ([], [], None, []))
            assert {(product, name) for name in devices if name not in old_devices} <= made
            assert product not in before or model == old_model or product in named.changed()
        await undo(named)


async def test_nothing_is_made_twice_and_nothing_is_asked_in_vain(world: World) -> None:
    """A run without interruption makes each thing with one call, many devices with two."""
    run = world.begin(GATEWAY)
    await finish(run)
    counted = Counter(world.calls)
    assert counted["CreateProduct"] == 2
    assert counted["ImportThingModelTsl"] == 3
    assert counted["PublishThingModel"] == 2
    assert counted["RegisterDevice"] == counted["BatchRegisterDeviceWithApplyId"] == 1
    assert counted["BatchAddThingTopo"] == 1
    assert run.done == len(GATEWAY)
    await finish(run)
    assert Counter(world.calls) == counted


async def test_product_of_somebody_else_is_left_alone(world: World) -> None:
    """It was made with the same name after the plan, and is neither used nor deleted."""
    run = world.begin((CreateProduct("Lamps", gateway=False),))
    await world.cloud.call("CreateProduct", ProductName="Lamps", NodeType=0)
    with pytest.raises(NameTaken):
        await finish(run)
    assert run.made() == [Made("Lamps", certain=False)]
    with pytest.raises(NameTaken):
        await finish(world.again())
    await undo(world.again())
    assert set(world.state()) == {"Existing", "Lamps"}


async def test_unpublished_changes_of_others_are_not_published_by_undoing(world: World) -> None:
    """Only what was published is published again."""
    key = world.existing()["Existing"]
    both = {"properties": [*MODEL["properties"], *OTHER["properties"]]}
    await world.cloud.call("ImportThingModelTsl", ProductKey=key, TslStr=json.dumps(both))
    before = world.state()
    run = world.begin(EXISTING)
    await run.go_on()
    await undo(run)
    assert world.state() == before


def test_there_is_no_secret_in_what_is_stored(world: World) -> None:
    """A plan has names and thing models."""
    stored = json.dumps(world.begin(GATEWAY).as_dict())
    assert "ecret" not in stored
    assert Plan.from_dict(json.loads(stored)["plan"]).steps == GATEWAY
