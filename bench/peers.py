"""Other programs that report values, for comparison, each in a process and an environment of its own.

The vendor's SDK, plain paho-mqtt and aiomqtt publish each change as a message (`publisher.py`). `mqtt_statestream` is Home
Assistant's own integration that publishes states to a broker; it runs in the Home Assistant that is measured.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import shutil
import sys
from tempfile import TemporaryDirectory
from types import MappingProxyType

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant

from .children import ROOT, Child, child
from .device import PRODUCT_KEY, Device
from .home import NotSetUp, set_up
from .ledger import Ledger
from .load import Cost
from .publisher import credentials
from .sdk import PYTHON as SDK_PYTHON, VERSION, SdkUnavailable, install_sdk, succeeds
from .sensors import Sensors

AIOMQTT_VERSION = "2.5.1"
AIOMQTT = ROOT / ".python" / "aiomqtt"

SDK, PAHO, AIOMQTT_KIND = "sdk", "paho", "aiomqtt"
TITLES: Mapping[str, str] = {
    SDK: f"Python SDK {VERSION}, paho 1.6",
    PAHO: "paho-mqtt 2.1, each change",
    AIOMQTT_KIND: f"aiomqtt {AIOMQTT_VERSION}, each change",
}


@dataclass(frozen=True, slots=True)
class Peer:
    """A running publisher."""

    kind: str
    device: Device
    process: Child

    async def publish(self, rate: float, seconds: float, first: int) -> tuple[Cost, int]:
        """Publish `rate` changes a second; return the cost, and how many of them the library accepted."""
        answer = await self.process.ask([rate, seconds, first])
        return Cost(answer["processor"], 0.0, first, answer["changed_at"]), answer["kept"]


async def install_peers() -> list[str]:
    """Make the environments and return the kinds that could be installed; stderr has the others."""
    kinds = [PAHO]
    if (AIOMQTT / "aiomqtt").exists() or await succeeds(
        *(shutil.which("python3") or sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
        *("--target", AIOMQTT, f"aiomqtt=={AIOMQTT_VERSION}"),
    ):
        kinds.append(AIOMQTT_KIND)
    else:
        sys.stderr.write(f"without aiomqtt: it cannot be installed into {AIOMQTT}\n")
    try:
        await install_sdk()
        kinds.append(SDK)
    except SdkUnavailable as err:
        sys.stderr.write(f"without the SDK: {err}\n")
    return kinds


@asynccontextmanager
async def peers(kinds: list[str], ledger: Ledger, sensors: Sensors) -> AsyncIterator[list[Peer]]:
    """Connect a publisher of each kind for the duration of the context, with the devices of `PEER_DEVICES`."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        tsl = folder / "tsl.json"
        tsl.write_text(json.dumps(sensors.thing_model()), encoding="utf-8")
        running = []
        for kind in kinds:
            device = PEER_DEVICES[kind]
            script = Path(__file__).with_name("publisher.py")
            python: list[str | Path] = [SDK_PYTHON] if kind == SDK else ["env", f"PYTHONPATH={AIOMQTT}", sys.executable]
            triple = (PRODUCT_KEY, device.device_name, device.secret)
            command = (*python, script, kind, str(ledger.port), *triple, tsl, str(sensors.count))
            process = await stack.enter_async_context(child(*command))
            await process.read()
            running.append(Peer(kind, device, process))
        yield running


PEER_DEVICES: Mapping[str, Device] = {kind: Device(kind) for kind in TITLES}
"""The device of each kind."""


@asynccontextmanager
async def statestream(hass: HomeAssistant, ledger: Ledger, device: Device) -> AsyncIterator[None]:
    """Let Home Assistant publish all states of sensors to the same broker, only once for each `hass`; raises NotSetUp."""
    user_name, password, client_id = credentials(PRODUCT_KEY, device.device_name, device.secret)
    entry = ConfigEntry(
        version=2,
        minor_version=1,
        domain="mqtt",
        title="broker",
        source=SOURCE_USER,
        unique_id=None,
        data={
            "broker": "127.0.0.1",
            "port": ledger.port,
            "protocol": "3.1.1",
            "client_id": client_id,
            "username": user_name,
            "password": password,
        },
        options={"discovery": False, "birth_message": {}, "will_message": {}},
        discovery_keys=MappingProxyType({}),
        subentries_data=[],
    )
    await hass.async_add_executor_job(Path(hass.config.path("configuration.yaml")).touch)  # mqtt reads it
    await hass.config_entries.async_add(entry)
    if entry.state is not ConfigEntryState.LOADED:
        raise NotSetUp(f"mqtt: {entry.state.value}, {entry.reason}")
    await ledger.wait_online(device)
    topic = f"/{PRODUCT_KEY}/{device.device_name}/user"
    config = {"base_topic": topic, "include": {"domains": ["sensor"]}}
    await set_up(hass, "mqtt_statestream", {"mqtt_statestream": config})
    yield
    await hass.config_entries.async_remove(entry.entry_id)
