"""Upgrades: versions are reported, an offer is an update entity, and only a script of the user installs it."""

import asyncio
import base64
from pathlib import Path
from typing import Any

from homeassistant.components.update import UpdateEntityFeature
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest

from custom_components.aliyun_iot.const import DOMAIN
from custom_components.aliyun_iot.management import upgrades
from simulator import CloudDevice, Simulator

from .conftest import PRODUCT_KEY, SetUp
from .outages import end_outage, lose_connection, quick_to_return
from .test_management import options
from .waiting import until

CORE = "update.gw_1_home_assistant_upgrade"
OFFERS = {"upgrades": True}
INSTALLS = OFFERS | {"upgrade_script": "script.install"}
CONTENT = b"firmware" * 1000


@pytest.fixture(autouse=True)
def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return where downloads are kept."""
    hass.config.config_dir = str(tmp_path)
    return tmp_path / ".cache" / DOMAIN


@pytest.fixture
async def installed(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Set the script up, and return what it got, with the content of the file."""
    return await add_script(hass)


async def add_script(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Set the script up, and return what it gets, with the content of the file."""
    calls: list[dict[str, Any]] = []

    def record(call: ServiceCall) -> None:
        if call.data["version"] == "bad":
            raise HomeAssistantError("the installer says no")
        calls.append({**call.data, "content": Path(call.data["path"]).read_bytes()})

    hass.services.async_register("test", "install", record)
    data = {name: f"{{{{ {name} }}}}" for name in ("path", "module", "version", "is_diff")}
    script = {"install": {"sequence": [{"action": "test.install", "data": data}]}}
    assert await async_setup_component(hass, "script", {"script": script})
    return calls


async def offer(
    cloud: Simulator, version: str, module: str | None = "homeassistant", *, push: bool = True, **fields: Any
) -> str:
    """Create an upgrade in the cloud and return the id of its job."""
    firmware = {
        "FirmwareName": version,
        "DestVersion": version,
        "SignMethod": "SHA256",
        "FirmwareContent": base64.b64encode(CONTENT).decode(),
        **({"ModuleName": module} if module else {}),
        **fields,
    }
    if "FirmwareUrl" in fields:
        del firmware["FirmwareContent"]
    created = await cloud.call("CreateOTAFirmware", ProductKey=PRODUCT_KEY, **firmware)
    job = await cloud.call(
        "CreateOTAStaticUpgradeJob",
        ProductKey=PRODUCT_KEY,
        FirmwareId=created["Data"]["FirmwareId"],
        TargetSelection="ALL",
        NeedPush=push,
    )
    return str(job["Data"]["JobId"])


async def outcome(cloud: Simulator, job: str) -> tuple[str, str]:
    """Return the status and the description of an upgrade."""
    tasks = await cloud.call("ListOTATaskByJob", JobId=job, CurrentPage=1, PageSize=10)
    [task] = tasks["Data"]["SimpleOTATaskInfo"]
    return task["TaskStatus"], task["TaskDesc"]


async def has_outcome(cloud: Simulator, job: str, status: str) -> str:
    """Wait until an upgrade has this status, and return its description."""
    found = await outcome(cloud, job)
    while found[0] != status:
        await asyncio.sleep(0.002)
        found = await outcome(cloud, job)
    return found[1]


def kept(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return [path.name for path in folder.iterdir()] if folder.exists() else []


async def install(hass: HomeAssistant, entity_id: str = CORE) -> None:
    """Install as the user does."""
    await hass.services.async_call("update", "install", {"entity_id": entity_id}, blocking=True)


async def test_versions_are_reported(hass: HomeAssistant, device: CloudDevice, set_up: SetUp) -> None:
    """The entities exist while the setting is on, and so do the reports."""
    entry = await set_up()
    assert hass.states.get(CORE) is None
    assert not device.firmware
    await options(hass, entry, **OFFERS)
    await device.wait_for(lambda one: one.firmware.keys() == {"homeassistant", DOMAIN})
    assert device.firmware["homeassistant"] == __version__
    state = hass.states.get(CORE)
    assert (state.state, state.attributes["installed_version"]) == ("off", __version__)
    assert not state.attributes["supported_features"] & UpdateEntityFeature.INSTALL
    await options(hass, entry, upgrades=False)
    assert hass.states.get(CORE) is None
    assert er.async_get(hass).async_get(CORE) is None


async def test_offer_is_installed_by_the_script(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    installed: list[dict[str, Any]],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The script gets the file, which is removed afterwards; the version that runs then is what counts."""
    quick_to_return(monkeypatch)
    monkeypatch.setattr(upgrades, "PROGRESS_PACE", 0.0)
    entry = await set_up(options=INSTALLS)
    await device.wait_for(lambda one: "homeassistant" in one.firmware)
    job = await offer(cloud, "2030.1.0")
    await until(lambda: hass.states.get(CORE).state == "on")
    assert hass.states.get(CORE).attributes["latest_version"] == "2030.1.0"
    await install(hass)
    [call] = installed
    assert call.pop("content") == CONTENT
    assert Path(call.pop("path")).parent == folder
    assert call == {"module": "homeassistant", "version": "2030.1.0", "is_diff": False}
    assert not kept(folder)
    await until(lambda: next(iter(cloud._platform.upgrades.tasks)).progress == 100)
    assert (await outcome(cloud, job))[0] == "IN_PROGRESS"
    assert hass.states.get(CORE).attributes["in_progress"] is False

    monkeypatch.setattr(upgrades, "__version__", "2030.1.0")
    await lose_connection(cloud, device, entry)
    end_outage(cloud)
    await has_outcome(cloud, job, "SUCCEEDED")
    await until(lambda: hass.states.get(CORE).state == "off")


async def test_script_that_is_set_up_later(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """Home Assistant may set it up after the entity."""
    await set_up(options=INSTALLS)
    await offer(cloud, "2030.1.0")
    await until(lambda: hass.states.get(CORE).state == "on")
    installed = await add_script(hass)
    await install(hass)
    assert len(installed) == 1


async def test_offer_without_a_script(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp
) -> None:
    """It is shown and can't be installed; one that the cloud does not push is found on the next connection."""
    await offer(cloud, "2030.1.0", push=False)
    entry = await set_up(options=OFFERS | {"upgrade_script": "script.gone"})
    await until(lambda: hass.states.get(CORE).state == "on")
    with pytest.raises(HomeAssistantError):
        await install(hass)
    with pytest.raises(upgrades.NotInstalled):
        await entry.runtime_data.device.management.upgrades.install("homeassistant")


@pytest.mark.parametrize(
    ("fields", "failure"),
    [
        ({"FirmwareUrl": "http://127.0.0.1:9/a", "FirmwareSize": 5, "FirmwareSign": "0" * 64}, "cannot be downloaded"),
        ({"FirmwareUrl": "https://192.168.1.1/a", "FirmwareSize": 5, "FirmwareSign": "0" * 64}, "own network"),
        ({"FirmwareUrl": "", "FirmwareSize": 5, "FirmwareSign": "0" * 64}, "larger than"),
        ({"FirmwareUrl": "", "FirmwareSize": len(CONTENT), "FirmwareSign": "0" * 64}, "SHA256"),
        ({"FirmwareUrl": "", "FirmwareSize": 2**40, "FirmwareSign": "0" * 64}, "allowed"),
    ],
    ids=["refused", "inside", "size", "digest", "huge"],
)
async def test_files_that_are_not_installed(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    installed: list[dict[str, Any]],
    folder: Path,
    fields: dict[str, Any],
    failure: str,
) -> None:
    """The user and the cloud learn why; nothing is left behind."""
    await set_up(options=INSTALLS)
    url = fields["FirmwareUrl"] or cloud._platform.files.add("firmware.bin", CONTENT).url
    job = await offer(cloud, "2030.1.0", **fields | {"FirmwareUrl": url})
    await until(lambda: hass.states.get(CORE).state == "on")
    with pytest.raises(HomeAssistantError, match=failure):
        await install(hass)
    assert failure in await has_outcome(cloud, job, "FAILED")
    assert not installed
    assert not kept(folder)


async def test_full_disk(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    installed: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A download leaves room for everything else."""
    await set_up(options=INSTALLS)
    job = await offer(cloud, "2030.1.0")
    await until(lambda: hass.states.get(CORE).state == "on")
    monkeypatch.setattr(upgrades, "RESERVE", 2**62)
    with pytest.raises(HomeAssistantError, match="room on the disk"):
        await install(hass)
    await has_outcome(cloud, job, "FAILED")


async def test_failing_script(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    installed: list[dict[str, Any]],
    folder: Path,
) -> None:
    """What it says stays here; the cloud learns that it failed."""
    await set_up(options=INSTALLS)
    job = await offer(cloud, "bad", DOMAIN)
    entity_id = "update.gw_1_integration_upgrade"
    await until(lambda: hass.states.get(entity_id).state == "on")
    with pytest.raises(HomeAssistantError, match="the script failed"):
        await install(hass, entity_id)
    assert await has_outcome(cloud, job, "FAILED") == "the script failed"
    assert not kept(folder)


async def test_other_modules(hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp) -> None:
    """The cloud learns that this device does not have a module, and that a version runs already."""
    await set_up(options=OFFERS)
    job = await offer(cloud, "2030.1.0", None)
    assert await has_outcome(cloud, job, "FAILED") == "this device has no module default"
    job = await offer(cloud, __version__)
    await has_outcome(cloud, job, "SUCCEEDED")


async def test_unload_while_downloading(
    hass: HomeAssistant,
    cloud: Simulator,
    device: CloudDevice,
    set_up: SetUp,
    installed: list[dict[str, Any]],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The download ends, and nothing is left behind."""
    begun = asyncio.Event()

    async def stuck(*arguments: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(upgrades, "fetch", stuck)
    entry = await set_up(options=INSTALLS)
    await offer(cloud, "2030.1.0")
    await until(lambda: hass.states.get(CORE).state == "on")
    installing = hass.async_create_task(install(hass))
    await begun.wait()
    assert len(kept(folder)) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert not kept(folder)
    with pytest.raises(HomeAssistantError, match="stopped meanwhile"):
        await installing
    assert not installed


async def test_script_that_reloads_the_device(
    hass: HomeAssistant, cloud: Simulator, device: CloudDevice, set_up: SetUp, folder: Path
) -> None:
    """It runs to its end, with its file."""
    seen: list[Any] = []

    async def reload(call: ServiceCall) -> None:
        state = hass.states.get(CORE)
        seen.append((state.attributes["in_progress"], state.attributes["update_percentage"]))
        seen.append(await hass.config_entries.async_reload(entry.entry_id))
        seen.append(len(kept(folder)))

    hass.services.async_register("test", "install", reload)
    script = {"install": {"sequence": [{"action": "test.install"}]}}
    assert await async_setup_component(hass, "script", {"script": script})
    entry = await set_up(options=INSTALLS)
    await offer(cloud, "2030.1.0")
    await until(lambda: hass.states.get(CORE).state == "on")
    await install(hass)
    assert seen == [(True, upgrades.DOWNLOADED), True, 1]
    assert not kept(folder)
    assert entry.state is ConfigEntryState.LOADED
